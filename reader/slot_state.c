// SPDX-License-Identifier: MIT
#include "reader/slot.h"

#define SLOT_STATUS_TIMEOUT 2000 // ms

ULONG SlotState(PSLOT Slot)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    ULONG state;
    KIRQL irql;

    KeAcquireSpinLock(&os->SpinLock, &irql);
    state = Slot->Smartcard.ReaderCapabilities.CurrentState;
    KeReleaseSpinLock(&os->SpinLock, irql);
    return state;
}

VOID SlotStateSet(PSLOT Slot, ULONG State)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    KIRQL irql;

    KeAcquireSpinLock(&os->SpinLock, &irql);
    if (Slot->Smartcard.ReaderCapabilities.CurrentState > SCARD_ABSENT) {
        Slot->Smartcard.ReaderCapabilities.CurrentState = State;
    }
    KeReleaseSpinLock(&os->SpinLock, irql);
}

// The caller holds the spin lock. Presence and the waiting request change hands together, or one would be
// lost.
static PIRP PresenceChange(PSLOT Slot, BOOLEAN Present)
{
    Slot->Smartcard.ReaderCapabilities.CurrentState = Present ? SCARD_PRESENT : SCARD_ABSENT;
    if (!Present) {
        KeSetEvent(&Slot->Departed, IO_NO_INCREMENT, FALSE);
    }
    return SlotTrackingTake(Slot);
}

VOID SlotObserve(PSLOT Slot, UCHAR IccStatus)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    PULONG state = &Slot->Smartcard.ReaderCapabilities.CurrentState;
    PIRP irp = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&os->SpinLock, &irql);
    Slot->Vacant = Slot->Vacant && IccStatus == CCID_ICC_INACTIVE;
    IccStatus = Slot->Vacant ? CCID_ICC_ABSENT : IccStatus;
    if (IccStatus == CCID_ICC_ABSENT && *state > SCARD_ABSENT) {
        irp = PresenceChange(Slot, FALSE);
    } else if (IccStatus == CCID_ICC_ABSENT && *state == SCARD_UNKNOWN) {
        *state = SCARD_ABSENT;
        irp = SlotTrackingAbsent(Slot);
    } else if (IccStatus <= CCID_ICC_INACTIVE && *state <= SCARD_ABSENT) {
        irp = PresenceChange(Slot, TRUE);
    } else if (IccStatus == CCID_ICC_INACTIVE && *state > SCARD_SWALLOWED) {
        *state = SCARD_PRESENT;
    }
    KeReleaseSpinLock(&os->SpinLock, irql);
    SlotTrackingFinish(irp, STATUS_SUCCESS);
}

VOID SlotVacate(PSLOT Slot)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    KIRQL irql;

    KeAcquireSpinLock(&os->SpinLock, &irql);
    Slot->Vacant = TRUE;
    KeReleaseSpinLock(&os->SpinLock, irql);
    SlotObserve(Slot, CCID_ICC_INACTIVE);
}

VOID SlotOccupy(PSLOT Slot)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    KIRQL irql;

    KeAcquireSpinLock(&os->SpinLock, &irql);
    Slot->Vacant = FALSE;
    KeReleaseSpinLock(&os->SpinLock, irql);
}

BOOLEAN SlotNotify(PSLOT Slot, BOOLEAN Present)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    ULONG state;
    BOOLEAN announced;
    PIRP irp = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&os->SpinLock, &irql);
    state = Slot->Smartcard.ReaderCapabilities.CurrentState;
    announced = Slot->Announced;
    Slot->Announced = TRUE;
    Slot->Vacant = Slot->Vacant && !Present;
    // The first message after enumeration repeats what GetSlotStatus told. A later one about an unpowered
    // card that is still there tells of another card: removal and insertion fell into one polling interval.
    if (Present != (state > SCARD_ABSENT) || (Present && announced && state <= SCARD_SWALLOWED)) {
        irp = PresenceChange(Slot, Present);
    }
    KeReleaseSpinLock(&os->SpinLock, irql);
    SlotTrackingFinish(irp, STATUS_SUCCESS);
    return Present && state > SCARD_SWALLOWED;
}

NTSTATUS SlotQuery(PSLOT Slot)
{
    COMMAND command = {
        .Origin = CommandOfDriver, .Type = CCID_GET_SLOT_STATUS, .Timeout = SLOT_STATUS_TIMEOUT};
    NTSTATUS status = ChannelRun(Slot, &command);

    // Some readers call the query failed when there is no card.
    return command.Answered ? STATUS_SUCCESS : status;
}

VOID SlotVerify(PSLOT Slot)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    BOOLEAN powered = SlotState(Slot) > SCARD_SWALLOWED;
    PIRP irp = NULL;
    KIRQL irql;

    if (!powered || !NT_SUCCESS(SlotQuery(Slot))) {
        return;
    }
    KeAcquireSpinLock(&os->SpinLock, &irql);
    if (Slot->Smartcard.ReaderCapabilities.CurrentState == SCARD_PRESENT) {
        irp = SlotTrackingTake(Slot);
    }
    KeReleaseSpinLock(&os->SpinLock, irql);
    SlotTrackingFinish(irp, STATUS_SUCCESS);
}

VOID SlotWake(PSLOT Slot, BOOLEAN Swappable)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    PIRP irp = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&os->SpinLock, &irql);
    // One that came or went meanwhile has been an event already, and who waits now may wait for the next.
    if (Swappable && Slot->PresentAtSleep && Slot->Smartcard.ReaderCapabilities.CurrentState > SCARD_ABSENT) {
        irp = SlotTrackingTake(Slot);
    }
    Slot->PresentAtSleep = FALSE;
    KeReleaseSpinLock(&os->SpinLock, irql);
    SlotTrackingFinish(irp, STATUS_SUCCESS);
}

VOID SlotLose(PSLOT Slot)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    PIRP irp;
    KIRQL irql;

    KeAcquireSpinLock(&os->SpinLock, &irql);
    Slot->Smartcard.ReaderCapabilities.CurrentState = SCARD_UNKNOWN;
    irp = SlotTrackingTake(Slot);
    KeReleaseSpinLock(&os->SpinLock, irql);
    SlotTrackingFinish(irp, STATUS_DEVICE_NOT_CONNECTED);
    SlotCancel(Slot);
}
