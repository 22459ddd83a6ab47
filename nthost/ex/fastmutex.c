// SPDX-License-Identifier: MIT
// Fast and guarded mutexes: one counter, an event for those who have to wait. They differ in how they keep
// APCs away.
#include "nthost/ke/ke.h"
#include "nthost/verifier/verifier.h"

static VOID ExpAcquireMutex(volatile LONG *Count, PKTHREAD *Owner, ULONG *Contention, PVOID Event)
{
    PKTHREAD Thread = KiCurrentThread();
    if (__atomic_load_n(Owner, __ATOMIC_RELAXED) == Thread) {
        VfBreak(VfRuleFastMutexRecursion, (ULONG_PTR)Owner, 0, 0, "this thread already holds the mutex");
    }
    KiPreempt((PVOID)Owner);
    if (InterlockedDecrement(Count) != 0) {
        __atomic_fetch_add(Contention, 1, __ATOMIC_RELAXED);
        KeWaitForSingleObject(Event, WrFastMutex, KernelMode, FALSE, NULL);
    }
    __atomic_store_n(Owner, Thread, __ATOMIC_RELAXED);
}

static BOOLEAN ExpTryMutex(volatile LONG *Count, PKTHREAD *Owner)
{
    KiPreempt((PVOID)Owner);
    if (InterlockedCompareExchange(Count, 0, FM_LOCK_BIT) != FM_LOCK_BIT) {
        return FALSE;
    }
    __atomic_store_n(Owner, KiCurrentThread(), __ATOMIC_RELAXED);
    return TRUE;
}

static VOID ExpReleaseMutex(volatile LONG *Count, PKTHREAD *Owner, PVOID Event)
{
    PKTHREAD Holder = __atomic_load_n(Owner, __ATOMIC_RELAXED);
    if (Holder != KiCurrentThread()) {
        VfBreak(VfRuleFastMutexNotOwned, (ULONG_PTR)Holder, 0, 0, "the mutex is held by thread %p", Holder);
    }
    __atomic_store_n(Owner, NULL, __ATOMIC_RELAXED);
    if (InterlockedIncrement(Count) <= 0) {
        KiSignal(Event, 1);
    }
    KiPreempt((PVOID)Owner);
}

VOID FASTCALL ExAcquireFastMutexUnsafe(PFAST_MUTEX Mutex)
{
    NT_ENTRY(ExAcquireFastMutexUnsafe);
    ExpAcquireMutex(&Mutex->Count, &Mutex->Owner, &Mutex->Contention, &Mutex->Event);
}

VOID FASTCALL ExReleaseFastMutexUnsafe(PFAST_MUTEX Mutex)
{
    NT_ENTRY(ExReleaseFastMutexUnsafe);
    ExpReleaseMutex(&Mutex->Count, &Mutex->Owner, &Mutex->Event);
}

VOID FASTCALL ExAcquireFastMutex(PFAST_MUTEX Mutex)
{
    NT_ENTRY(ExAcquireFastMutex);
    PKTHREAD Thread = KiCurrentThread();
    KIRQL Irql = Thread->Irql;
    Thread->Irql = APC_LEVEL;
    ExpAcquireMutex(&Mutex->Count, &Mutex->Owner, &Mutex->Contention, &Mutex->Event);
    Mutex->OldIrql = Irql;
}

BOOLEAN FASTCALL ExTryToAcquireFastMutex(PFAST_MUTEX Mutex)
{
    NT_ENTRY(ExTryToAcquireFastMutex);
    PKTHREAD Thread = KiCurrentThread();
    KIRQL Irql = Thread->Irql;
    if (!ExpTryMutex(&Mutex->Count, &Mutex->Owner)) {
        return FALSE;
    }
    Thread->Irql = APC_LEVEL;
    Mutex->OldIrql = Irql;
    return TRUE;
}

VOID FASTCALL ExReleaseFastMutex(PFAST_MUTEX Mutex)
{
    NT_ENTRY(ExReleaseFastMutex);
    PKTHREAD Thread = KiCurrentThread();
    KIRQL Irql = (KIRQL)Mutex->OldIrql;
    if (VfEnabled && Thread->Irql != APC_LEVEL) {
        VfBreak(VfRuleFastMutexNotOwned, Thread->Irql, (ULONG_PTR)Mutex, 0, "fast mutex released at IRQL %u",
                Thread->Irql);
    }
    ExpReleaseMutex(&Mutex->Count, &Mutex->Owner, &Mutex->Event);
    Thread->Irql = Irql;
}

VOID FASTCALL KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    RtlZeroMemory(Mutex, sizeof *Mutex);
    Mutex->Count = FM_LOCK_BIT;
    KiInitializeHeader(&Mutex->Gate.Header, KiEventSynchronization, sizeof Mutex->Gate, 0);
}

VOID FASTCALL KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
    NT_ENTRY(KeAcquireGuardedMutexUnsafe);
    ExpAcquireMutex(&Mutex->Count, &Mutex->Owner, &Mutex->Contention, &Mutex->Gate);
}

VOID FASTCALL KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
    NT_ENTRY(KeReleaseGuardedMutexUnsafe);
    ExpReleaseMutex(&Mutex->Count, &Mutex->Owner, &Mutex->Gate);
}

VOID FASTCALL KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    NT_ENTRY(KeAcquireGuardedMutex);
    KiCurrentThread()->SpecialApcDisable--;
    ExpAcquireMutex(&Mutex->Count, &Mutex->Owner, &Mutex->Contention, &Mutex->Gate);
}

BOOLEAN FASTCALL KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    NT_ENTRY(KeTryToAcquireGuardedMutex);
    if (!ExpTryMutex(&Mutex->Count, &Mutex->Owner)) {
        return FALSE;
    }
    KiCurrentThread()->SpecialApcDisable--;
    return TRUE;
}

VOID FASTCALL KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    NT_ENTRY(KeReleaseGuardedMutex);
    ExpReleaseMutex(&Mutex->Count, &Mutex->Owner, &Mutex->Gate);
    KiCurrentThread()->SpecialApcDisable++;
}
