// SPDX-License-Identifier: MIT
// USB request blocks: checked once, here; answered from the descriptors or handed to libusb.
#include "usbbus/usbbus.h"

NTSTATUS UbusUrbStatus(USBD_STATUS Status)
{
    if (USBD_SUCCESS(Status)) {
        return STATUS_SUCCESS;
    }
    switch (Status) {
    case USBD_STATUS_INVALID_URB_FUNCTION:
    case USBD_STATUS_INVALID_PARAMETER:
    case USBD_STATUS_INVALID_PIPE_HANDLE:
        return STATUS_INVALID_PARAMETER;
    case USBD_STATUS_INSUFFICIENT_RESOURCES:
        return STATUS_INSUFFICIENT_RESOURCES;
    case USBD_STATUS_BUFFER_TOO_SMALL:
        return STATUS_BUFFER_TOO_SMALL;
    case USBD_STATUS_DEVICE_GONE:
        return STATUS_DEVICE_NOT_CONNECTED;
    case USBD_STATUS_CANCELED:
        return STATUS_CANCELLED;
    default:
        return STATUS_UNSUCCESSFUL;
    }
}

static NTSTATUS UbusUrbComplete(_Inout_ PIRP Irp, _Inout_ PURB Urb, _In_ USBD_STATUS Status)
{
    Urb->UrbHeader.Status = Status;
    return UbusComplete(Irp, UbusUrbStatus(Status), 0);
}

// All shapes with a buffer have it at the same place.
static USBD_STATUS UbusUrbBuffer(_In_ PURB Urb, _Out_ PVOID *Data)
{
    const struct _URB_CONTROL_TRANSFER *transfer = &Urb->UrbControlTransfer;

    *Data = transfer->TransferBuffer;
    if (transfer->TransferBufferLength == 0 || *Data != NULL) {
        return USBD_STATUS_SUCCESS;
    }
    if (transfer->TransferBufferMDL == NULL ||
        MmGetMdlByteCount(transfer->TransferBufferMDL) < transfer->TransferBufferLength) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    *Data = MmGetSystemAddressForMdlSafe(transfer->TransferBufferMDL, NormalPagePriority);
    return *Data != NULL ? USBD_STATUS_SUCCESS : USBD_STATUS_INSUFFICIENT_RESOURCES;
}

static const struct usb_pipe *UbusPipeFind(_In_ PUBUS_PDO Pdo, _In_opt_ USBD_PIPE_HANDLE Handle)
{
    for (ULONG i = 0; Pdo->Configured && i < Pdo->About.pipe_count; i++) {
        if (Handle == &Pdo->About.pipes[i]) {
            return &Pdo->About.pipes[i];
        }
    }
    return NULL;
}

static NTSTATUS UbusUrbTransfer(_Inout_ PUBUS_PDO Pdo, _Inout_ PIRP Irp, _Inout_ PURB Urb)
{
    PVOID data;

    if (Urb->UrbHeader.Length < sizeof(struct _URB_BULK_OR_INTERRUPT_TRANSFER)) {
        return UbusUrbComplete(Irp, Urb, USBD_STATUS_INVALID_PARAMETER);
    }
    const struct usb_pipe *pipe = UbusPipeFind(Pdo, Urb->UrbBulkOrInterruptTransfer.PipeHandle);
    if (pipe == NULL) {
        return UbusUrbComplete(Irp, Urb, USBD_STATUS_INVALID_PIPE_HANDLE);
    }
    USBD_STATUS status = UbusUrbBuffer(Urb, &data);
    if (!USBD_SUCCESS(status) || Urb->UrbBulkOrInterruptTransfer.TransferBufferLength > MAXLONG) {
        return UbusUrbComplete(Irp, Urb, USBD_STATUS_INVALID_PARAMETER);
    }
    return UbusTransferSubmit(Pdo, Irp, NULL, pipe, data,
                              Urb->UrbBulkOrInterruptTransfer.TransferBufferLength);
}

