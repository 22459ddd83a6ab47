// SPDX-License-Identifier: MIT
// Rules about waiting, ending threads and freeing memory.
#include "nthost/ex/ex.h"
#include "nthost/ke/ke.h"
#include "nthost/verifier/verifier.h"

static VOID VfCheckWaitIrql(PKTHREAD Thread, PVOID Object, PLARGE_INTEGER Timeout)
{
    BOOLEAN Polls = Timeout != NULL && Timeout->QuadPart == 0;
    if (Thread->Irql > DISPATCH_LEVEL) {
        VfBreak(VfRuleWaitAboveDispatch, Thread->Irql, (ULONG_PTR)Object, (ULONG_PTR)Timeout,
                "wait at IRQL %u", Thread->Irql);
    }
    if (Polls) {
        return;
    }
    if (Thread->HeldCount != 0) {
        PKSPIN_LOCK Lock = Thread->Held[Thread->HeldCount - 1].Lock;
        VfBreak(VfRuleWaitWithSpinLock, (ULONG_PTR)Lock, (ULONG_PTR)Object, (ULONG_PTR)Timeout,
                "wait with spin lock %p held", Lock);
    }
    if (Thread->Irql == DISPATCH_LEVEL) {
        VfBreak(VfRuleWaitAtDispatch, Thread->Irql, (ULONG_PTR)Object, (ULONG_PTR)Timeout,
                "wait at DISPATCH_LEVEL that may block");
    }
}

VOID VfCheckWait(PVOID Object, PLARGE_INTEGER Timeout)
{
    if (!VfEnabled) {
        return;
    }
    VfCheckWaitIrql(KiCurrentThread(), Object, Timeout);
    if (Object == NULL) {
        return;
    }
    PDISPATCHER_HEADER Header = Object;
    UCHAR Type = KiObjectType(Header);
    if (Type > KiTimerSynchronization || Header->Size == 0) {
        VfBreak(VfRuleWaitOnUninitialized, (ULONG_PTR)Object, Type, 0, "object %p was not initialized",
                Object);
    }
}

VOID VfCheckThreadEnd(VOID)
{
    PKTHREAD Thread = KiCurrentThread();
    if (!VfEnabled) {
        return;
    }
    if (Thread->HeldCount != 0) {
        PKSPIN_LOCK Lock = Thread->Held[Thread->HeldCount - 1].Lock;
        VfBreak(VfRuleSpinLockAtReturn, (ULONG_PTR)Thread, (ULONG_PTR)Lock, 0,
                "thread ends with spin lock %p held", Lock);
    }
    if (Thread->Irql != PASSIVE_LEVEL) {
        VfBreak(VfRuleThreadIrqlAtEnd, (ULONG_PTR)Thread, Thread->Irql, 0, "thread ends at IRQL %u",
                Thread->Irql);
    }
    if (!IsListEmpty(&Thread->MutantListHead)) {
        PVOID Mutant = CONTAINING_RECORD(Thread->MutantListHead.Flink, KMUTANT, MutantListEntry);
        VfBreak(VfRuleMutexAtThreadEnd, (ULONG_PTR)Mutant, (ULONG_PTR)Thread, 0,
                "thread ends owning mutex %p", Mutant);
    }
    if (Thread->KernelApcDisable != -1 || Thread->SpecialApcDisable != 0) {
        VfBreak(VfRuleThreadApcsAtEnd, (ULONG_PTR)Thread, (ULONG_PTR)Thread->KernelApcDisable,
                (ULONG_PTR)Thread->SpecialApcDisable, "thread ends within a critical or guarded region");
    }
}

static VOID VfCheckHeldLocks(PVOID Start, SIZE_T Size)
{
    PKTHREAD Thread = KiCurrentThread();
    for (ULONG i = 0; i < Thread->HeldCount; i++) {
        PKSPIN_LOCK Lock = Thread->Held[i].Lock;
        if ((ULONG_PTR)Lock - (ULONG_PTR)Start < Size) {
            VfBreak(VfRuleSpinLockFreedHeld, (ULONG_PTR)Lock, (ULONG_PTR)Start, Size,
                    "memory %p freed with spin lock %p in it held", Start, Lock);
        }
    }
}

VOID VfCheckObjectMemory(PVOID Start, SIZE_T Size)
{
    PVOID Object = KiFindTimer(Start, Size, 0);
    if (Object != NULL) {
        VfBreak(VfRuleTimerInFreedMemory, (ULONG_PTR)Object, (ULONG_PTR)Start, (ULONG_PTR)Start + Size,
                "memory %p freed, timer %p is still set", Start, Object);
    }
    if (KiDpcRangeActive(Start, Size, &Object)) {
        VfBreak(VfRuleDpcInFreedMemory, (ULONG_PTR)Object, (ULONG_PTR)Start, (ULONG_PTR)Start + Size,
                "memory %p freed, DPC %p in it is still queued", Start, Object);
    }
    if (ExpWorkItemRangeActive(Start, Size, &Object)) {
        VfBreak(VfRuleWorkItemInFreedMemory, (ULONG_PTR)Object, (ULONG_PTR)Start, (ULONG_PTR)Start + Size,
                "memory %p freed, work item %p in it is still queued", Start, Object);
    }
    Object = ExpFindLookaside(Start, Size, 0);
    if (Object != NULL) {
        VfBreak(VfRuleLookasideInFreedMemory, (ULONG_PTR)Object, (ULONG_PTR)Start, (ULONG_PTR)Start + Size,
                "memory %p freed, lookaside list %p in it was not deleted", Start, Object);
    }
    VfCheckHeldLocks(Start, Size);
    VfForgetLocks(Start, Size);
}
