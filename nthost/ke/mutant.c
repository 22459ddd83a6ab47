// SPDX-License-Identifier: MIT
#include "nthost/ke/ke.h"
#include "nthost/verifier/verifier.h"

VOID NTAPI KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
    (void)Level;
    RtlZeroMemory(Mutex, sizeof *Mutex);
    KiInitializeHeader(&Mutex->Header, KiMutant, sizeof *Mutex, 1);
    Mutex->ApcDisable = 1;
}

LONG NTAPI KeReadStateMutex(PRKMUTEX Mutex)
{
    NT_ENTRY(KeReadStateMutex);
    return __atomic_load_n(&Mutex->Header.SignalState, __ATOMIC_ACQUIRE);
}

// With the dispatcher lock held, since the mutex may go to a waiter at once.
static LONG KiReleaseMutantLocked(PKMUTANT Mutant, LONG State, BOOLEAN Abandoned, PKTHREAD *Woken)
{
    KiLockObject(&Mutant->Header);
    LONG Previous = Mutant->Header.SignalState;
    Mutant->Header.SignalState = State;
    if (State == 1) {
        PKTHREAD Owner = Mutant->OwnerThread;
        RemoveEntryList(&Mutant->MutantListEntry);
        Owner->KernelApcDisable = (SHORT)(Owner->KernelApcDisable + Mutant->ApcDisable);
        Mutant->OwnerThread = NULL;
        Mutant->Abandoned = Abandoned;
    }
    KiUnlockObject(&Mutant->Header);
    if (State == 1) {
        KiReleaseWaiters(&Mutant->Header, Woken);
    }
    return Previous;
}

LONG NTAPI KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
    PKTHREAD Woken = NULL;
    LONG Previous = 0;
    (void)Wait;
    NT_ENTRY(KeReleaseMutex);
    KiLockDispatcher();
    BOOLEAN Owned = Mutex->OwnerThread == KiCurrentThread();
    if (Owned) {
        Previous = KiReleaseMutantLocked(Mutex, Mutex->Header.SignalState + 1, FALSE, &Woken);
    }
    KiUnlockDispatcher();
    KiWake(Woken);
    if (!Owned) {
        VfBreak(VfRuleMutexNotOwned, (ULONG_PTR)Mutex, (ULONG_PTR)Mutex->OwnerThread, 0,
                "mutex %p belongs to thread %p", Mutex, Mutex->OwnerThread);
    }
    KiPreempt(Mutex);
    return Previous; // 0: it is free now
}

VOID KiAbandonMutants(PKTHREAD Thread)
{
    PKTHREAD Woken = NULL;
    KiLockDispatcher();
    while (!IsListEmpty(&Thread->MutantListHead)) {
        PKMUTANT Mutant = CONTAINING_RECORD(Thread->MutantListHead.Flink, KMUTANT, MutantListEntry);
        KiReleaseMutantLocked(Mutant, 1, TRUE, &Woken);
    }
    KiUnlockDispatcher();
    KiWake(Woken);
}
