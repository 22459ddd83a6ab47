// SPDX-License-Identifier: MIT
// The library calls back in the requester's thread and completes the IRP itself, so cancelling only wakes the
// wait.
#include "reader/slot.h"

static VOID NTAPI RequestCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSLOT slot = Irp->Tail.Overlay.DriverContext[0];

    UNREFERENCED_PARAMETER(DeviceObject);
    SlotCancel(slot);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
}

VOID SlotCancel(PSLOT Slot)
{
    KeSetEvent(&Slot->Cancel, IO_NO_INCREMENT, FALSE);
}

static PIRP RequestBegin(PSLOT Slot)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    PIRP irp;
    KIRQL irql;

    KeClearEvent(&Slot->Cancel);
    KeClearEvent(&Slot->Departed);
    KeAcquireSpinLock(&os->SpinLock, &irql);
    irp = os->CurrentIrp;
    KeReleaseSpinLock(&os->SpinLock, irql);
    if (irp != NULL) {
        irp->Tail.Overlay.DriverContext[0] = Slot;
        (VOID) IoSetCancelRoutine(irp, RequestCancel);
        if (irp->Cancel) {
            SlotCancel(Slot);
        }
    }
    return irp;
}

static VOID RequestEnd(PIRP Irp)
{
    KIRQL irql;

    if (Irp != NULL && IoSetCancelRoutine(Irp, NULL) == NULL) {
        // The cancel routine may still run; it holds this lock, and the IRP must outlive it.
        IoAcquireCancelSpinLock(&irql);
        IoReleaseCancelSpinLock(irql);
    }
}

// Running is set for good when the reader has gone.
static NTSTATUS RequestWait(PSLOT Slot)
{
    PVOID objects[] = {&Slot->Cancel, &Slot->Reader->Running};

    KeWaitForMultipleObjects(RTL_NUMBER_OF(objects), objects, WaitAny, Executive, KernelMode, FALSE, NULL,
                             NULL);
    if (ReaderGone(Slot->Reader)) {
        return STATUS_DEVICE_NOT_CONNECTED;
    }
    if (SlotCancelled(Slot)) {
        return STATUS_CANCELLED;
    }
    // Running and halted: the reader has power, or should have, and did not wake up.
    return KeReadStateEvent(&Slot->Reader->Halt) != 0 ? Slot->Reader->Power.Failure : STATUS_SUCCESS;
}

// Whoever halts the reader waits for the work that it has let begin: what the reader said of itself is
// released next.
static NTSTATUS RequestWork(PSLOT Slot, SLOT_WORK *Work)
{
    NTSTATUS status;

    for (;;) {
        BOOLEAN running;

        status = RequestWait(Slot);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        KeClearEvent(&Slot->Idle);
        running = KeReadStateEvent(&Slot->Reader->Running) != 0 && !ReaderGone(Slot->Reader);
        if (running) {
            status = Work(Slot);
        }
        KeSetEvent(&Slot->Idle, IO_NO_INCREMENT, FALSE);
        if (running) {
            return status;
        }
    }
}

NTSTATUS SlotServe(PSLOT Slot, SLOT_WORK *Work, BOOLEAN NeedsCard)
{
    PIRP irp = RequestBegin(Slot);
    NTSTATUS status;

    IdleBusy(Slot->Reader);
    status = RequestWork(Slot, Work);
    IdleRest(Slot->Reader);
    RequestEnd(irp);
    if (NT_SUCCESS(status)) {
        return status;
    }
    if (ReaderGone(Slot->Reader)) {
        return STATUS_DEVICE_NOT_CONNECTED;
    }
    if (SlotCancelled(Slot)) {
        return STATUS_CANCELLED;
    }
    return NeedsCard && SlotState(Slot) <= SCARD_ABSENT ? STATUS_NO_MEDIA : status;
}
