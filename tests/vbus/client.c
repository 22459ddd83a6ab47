// SPDX-License-Identifier: MIT
#include "tests/vbus/client.h"

DRIVER_INITIALIZE ClientEntry, LectvbusDriverEntry;
static DRIVER_ADD_DEVICE ClientAdd;
static DRIVER_UNLOAD ClientUnload;
static DRIVER_DISPATCH ClientPnp, ClientPass, ClientPower;
static IO_COMPLETION_ROUTINE ClientCompleted;

typedef struct _EXTENSION {
    PDEVICE_OBJECT Lower;
    IO_REMOVE_LOCK Lock;
} EXTENSION;

CLIENT Client;
nt_file *ClientBus;

static NTSTATUS NTAPI ClientPass(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_OBJECT lower = ((EXTENSION *)DeviceObject->DeviceExtension)->Lower;

    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(lower, Irp);
}

static NTSTATUS NTAPI ClientPower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_OBJECT lower = ((EXTENSION *)DeviceObject->DeviceExtension)->Lower;

    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(lower, Irp);
}

static NTSTATUS ClientRemove(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_OBJECT lower = ((EXTENSION *)DeviceObject->DeviceExtension)->Lower;
    PIO_REMOVE_LOCK lock = &((EXTENSION *)DeviceObject->DeviceExtension)->Lock;

    CHECK_STATUS(IoAcquireRemoveLock(lock, Irp), STATUS_SUCCESS);
    IoReleaseRemoveLockAndWait(lock, Irp); // the tests' own use of the stack
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    NTSTATUS status = IoCallDriver(lower, Irp);
    IoDetachDevice(lower);
    IoDeleteDevice(DeviceObject);
    Client.Removes++;
    return status;
}

static NTSTATUS NTAPI ClientPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_OBJECT lower = ((EXTENSION *)DeviceObject->DeviceExtension)->Lower;

    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        (VOID) IoForwardIrpSynchronously(lower, Irp);
        NTSTATUS status = Irp->IoStatus.Status;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return status;
    case IRP_MN_REMOVE_DEVICE:
        return ClientRemove(DeviceObject, Irp);
    case IRP_MN_SURPRISE_REMOVAL:
        Client.Surprised = TRUE;
        Irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_STOP_DEVICE:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    default:
        break;
    }
    return ClientPass(DeviceObject, Irp);
}

static NTSTATUS NTAPI ClientAdd(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT PhysicalDeviceObject)
{
    PDEVICE_OBJECT device;
    EXTENSION *extension;
    NTSTATUS status =
        IoCreateDevice(DriverObject, sizeof(EXTENSION), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    Client.Self = device;
    Client.Pdo = PhysicalDeviceObject;
    Client.Lower = IoAttachDeviceToDeviceStack(device, PhysicalDeviceObject);
    Client.Adds++;
    extension = device->DeviceExtension;
    extension->Lower = Client.Lower;
    IoInitializeRemoveLock(&extension->Lock, 'tseT', 0, 0);
    Client.Lock = &extension->Lock;
    device->Flags |= Client.Lower->Flags & DO_POWER_PAGABLE;
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI ClientUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI ClientEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        DriverObject->MajorFunction[i] = ClientPass;
    }
    DriverObject->MajorFunction[IRP_MJ_PNP] = ClientPnp;
    DriverObject->MajorFunction[IRP_MJ_POWER] = ClientPower;
    DriverObject->DriverExtension->AddDevice = ClientAdd;
    DriverObject->DriverUnload = ClientUnload;
    return STATUS_SUCCESS;
}

static void Boot(enum nt_clock Clock)
{
    static const char *const bus[] = {VBUS_ROOT_ID, NULL};
    static const char *const reader[] = {"USB\\Class_0B", NULL};
    const struct nt_options options = {.clock = Clock, .verifier = true};
    const struct nt_service services[] = {
        {"lectvbus", (nt_entry_point *)(PVOID)LectvbusDriverEntry, bus},
        {"client", (nt_entry_point *)(PVOID)ClientEntry, reader},
    };
    char instance[NT_ID_MAX];

    RtlZeroMemory(&Client, sizeof Client);
    CHECK_EQ(nt_boot(&options), 0);
    CHECK_EQ(nt_service_add(&services[0]), 0);
    CHECK_EQ(nt_service_add(&services[1]), 0);
    CHECK_EQ(nt_root_device_add(VBUS_ROOT_ID, instance), 0);
    CHECK_STATUS(nt_open(VBUS_USER_PATH, &ClientBus), STATUS_SUCCESS);
}

