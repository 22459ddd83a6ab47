// SPDX-License-Identifier: MIT
// URBs that are answered at once: descriptors, configurations, control transfers.
#include "tests/vbus/client.h"

static void Boot(void)
{
    ClientBoot();
    ClientPlug("t1");
}

static NTSTATUS Descriptor(USHORT Function, UCHAR Type, UCHAR Index, PVOID Buffer, PULONG Length)
{
    struct _URB_CONTROL_DESCRIPTOR_REQUEST urb = {.Hdr = {.Length = sizeof urb, .Function = Function}};
    urb.DescriptorType = Type;
    urb.Index = Index;
    urb.TransferBuffer = Buffer;
    urb.TransferBufferLength = *Length;
    NTSTATUS status = ClientUrb(&urb);
    CHECK_EQ(NT_SUCCESS(status), USBD_SUCCESS(urb.Hdr.Status));
    *Length = urb.TransferBufferLength;
    return status;
}

static void Descriptors(void)
{
    static const UCHAR device[18] = {18, 1, 0, 2, 0, 0, 0, 64, 0x34, 0x12, 0xCD, 0xAB, 2, 1, 0, 2, 0, 1};
    UCHAR data[256];
    ULONG length = sizeof data;
    CHECK_STATUS(Descriptor(URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE, 1, 0, data, &length), STATUS_SUCCESS);
    CHECK_EQ(length, sizeof device);
    CHECK_MEM(data, device, sizeof device);
    length = 8;
    CHECK_STATUS(Descriptor(URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE, 1, 0, data, &length), STATUS_SUCCESS);
    CHECK_EQ(length, 8);
    length = sizeof data;
    CHECK_STATUS(Descriptor(URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE, 2, 0, data, &length), STATUS_SUCCESS);
    CHECK_EQ(length, 93);
    length = sizeof data;
    CHECK_STATUS(Descriptor(URB_FUNCTION_GET_DESCRIPTOR_FROM_INTERFACE, 0x21, 0, data, &length),
                 STATUS_SUCCESS);
    CHECK_EQ(length, 54);
    length = sizeof data;
    CHECK_STATUS(Descriptor(URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE, 6, 0, data, &length),
                 STATUS_UNSUCCESSFUL);
    CHECK_EQ(length, 0);
    length = sizeof data;
    CHECK_STATUS(Descriptor(URB_FUNCTION_SET_DESCRIPTOR_TO_DEVICE, 1, 0, data, &length), STATUS_UNSUCCESSFUL);
}

static void ThroughAnMdl(void)
{
    struct _URB_CONTROL_DESCRIPTOR_REQUEST urb = {.Hdr = {.Length = sizeof urb}};
    UCHAR *data = ExAllocatePoolWithTag(NonPagedPool, 18, 'tseT');
    CHECK(data != NULL);
    if (data == NULL) {
        return;
    }
    PMDL mdl = IoAllocateMdl(data, 18, FALSE, FALSE, NULL);
    CHECK(mdl != NULL);
    MmBuildMdlForNonPagedPool(mdl);
    urb.Hdr.Function = URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE;
    urb.DescriptorType = 1;
    urb.TransferBufferMDL = mdl;
    urb.TransferBufferLength = 18;
    CHECK_STATUS(ClientUrb(&urb), STATUS_SUCCESS);
    CHECK_EQ(data[0], 18);
    urb.TransferBufferLength = 19; // more than the MDL describes
    CHECK_STATUS(ClientUrb(&urb), STATUS_INVALID_PARAMETER);
    urb.TransferBufferMDL = NULL;
    CHECK_STATUS(ClientUrb(&urb), STATUS_INVALID_PARAMETER);
    IoFreeMdl(mdl);
    ExFreePoolWithTag(data, 'tseT');
}

typedef union _SELECT {
    struct _URB_SELECT_CONFIGURATION Configuration;
    struct _URB_SELECT_INTERFACE Interface;
    UCHAR Room[256];
} SELECT;

static const USB_CONFIGURATION_DESCRIPTOR One = {
    .bLength = 9, .bDescriptorType = 2, .bConfigurationValue = 1};

