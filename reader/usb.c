// SPDX-License-Identifier: MIT
#include "reader/reader.h"

#define TICKS_PER_MS                10000
#define URB_ENDPOINT_HALTED(Status) (((ULONG)(Status) >> 30) == 3)

NTSTATUS UsbStatus(NTSTATUS IrpStatus, USBD_STATUS UrbStatus)
{
    if (NT_SUCCESS(IrpStatus) && USBD_SUCCESS(UrbStatus)) {
        return STATUS_SUCCESS;
    }
    switch (IrpStatus) {
    case STATUS_CANCELLED:
        return STATUS_CANCELLED;
    case STATUS_INSUFFICIENT_RESOURCES:
        return STATUS_INSUFFICIENT_RESOURCES;
    case STATUS_DEVICE_NOT_CONNECTED:
    case STATUS_NO_SUCH_DEVICE:
    case STATUS_DELETE_PENDING:
    case STATUS_DEVICE_REMOVED:
        return STATUS_DEVICE_NOT_CONNECTED;
    default:
        break;
    }
    if (UrbStatus == USBD_STATUS_DEVICE_GONE) {
        return STATUS_DEVICE_NOT_CONNECTED;
    }
    return URB_ENDPOINT_HALTED(UrbStatus) ? STATUS_PIPE_BROKEN : STATUS_IO_DEVICE_ERROR;
}