void ClientBoot(void)
{
    Boot(NT_CLOCK_VIRTUAL);
}

void ClientBootReal(void)
{
    Boot(NT_CLOCK_REAL);
}

void ClientShutdown(void)
{
    nt_close(ClientBus);
    nt_shutdown();
}

struct emu_model ClientModel(ULONG Features)
{
    static const UCHAR ccid[EMU_CCID_DESCRIPTOR] = {
        0x36, 0x21, 0x10, 0x01, 0, 7, 3,    0,    0,    0,    0xA0, 0x0F, 0,    0,    0xA0, 0x0F, 0, 0,
        0,    0,    0x2A, 0,    0, 0, 0x80, 0x84, 0x1E, 0,    0,    0xFE, 0,    0,    0,    0,    0, 0,
        0,    0,    0,    0,    0, 0, 0,    0,    0x0F, 0x01, 0,    0,    0xFF, 0xFF, 0,    0,    0, 1};
    struct emu_model model = {.name = "client",
                              .product = "Reader",
                              .vendor_id = 0x1234,
                              .product_id = 0xABCD,
                              .release = 0x0102,
                              .interface_class = 0x0B,
                              .endpoints = 3,
                              .rate_count = 2,
                              .rates_bps = {10753, 344086}};

    RtlCopyMemory(model.ccid, ccid, sizeof ccid);
    RtlCopyMemory(model.ccid + 40, &Features, sizeof Features);
    return model;
}

nt_status ClientControl(ULONG Code, const void *Input, size_t InputLength, void *Output, size_t OutputLength)
{
    size_t returned;
    nt_status status =
        nt_device_control(ClientBus, Code, Input, InputLength, Output, OutputLength, &returned);

    nt_pnp_wait();
    CHECK(status != 0 || returned == OutputLength);
    return status;
}

static VOID ClientName(char *To, const char *From)
{
    ULONG i = 0;

    for (; From != NULL && From[i] != '\0'; i++) {
        To[i] = From[i];
    }
    To[i] = '\0';
}

ULONG ClientPlugModel(const struct emu_model *Model, const char *Card)
{
    static struct vbus_plug plug;
    ULONG port = 0;

    RtlZeroMemory(&plug, sizeof plug);
    plug.model = *Model;
    ClientName(plug.cards[0], Card);
    CHECK_STATUS(ClientControl(IOCTL_VBUS_PLUG, &plug, sizeof plug, &port, sizeof port), STATUS_SUCCESS);
    return port;
}

ULONG ClientPlug(const char *Card)
{
    struct emu_model model = ClientModel(0x001404BA);
    return ClientPlugModel(&model, Card);
}

nt_status ClientMove(ULONG Code, ULONG Port, ULONG Slot, const char *Card)
{
    struct vbus_card card = {.port = Port, .slot = Slot};

    ClientName(card.name, Card);
    return ClientControl(Code, &card, sizeof card, NULL, 0);
}

static NTSTATUS NTAPI ClientCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

VOID ClientBegin(CLIENT_REQUEST *Request, ULONG Code, PVOID Argument)
{
    PIO_STACK_LOCATION stack;

    KeInitializeEvent(&Request->Done, NotificationEvent, FALSE);
    Request->Irp = IoAllocateIrp(Client.Lower->StackSize, FALSE);
    CHECK(Request->Irp != NULL);
    if (Request->Irp == NULL) {
        return;
    }
    stack = IoGetNextIrpStackLocation(Request->Irp);
    stack->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    if (Code == IOCTL_INTERNAL_USB_SUBMIT_IDLE_NOTIFICATION) {
        stack->Parameters.DeviceIoControl.Type3InputBuffer = Argument;
        stack->Parameters.DeviceIoControl.InputBufferLength = sizeof(USB_IDLE_CALLBACK_INFO);
    } else {
        stack->Parameters.Others.Argument1 = Argument;
    }
    stack->Parameters.DeviceIoControl.IoControlCode = Code;
    IoSetCompletionRoutine(Request->Irp, ClientCompleted, &Request->Done, TRUE, TRUE, TRUE);
    (VOID) IoCallDriver(Client.Lower, Request->Irp);
}

