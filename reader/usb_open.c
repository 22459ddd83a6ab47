// SPDX-License-Identifier: MIT
#include "reader/reader.h"
#include <usbdlib.h>

#define CONFIGURATION_HEADER 9
#define STRING_BYTES         255
#define STRING_HEADER        2
#define LANGUAGE_ENGLISH     0x0409

static const USB_WAIT ControlWait = {USB_CONTROL_TIMEOUT, NULL, NULL, NULL};

// *Length: room going in, what the device sent coming out.
static NTSTATUS DescriptorRead(PREADER Reader, UCHAR Type, UCHAR Index, USHORT Language, PVOID Buffer,
                               PULONG Length)
{
    struct _URB_CONTROL_DESCRIPTOR_REQUEST urb;
    ULONG size = *Length;
    NTSTATUS status;

    RtlZeroMemory(&urb, sizeof(urb));
    urb.Hdr.Length = sizeof(urb);
    urb.Hdr.Function = URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE;
    urb.TransferBufferLength = size;
    urb.TransferBuffer = Buffer;
    urb.DescriptorType = Type;
    urb.Index = Index;
    urb.LanguageId = Language;
    status = UsbCall(Reader, (PURB)&urb, &ControlWait);
    *Length = urb.TransferBufferLength <= size ? urb.TransferBufferLength : 0;
    return status;
}

