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

VOID IdleUp(PREADER Reader, BOOLEAN Reached)
{
    PIDLE idle = &Reader->Idle;
    KIRQL irql;

    WakeDisarm(Reader);
    KeAcquireSpinLock(&idle->Lock, &irql);
    idle->SystemSlept = idle->SystemAsleep;
    if (idle->State >= IdleEntering) {
        idle->State = Reached ? IdleAwake : IdleAsleep;
    }
    KeSetEvent(&idle->Awake, IO_NO_INCREMENT, FALSE);
    IdleTimerArm(idle);
    KeReleaseSpinLock(&idle->Lock, irql);
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