BOOLEAN ClientDone(CLIENT_REQUEST *Request, LONG Milliseconds)
{
    LARGE_INTEGER timeout = {.QuadPart = (LONGLONG)Milliseconds * -10000};

    return KeWaitForSingleObject(&Request->Done, Executive, KernelMode, FALSE, &timeout) == STATUS_SUCCESS;
}

NTSTATUS ClientEnd(CLIENT_REQUEST *Request)
{
    CHECK(ClientDone(Request, 60000));
    NTSTATUS status = Request->Irp->IoStatus.Status;
    IoFreeIrp(Request->Irp);
    return status;
}

NTSTATUS ClientSend(ULONG Code, PVOID Argument)
{
    CLIENT_REQUEST request;

    ClientBegin(&request, Code, Argument);
    return ClientEnd(&request);
}

NTSTATUS ClientUrb(PVOID Urb)
{
    return ClientSend(IOCTL_INTERNAL_USB_SUBMIT_URB, Urb);
}

VOID ClientFill(CLIENT_TRANSFER *Urb, ULONG Pipe, PVOID Buffer, ULONG Length)
{
    RtlZeroMemory(Urb, sizeof *Urb);
    Urb->Hdr.Length = sizeof *Urb;
    Urb->Hdr.Function = URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER;
    Urb->PipeHandle = Client.Pipes[Pipe];
    Urb->TransferFlags = Pipe == CLIENT_BULK_OUT ? 0 : USBD_TRANSFER_DIRECTION_IN | USBD_SHORT_TRANSFER_OK;
    Urb->TransferBuffer = Buffer;
    Urb->TransferBufferLength = Length;
}

NTSTATUS ClientTransfer(CLIENT_TRANSFER *Urb, ULONG Pipe, PVOID Buffer, ULONG Length)
{
    ClientFill(Urb, Pipe, Buffer, Length);
    return ClientUrb(Urb);
}

NTSTATUS ClientConfigure(VOID)
{
    static UCHAR configuration[128];
    struct _URB_CONTROL_DESCRIPTOR_REQUEST get = {.Hdr = {.Length = sizeof get}};
    USBD_INTERFACE_LIST_ENTRY list[2] = {{0}};

    get.Hdr.Function = URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE;
    get.DescriptorType = USB_CONFIGURATION_DESCRIPTOR_TYPE;
    get.TransferBuffer = configuration;
    get.TransferBufferLength = sizeof configuration;
    CHECK_STATUS(ClientUrb(&get), STATUS_SUCCESS);
    PUSB_CONFIGURATION_DESCRIPTOR descriptor = (PVOID)configuration;
    list[0].InterfaceDescriptor =
        USBD_ParseConfigurationDescriptorEx(descriptor, descriptor, -1, 0, -1, -1, -1);
    PURB urb = USBD_CreateConfigurationRequestEx(descriptor, list);
    CHECK(urb != NULL);
    if (urb == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS status = ClientUrb(urb);
    Client.Configuration = urb->UrbSelectConfiguration.ConfigurationHandle;
    for (ULONG i = 0; NT_SUCCESS(status) && i < list[0].Interface->NumberOfPipes; i++) {
        Client.Pipes[i] = list[0].Interface->Pipes[i].PipeHandle;
    }
    ExFreePool(urb);
    return status;
}

VOID ClientOut(const VOID *Message, ULONG Length)
{
    CLIENT_TRANSFER urb;
    UCHAR copy[512];

    RtlCopyMemory(copy, Message, Length);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_OUT, copy, Length), STATUS_SUCCESS);
    CHECK_EQ(urb.TransferBufferLength, Length);
}

VOID ClientStatus(UCHAR Sequence, UCHAR Expected)
{
    const UCHAR message[10] = {0x65, 0, 0, 0, 0, 0, Sequence};
    const UCHAR wanted[10] = {0x81, 0, 0, 0, 0, 0, Sequence, Expected};
    CLIENT_TRANSFER urb;
    UCHAR reply[64];

    ClientOut(message, sizeof message);
    CHECK_STATUS(ClientTransfer(&urb, CLIENT_BULK_IN, reply, sizeof reply), STATUS_SUCCESS);
    CHECK_EQ(urb.TransferBufferLength, sizeof wanted);
    CHECK_MEM(reply, wanted, sizeof wanted);
}
