// SPDX-License-Identifier: MIT
// Selective suspend: who needs the reader, and what follows from it.
#include "reader/slot.h"

#define TICKS_PER_MS 10000

static IO_WORKITEM_ROUTINE IdleWork;

// The caller holds the lock. TRUE: the work item must be queued once the lock is released.
static BOOLEAN WorkClaim(PIDLE Idle)
{
    BOOLEAN queue = !Idle->Queued;

    Idle->Again = TRUE;
    if (queue) {
        Idle->Queued = TRUE;
        KeClearEvent(&Idle->WorkOver);
    }
    return queue;
}

static VOID WorkQueue(PREADER Reader, BOOLEAN Queue)
{
    if (Queue) {
        IoQueueWorkItem(Reader->Idle.Item, IdleWork, DelayedWorkQueue, Reader);
    }
}

static VOID NTAPI IdleWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PREADER reader = Context;
    PIDLE idle = &reader->Idle;

    UNREFERENCED_PARAMETER(DeviceObject);
    for (;;) {
        IDLE_STATE state;
        BOOLEAN again;
        BOOLEAN revive;
        KIRQL irql;

        KeAcquireSpinLock(&idle->Lock, &irql);
        state = idle->State;
        again = idle->Again && !idle->Stopped;
        revive = idle->Revive;
        idle->Again = FALSE;
        idle->Revive = FALSE;
        if (!again) {
            idle->Queued = FALSE;
            KeSetEvent(&idle->WorkOver, IO_NO_INCREMENT, FALSE);
        }
        KeReleaseSpinLock(&idle->Lock, irql);
        if (!again) {
            return;
        }
        IdleWorkRun(reader, state, revive);
    }
}

static VOID NTAPI IdleTick(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PREADER reader = Context;
    PIDLE idle = &reader->Idle;
    BOOLEAN queue;
    KIRQL irql;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeAcquireSpinLock(&idle->Lock, &irql);
    queue = !idle->Stopped && WorkClaim(idle);
    KeReleaseSpinLock(&idle->Lock, irql);
    WorkQueue(reader, queue);
}