static VOID UbusSetup(_Out_ PUCHAR Setup, _In_ UCHAR Type, _In_ UCHAR Request, _In_ USHORT Value,
                      _In_ USHORT Index, _In_ ULONG Length)
{
    const UCHAR bytes[8] = {Type,          Request,
                            (UCHAR)Value,  (UCHAR)(Value >> 8),
                            (UCHAR)Index,  (UCHAR)(Index >> 8),
                            (UCHAR)Length, (UCHAR)(Length >> 8)};

    RtlCopyMemory(Setup, bytes, sizeof bytes);
}

// FALSE: no such function.
static BOOLEAN UbusUrbSetup(_In_ PURB Urb, _Out_ PUCHAR Setup)
{
    const struct _URB_CONTROL_VENDOR_OR_CLASS_REQUEST *request = &Urb->UrbControlVendorClassRequest;
    const struct _URB_CONTROL_DESCRIPTOR_REQUEST *descriptor = &Urb->UrbControlDescriptorRequest;
    ULONG length = request->TransferBufferLength;
    UCHAR in = (request->TransferFlags & USBD_TRANSFER_DIRECTION_IN) != 0 ? 0x80 : 0;

    switch (Urb->UrbHeader.Function) {
    case URB_FUNCTION_CLASS_INTERFACE:
        UbusSetup(Setup, in | 0x21, request->Request, request->Value, request->Index, length);
        return TRUE;
    case URB_FUNCTION_CLASS_DEVICE:
        UbusSetup(Setup, in | 0x20, request->Request, request->Value, request->Index, length);
        return TRUE;
    case URB_FUNCTION_VENDOR_DEVICE:
        UbusSetup(Setup, in | 0x40, request->Request, request->Value, request->Index, length);
        return TRUE;
    case URB_FUNCTION_VENDOR_INTERFACE:
        UbusSetup(Setup, in | 0x41, request->Request, request->Value, request->Index, length);
        return TRUE;
    case URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE:
        UbusSetup(Setup, 0x80, 6, (USHORT)(descriptor->DescriptorType << 8 | descriptor->Index),
                  descriptor->LanguageId, length);
        return TRUE;
    case URB_FUNCTION_GET_DESCRIPTOR_FROM_INTERFACE:
        UbusSetup(Setup, 0x81, 6, (USHORT)(descriptor->DescriptorType << 8 | descriptor->Index),
                  descriptor->LanguageId, length);
        return TRUE;
    case URB_FUNCTION_GET_STATUS_FROM_DEVICE:
        UbusSetup(Setup, 0x80, 0, 0, Urb->UrbControlGetStatusRequest.Index, length);
        return TRUE;
    case URB_FUNCTION_CONTROL_TRANSFER:
    case URB_FUNCTION_CONTROL_TRANSFER_EX:
        RtlCopyMemory(Setup, Urb->UrbControlTransfer.SetupPacket, 8);
        // Configurations are the bus's to choose; only the default pipe is a control pipe.
        return Urb->UrbControlTransfer.PipeHandle == NULL &&
               ((Setup[0] & 0x60) != 0 || (Setup[1] != 9 && Setup[1] != 11)) &&
               (ULONG)(Setup[6] | Setup[7] << 8) == length;
    default:
        return FALSE;
    }
}

// The descriptors of a composite device's interface are not the device's own.
static BOOLEAN UbusUrbDescriptor(_In_ PUBUS_PDO Pdo, _Inout_ PURB Urb, _In_ PVOID Data)
{
    struct _URB_CONTROL_DESCRIPTOR_REQUEST *request = &Urb->UrbControlDescriptorRequest;
    BOOLEAN device = request->DescriptorType == USB_DEVICE_DESCRIPTOR_TYPE;

    if (Urb->UrbHeader.Function != URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE || request->Index != 0 ||
        (!device && request->DescriptorType != USB_CONFIGURATION_DESCRIPTOR_TYPE)) {
        return FALSE;
    }
    ULONG length = device ? sizeof Pdo->About.device : Pdo->About.config_length;
    request->TransferBufferLength = min(request->TransferBufferLength, length);
    RtlCopyMemory(Data, device ? Pdo->About.device : Pdo->About.config, request->TransferBufferLength);
    return TRUE;
}

