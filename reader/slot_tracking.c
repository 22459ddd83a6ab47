// SPDX-License-Identifier: MIT
// IS_PRESENT and IS_ABSENT: one request waits in NotificationIrp, and whoever exchanges it for NULL completes
// it.
#include "reader/slot.h"

static VOID TrackingComplete(PIRP Irp, NTSTATUS Status)
{
    IoMarkIrpPending(Irp); // the library returned STATUS_PENDING, whether or not it marked the IRP itself
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static VOID NTAPI TrackingCancelRoutine(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSLOT slot = Irp->Tail.Overlay.DriverContext[0];
    PVOID volatile *waiting = (PVOID volatile *)&slot->Smartcard.OsData->NotificationIrp;
    BOOLEAN owned;

    UNREFERENCED_PARAMETER(DeviceObject);
    // Still under the cancel lock, which SlotTrackingFinish passes through before it completes the IRP.
    owned = InterlockedCompareExchangePointer(waiting, NULL, Irp) == Irp;
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    if (owned) {
        TrackingComplete(Irp, STATUS_CANCELLED);
    }
}

PIRP SlotTrackingTake(PSLOT Slot)
{
    return InterlockedExchangePointer((PVOID volatile *)&Slot->Smartcard.OsData->NotificationIrp, NULL);
}

PIRP SlotTrackingAbsent(PSLOT Slot)
{
    PVOID volatile *waiting = (PVOID volatile *)&Slot->Smartcard.OsData->NotificationIrp;
    KIRQL irql;
    PIRP irp;
    ULONG code;

    // A cancelled request cannot go while this lock is held.
    IoAcquireCancelSpinLock(&irql);
    irp = InterlockedCompareExchangePointer(waiting, NULL, NULL);
    code = irp != NULL ? IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode : 0;
    if (code == IOCTL_SMARTCARD_IS_ABSENT) {
        irp = SlotTrackingTake(Slot);
    } else {
        irp = NULL;
    }
    IoReleaseCancelSpinLock(irql);
    return irp;
}

VOID SlotTrackingFinish(PIRP Irp, NTSTATUS Status)
{
    KIRQL irql;

    if (Irp == NULL) {
        return;
    }
    if (IoSetCancelRoutine(Irp, NULL) == NULL) {
        // Not armed yet, or the cancel routine runs and will find the request taken: let it leave first.
        IoAcquireCancelSpinLock(&irql);
        IoReleaseCancelSpinLock(irql);
    }
    TrackingComplete(Irp, Status);
}

VOID SlotTrackingCancel(PSLOT Slot)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    PIRP irp;
    KIRQL irql;

    KeAcquireSpinLock(&os->SpinLock, &irql);
    irp = SlotTrackingTake(Slot);
    KeReleaseSpinLock(&os->SpinLock, irql);
    SlotTrackingFinish(irp, STATUS_CANCELLED);
}

// Caller holds both locks. Returns the IRP when it must not wait, with the reason in *Status.
static PIRP TrackingArm(PSLOT Slot, PNTSTATUS Status)
{
    PIRP irp = Slot->Smartcard.OsData->NotificationIrp;

    if (irp == NULL) {
        return NULL; // the card event was faster
    }
    if (irp->Cancel || ReaderGone(Slot->Reader)) {
        *Status = irp->Cancel ? STATUS_CANCELLED : STATUS_DEVICE_NOT_CONNECTED;
        return SlotTrackingTake(Slot);
    }
    irp->Tail.Overlay.DriverContext[0] = Slot;
    IoMarkIrpPending(irp);
    (VOID) IoSetCancelRoutine(irp, TrackingCancelRoutine);
    return NULL;
}

NTSTATUS NTAPI SlotCardTracking(PSMARTCARD_EXTENSION Smartcard)
{
    PSLOT slot = SlotOfExtension(Smartcard);
    NTSTATUS status = STATUS_SUCCESS;
    PIRP irp;
    KIRQL irql;
    KIRQL cancelIrql;

    KeAcquireSpinLock(&Smartcard->OsData->SpinLock, &irql);
    IoAcquireCancelSpinLock(&cancelIrql);
    irp = TrackingArm(slot, &status);
    IoReleaseCancelSpinLock(cancelIrql);
    KeReleaseSpinLock(&Smartcard->OsData->SpinLock, irql);
    if (irp != NULL) {
        TrackingComplete(irp, status);
    }
    MonitorTrack(slot->Reader);
    return STATUS_PENDING;
}
