// SPDX-License-Identifier: MIT
// What the power requests mean to a reader that sleeps on its own.
#include "reader/slot.h"

VOID IdleSystem(PREADER Reader, BOOLEAN Asleep)
{
    PIDLE idle = &Reader->Idle;
    BOOLEAN cancel;
    KIRQL irql;

    KeAcquireSpinLock(&idle->Lock, &irql);
    idle->SystemAsleep = Asleep;
    idle->SystemSlept |= Asleep;
    cancel = Asleep && (IdleWithdraw(idle) || idle->State == IdleAsleep);
    KeReleaseSpinLock(&idle->Lock, irql);
    if (Asleep) {
        KeCancelTimer(&idle->Timer);
        WakeDisarm(Reader);
    }
    if (cancel) {
        IoCancelIrp(idle->Irp);
    }
}

VOID IdleDown(PREADER Reader)
{
    KIRQL irql;

    KeAcquireSpinLock(&Reader->Idle.Lock, &irql);
    if (Reader->Idle.State == IdleEntering) {
        Reader->Idle.State = IdleAsleep;
    }
    KeReleaseSpinLock(&Reader->Idle.Lock, irql);
}

// D0 may come late, when the reader falls asleep once more; D2 follows it then.
VOID IdleUp(PREADER Reader, BOOLEAN Reached)
{
    PIDLE idle = &Reader->Idle;
    BOOLEAN disarm;
    KIRQL irql;

    KeAcquireSpinLock(&idle->Lock, &irql);
    disarm = idle->Stopped || idle->State >= IdleAsleep;
    KeReleaseSpinLock(&idle->Lock, irql);
    if (disarm) {
        WakeDisarm(Reader);
    }
    KeAcquireSpinLock(&idle->Lock, &irql);
    idle->SystemSlept = idle->SystemAsleep;
    if (idle->State >= IdleAsleep) {
        idle->State = Reached ? IdleAwake : IdleAsleep;
    }
    if (idle->State != IdleEntering) {
        KeSetEvent(&idle->Awake, IO_NO_INCREMENT, FALSE);
        IdleRun(Reader);
    }
    IdleTimerArm(idle);
    KeReleaseSpinLock(&idle->Lock, irql);
}

// Whoever is gone has told all that wait, for good.
VOID IdleHalt(PREADER Reader)
{
    KIRQL irql;

    KeAcquireSpinLock(&Reader->Idle.Lock, &irql);
    Reader->Idle.Known = FALSE;
    if (!ReaderGone(Reader)) {
        KeClearEvent(&Reader->Running);
    }
    KeSetEvent(&Reader->Halt, IO_NO_INCREMENT, FALSE);
    KeReleaseSpinLock(&Reader->Idle.Lock, irql);
}

VOID IdleKnow(PREADER Reader)
{
    KIRQL irql;

    KeAcquireSpinLock(&Reader->Idle.Lock, &irql);
    Reader->Idle.Known = TRUE;
    KeReleaseSpinLock(&Reader->Idle.Lock, irql);
}

VOID IdleHold(PREADER Reader)
{
    KIRQL irql;

    KeAcquireSpinLock(&Reader->Idle.Lock, &irql);
    KeClearEvent(&Reader->Running);
    KeReleaseSpinLock(&Reader->Idle.Lock, irql);
}

BOOLEAN IdleWatched(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    BOOLEAN watched;
    KIRQL irql;

    KeAcquireSpinLock(&idle->Lock, &irql);
    watched = idle->State >= IdleEntering && idle->WakeIrp != NULL && !idle->SystemSlept;
    KeReleaseSpinLock(&idle->Lock, irql);
    return watched;
}
