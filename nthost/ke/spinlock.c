// SPDX-License-Identifier: MIT
// A spin lock's word holds its owner, so that recursion and wrong releases are seen without any table.
#include "nthost/ke/ke.h"
#include "nthost/ke/inlines.h"
#include "nthost/os/os.h"
#include "nthost/verifier/verifier.h"

enum { KI_SPINS = 100 };

ULONG64 KiSpinPatience = 600000000;

static BOOLEAN KiTrySpinLock(PKSPIN_LOCK Lock, PKTHREAD Thread)
{
    KSPIN_LOCK Free = 0;
    return __atomic_compare_exchange_n(Lock, &Free, (KSPIN_LOCK)Thread, 0, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static VOID KiSpin(PKSPIN_LOCK Lock, PKTHREAD Thread)
{
    ULONG64 Start = os_uptime();
    while (!KiTrySpinLock(Lock, Thread)) {
        for (ULONG i = 0; i < KI_SPINS && __atomic_load_n(Lock, __ATOMIC_RELAXED) != 0; i++) {
            YieldProcessor();
        }
        os_yield();
        if (os_uptime() - Start > KiSpinPatience) {
            VfBreak(VfRuleSpinLockTimeout, (ULONG_PTR)Lock, *Lock, 0,
                    "spin lock %p has been held for %I64u s by thread %p", Lock, KiSpinPatience / 10000000,
                    (PVOID)*Lock);
        }
    }
}

static VOID KiAcquireSpinLock(PKSPIN_LOCK Lock, PKTHREAD Thread)
{
    VfCheckResident(Lock);
    KiPreempt(Lock);
    if (KiTrySpinLock(Lock, Thread)) {
        return;
    }
    if (__atomic_load_n(Lock, __ATOMIC_RELAXED) == (KSPIN_LOCK)Thread) {
        VfBreak(VfRuleSpinLockRecursion, (ULONG_PTR)Lock, (ULONG_PTR)Thread, 0,
                "spin lock %p is already held by this thread", Lock);
    }
    if (!KiOptions.Virtual) {
        KiSpin(Lock, Thread);
        return;
    }
    while (!KiTrySpinLock(Lock, Thread)) {
        KiSpinVirtual(Lock);
    }
}

static VOID KiReleaseSpinLock(PKSPIN_LOCK Lock)
{
    __atomic_store_n(Lock, 0, __ATOMIC_RELEASE);
    if (KiOptions.Virtual) {
        KiSpinWakeVirtual(Lock);
    }
}

static VOID KiNoteAcquired(PKTHREAD Thread, const KI_HELD_LOCK *Held)
{
    if (Thread->HeldCount == KI_HELD_LOCKS) {
        VfBreak(VfRuleSpinLockTooMany, (ULONG_PTR)Held->Lock, KI_HELD_LOCKS, 0,
                "more than %u spin locks held", KI_HELD_LOCKS);
    }
    Thread->Held[Thread->HeldCount++] = *Held;
}

static KI_HELD_LOCK *KiFindHeld(PKTHREAD Thread, PKSPIN_LOCK Lock)
{
    for (ULONG i = Thread->HeldCount; i > 0; i--) {
        if (Thread->Held[i - 1].Lock == Lock) {
            return &Thread->Held[i - 1];
        }
    }
    if (*Lock != 0) {
        VfBreak(VfRuleSpinLockOtherThread, (ULONG_PTR)Lock, *Lock, (ULONG_PTR)Thread,
                "spin lock %p is held by thread %p", Lock, (PVOID)*Lock);
    }
    VfBreak(VfRuleSpinLockNotHeld, (ULONG_PTR)Lock, 0, 0, "spin lock %p is not held", Lock);
}

// Checks one release against its acquisition and forgets it.
static VOID KiNoteReleased(PKTHREAD Thread, PKSPIN_LOCK Lock, BOOLEAN Queued, BOOLEAN AtDpc, KIRQL Irql)
{
    KI_HELD_LOCK *Held = KiFindHeld(Thread, Lock);
    if (Held->Queued != Queued || Held->AtDpc != AtDpc) {
        VfBreak(VfRuleSpinLockMixed, (ULONG_PTR)Lock, Held->Queued, Held->AtDpc,
                "spin lock %p was acquired by another family of routines", Lock);
    }
    if (Thread->Irql != DISPATCH_LEVEL && !(AtDpc && Thread->Irql > DISPATCH_LEVEL)) {
        VfBreak(VfRuleSpinLockIrql, Thread->Irql, (ULONG_PTR)Lock, 0, "spin lock %p released at IRQL %u",
                Lock, Thread->Irql);
    }
    if (!AtDpc && Held->OldIrql != Irql) {
        VfBreak(VfRuleSpinLockIrql, Irql, (ULONG_PTR)Lock, Held->OldIrql,
                "spin lock %p acquired at IRQL %u, released to %u", Lock, Held->OldIrql, Irql);
    }
    if (!AtDpc && Irql < DISPATCH_LEVEL && Thread->HeldCount > 1) {
        VfBreak(VfRuleSpinLockAtLower, (ULONG_PTR)Thread->Held[0].Lock, Irql, 0,
                "IRQL lowered to %u with spin lock %p held", Irql, Thread->Held[0].Lock);
    }
    *Held = Thread->Held[--Thread->HeldCount];
}

static VOID KiCheckAtDpc(PKTHREAD Thread, PKSPIN_LOCK Lock)
{
    if (Thread->Irql < DISPATCH_LEVEL) {
        VfBreak(VfRuleSpinLockBelowDispatch, Thread->Irql, (ULONG_PTR)Lock, 0, "at IRQL %u", Thread->Irql);
    }
}

static KIRQL KiAcquire(PKSPIN_LOCK Lock, BOOLEAN Queued, BOOLEAN AtDpc, PVOID Caller)
{
    PKTHREAD Thread = KiCurrentThread();
    KIRQL OldIrql = Thread->Irql;
    if (VfEnabled) {
        if (AtDpc) {
            KiCheckAtDpc(Thread, Lock);
        }
        VfLockOrder(Lock);
    }
    if (!AtDpc) {
        Thread->Irql = DISPATCH_LEVEL;
    }
    KiAcquireSpinLock(Lock, Thread);
    if (VfEnabled) {
        KI_HELD_LOCK Held = {Lock, Caller, OldIrql, Queued, AtDpc};
        KiNoteAcquired(Thread, &Held);
    }
    return OldIrql;
}

static VOID KiRelease(PKSPIN_LOCK Lock, BOOLEAN Queued, BOOLEAN AtDpc, KIRQL Irql)
{
    PKTHREAD Thread = KiCurrentThread();
    if (VfEnabled) {
        KiNoteReleased(Thread, Lock, Queued, AtDpc, Irql);
    }
    KiReleaseSpinLock(Lock);
    KiPreempt(Lock);
    if (!AtDpc) {
        KiLowerIrql(Thread, Irql);
    }
}

KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK Lock)
{
    NT_ENTRY(KeAcquireSpinLockRaiseToDpc);
    return KiAcquire(Lock, FALSE, FALSE, __builtin_return_address(0));
}

VOID NTAPI KeReleaseSpinLock(PKSPIN_LOCK Lock, KIRQL NewIrql)
{
    NT_ENTRY(KeReleaseSpinLock);
    KiRelease(Lock, FALSE, FALSE, NewIrql);
}

VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK Lock)
{
    NT_ENTRY(KeAcquireSpinLockAtDpcLevel);
    KiAcquire(Lock, FALSE, TRUE, __builtin_return_address(0));
}

VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK Lock)
{
    NT_ENTRY(KeReleaseSpinLockFromDpcLevel);
    KiRelease(Lock, FALSE, TRUE, DISPATCH_LEVEL);
}

BOOLEAN FASTCALL KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK Lock)
{
    PKTHREAD Thread = KiCurrentThread();
    NT_ENTRY(KeTryToAcquireSpinLockAtDpcLevel);
    if (VfEnabled) {
        KiCheckAtDpc(Thread, Lock);
    }
    KiPreempt(Lock);
    BOOLEAN Acquired = KiTrySpinLock(Lock, Thread);
    if (Acquired && VfEnabled) {
        KI_HELD_LOCK Held = {Lock, __builtin_return_address(0), Thread->Irql, FALSE, TRUE};
        KiNoteAcquired(Thread, &Held);
    }
    return Acquired;
}

VOID FASTCALL KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK Lock, PKLOCK_QUEUE_HANDLE Handle)
{
    NT_ENTRY(KeAcquireInStackQueuedSpinLock);
    Handle->LockQueue.Lock = Lock;
    Handle->OldIrql = KiAcquire(Lock, TRUE, FALSE, __builtin_return_address(0));
}

VOID FASTCALL KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE Handle)
{
    NT_ENTRY(KeReleaseInStackQueuedSpinLock);
    KiRelease(Handle->LockQueue.Lock, TRUE, FALSE, Handle->OldIrql);
}

VOID FASTCALL KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK Lock, PKLOCK_QUEUE_HANDLE Handle)
{
    NT_ENTRY(KeAcquireInStackQueuedSpinLockAtDpcLevel);
    Handle->LockQueue.Lock = Lock;
    Handle->OldIrql = KiAcquire(Lock, TRUE, TRUE, __builtin_return_address(0));
}

VOID FASTCALL KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE Handle)
{
    NT_ENTRY(KeReleaseInStackQueuedSpinLockFromDpcLevel);
    KiRelease(Handle->LockQueue.Lock, TRUE, TRUE, DISPATCH_LEVEL);
}

VOID NTAPI KiExportInitializeSpinLock(PKSPIN_LOCK Lock)
{
    *Lock = 0;
}