static void Prepare(SELECT *Select, UCHAR Interface, ULONG Pipes)
{
    USHORT block =
        (USHORT)(FIELD_OFFSET(USBD_INTERFACE_INFORMATION, Pipes) + Pipes * sizeof(USBD_PIPE_INFORMATION));
    RtlZeroMemory(Select, sizeof *Select);
    Select->Configuration.Hdr.Function = URB_FUNCTION_SELECT_CONFIGURATION;
    Select->Configuration.Hdr.Length =
        (USHORT)(FIELD_OFFSET(struct _URB_SELECT_CONFIGURATION, Interface) + block);
    Select->Configuration.ConfigurationDescriptor = (PUSB_CONFIGURATION_DESCRIPTOR)&One;
    Select->Configuration.Interface.Length = block;
    Select->Configuration.Interface.InterfaceNumber = Interface;
}

static void Configurations(void)
{
    static const UCHAR addresses[] = {1, 0x82, 0x83};
    SELECT select;
    Prepare(&select, 0, 3);
    CHECK_STATUS(ClientUrb(&select), STATUS_SUCCESS);
    PUSBD_INTERFACE_INFORMATION interface_ = &select.Configuration.Interface;
    CHECK_EQ(interface_->NumberOfPipes, 3);
    CHECK_EQ(interface_->Class, 0x0B);
    for (ULONG i = 0; i < 3; i++) {
        CHECK_EQ(interface_->Pipes[i].EndpointAddress, addresses[i]);
        CHECK_EQ(interface_->Pipes[i].PipeType, i == 2 ? UsbdPipeTypeInterrupt : UsbdPipeTypeBulk);
        CHECK_EQ(interface_->Pipes[i].MaximumPacketSize, i == 2 ? 8 : 64);
        CHECK(interface_->Pipes[i].PipeHandle != NULL);
    }
    Prepare(&select, 0, 2);
    CHECK_STATUS(ClientUrb(&select), STATUS_BUFFER_TOO_SMALL);
    Prepare(&select, 1, 3);
    CHECK_STATUS(ClientUrb(&select), STATUS_UNSUCCESSFUL);
    CHECK_EQ(select.Configuration.Hdr.Status, USBD_STATUS_INTERFACE_NOT_FOUND);
    Prepare(&select, 0, 3);
    select.Configuration.Interface.Length += 1; // reaches beyond the URB
    CHECK_STATUS(ClientUrb(&select), STATUS_INVALID_PARAMETER);
    Prepare(&select, 0, 3);
    select.Configuration.Hdr.Length = 0x28;
    CHECK_STATUS(ClientUrb(&select), STATUS_INVALID_PARAMETER);
    USB_CONFIGURATION_DESCRIPTOR two = One;
    two.bConfigurationValue = 2;
    Prepare(&select, 0, 3);
    select.Configuration.ConfigurationDescriptor = &two;
    CHECK_STATUS(ClientUrb(&select), STATUS_INVALID_PARAMETER);
}

static void Unconfigure(void)
{
    SELECT select;
    CLIENT_TRANSFER transfer;
    UCHAR byte = 0;
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    Prepare(&select, 0, 0);
    select.Configuration.ConfigurationDescriptor = NULL;
    select.Configuration.Hdr.Length = 0x28;
    CHECK_STATUS(ClientUrb(&select), STATUS_SUCCESS);
    CHECK_STATUS(ClientTransfer(&transfer, CLIENT_BULK_IN, &byte, 1), STATUS_INVALID_PARAMETER);
    CHECK_EQ(transfer.Hdr.Status, USBD_STATUS_INVALID_PIPE_HANDLE);
}

static void SelectInterface(void)
{
    SELECT select;
    Prepare(&select, 0, 3);
    select.Interface.Hdr.Function = URB_FUNCTION_SELECT_INTERFACE;
    CHECK_STATUS(ClientUrb(&select), STATUS_INVALID_PARAMETER); // not configured
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    USBD_INTERFACE_INFORMATION block = {.Length = FIELD_OFFSET(USBD_INTERFACE_INFORMATION, Pipes) +
                                                  3 * sizeof(USBD_PIPE_INFORMATION)};
    RtlZeroMemory(&select, sizeof select);
    select.Interface.Hdr.Function = URB_FUNCTION_SELECT_INTERFACE;
    select.Interface.Hdr.Length =
        (USHORT)(FIELD_OFFSET(struct _URB_SELECT_INTERFACE, Interface) + block.Length);
    select.Interface.ConfigurationHandle = Client.Configuration;
    select.Interface.Interface.Length = block.Length;
    CHECK_STATUS(ClientUrb(&select), STATUS_SUCCESS);
    CHECK_EQ(select.Interface.Interface.NumberOfPipes, 3);
    select.Interface.Interface.AlternateSetting = 1;
    CHECK_STATUS(ClientUrb(&select), STATUS_UNSUCCESSFUL);
    select.Interface.Interface.AlternateSetting = 0;
    select.Interface.ConfigurationHandle = NULL;
    CHECK_STATUS(ClientUrb(&select), STATUS_INVALID_PARAMETER);
}

