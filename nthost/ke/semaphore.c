// SPDX-License-Identifier: MIT
#include "nthost/ke/ke.h"
#include "nthost/verifier/verifier.h"

VOID NTAPI KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    KiInitializeHeader(&Semaphore->Header, KiSemaphore, sizeof *Semaphore, Count);
    Semaphore->Limit = Limit;
}

LONG NTAPI KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
    NT_ENTRY(KeReadStateSemaphore);
    return __atomic_load_n(&Semaphore->Header.SignalState, __ATOMIC_ACQUIRE);
}

LONG NTAPI KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    PKTHREAD Woken = NULL;
    (void)Increment, (void)Wait;
    NT_ENTRY(KeReleaseSemaphore);
    KiLockDispatcher();
    KiLockObject(&Semaphore->Header);
    LONG Previous = Semaphore->Header.SignalState;
    BOOLEAN Fits = Adjustment > 0 && Adjustment <= Semaphore->Limit - Previous;
    if (Fits) {
        Semaphore->Header.SignalState = Previous + Adjustment;
    }
    KiUnlockObject(&Semaphore->Header);
    if (Fits) {
        KiReleaseWaiters(&Semaphore->Header, &Woken);
    }
    KiUnlockDispatcher();
    KiWake(Woken);
    if (!Fits) {
        ExRaiseStatus(STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    }
    KiPreempt(Semaphore);
    return Previous;
}
