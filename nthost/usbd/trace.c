// SPDX-License-Identifier: MIT
// Shows a watcher each URB that reaches a bus and each device control of user mode, as it is sent and as it
// ends.
#include "nthost/io/io.h"
#include "nthost/ke/inlines.h"
#include "nthost/user/trace.h"
#include "nthost/usbd/usbd.h"
#ifndef FILE_DEVICE_USB
#define FILE_DEVICE_USB FILE_DEVICE_UNKNOWN // the kernel headers lack it
#endif
#include <usbioctl.h>

enum { TRACE_PIPES = 256, TRACE_OUT = 0, TRACE_IN = 0x80 };

static const struct nt_tracer *UsbdTracer;

// What the last select-configuration said of its pipes; the oldest make room.
static struct {
    USBD_PIPE_HANDLE Handle;
    UCHAR Address, Type;
} UsbdTracePipes[TRACE_PIPES];
static ULONG UsbdTraceNextPipe;
static volatile LONG UsbdTraceLock;

static VOID UsbdTracePipe(const USBD_PIPE_INFORMATION *Pipe)
{
    ULONG i = 0;
    while (i < TRACE_PIPES && UsbdTracePipes[i].Handle != Pipe->PipeHandle) {
        i++;
    }
    if (i == TRACE_PIPES) {
        i = UsbdTraceNextPipe++ % TRACE_PIPES;
    }
    UsbdTracePipes[i].Handle = Pipe->PipeHandle;
    UsbdTracePipes[i].Address = Pipe->EndpointAddress;
    UsbdTracePipes[i].Type = (UCHAR)Pipe->PipeType;
}

static VOID UsbdTraceInterfaces(const UCHAR *First, const UCHAR *End)
{
    const USBD_INTERFACE_INFORMATION *current = (const void *)First;
    while ((const UCHAR *)(current + 1) <= End && current->Length != 0) {
        for (ULONG i = 0; i < current->NumberOfPipes && (const UCHAR *)&current->Pipes[i + 1] <= End; i++) {
            UsbdTracePipe(&current->Pipes[i]);
        }
        current = (const void *)((const UCHAR *)current + current->Length);
    }
}

static VOID UsbdTraceSelected(PURB Urb)
{
    const UCHAR *end = (const UCHAR *)Urb + Urb->UrbHeader.Length;
    if (Urb->UrbHeader.Function == URB_FUNCTION_SELECT_CONFIGURATION &&
        Urb->UrbSelectConfiguration.ConfigurationDescriptor != NULL) {
        UsbdTraceInterfaces((const UCHAR *)&Urb->UrbSelectConfiguration.Interface, end);
    } else if (Urb->UrbHeader.Function == URB_FUNCTION_SELECT_INTERFACE) {
        UsbdTraceInterfaces((const UCHAR *)&Urb->UrbSelectInterface.Interface, end);
    }
}

static BOOLEAN UsbdTraceBulk(PURB Urb, struct nt_transfer *Transfer)
{
    for (ULONG i = 0; i < TRACE_PIPES; i++) {
        if (UsbdTracePipes[i].Handle == Urb->UrbBulkOrInterruptTransfer.PipeHandle) {
            Transfer->type =
                UsbdTracePipes[i].Type == UsbdPipeTypeInterrupt ? NT_TRANSFER_INTERRUPT : NT_TRANSFER_BULK;
            Transfer->endpoint = UsbdTracePipes[i].Address;
            return TRUE;
        }
    }
    return FALSE;
}

static VOID UsbdTraceSetup(struct nt_transfer *Transfer, UCHAR Type, UCHAR Request, USHORT Value,
                           USHORT Index, ULONG Length)
{
    const UCHAR setup[8] = {Type,          Request,
                            (UCHAR)Value,  (UCHAR)(Value >> 8),
                            (UCHAR)Index,  (UCHAR)(Index >> 8),
                            (UCHAR)Length, (UCHAR)(Length >> 8)};
    RtlCopyMemory(Transfer->setup, setup, sizeof setup);
    Transfer->type = NT_TRANSFER_CONTROL;
    Transfer->endpoint = Type & TRACE_IN;
}

static VOID UsbdTraceRequest(PURB Urb, struct nt_transfer *Transfer, UCHAR Type)
{
    const struct _URB_CONTROL_VENDOR_OR_CLASS_REQUEST *request = &Urb->UrbControlVendorClassRequest;
    UCHAR in = (request->TransferFlags & USBD_TRANSFER_DIRECTION_IN) != 0 ? TRACE_IN : TRACE_OUT;
    UsbdTraceSetup(Transfer, in | Type, request->Request, request->Value, request->Index,
                   request->TransferBufferLength);
}