static NTSTATUS UbusUrbControl(_Inout_ PUBUS_PDO Pdo, _Inout_ PIRP Irp, _Inout_ PURB Urb)
{
    UCHAR setup[8];
    PVOID data;

    if (Urb->UrbHeader.Length < sizeof(struct _URB_CONTROL_TRANSFER)) {
        return UbusUrbComplete(Irp, Urb, USBD_STATUS_INVALID_PARAMETER);
    }
    if (!UbusUrbSetup(Urb, setup)) {
        return UbusUrbComplete(Irp, Urb, USBD_STATUS_INVALID_URB_FUNCTION);
    }
    USBD_STATUS status = UbusUrbBuffer(Urb, &data);
    ULONG length = Urb->UrbControlTransfer.TransferBufferLength;
    if (!USBD_SUCCESS(status) || length > MAXUSHORT) {
        return UbusUrbComplete(Irp, Urb, USBD_STATUS_INVALID_PARAMETER);
    }
    if (UbusUrbDescriptor(Pdo, Urb, data)) {
        return UbusUrbComplete(Irp, Urb, USBD_STATUS_SUCCESS);
    }
    return UbusTransferSubmit(Pdo, Irp, setup, NULL, data, length);
}

static USBD_STATUS UbusInterfaceFill(_In_ PUBUS_PDO Pdo, _Inout_ PUSBD_INTERFACE_INFORMATION Interface,
                                     _In_ SIZE_T Room)
{
    const struct usb_about *about = &Pdo->About;
    SIZE_T head = FIELD_OFFSET(USBD_INTERFACE_INFORMATION, Pipes);

    if (Room < head || Interface->Length > Room) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (Interface->InterfaceNumber != about->number || Interface->AlternateSetting != 0) {
        return USBD_STATUS_INTERFACE_NOT_FOUND;
    }
    if (Interface->Length < head + about->pipe_count * sizeof(USBD_PIPE_INFORMATION)) {
        return USBD_STATUS_BUFFER_TOO_SMALL;
    }
    Interface->Class = about->interface_class;
    Interface->SubClass = about->subclass;
    Interface->Protocol = about->protocol;
    Interface->InterfaceHandle = &Pdo->About;
    Interface->NumberOfPipes = about->pipe_count;
    for (ULONG i = 0; i < about->pipe_count; i++) {
        const struct usb_pipe *pipe = &about->pipes[i];
        Interface->Pipes[i].MaximumPacketSize = pipe->packet;
        Interface->Pipes[i].EndpointAddress = pipe->address;
        Interface->Pipes[i].Interval = pipe->interval;
        Interface->Pipes[i].PipeType = (USBD_PIPE_TYPE)(pipe->attributes & 3);
        Interface->Pipes[i].PipeHandle = (USBD_PIPE_HANDLE)pipe;
    }
    return USBD_STATUS_SUCCESS;
}

// The kernel has configured the device, and other interfaces may be in use: pipes are all there is to open.
static USBD_STATUS UbusUrbSelect(_Inout_ PUBUS_PDO Pdo, _Inout_ PURB Urb)
{
    struct _URB_SELECT_CONFIGURATION *select = &Urb->UrbSelectConfiguration;
    BOOLEAN whole = Urb->UrbHeader.Function == URB_FUNCTION_SELECT_CONFIGURATION;
    const SIZE_T head = whole ? FIELD_OFFSET(struct _URB_SELECT_CONFIGURATION, Interface)
                              : FIELD_OFFSET(struct _URB_SELECT_INTERFACE, Interface);

    if (Urb->UrbHeader.Length < head) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (whole && select->ConfigurationDescriptor == NULL) {
        UbusTransferAbort(Pdo, 0xFF);
        Pdo->Configured = FALSE;
        return USBD_STATUS_SUCCESS;
    }
    PUSBD_INTERFACE_INFORMATION block = whole ? &select->Interface : &Urb->UrbSelectInterface.Interface;
    USBD_STATUS status = UbusInterfaceFill(Pdo, block, Urb->UrbHeader.Length - head);
    if (USBD_SUCCESS(status) && whole) {
        select->ConfigurationHandle = Pdo;
        Pdo->Configured = TRUE;
    }
    return status;
}

