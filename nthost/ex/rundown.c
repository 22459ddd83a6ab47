// SPDX-License-Identifier: MIT
// Rundown protection: references until somebody waits for them to end. Bit 0 of the word says that the end
// has come; the rest is the count, twice, or the waiter's block.
#include "nthost/ke/ke.h"
#include "nthost/verifier/verifier.h"

typedef struct _EXP_RUNDOWN {
    KEVENT Ended;
    ULONG_PTR Count;
} EXP_RUNDOWN, *PEXP_RUNDOWN;

VOID FASTCALL ExInitializeRundownProtection(PEX_RUNDOWN_REF Rundown)
{
    Rundown->Count = 0;
}

VOID FASTCALL ExReInitializeRundownProtection(PEX_RUNDOWN_REF Rundown)
{
    __atomic_store_n(&Rundown->Count, 0, __ATOMIC_RELEASE);
}

VOID FASTCALL ExRundownCompleted(PEX_RUNDOWN_REF Rundown)
{
    __atomic_store_n(&Rundown->Count, EX_RUNDOWN_ACTIVE, __ATOMIC_RELEASE);
}

BOOLEAN FASTCALL ExAcquireRundownProtection(PEX_RUNDOWN_REF Rundown)
{
    NT_ENTRY(ExAcquireRundownProtection);
    KiPreempt(Rundown);
    ULONG_PTR Value = __atomic_load_n(&Rundown->Count, __ATOMIC_RELAXED);
    while ((Value & EX_RUNDOWN_ACTIVE) == 0) {
        if (__atomic_compare_exchange_n(&Rundown->Count, &Value, Value + EX_RUNDOWN_COUNT_INC, 1,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            return TRUE;
        }
    }
    return FALSE;
}

VOID FASTCALL ExReleaseRundownProtection(PEX_RUNDOWN_REF Rundown)
{
    NT_ENTRY(ExReleaseRundownProtection);
    ULONG_PTR Value = __atomic_load_n(&Rundown->Count, __ATOMIC_RELAXED);
    while ((Value & EX_RUNDOWN_ACTIVE) == 0) {
        if (Value == 0) {
            VfBreak(VfRuleReferenceBelowZero, (ULONG_PTR)Rundown, 0, 0,
                    "rundown %p released more than acquired", Rundown);
        }
        if (__atomic_compare_exchange_n(&Rundown->Count, &Value, Value - EX_RUNDOWN_COUNT_INC, 1,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
            return;
        }
    }
    PEXP_RUNDOWN Waiter = (PEXP_RUNDOWN)(Value & ~(ULONG_PTR)EX_RUNDOWN_ACTIVE);
    if (__atomic_sub_fetch(&Waiter->Count, 1, __ATOMIC_ACQ_REL) == 0) {
        KiSignal(&Waiter->Ended.Header, 1);
    }
}

VOID FASTCALL ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF Rundown)
{
    NT_ENTRY(ExWaitForRundownProtectionRelease);
    EXP_RUNDOWN Waiter;
    ULONG_PTR Value = __atomic_load_n(&Rundown->Count, __ATOMIC_RELAXED);
    ULONG_PTR Next;
    KeInitializeEvent(&Waiter.Ended, NotificationEvent, FALSE);
    do {
        if (Value == EX_RUNDOWN_ACTIVE) {
            return;
        }
        Waiter.Count = Value >> EX_RUNDOWN_COUNT_SHIFT;
        Next = Value == 0 ? EX_RUNDOWN_ACTIVE : (ULONG_PTR)&Waiter | EX_RUNDOWN_ACTIVE;
    } while (
        !__atomic_compare_exchange_n(&Rundown->Count, &Value, Next, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    if (Value != 0) {
        KeWaitForSingleObject(&Waiter.Ended, WrRundown, KernelMode, FALSE, NULL);
        ExRundownCompleted(Rundown);
    }
}