static NTSTATUS Request(USHORT Function, ULONG Flags, UCHAR Code, USHORT Value, USHORT Index, PVOID Buffer,
                        PULONG Length)
{
    struct _URB_CONTROL_VENDOR_OR_CLASS_REQUEST urb = {.Hdr = {.Length = sizeof urb, .Function = Function}};
    urb.TransferFlags = Flags;
    urb.Request = Code;
    urb.Value = Value;
    urb.Index = Index;
    urb.TransferBuffer = Buffer;
    urb.TransferBufferLength = *Length;
    NTSTATUS status = ClientUrb(&urb);
    *Length = urb.TransferBufferLength;
    return status;
}

static void ClassRequests(void)
{
    static const UCHAR rates[8] = {0x01, 0x2A, 0, 0, 0x16, 0x40, 0x05, 0};
    UCHAR data[64];
    ULONG length = sizeof data, none = 0;
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    CHECK_STATUS(Request(URB_FUNCTION_CLASS_INTERFACE, USBD_TRANSFER_DIRECTION_IN, 3, 0, 0, data, &length),
                 STATUS_SUCCESS);
    CHECK_EQ(length, sizeof rates);
    CHECK_MEM(data, rates, sizeof rates);
    CHECK_STATUS(Request(URB_FUNCTION_CLASS_INTERFACE, 0, 1, 0x0500, 0, NULL, &none),
                 STATUS_SUCCESS); // ABORT
    length = sizeof data;
    CHECK_STATUS(Request(URB_FUNCTION_CLASS_DEVICE, USBD_TRANSFER_DIRECTION_IN, 3, 0, 0, data, &length),
                 STATUS_UNSUCCESSFUL);
    length = sizeof data;
    CHECK_STATUS(Request(URB_FUNCTION_VENDOR_DEVICE, USBD_TRANSFER_DIRECTION_IN, 1, 0, 0, data, &length),
                 STATUS_UNSUCCESSFUL);
    length = 0x10000;
    CHECK_STATUS(Request(URB_FUNCTION_CLASS_INTERFACE, USBD_TRANSFER_DIRECTION_IN, 3, 0, 0, data, &length),
                 STATUS_INVALID_PARAMETER);
}

static void StandardRequests(void)
{
    struct _URB_CONTROL_GET_STATUS_REQUEST status = {.Hdr = {.Length = sizeof status}};
    struct _URB_CONTROL_FEATURE_REQUEST feature = {.Hdr = {.Length = sizeof(struct _URB_CONTROL_TRANSFER)}};
    struct _URB_CONTROL_GET_INTERFACE_REQUEST get = {.Hdr = {.Length = sizeof get}};
    union {
        struct _URB_CONTROL_FEATURE_REQUEST Feature;
        UCHAR Room[sizeof(struct _URB_CONTROL_TRANSFER)];
    } room;
    UCHAR data[2] = {0xFF, 0xFF};
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    RtlZeroMemory(&room, sizeof room);
    room.Feature = feature;
    room.Feature.Hdr.Function = URB_FUNCTION_SET_FEATURE_TO_DEVICE;
    room.Feature.FeatureSelector = 1;
    CHECK_STATUS(ClientUrb(&room), STATUS_SUCCESS);
    status.Hdr.Function = URB_FUNCTION_GET_STATUS_FROM_DEVICE;
    status.TransferBuffer = data;
    status.TransferBufferLength = 2;
    CHECK_STATUS(ClientUrb(&status), STATUS_SUCCESS);
    CHECK_EQ(data[0], 2);
    room.Feature.Hdr.Function = URB_FUNCTION_CLEAR_FEATURE_TO_DEVICE;
    CHECK_STATUS(ClientUrb(&room), STATUS_SUCCESS);
    get.Hdr.Function = URB_FUNCTION_GET_CONFIGURATION;
    get.TransferBuffer = data;
    get.TransferBufferLength = 1;
    CHECK_STATUS(ClientUrb(&get), STATUS_SUCCESS);
    CHECK_EQ(data[0], 1);
    get.Hdr.Function = URB_FUNCTION_GET_INTERFACE;
    CHECK_STATUS(ClientUrb(&get), STATUS_SUCCESS);
    CHECK_EQ(data[0], 0);
}