static NTSTATUS DeviceDescriptorRead(PREADER Reader)
{
    ULONG length = sizeof(Reader->Usb.Device);
    NTSTATUS status = DescriptorRead(Reader, USB_DEVICE_DESCRIPTOR_TYPE, 0, 0, &Reader->Usb.Device, &length);

    if (NT_SUCCESS(status) && length != sizeof(Reader->Usb.Device)) {
        status = STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    return status;
}

// *Configuration: the whole of it, wTotalLength bytes, to be freed by the caller.
static NTSTATUS ConfigurationRead(PREADER Reader, PUSB_CONFIGURATION_DESCRIPTOR *Configuration)
{
    USB_CONFIGURATION_DESCRIPTOR header;
    PUSB_CONFIGURATION_DESCRIPTOR whole;
    ULONG length = CONFIGURATION_HEADER;
    NTSTATUS status = DescriptorRead(Reader, USB_CONFIGURATION_DESCRIPTOR_TYPE, 0, 0, &header, &length);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (length != CONFIGURATION_HEADER || header.wTotalLength < CONFIGURATION_HEADER) {
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    whole = ExAllocatePoolWithTag(NonPagedPool, header.wTotalLength, READER_TAG);
    if (whole == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    length = header.wTotalLength;
    status = DescriptorRead(Reader, USB_CONFIGURATION_DESCRIPTOR_TYPE, 0, 0, whole, &length);
    if (NT_SUCCESS(status)) {
        status = length != header.wTotalLength
                     ? STATUS_DEVICE_CONFIGURATION_ERROR
                     : CcidInterfaceFind((const UCHAR *)whole, length, &Reader->Usb.Interface);
    }
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(whole, READER_TAG);
        return status;
    }
    Reader->Usb.RemoteWake = (whole->bmAttributes & USB_CONFIG_REMOTE_WAKEUP) != 0;
    *Configuration = whole;
    return STATUS_SUCCESS;
}

static VOID PipeTake(PUSB_PIPE Pipe, const USBD_INTERFACE_INFORMATION *Interface, UCHAR Address)
{
    for (ULONG i = 0; Address != 0 && i < Interface->NumberOfPipes; i++) {
        if (Interface->Pipes[i].EndpointAddress == Address) {
            Pipe->Handle = Interface->Pipes[i].PipeHandle;
            Pipe->MaximumPacketSize = Interface->Pipes[i].MaximumPacketSize;
        }
    }
}

static NTSTATUS ConfigurationSelect(PREADER Reader, PUSB_CONFIGURATION_DESCRIPTOR Configuration)
{
    USBD_INTERFACE_LIST_ENTRY list[2] = {
        {(PUSB_INTERFACE_DESCRIPTOR)((PUCHAR)Configuration + Reader->Usb.Interface.Offset), NULL},
        {NULL, NULL}};
    PURB urb = USBD_CreateConfigurationRequestEx(Configuration, list);
    NTSTATUS status;

    if (urb == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = UsbCall(Reader, urb, &ControlWait);
    if (NT_SUCCESS(status)) {
        PipeTake(&Reader->Usb.BulkIn, list[0].Interface, Reader->Usb.Interface.BulkIn);
        PipeTake(&Reader->Usb.BulkOut, list[0].Interface, Reader->Usb.Interface.BulkOut);
        PipeTake(&Reader->Usb.Interrupt, list[0].Interface, Reader->Usb.Interface.Interrupt);
        if (Reader->Usb.Interface.Transport == CcidBulk &&
            (Reader->Usb.BulkIn.Handle == NULL || Reader->Usb.BulkOut.Handle == NULL ||
             Reader->Usb.BulkIn.MaximumPacketSize == 0)) {
            status = STATUS_DEVICE_CONFIGURATION_ERROR;
        }
    }
    ExFreePool(urb);
    return status;
}

static USHORT LanguageRead(PREADER Reader)
{
    UCHAR bytes[STRING_HEADER + sizeof(USHORT)];
    ULONG length = sizeof(bytes);
    NTSTATUS status = DescriptorRead(Reader, USB_STRING_DESCRIPTOR_TYPE, 0, 0, bytes, &length);

    if (!NT_SUCCESS(status) || length != sizeof(bytes)) {
        return LANGUAGE_ENGLISH;
    }
    return (USHORT)(bytes[2] | bytes[3] << 8);
}

// Names are a courtesy: a reader without them, or with broken ones, works all the same.
static VOID NameRead(PREADER Reader, UCHAR Index, USHORT Language, PUSB_NAME Name)
{
    UCHAR bytes[STRING_BYTES];
    ULONG length = sizeof(bytes);

    Name->Length = 0;
    if (Index == 0 ||
        !NT_SUCCESS(DescriptorRead(Reader, USB_STRING_DESCRIPTOR_TYPE, Index, Language, bytes, &length)) ||
        length < STRING_HEADER || bytes[0] > length || bytes[1] != USB_STRING_DESCRIPTOR_TYPE) {
        return;
    }
    for (ULONG i = STRING_HEADER; i + 1 < bytes[0] && Name->Length < USB_NAME_MAX; i += 2) {
        BOOLEAN printable = bytes[i + 1] == 0 && bytes[i] >= ' ' && bytes[i] < 0x7F;
        Name->Text[Name->Length++] = printable ? bytes[i] : '?';
    }
}

static VOID NamesRead(PREADER Reader)
{
    USHORT language = LanguageRead(Reader);

    NameRead(Reader, Reader->Usb.Device.iManufacturer, language, &Reader->Usb.Vendor);
    NameRead(Reader, Reader->Usb.Device.iProduct, language, &Reader->Usb.Product);
    NameRead(Reader, Reader->Usb.Device.iSerialNumber, language, &Reader->Usb.Serial);
}

// GET_CLOCK_FREQUENCIES, GET_DATA_RATES: asked for only where the descriptor promises entries, since most
// readers stall otherwise; a refusal or a ragged answer leaves the list empty.
static VOID ListRead(PREADER Reader, UCHAR Request, UCHAR Promised, PULONG *List, PULONG Count)
{
    ULONG length = Promised * sizeof(ULONG);
    PULONG list;
    NTSTATUS status;

    if (Promised == 0) {
        return;
    }
    list = ExAllocatePoolWithTag(NonPagedPool, length, READER_TAG);
    if (list == NULL) {
        return;
    }
    status = UsbClassRequest(Reader, TRUE, Request, 0, list, &length, &ControlWait);
    if (!NT_SUCCESS(status) || length == 0 || length % sizeof(ULONG) != 0) {
        ExFreePoolWithTag(list, READER_TAG);
        return;
    }
    *List = list;
    *Count = length / sizeof(ULONG);
}

NTSTATUS UsbOpen(PREADER Reader)
{
    PUSB_CONFIGURATION_DESCRIPTOR configuration;
    PUSB_FUNCTION usb = &Reader->Usb;
    NTSTATUS status;

    RtlZeroMemory(usb, sizeof(*usb));
    status = DeviceDescriptorRead(Reader);
    if (NT_SUCCESS(status)) {
        status = ConfigurationRead(Reader, &configuration);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ConfigurationSelect(Reader, configuration);
    ExFreePoolWithTag(configuration, READER_TAG);
    if (NT_SUCCESS(status)) {
        NamesRead(Reader);
        ListRead(Reader, CCID_REQUEST_GET_CLOCK_FREQUENCIES, usb->Interface.Descriptor.ClockCount,
                 &usb->Clocks, &usb->ClockCount);
        ListRead(Reader, CCID_REQUEST_GET_DATA_RATES, usb->Interface.Descriptor.RateCount, &usb->Rates,
                 &usb->RateCount);
    }
    return status;
}

VOID UsbClose(PREADER Reader)
{
    if (Reader->Usb.Clocks != NULL) {
        ExFreePoolWithTag(Reader->Usb.Clocks, READER_TAG);
    }
    if (Reader->Usb.Rates != NULL) {
        ExFreePoolWithTag(Reader->Usb.Rates, READER_TAG);
    }
    RtlZeroMemory(&Reader->Usb, sizeof(Reader->Usb));
}
