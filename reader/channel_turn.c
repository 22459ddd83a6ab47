// SPDX-License-Identifier: MIT
// How many commands are under way at a time, CCID 1.1 5.1 bMaxCCIDBusySlots.
#include "reader/slot.h"

VOID ChannelTurnsOpen(PCHANNEL Channel, ULONG Limit)
{
    ULONG more;
    KIRQL irql;

    KeAcquireSpinLock(&Channel->Lock, &irql);
    Channel->Limit = Limit;
    more = Limit > Channel->TurnCount ? Limit - Channel->TurnCount : 0;
    Channel->TurnCount += more;
    KeReleaseSpinLock(&Channel->Lock, irql);
    if (more != 0) {
        KeReleaseSemaphore(&Channel->Turns, IO_NO_INCREMENT, (LONG)more, FALSE);
    }
}

// Under the lock that ChannelDrain passes through, so that none begins once the reader halts.
static NTSTATUS TurnBegin(PCHANNEL Channel, PKEVENT Halt)
{
    NTSTATUS status = STATUS_CANCELLED;
    KIRQL irql;

    KeAcquireSpinLock(&Channel->Lock, &irql);
    if (Halt == NULL || KeReadStateEvent(Halt) == 0) {
        Channel->Active++;
        KeClearEvent(&Channel->Idle);
        status = STATUS_SUCCESS;
    }
    KeReleaseSpinLock(&Channel->Lock, irql);
    return status;
}

NTSTATUS ChannelTurnTake(PCHANNEL Channel, const USB_WAIT *Wait)
{
    USB_WAIT wait = {USB_WAIT_FOREVER, Wait->Halt, Wait->Cancel, Wait->Departed};
    NTSTATUS status = UsbWait(NULL, &Channel->Turns, &wait);

    if (status != STATUS_WAIT_1) {
        return status;
    }
    status = TurnBegin(Channel, Wait->Halt);
    if (!NT_SUCCESS(status)) {
        KeReleaseSemaphore(&Channel->Turns, IO_NO_INCREMENT, 1, FALSE);
    }
    return status;
}

VOID ChannelTurnGive(PCHANNEL Channel)
{
    BOOLEAN keep;
    KIRQL irql;

    KeAcquireSpinLock(&Channel->Lock, &irql);
    keep = Channel->TurnCount <= Channel->Limit;
    if (!keep) {
        Channel->TurnCount--;
    }
    if (--Channel->Active == 0) {
        KeSetEvent(&Channel->Idle, IO_NO_INCREMENT, FALSE);
    }
    KeReleaseSpinLock(&Channel->Lock, irql);
    if (keep) {
        KeReleaseSemaphore(&Channel->Turns, IO_NO_INCREMENT, 1, FALSE);
    }
}

BOOLEAN ChannelTurnsLower(PCHANNEL Channel)
{
    BOOLEAN lower;
    KIRQL irql;

    KeAcquireSpinLock(&Channel->Lock, &irql);
    lower = Channel->Active > 1;
    if (lower) {
        Channel->Limit = min(Channel->Limit, Channel->Active - 1);
    }
    KeReleaseSpinLock(&Channel->Lock, irql);
    return lower;
}

BOOLEAN ChannelBusy(PREADER Reader)
{
    return KeReadStateEvent(&Reader->Channel.Idle) == 0;
}

VOID ChannelDrain(PREADER Reader)
{
    PCHANNEL channel = &Reader->Channel;
    KIRQL irql;

    KeAcquireSpinLock(&channel->Lock, &irql);
    KeReleaseSpinLock(&channel->Lock, irql);
    KeWaitForSingleObject(&channel->Idle, Executive, KernelMode, FALSE, NULL);
}