static USBD_STATUS UbusUrbPipe(_Inout_ PUBUS_PDO Pdo, _In_ PURB Urb)
{
    if (Urb->UrbHeader.Length < sizeof(struct _URB_PIPE_REQUEST)) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    const struct usb_pipe *pipe = UbusPipeFind(Pdo, Urb->UrbPipeRequest.PipeHandle);
    if (pipe == NULL) {
        return USBD_STATUS_INVALID_PIPE_HANDLE;
    }
    UbusTransferAbort(Pdo, pipe->address);
    if (Urb->UrbHeader.Function == URB_FUNCTION_ABORT_PIPE) {
        return USBD_STATUS_SUCCESS;
    }
    // Both ends at once: libusb has no halves of it.
    return usb_clear_halt(Pdo->Device, pipe->address) == 0 ? USBD_STATUS_SUCCESS
                                                           : USBD_STATUS_DEV_NOT_RESPONDING;
}

static NTSTATUS UbusUrbSubmit(_Inout_ PUBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    PURB urb = IoGetCurrentIrpStackLocation(Irp)->Parameters.Others.Argument1;

    if (urb == NULL || urb->UrbHeader.Length < sizeof(struct _URB_HEADER)) {
        return UbusComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    if (!Pdo->Started) {
        return UbusUrbComplete(Irp, urb, USBD_STATUS_DEV_NOT_RESPONDING);
    }
    switch (urb->UrbHeader.Function) {
    case URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER:
        return UbusUrbTransfer(Pdo, Irp, urb);
    case URB_FUNCTION_SELECT_CONFIGURATION:
    case URB_FUNCTION_SELECT_INTERFACE:
        return UbusUrbComplete(Irp, urb, UbusUrbSelect(Pdo, urb));
    case URB_FUNCTION_ABORT_PIPE:
    case URB_FUNCTION_SYNC_RESET_PIPE_AND_CLEAR_STALL:
    case URB_FUNCTION_SYNC_RESET_PIPE:
    case URB_FUNCTION_SYNC_CLEAR_STALL:
        return UbusUrbComplete(Irp, urb, UbusUrbPipe(Pdo, urb));
    default:
        return UbusUrbControl(Pdo, Irp, urb);
    }
}

NTSTATUS UbusPdoInternalControl(PUBUS_PDO Pdo, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);

    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_INTERNAL_USB_SUBMIT_URB:
        return UbusUrbSubmit(Pdo, Irp);
    case IOCTL_INTERNAL_USB_RESET_PORT:
        UbusTransferAbort(Pdo, 0xFF);
        return UbusComplete(Irp, usb_reset(Pdo->Device) == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, 0);
    case IOCTL_INTERNAL_USB_GET_PORT_STATUS:
        if (stack->Parameters.Others.Argument1 == NULL) {
            return UbusComplete(Irp, STATUS_INVALID_PARAMETER, 0);
        }
        *(PULONG)stack->Parameters.Others.Argument1 =
            Pdo->Present ? USBD_PORT_ENABLED | USBD_PORT_CONNECTED : 0;
        return UbusComplete(Irp, STATUS_SUCCESS, 0);
    default: // selective suspend among them: Linux's autosuspend does it without being asked
        return UbusComplete(Irp, STATUS_NOT_SUPPORTED, 0);
    }
}
