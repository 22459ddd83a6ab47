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

// The driver's part of the stack ends where the kernel entered it.
static VOID VfCheckWaitMode(PKTHREAD Thread, PVOID Object, KPROCESSOR_MODE Mode)
{
    ULONG_PTR Here = (ULONG_PTR)__builtin_frame_address(0);
    if (Mode != KernelMode && (ULONG_PTR)Object > Here &&
        (ULONG_PTR)Object < (ULONG_PTR)Thread->DriverFrame) {
        VfBreak(VfRuleWaitUserOnStack, (ULONG_PTR)Object, 0, 0,
                "UserMode wait for object %p on the stack, which may be paged out meanwhile", Object);
    }
}

VOID VfCheckWait(PVOID Object, KPROCESSOR_MODE Mode, PLARGE_INTEGER Timeout)
{
    if (!VfEnabled) {
        return;
    }
    VfCheckWaitIrql(KiCurrentThread(), Object, Timeout);
    if (Object == NULL) {
        return;
    }
    VfCheckWaitMode(KiCurrentThread(), Object, Mode);
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

VOID VfCheckResident(PVOID Object)
{
    if (VfEnabled && ExpIsPagedPool(Object)) {
        VfBreak(VfRuleObjectInPagedPool, (ULONG_PTR)Object, 0, 0,
                "object %p lies in paged pool, which DISPATCH_LEVEL and the dispatcher cannot touch", Object);
    }
}

VOID VfCheckString(PCUNICODE_STRING String)
{
    if (!VfEnabled || String == NULL) {
        return;
    }
    if (String->Length % sizeof(WCHAR) != 0 || String->Length > String->MaximumLength ||
        (String->Length != 0 && String->Buffer == NULL)) {
        VfBreak(VfRuleStringMalformed, (ULONG_PTR)String, String->Length, String->MaximumLength,
                "UNICODE_STRING %p: length %u of %u bytes at %p", String, String->Length,
                String->MaximumLength, String->Buffer);
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
    Object = ExpFindResource(Start, Size);
    if (Object != NULL) {
        VfBreak(VfRuleResourceInFreedMemory, (ULONG_PTR)Object, (ULONG_PTR)Start, (ULONG_PTR)Start + Size,
                "memory %p freed, resource %p in it was not deleted", Start, Object);
    }
    VfCheckHeldLocks(Start, Size);
    VfForgetLocks(Start, Size);
}