static void RawControl(void)
{
    static const UCHAR get_device[8] = {0x80, 6, 0, 1, 0, 0, 18, 0}, configure[8] = {0, 9, 0, 0, 0, 0, 0, 0};
    struct _URB_CONTROL_TRANSFER_EX urb = {.Hdr = {.Length = sizeof urb}};
    UCHAR data[18];
    urb.Hdr.Function = URB_FUNCTION_CONTROL_TRANSFER_EX;
    urb.TransferFlags = USBD_TRANSFER_DIRECTION_IN | USBD_DEFAULT_PIPE_TRANSFER;
    urb.TransferBuffer = data;
    urb.TransferBufferLength = sizeof data;
    RtlCopyMemory(urb.SetupPacket, get_device, 8);
    CHECK_STATUS(ClientUrb(&urb), STATUS_SUCCESS);
    CHECK_EQ(data[1], 1);
    urb.TransferBufferLength = 17; // setup and URB disagree
    CHECK_STATUS(ClientUrb(&urb), STATUS_INVALID_PARAMETER);
    RtlCopyMemory(urb.SetupPacket, configure, 8);
    urb.TransferBufferLength = 0;
    CHECK_STATUS(ClientUrb(&urb), STATUS_INVALID_PARAMETER); // there is a URB for that
    urb.Hdr.Function = URB_FUNCTION_CONTROL_TRANSFER;
    urb.PipeHandle = &urb;
    CHECK_STATUS(ClientUrb(&urb), STATUS_INVALID_PARAMETER);
}

static void Malformed(void)
{
    CLIENT_TRANSFER urb;
    UCHAR byte = 0;
    CHECK_STATUS(ClientUrb(NULL), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(ClientConfigure(), STATUS_SUCCESS);
    ClientFill(&urb, CLIENT_BULK_IN, &byte, 1);
    urb.Hdr.Length = 4;
    CHECK_STATUS(ClientUrb(&urb), STATUS_INVALID_PARAMETER);
    urb.Hdr.Length = sizeof urb - 1;
    CHECK_STATUS(ClientUrb(&urb), STATUS_INVALID_PARAMETER);
    urb.Hdr.Length = sizeof urb;
    urb.PipeHandle = &urb;
    CHECK_STATUS(ClientUrb(&urb), STATUS_INVALID_PARAMETER);
    CHECK_EQ(urb.Hdr.Status, USBD_STATUS_INVALID_PIPE_HANDLE);
    ClientFill(&urb, CLIENT_BULK_OUT, NULL, 10);
    CHECK_STATUS(ClientUrb(&urb), STATUS_INVALID_PARAMETER); // no buffer
    struct _URB_CONTROL_TRANSFER unknown = {.Hdr = {.Length = sizeof unknown, .Function = 0x7777}};
    CHECK_STATUS(ClientUrb(&unknown), STATUS_INVALID_PARAMETER);
    CHECK_EQ(unknown.Hdr.Status, USBD_STATUS_INVALID_URB_FUNCTION);
    struct _URB_PIPE_REQUEST reset = {.Hdr = {.Length = sizeof reset, .Function = URB_FUNCTION_ABORT_PIPE}};
    CHECK_STATUS(ClientUrb(&reset), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(ClientSend(IOCTL_INTERNAL_USB_GET_HUB_COUNT, NULL), STATUS_NOT_SUPPORTED);
}

const struct WdmTest WdmTests[] = {
    {"descriptors", Descriptors},
    {"through an MDL", ThroughAnMdl},
    {"configurations", Configurations},
    {"unconfigure", Unconfigure},
    {"select interface", SelectInterface},
    {"class requests", ClassRequests},
    {"standard requests", StandardRequests},
    {"raw control transfers", RawControl},
    {"malformed", Malformed},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = Boot;
void (*const WdmTestTeardown)(void) = ClientShutdown;