// 9.4 of USB 2.0: what a control URB means on the wire. FALSE: nothing.
static BOOLEAN UsbdTraceControl(PURB Urb, struct nt_transfer *Transfer)
{
    const struct _URB_CONTROL_DESCRIPTOR_REQUEST *get = &Urb->UrbControlDescriptorRequest;
    switch (Urb->UrbHeader.Function) {
    case URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE:
    case URB_FUNCTION_GET_DESCRIPTOR_FROM_INTERFACE:
        UsbdTraceSetup(
            Transfer, Urb->UrbHeader.Function == URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE ? 0x80 : 0x81, 6,
            (USHORT)(get->DescriptorType << 8 | get->Index), get->LanguageId, get->TransferBufferLength);
        return TRUE;
    case URB_FUNCTION_CONTROL_TRANSFER:
    case URB_FUNCTION_CONTROL_TRANSFER_EX: // the setup packet is at the same place
        RtlCopyMemory(Transfer->setup, Urb->UrbControlTransfer.SetupPacket, sizeof Transfer->setup);
        Transfer->type = NT_TRANSFER_CONTROL;
        Transfer->endpoint = Transfer->setup[0] & TRACE_IN;
        return TRUE;
    case URB_FUNCTION_CLASS_DEVICE:
        UsbdTraceRequest(Urb, Transfer, 0x20);
        return TRUE;
    case URB_FUNCTION_CLASS_INTERFACE:
        UsbdTraceRequest(Urb, Transfer, 0x21);
        return TRUE;
    case URB_FUNCTION_CLASS_ENDPOINT:
        UsbdTraceRequest(Urb, Transfer, 0x22);
        return TRUE;
    case URB_FUNCTION_VENDOR_DEVICE:
        UsbdTraceRequest(Urb, Transfer, 0x40);
        return TRUE;
    case URB_FUNCTION_VENDOR_INTERFACE:
        UsbdTraceRequest(Urb, Transfer, 0x41);
        return TRUE;
    default:
        return FALSE;
    }
}

// Requests without a buffer.
static BOOLEAN UsbdTraceOther(PURB Urb, struct nt_transfer *Transfer)
{
    const USB_CONFIGURATION_DESCRIPTOR *configuration;
    switch (Urb->UrbHeader.Function) {
    case URB_FUNCTION_SELECT_CONFIGURATION:
        configuration = Urb->UrbSelectConfiguration.ConfigurationDescriptor;
        UsbdTraceSetup(Transfer, 0, 9, configuration != NULL ? configuration->bConfigurationValue : 0, 0, 0);
        return TRUE;
    case URB_FUNCTION_SELECT_INTERFACE:
        UsbdTraceSetup(Transfer, 1, 11, Urb->UrbSelectInterface.Interface.AlternateSetting,
                       Urb->UrbSelectInterface.Interface.InterfaceNumber, 0);
        return TRUE;
    case URB_FUNCTION_SYNC_RESET_PIPE_AND_CLEAR_STALL:
    case URB_FUNCTION_SYNC_CLEAR_STALL:
        if (!UsbdTraceBulk(Urb, Transfer)) { // the pipe's handle is at the same place
            return FALSE;
        }
        UsbdTraceSetup(Transfer, 2, 1, 0, Transfer->endpoint, 0);
        return TRUE;
    default:
        return FALSE;
    }
}

static enum nt_transfer_result UsbdTraceResult(USBD_STATUS Status)
{
    switch (Status) {
    case USBD_STATUS_STALL_PID:
    case USBD_STATUS_ENDPOINT_HALTED:
        return NT_TRANSFER_STALLED;
    case USBD_STATUS_CANCELED:
        return NT_TRANSFER_CANCELLED;
    case USBD_STATUS_DEVICE_GONE:
        return NT_TRANSFER_GONE;
    default:
        return USBD_SUCCESS(Status) ? NT_TRANSFER_DONE : NT_TRANSFER_FAILED;
    }
}

