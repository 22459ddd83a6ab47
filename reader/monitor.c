// SPDX-License-Identifier: MIT
#include "reader/slot.h"

#define POLL_INTERVAL 500 // ms
#define TICKS_PER_MS  10000

static IO_WORKITEM_ROUTINE MonitorWork;

// The caller holds the lock. TRUE: the work item must be queued once the lock is released.
static BOOLEAN MonitorClaim(PMONITOR Monitor)
{
    if (Monitor->Queued) {
        return FALSE;
    }
    Monitor->Queued = TRUE;
    KeClearEvent(&Monitor->Idle);
    return TRUE;
}

static VOID MonitorRaise(PREADER Reader, BOOLEAN Recover, BOOLEAN Poll, ULONG Verify)
{
    PMONITOR monitor = &Reader->Monitor;
    BOOLEAN queue = FALSE;
    KIRQL irql;

    KeAcquireSpinLock(&monitor->Lock, &irql);
    if (!monitor->Stopping) {
        monitor->Recover |= Recover;
        monitor->Poll |= Poll;
        monitor->Verify |= Verify;
        queue = MonitorClaim(monitor);
    }
    KeReleaseSpinLock(&monitor->Lock, irql);
    if (queue) {
        IoQueueWorkItem(monitor->Item, MonitorWork, DelayedWorkQueue, Reader);
    }
}

VOID MonitorRecover(PREADER Reader)
{
    MonitorRaise(Reader, TRUE, FALSE, 0);
}

VOID MonitorVerify(PREADER Reader, ULONG Slot)
{
    MonitorRaise(Reader, FALSE, FALSE, 1u << Slot);
}

VOID MonitorTrack(PREADER Reader)
{
    PMONITOR monitor = &Reader->Monitor;
    LARGE_INTEGER due;
    KIRQL irql;

    due.QuadPart = -(LONGLONG)POLL_INTERVAL * TICKS_PER_MS;
    KeAcquireSpinLock(&monitor->Lock, &irql);
    if (!monitor->Stopping && Reader->Interrupt.Lost) {
        KeSetTimer(&monitor->Timer, due, &monitor->Dpc);
    }
    KeReleaseSpinLock(&monitor->Lock, irql);
}

static VOID NTAPI MonitorTick(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    MonitorRaise(Context, FALSE, TRUE, 0);
}

static BOOLEAN SlotTracked(PSLOT Slot)
{
    POS_DEP_DATA os = Slot->Smartcard.OsData;
    BOOLEAN tracked;
    KIRQL irql;

    KeAcquireSpinLock(&os->SpinLock, &irql);
    tracked = os->NotificationIrp != NULL;
    KeReleaseSpinLock(&os->SpinLock, irql);
    return tracked;
}

// A failed poll is repeated with the next one; a reader that is gone stops the monitor.
static VOID SlotsPoll(PREADER Reader)
{
    BOOLEAN again = FALSE;

    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        if (SlotTracked(Reader->Slots[i])) {
            NTSTATUS status = SlotQuery(Reader->Slots[i]);
            again |= status != STATUS_DEVICE_NOT_CONNECTED && SlotTracked(Reader->Slots[i]);
        }
    }
    if (again) {
        MonitorTrack(Reader);
    }
}

// What the pipe had to tell while it was broken may be lost.
static VOID PipeRecover(PREADER Reader)
{
    InterruptRecover(Reader);
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        if (SlotQuery(Reader->Slots[i]) == STATUS_DEVICE_NOT_CONNECTED) {
            return;
        }
    }
}

static VOID JobsRun(PREADER Reader, BOOLEAN Recover, BOOLEAN Poll, ULONG Verify)
{
    if (Recover) {
        PipeRecover(Reader);
    }
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        if ((Verify & 1u << i) != 0) {
            SlotVerify(Reader->Slots[i]);
        }
    }
    if (Poll) {
        SlotsPoll(Reader);
    }
}

static VOID NTAPI MonitorWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PREADER reader = Context;
    PMONITOR monitor = &reader->Monitor;

    UNREFERENCED_PARAMETER(DeviceObject);
    for (;;) {
        BOOLEAN recover;
        BOOLEAN poll;
        ULONG verify;
        KIRQL irql;

        KeAcquireSpinLock(&monitor->Lock, &irql);
        recover = monitor->Recover;
        poll = monitor->Poll;
        verify = monitor->Verify;
        monitor->Recover = FALSE;
        monitor->Poll = FALSE;
        monitor->Verify = 0;
        if (monitor->Stopping || (!recover && !poll && verify == 0)) {
            monitor->Queued = FALSE;
            KeSetEvent(&monitor->Idle, IO_NO_INCREMENT, FALSE);
            KeReleaseSpinLock(&monitor->Lock, irql);
            return;
        }
        KeReleaseSpinLock(&monitor->Lock, irql);
        JobsRun(reader, recover, poll, verify);
    }
}

NTSTATUS MonitorCreate(PREADER Reader)
{
    PMONITOR monitor = &Reader->Monitor;

    KeInitializeSpinLock(&monitor->Lock);
    KeInitializeEvent(&monitor->Idle, NotificationEvent, TRUE);
    KeInitializeTimer(&monitor->Timer);
    KeInitializeDpc(&monitor->Dpc, MonitorTick, Reader);
    monitor->Stopping = TRUE;
    monitor->Item = IoAllocateWorkItem(Reader->DeviceObject);
    return monitor->Item == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

VOID MonitorDestroy(PREADER Reader)
{
    if (Reader->Monitor.Item != NULL) {
        IoFreeWorkItem(Reader->Monitor.Item);
        Reader->Monitor.Item = NULL;
    }
}

VOID MonitorStart(PREADER Reader)
{
    PMONITOR monitor = &Reader->Monitor;
    KIRQL irql;

    KeAcquireSpinLock(&monitor->Lock, &irql);
    monitor->Stopping = FALSE;
    KeReleaseSpinLock(&monitor->Lock, irql);
    MonitorTrack(Reader);
}

VOID MonitorStop(PREADER Reader)
{
    PMONITOR monitor = &Reader->Monitor;
    KIRQL irql;

    KeAcquireSpinLock(&monitor->Lock, &irql);
    monitor->Stopping = TRUE;
    KeReleaseSpinLock(&monitor->Lock, irql);
    KeCancelTimer(&monitor->Timer);
    KeFlushQueuedDpcs();
    KeWaitForSingleObject(&monitor->Idle, Executive, KernelMode, FALSE, NULL);
}
