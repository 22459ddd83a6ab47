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

static VOID MonitorRaise(PREADER Reader, MONITOR_JOBS Jobs)
{
    PMONITOR monitor = &Reader->Monitor;
    BOOLEAN queue = FALSE;
    KIRQL irql;

    KeAcquireSpinLock(&monitor->Lock, &irql);
    if (!monitor->Stopping) {
        monitor->Jobs.Recover |= Jobs.Recover;
        monitor->Jobs.Poll |= Jobs.Poll;
        monitor->Jobs.Verify |= Jobs.Verify;
        monitor->Jobs.Settle |= Jobs.Settle;
        queue = MonitorClaim(monitor);
    }
    KeReleaseSpinLock(&monitor->Lock, irql);
    if (queue) {
        IoQueueWorkItem(monitor->Item, MonitorWork, DelayedWorkQueue, Reader);
    }
}

VOID MonitorRecover(PREADER Reader)
{
    MonitorRaise(Reader, (MONITOR_JOBS){.Recover = TRUE});
}

VOID MonitorVerify(PREADER Reader, ULONG Slot)
{
    MonitorRaise(Reader, (MONITOR_JOBS){.Verify = 1u << Slot});
}

VOID MonitorSettle(PREADER Reader, ULONG Slot)
{
    MonitorRaise(Reader, (MONITOR_JOBS){.Settle = 1u << Slot});
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
    MonitorRaise(Context, (MONITOR_JOBS){.Poll = TRUE});
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

static VOID JobsRun(PREADER Reader, MONITOR_JOBS Jobs)
{
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        if ((Jobs.Settle & 1u << i) != 0) {
            ChannelSettle(Reader->Slots[i]);
        }
    }
    if (Jobs.Recover) {
        PipeRecover(Reader);
    }
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        if ((Jobs.Verify & 1u << i) != 0) {
            SlotVerify(Reader->Slots[i]);
        }
    }
    if (Jobs.Poll) {
        SlotsPoll(Reader);
    }
}

static VOID NTAPI MonitorWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PREADER reader = Context;
    PMONITOR monitor = &reader->Monitor;
    MONITOR_JOBS none = {.Poll = FALSE};

    UNREFERENCED_PARAMETER(DeviceObject);
    for (;;) {
        MONITOR_JOBS jobs;
        KIRQL irql;

        KeAcquireSpinLock(&monitor->Lock, &irql);
        jobs = monitor->Jobs;
        monitor->Jobs = none;
        if (monitor->Stopping || (!jobs.Recover && !jobs.Poll && jobs.Verify == 0 && jobs.Settle == 0)) {
            monitor->Queued = FALSE;
            KeSetEvent(&monitor->Idle, IO_NO_INCREMENT, FALSE);
            KeReleaseSpinLock(&monitor->Lock, irql);
            return;
        }
        KeReleaseSpinLock(&monitor->Lock, irql);
        JobsRun(reader, jobs);
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