// The data, when this is the end at which they are there.
static VOID UsbdTraceData(PURB Urb, BOOLEAN Ended, struct nt_transfer *Transfer)
{
    const struct _URB_CONTROL_TRANSFER *transfer = &Urb->UrbControlTransfer; // one place in all shapes
    Transfer->length = transfer->TransferBufferLength;
    if (Ended != ((Transfer->endpoint & TRACE_IN) != 0)) {
        return;
    }
    if (transfer->TransferBuffer != NULL) {
        Transfer->data = transfer->TransferBuffer;
    } else if (transfer->TransferBufferMDL != NULL &&
               MmGetMdlByteCount(transfer->TransferBufferMDL) >= Transfer->length) {
        Transfer->data = MmGetSystemAddressForMdlSafe(transfer->TransferBufferMDL, NormalPagePriority);
    }
}

static ULONGLONG UsbdTraceTime(VOID)
{
    LARGE_INTEGER now; // since 1601
    KiExportQuerySystemTimePrecise(&now);
    return (ULONGLONG)now.QuadPart / 10 - 11644473600000000ull;
}

static VOID UsbdTraceUrb(PDEVICE_OBJECT Device, PURB Urb, BOOLEAN Ended)
{
    struct nt_transfer transfer = {.id = (ULONG_PTR)Urb, .time_us = UsbdTraceTime(), .device = Device};
    BOOLEAN bulk = Urb->UrbHeader.Function == URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER;
    transfer.result = Ended ? UsbdTraceResult(Urb->UrbHeader.Status) : NT_TRANSFER_PENDING;
    while (InterlockedExchange(&UsbdTraceLock, 1) != 0) {
        YieldProcessor();
    }
    if (Ended && USBD_SUCCESS(Urb->UrbHeader.Status)) {
        UsbdTraceSelected(Urb);
    }
    BOOLEAN whole = Urb->UrbHeader.Length >= sizeof(struct _URB_BULK_OR_INTERRUPT_TRANSFER);
    BOOLEAN buffer = !whole ? FALSE : bulk ? UsbdTraceBulk(Urb, &transfer) : UsbdTraceControl(Urb, &transfer);
    BOOLEAN shown = buffer || UsbdTraceOther(Urb, &transfer);
    InterlockedExchange(&UsbdTraceLock, 0);
    if (buffer) {
        UsbdTraceData(Urb, Ended, &transfer);
    }
    if (shown) {
        UsbdTracer->transfer(UsbdTracer->context, &transfer);
    }
}

static VOID UsbdTraceIoctl(PIRP Irp, const IO_STACK_LOCATION *Location, BOOLEAN Ended)
{
    struct nt_control control = {.id = (ULONG_PTR)Irp,
                                 .time_us = UsbdTraceTime(),
                                 .ended = Ended,
                                 .code = Location->Parameters.DeviceIoControl.IoControlCode,
                                 .status = Ended ? (ULONG)Irp->IoStatus.Status : 0};
    ULONG outside = Location->Parameters.DeviceIoControl.OutputBufferLength;
    if ((control.code & 3) == METHOD_BUFFERED) {
        control.data = Irp->AssociatedIrp.SystemBuffer;
        control.length = Ended ? min((ULONG)Irp->IoStatus.Information, outside)
                               : Location->Parameters.DeviceIoControl.InputBufferLength;
    }
    UsbdTracer->control(UsbdTracer->context, &control);
}

static VOID UsbdTraceIrp(PDEVICE_OBJECT Device, PIRP Irp, BOOLEAN Ended)
{
    const IO_STACK_LOCATION *location =
        Ended ? IoGetCurrentIrpStackLocation(Irp) : IoGetNextIrpStackLocation(Irp);
    PURB urb = location->Parameters.Others.Argument1;
    if (location->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL && Device->StackSize == 1 && urb != NULL &&
        location->Parameters.DeviceIoControl.IoControlCode == IOCTL_INTERNAL_USB_SUBMIT_URB &&
        urb->UrbHeader.Length >= sizeof(struct _URB_PIPE_REQUEST)) {
        UsbdTraceUrb(Device, urb, Ended);
    }
    // The highest device's, as user mode sees it.
    location = Irp->Tail.Overlay.CurrentStackLocation + (Irp->StackCount - Irp->CurrentLocation);
    BOOLEAN first = Irp->CurrentLocation == Irp->StackCount + 1;
    if (first && !Ended) {
        location = IoGetNextIrpStackLocation(Irp);
    }
    if (location->MajorFunction == IRP_MJ_DEVICE_CONTROL && (Ended || first)) {
        UsbdTraceIoctl(Irp, location, Ended);
    }
}

void nt_trace(const struct nt_tracer *tracer)
{
    UsbdTracer = tracer;
    IopWatch = tracer != NULL ? UsbdTraceIrp : NULL;
}