NTSTATUS IdleCreate(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;

    KeInitializeSpinLock(&idle->Lock);
    idle->Stopped = TRUE;
    IdleOfferInitialize(Reader);
    KeInitializeEvent(&idle->OfferOver, NotificationEvent, TRUE);
    KeInitializeEvent(&idle->CallbackOver, NotificationEvent, TRUE);
    KeInitializeEvent(&idle->WorkOver, NotificationEvent, TRUE);
    KeInitializeEvent(&idle->Awake, NotificationEvent, TRUE);
    KeInitializeTimer(&idle->Timer);
    KeInitializeDpc(&idle->Dpc, IdleTick, Reader);
    idle->Item = IoAllocateWorkItem(Reader->DeviceObject);
    return idle->Item == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

VOID IdleDestroy(PREADER Reader)
{
    if (Reader->Idle.Irp != NULL) {
        IoFreeIrp(Reader->Idle.Irp);
        Reader->Idle.Irp = NULL;
    }
    if (Reader->Idle.Item != NULL) {
        IoFreeWorkItem(Reader->Idle.Item);
        Reader->Idle.Item = NULL;
    }
}

BOOLEAN IdleUnused(const IDLE *Idle)
{
    return Idle->Period != 0 && !Idle->Stopped && !Idle->SystemAsleep && Idle->Users == 0;
}

VOID IdleTimerSet(PIDLE Idle, ULONG Milliseconds)
{
    LARGE_INTEGER due = {.QuadPart = -(LONGLONG)Milliseconds * TICKS_PER_MS};

    KeSetTimer(&Idle->Timer, due, &Idle->Dpc);
}

VOID IdleTimerArm(PIDLE Idle)
{
    if (IdleUnused(Idle) && Idle->State == IdleAwake) {
        IdleTimerSet(Idle, Idle->Period);
    }
}

BOOLEAN IdleWithdraw(PIDLE Idle)
{
    BOOLEAN cancel = Idle->State == IdleOffered;

    if (cancel) {
        Idle->State = IdleWithdrawn;
    }
    return cancel;
}

// Whoever clears Running does it under the lock, with what forbids it here; whatever ends that comes here.
VOID IdleRun(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    BOOLEAN ready = idle->Known || InterlockedCompareExchange(&Reader->Power.Failure, 0, 0) != 0;

    if (ready && idle->State != IdleEntering && idle->State != IdleLeaving &&
        ReaderState(Reader) != ReaderStopPending) {
        KeSetEvent(&Reader->Running, IO_NO_INCREMENT, FALSE);
    }
}

// The caller holds the lock. Halted and yet running is a reader that did not wake up; from here on requests
// wait for the next attempt.
static BOOLEAN ReviveNeeded(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;

    if (idle->State == IdleAwake && !idle->Stopped && !idle->SystemAsleep && !ReaderGone(Reader) &&
        KeReadStateEvent(&Reader->Running) != 0 && KeReadStateEvent(&Reader->Halt) != 0) {
        KeClearEvent(&Reader->Running);
        idle->Revive = TRUE;
    }
    return idle->Revive;
}

VOID IdleBusy(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    BOOLEAN cancel;
    BOOLEAN queue;
    KIRQL irql;

    KeAcquireSpinLock(&idle->Lock, &irql);
    idle->Users++;
    cancel = IdleWithdraw(idle);
    queue = ReviveNeeded(Reader) && WorkClaim(idle);
    KeReleaseSpinLock(&idle->Lock, irql);
    WorkQueue(Reader, queue);
    if (cancel) {
        IoCancelIrp(idle->Irp);
    }
    IdleWake(Reader);
}

VOID IdleRest(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    KIRQL irql;

    KeAcquireSpinLock(&idle->Lock, &irql);
    idle->Users--;
    IdleTimerArm(idle);
    KeReleaseSpinLock(&idle->Lock, irql);
}

VOID IdleOpened(PREADER Reader)
{
    if (!WakePossible(Reader)) {
        IdleBusy(Reader);
        KeWaitForSingleObject(&Reader->Idle.Awake, Executive, KernelMode, FALSE, NULL);
        IdleRest(Reader);
    }
}

VOID IdleWake(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    BOOLEAN queue = FALSE;
    KIRQL irql;

    KeAcquireSpinLock(&idle->Lock, &irql);
    if (idle->State == IdleEntering) {
        idle->Wanted = TRUE;
    } else if (idle->State == IdleAsleep && !idle->SystemAsleep && !idle->Stopped) {
        idle->State = IdleLeaving;
        KeClearEvent(&idle->Awake); // it is set where an earlier attempt has failed
        KeClearEvent(&Reader->Running);
        queue = WorkClaim(idle);
    }
    KeReleaseSpinLock(&idle->Lock, irql);
    WorkQueue(Reader, queue);
}

BOOLEAN IdleStopped(PREADER Reader)
{
    BOOLEAN stopped;
    KIRQL irql;

    KeAcquireSpinLock(&Reader->Idle.Lock, &irql);
    stopped = Reader->Idle.Stopped;
    KeReleaseSpinLock(&Reader->Idle.Lock, irql);
    return stopped;
}

VOID IdleStart(PREADER Reader)
{
    KIRQL irql;

    KeAcquireSpinLock(&Reader->Idle.Lock, &irql);
    Reader->Idle.Stopped = FALSE;
    IdleTimerArm(&Reader->Idle);
    IdleRun(Reader);
    KeReleaseSpinLock(&Reader->Idle.Lock, irql);
}

// Up again by one last request, unless the reader has gone; nobody asks it anything then.
static VOID StopAwake(PREADER Reader)
{
    POWER_STATE state = {.DeviceState = PowerDeviceD0};
    PIDLE idle = &Reader->Idle;

    if (KeReadStateEvent(&idle->Awake) == 0 && !ReaderGone(Reader) &&
        PoRequestPowerIrp(Reader->Physical, IRP_MN_SET_POWER, state, NULL, NULL, NULL) == STATUS_PENDING) {
        KeWaitForSingleObject(&idle->Awake, Executive, KernelMode, FALSE, NULL);
    }
    IdleUp(Reader, TRUE);
}

VOID IdleStop(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    KIRQL irql;

    KeAcquireSpinLock(&idle->Lock, &irql);
    idle->Stopped = TRUE;
    (VOID) IdleWithdraw(idle);
    KeReleaseSpinLock(&idle->Lock, irql);
    KeCancelTimer(&idle->Timer);
    KeFlushQueuedDpcs();
    KeWaitForSingleObject(&idle->WorkOver, Executive, KernelMode, FALSE, NULL);
    KeWaitForSingleObject(&idle->CallbackOver, Executive, KernelMode, FALSE, NULL);
    KeCancelTimer(&idle->Timer);
    if (idle->Irp != NULL) {
        IoCancelIrp(idle->Irp);
    }
    KeWaitForSingleObject(&idle->OfferOver, Executive, KernelMode, FALSE, NULL);
    StopAwake(Reader);
}
