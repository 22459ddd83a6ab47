// SPDX-License-Identifier: MIT
// IOCTL_SMARTCARD_IS_PRESENT and IS_ABSENT. One request may wait; the driver completes it at the card event.
#include "smclib/control.h"

static BOOLEAN SmcTrackReached(_In_ ULONG State, _In_ BOOLEAN WantPresent)
{
    if (State == SCARD_UNKNOWN && SmcOther(SmcOtherUnknown)) {
        return FALSE;
    }
    return (State > SCARD_ABSENT) == (WantPresent != FALSE);
}

// State and NotificationIrp in one hold of the lock: the driver changes both under it, and a card event in
// between would be lost. STATUS_PENDING: the request is handed over.
_Must_inspect_result_
static NTSTATUS SmcTrackPublish(_In_ PSMC_CALL Call, _In_ BOOLEAN WantPresent)
{
    POS_DEP_DATA data = Call->Ext->OsData;
    PVOID volatile *place = (PVOID volatile *)&data->NotificationIrp;
    NTSTATUS status = STATUS_PENDING;
    KIRQL irql;

    // Interlocked, because a cancel routine takes the request without the spin lock.
    KeAcquireSpinLock(&data->SpinLock, &irql);
    if (SmcTrackReached(Call->Ext->ReaderCapabilities.CurrentState, WantPresent)) {
        status = STATUS_SUCCESS;
    } else if (InterlockedCompareExchangePointer(place, NULL, NULL) != NULL) {
        status = STATUS_DEVICE_BUSY;
    } else if (Call->Irp->Cancel && !SmcOther(SmcOtherCancel)) {
        status = STATUS_CANCELLED;
    } else {
        if (!SmcOther(SmcOtherMark)) {
            IoMarkIrpPending(Call->Irp);
        }
        InterlockedExchangePointer(place, Call->Irp);
    }
    KeReleaseSpinLock(&data->SpinLock, irql);
    return status;
}

// The callback failed: take the request back unless a card event or a cancel was faster.
_Must_inspect_result_
static BOOLEAN SmcTrackReclaim(_In_ PSMC_CALL Call)
{
    POS_DEP_DATA data = Call->Ext->OsData;
    KIRQL irql;

    if (InterlockedCompareExchangePointer((PVOID volatile *)&data->NotificationIrp, NULL, Call->Irp) !=
        Call->Irp) {
        return FALSE;
    }
    // Under the cancel lock, so that a cancel routine that lost the race is done with the request.
    IoAcquireCancelSpinLock(&irql);
    IoSetCancelRoutine(Call->Irp, NULL);
    IoReleaseCancelSpinLock(irql);
    return TRUE;
}

// From the callback on the request may be gone at any moment.
static NTSTATUS SmcTrackCall(_In_ PSMC_CALL Call)
{
    NTSTATUS status = Call->Ext->ReaderFunction[RDF_CARD_TRACKING](Call->Ext);
    BOOLEAN reclaimed = status != STATUS_PENDING && SmcTrackReclaim(Call);

    KeReleaseMutex(&Call->Ext->OsData->Mutex, FALSE);
    if (reclaimed) {
        (VOID) SmcCallComplete(Call, status);
    }
    return reclaimed && SmcOther(SmcOtherMark) ? status : STATUS_PENDING;
}

_Use_decl_annotations_
NTSTATUS SmcTrack(PSMC_CALL Call, BOOLEAN WantPresent)
{
    PSMARTCARD_EXTENSION ext = Call->Ext;
    NTSTATUS status;

    if (ext->ReaderFunction[RDF_CARD_TRACKING] == NULL) {
        return SmcCallComplete(Call, STATUS_NOT_SUPPORTED);
    }
    // No waiting behind a long transmission when the answer is known.
    if (!SmcOther(SmcOtherQueue) && SmcTrackReached(SmcStateGet(ext), WantPresent)) {
        return SmcCallComplete(Call, STATUS_SUCCESS);
    }
    status = KeWaitForSingleObject(&ext->OsData->Mutex, Executive, KernelMode, FALSE, NULL);
    if (!NT_SUCCESS(status)) {
        return SmcCallComplete(Call, status);
    }
    status = SmcTrackPublish(Call, WantPresent);
    if (status != STATUS_PENDING) {
        KeReleaseMutex(&ext->OsData->Mutex, FALSE);
        return SmcCallComplete(Call, status);
    }
    return SmcTrackCall(Call);
}