static NTSTATUS NTAPI TransferDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PUSB_TRANSFER transfer = Context;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(&transfer->Done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS UsbTransferCreate(PREADER Reader, PUSB_TRANSFER Transfer)
{
    RtlZeroMemory(Transfer, sizeof(*Transfer));
    KeInitializeEvent(&Transfer->Done, NotificationEvent, FALSE);
    Transfer->Irp = IoAllocateIrp(Reader->Lower->StackSize, FALSE);
    return Transfer->Irp == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

VOID UsbTransferDestroy(PUSB_TRANSFER Transfer)
{
    if (Transfer->Irp != NULL) {
        IoFreeIrp(Transfer->Irp);
        Transfer->Irp = NULL;
    }
}

VOID UsbIrpPrepare(PIRP Irp, PVOID Urb, PIO_COMPLETION_ROUTINE Routine, PVOID Context)
{
    PIO_STACK_LOCATION next;

    IoReuseIrp(Irp, STATUS_NOT_SUPPORTED);
    next = IoGetNextIrpStackLocation(Irp);
    next->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    next->Parameters.DeviceIoControl.IoControlCode = IOCTL_INTERNAL_USB_SUBMIT_URB;
    next->Parameters.Others.Argument1 = Urb;
    IoSetCompletionRoutine(Irp, Routine, Context, TRUE, TRUE, TRUE);
}

NTSTATUS UsbWait(PVOID First, PVOID Last, const USB_WAIT *Wait)
{
    PVOID const candidates[] = {First, Wait->Halt, Wait->Cancel, Wait->Departed, Last};
    static const NTSTATUS reasons[] = {STATUS_SUCCESS, STATUS_CANCELLED, STATUS_CANCELLED, STATUS_NO_MEDIA,
                                       STATUS_WAIT_1};
    NTSTATUS meaning[RTL_NUMBER_OF(candidates)] = {STATUS_SUCCESS};
    PVOID objects[RTL_NUMBER_OF(candidates)];
    KWAIT_BLOCK blocks[RTL_NUMBER_OF(candidates)];
    LARGE_INTEGER due;
    ULONG count = 0;
    NTSTATUS status;

    for (ULONG i = 0; i < RTL_NUMBER_OF(candidates); i++) {
        if (candidates[i] != NULL) {
            objects[count] = candidates[i];
            meaning[count++] = reasons[i];
        }
    }
    due.QuadPart = -(LONGLONG)Wait->Milliseconds * TICKS_PER_MS;
    status = KeWaitForMultipleObjects(count, objects, WaitAny, Executive, KernelMode, FALSE,
                                      Wait->Milliseconds == USB_WAIT_FOREVER ? NULL : &due, blocks);
    return (ULONG)status < count ? meaning[(ULONG)status] : STATUS_IO_TIMEOUT;
}

static NTSTATUS TransferSubmit(PREADER Reader, PUSB_TRANSFER Transfer, PURB Urb, const USB_WAIT *Wait)
{
    NTSTATUS reason;
    NTSTATUS status;

    KeClearEvent(&Transfer->Done);
    UsbIrpPrepare(Transfer->Irp, Urb, TransferDone, Transfer);
    // The completion routine keeps the IRP, so the event tells all that the returned status could.
    (VOID) IoCallDriver(Reader->Lower, Transfer->Irp);
    reason = UsbWait(&Transfer->Done, NULL, Wait);
    if (reason != STATUS_SUCCESS) {
        IoCancelIrp(Transfer->Irp);
        KeWaitForSingleObject(&Transfer->Done, Executive, KernelMode, FALSE, NULL);
    }
    status = UsbStatus(Transfer->Irp->IoStatus.Status, Urb->UrbHeader.Status);
    return !NT_SUCCESS(status) && reason != STATUS_SUCCESS ? reason : status;
}

NTSTATUS UsbTransferRun(PREADER Reader, PUSB_TRANSFER Transfer, const USB_PIPE *Pipe, BOOLEAN In,
                        PVOID Buffer, PULONG Length, const USB_WAIT *Wait)
{
    struct _URB_BULK_OR_INTERRUPT_TRANSFER *urb = &Transfer->Urb;
    ULONG size = *Length;
    NTSTATUS status;

    RtlZeroMemory(urb, sizeof(*urb));
    urb->Hdr.Length = sizeof(*urb);
    urb->Hdr.Function = URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER;
    urb->PipeHandle = Pipe->Handle;
    urb->TransferFlags =
        In ? USBD_TRANSFER_DIRECTION_IN | USBD_SHORT_TRANSFER_OK : USBD_TRANSFER_DIRECTION_OUT;
    urb->TransferBufferLength = size;
    urb->TransferBuffer = Buffer;
    status = TransferSubmit(Reader, Transfer, (PURB)urb, Wait);
    // A length beyond the buffer would be the bus driver's fault; it must not become ours.
    *Length = urb->TransferBufferLength <= size ? urb->TransferBufferLength : 0;
    return status;
}

NTSTATUS UsbCall(PREADER Reader, PURB Urb, const USB_WAIT *Wait)
{
    USB_TRANSFER transfer;
    NTSTATUS status = UsbTransferCreate(Reader, &transfer);

    if (NT_SUCCESS(status)) {
        status = TransferSubmit(Reader, &transfer, Urb, Wait);
        UsbTransferDestroy(&transfer);
    }
    return status;
}

static NTSTATUS PipeRequest(PREADER Reader, USBD_PIPE_HANDLE Pipe, USHORT Function, const USB_WAIT *Wait)
{
    struct _URB_PIPE_REQUEST urb;

    RtlZeroMemory(&urb, sizeof(urb));
    urb.Hdr.Length = sizeof(urb);
    urb.Hdr.Function = Function;
    urb.PipeHandle = Pipe;
    return UsbCall(Reader, (PURB)&urb, Wait);
}

NTSTATUS UsbPipeReset(PREADER Reader, const USB_PIPE *Pipe, const USB_WAIT *Wait)
{
    NTSTATUS status = PipeRequest(Reader, Pipe->Handle, URB_FUNCTION_ABORT_PIPE, Wait);

    if (NT_SUCCESS(status)) {
        status = PipeRequest(Reader, Pipe->Handle, URB_FUNCTION_RESET_PIPE, Wait);
    }
    return status;
}

NTSTATUS UsbClassRequest(PREADER Reader, BOOLEAN In, UCHAR Request, USHORT Value, PVOID Buffer, PULONG Length,
                         const USB_WAIT *Wait)
{
    struct _URB_CONTROL_VENDOR_OR_CLASS_REQUEST urb;
    ULONG size = *Length;
    NTSTATUS status;

    RtlZeroMemory(&urb, sizeof(urb));
    urb.Hdr.Length = sizeof(urb);
    urb.Hdr.Function = URB_FUNCTION_CLASS_INTERFACE;
    urb.TransferFlags =
        In ? USBD_TRANSFER_DIRECTION_IN | USBD_SHORT_TRANSFER_OK : USBD_TRANSFER_DIRECTION_OUT;
    urb.TransferBufferLength = size;
    urb.TransferBuffer = Buffer;
    urb.Request = Request;
    urb.Value = Value;
    urb.Index = Reader->Usb.Interface.Number;
    status = UsbCall(Reader, (PURB)&urb, Wait);
    *Length = urb.TransferBufferLength <= size ? urb.TransferBufferLength : 0;
    return status;
}
