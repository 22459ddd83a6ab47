// SPDX-License-Identifier: MIT
#include "reader/events.h"
#include "reader/slot.h"
#include "reader/ccid/notify.h"

#define FAILURES_MAX    5
#define RECOVER_TIMEOUT 1000 // ms

static IO_COMPLETION_ROUTINE InterruptDone;

VOID InterruptInitialize(PINTERRUPT Interrupt)
{
    RtlZeroMemory(Interrupt, sizeof(*Interrupt));
    KeInitializeSpinLock(&Interrupt->Lock);
    KeInitializeEvent(&Interrupt->Idle, NotificationEvent, TRUE);
    Interrupt->Stopping = TRUE;
}

NTSTATUS InterruptOpen(PREADER Reader)
{
    PINTERRUPT interrupt = &Reader->Interrupt;
    USHORT packet = Reader->Usb.Interrupt.MaximumPacketSize;

    interrupt->Failures = 0;
    interrupt->Lost = Reader->Usb.Interrupt.Handle == NULL || packet == 0 || packet > INTERRUPT_BUFFER;
    if (interrupt->Lost) {
        return STATUS_SUCCESS;
    }
    interrupt->Irp = IoAllocateIrp(Reader->Lower->StackSize, FALSE);
    return interrupt->Irp == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

VOID InterruptClose(PREADER Reader)
{
    if (Reader->Interrupt.Irp != NULL) {
        IoFreeIrp(Reader->Interrupt.Irp);
        Reader->Interrupt.Irp = NULL;
    }
}

static VOID UrbPrepare(PREADER Reader)
{
    struct _URB_BULK_OR_INTERRUPT_TRANSFER *urb = &Reader->Interrupt.Urb;

    RtlZeroMemory(urb, sizeof(*urb));
    urb->Hdr.Length = sizeof(*urb);
    urb->Hdr.Function = URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER;
    urb->PipeHandle = Reader->Usb.Interrupt.Handle;
    urb->TransferFlags = USBD_TRANSFER_DIRECTION_IN | USBD_SHORT_TRANSFER_OK;
    urb->TransferBufferLength = Reader->Usb.Interrupt.MaximumPacketSize;
    urb->TransferBuffer = Reader->Interrupt.Buffer;
}

// FALSE: stopping, and the IRP is idle. Once Stopping is set nobody resets the IRP, so that a cancellation
// that comes between here and IoCallDriver still stands.
static BOOLEAN InterruptPrepare(PREADER Reader)
{
    PINTERRUPT interrupt = &Reader->Interrupt;
    BOOLEAN ready;
    KIRQL irql;

    KeAcquireSpinLock(&interrupt->Lock, &irql);
    ready = !interrupt->Stopping;
    if (ready) {
        UrbPrepare(Reader);
        UsbIrpPrepare(interrupt->Irp, &interrupt->Urb, InterruptDone, Reader);
        interrupt->Arrivals = 0;
    }
    KeReleaseSpinLock(&interrupt->Lock, irql);
    return ready;
}

static VOID NotificationHandle(PREADER Reader)
{
    const UCHAR *message = Reader->Interrupt.Buffer;
    ULONG length = Reader->Interrupt.Urb.TransferBufferLength;

    if (length > Reader->Usb.Interrupt.MaximumPacketSize) {
        return;
    }
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        CCID_PRESENCE presence = CcidNotifyPresence(message, length, i);
        if ((presence != CcidUnchanged && SlotNotify(Reader->Slots[i], presence == CcidInserted)) ||
            CcidNotifyHardwareError(message, length, i)) {
            MonitorVerify(Reader, i);
        }
    }
}

// FALSE: the pipe rests, by wish or by failure.
static BOOLEAN InterruptHandle(PREADER Reader)
{
    PINTERRUPT interrupt = &Reader->Interrupt;
    NTSTATUS status = UsbStatus(interrupt->Irp->IoStatus.Status, interrupt->Urb.Hdr.Status);

    if (NT_SUCCESS(status)) {
        interrupt->Failures = 0;
        NotificationHandle(Reader);
        return TRUE;
    }
    interrupt->Failures++;
    if (status != STATUS_CANCELLED) {
        MonitorRecover(Reader);
    }
    return FALSE;
}

// A bus driver may complete within IoCallDriver any number of times; the loop instead of a resubmission from
// the completion routine keeps that from nesting.
static VOID InterruptRun(PREADER Reader)
{
    PINTERRUPT interrupt = &Reader->Interrupt;

    while (InterruptPrepare(Reader)) {
        (VOID) IoCallDriver(Reader->Lower, interrupt->Irp);
        if (InterlockedIncrement(&interrupt->Arrivals) == 1) {
            return; // the completion routine will come second
        }
        if (!InterruptHandle(Reader)) {
            break;
        }
    }
    KeSetEvent(&interrupt->Idle, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS NTAPI InterruptDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PREADER reader = Context;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    if (InterlockedIncrement(&reader->Interrupt.Arrivals) == 2) {
        if (InterruptHandle(reader)) {
            InterruptRun(reader);
        } else {
            KeSetEvent(&reader->Interrupt.Idle, IO_NO_INCREMENT, FALSE);
        }
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static BOOLEAN InterruptAllow(PINTERRUPT Interrupt, BOOLEAN Start)
{
    BOOLEAN allowed;
    KIRQL irql;

    KeAcquireSpinLock(&Interrupt->Lock, &irql);
    if (Start) {
        Interrupt->Stopping = FALSE;
    }
    allowed = !Interrupt->Stopping && Interrupt->Irp != NULL && !Interrupt->Lost;
    if (allowed) {
        KeClearEvent(&Interrupt->Idle);
    }
    KeReleaseSpinLock(&Interrupt->Lock, irql);
    return allowed;
}

VOID InterruptStart(PREADER Reader)
{
    Reader->Interrupt.Failures = 0;
    if (InterruptAllow(&Reader->Interrupt, TRUE)) {
        InterruptRun(Reader);
    }
}

VOID InterruptStop(PREADER Reader)
{
    PINTERRUPT interrupt = &Reader->Interrupt;
    KIRQL irql;

    KeAcquireSpinLock(&interrupt->Lock, &irql);
    interrupt->Stopping = TRUE;
    KeReleaseSpinLock(&interrupt->Lock, irql);
    if (interrupt->Irp != NULL) {
        IoCancelIrp(interrupt->Irp);
    }
    KeWaitForSingleObject(&interrupt->Idle, Executive, KernelMode, FALSE, NULL);
}

VOID InterruptRecover(PREADER Reader)
{
    PINTERRUPT interrupt = &Reader->Interrupt;
    USB_WAIT wait = {RECOVER_TIMEOUT, &Reader->Halt, NULL, NULL};
    NTSTATUS status = STATUS_IO_DEVICE_ERROR;

    KeWaitForSingleObject(&interrupt->Idle, Executive, KernelMode, FALSE, NULL);
    if (interrupt->Failures <= FAILURES_MAX) {
        status = UsbPipeReset(Reader, &Reader->Usb.Interrupt, &wait);
    }
    if (NT_SUCCESS(status)) {
        if (InterruptAllow(interrupt, FALSE)) {
            InterruptRun(Reader);
        }
        return;
    }
    if (KeReadStateEvent(&Reader->Halt) == 0 && status != STATUS_DEVICE_NOT_CONNECTED) {
        interrupt->Lost = TRUE;
        SmartcardLogError(Reader->DeviceObject, LECTERN_INTERRUPT_LOST, NULL, (ULONG)status);
        MonitorTrack(Reader);
    }
}
