// SPDX-License-Identifier: MIT
// The interrupt request level is a property of the thread: each thread stands for a processor of its own.
#include "nthost/ke/ke.h"
#include "nthost/ke/inlines.h"
#include "nthost/verifier/verifier.h"

enum { KPCR_CURRENT_THREAD = 0x188 };

unsigned long long NT_MS_ABI NtHostReadCr8(void)
{
    return KiCurrentThread()->Irql;
}

VOID KiLowerIrql(PKTHREAD Thread, KIRQL Irql)
{
    KIRQL Previous = Thread->Irql;
    Thread->Irql = Irql;
    if (Previous >= DISPATCH_LEVEL && Irql < DISPATCH_LEVEL) {
        if (Thread->DpcPending) {
            KiDrainDpcs(Thread);
        }
        KiPreempt(NULL);
    }
}

void NT_MS_ABI NtHostWriteCr8(unsigned long long Irql)
{
    PKTHREAD Thread = KiCurrentThread();
    if (VfEnabled && Irql < DISPATCH_LEVEL && Thread->HeldCount != 0) {
        PKSPIN_LOCK Lock = Thread->Held[Thread->HeldCount - 1].Lock;
        VfBreak(VfRuleSpinLockAtLower, (ULONG_PTR)Lock, (ULONG_PTR)Irql, 0,
                "IRQL lowered to %u with spin lock %p held", (ULONG)Irql, Lock);
    }
    KiLowerIrql(Thread, (KIRQL)Irql);
}

unsigned long long NT_MS_ABI NtHostReadGsQword(unsigned Offset)
{
    return Offset == KPCR_CURRENT_THREAD ? (ULONG_PTR)KiCurrentThread() : 0;
}

// What images import by name where the headers have inline routines.
KIRQL NTAPI KiExportGetCurrentIrql(VOID)
{
    return KiCurrentThread()->Irql;
}

KIRQL FASTCALL KiExportRaiseIrql(KIRQL Irql)
{
    PKTHREAD Thread = KiCurrentThread();
    KIRQL Previous = Thread->Irql;
    if (VfEnabled && Irql < Previous) {
        VfBreak(VfRuleIrqlRaiseLower, Previous, Irql, 0, "raised from IRQL %u to %u", Previous, Irql);
    }
    Thread->Irql = Irql;
    return Previous;
}

VOID FASTCALL KiExportLowerIrql(KIRQL Irql)
{
    PKTHREAD Thread = KiCurrentThread();
    if (VfEnabled && Irql > Thread->Irql) {
        VfBreak(VfRuleIrqlLowerRaise, Thread->Irql, Irql, 0, "lowered from IRQL %u to %u", Thread->Irql,
                Irql);
    }
    NtHostWriteCr8(Irql);
}

KIRQL NTAPI KiExportRaiseIrqlToDpcLevel(VOID)
{
    return KiExportRaiseIrql(DISPATCH_LEVEL);
}

VOID NTAPI KeEnterCriticalRegion(VOID)
{
    NT_ENTRY(KeEnterCriticalRegion);
    KiCurrentThread()->KernelApcDisable--;
}

static VOID KiEnableApcs(SHORT *Count, PCSTR Kind)
{
    if (*Count >= 0) {
        VfBreak(VfRuleApcsUnderflow, 0, 0, 0, "a %s region left that was not entered", Kind);
    }
    ++*Count;
}

VOID NTAPI KeLeaveCriticalRegion(VOID)
{
    NT_ENTRY(KeLeaveCriticalRegion);
    KiEnableApcs(&KiCurrentThread()->KernelApcDisable, "critical");
}

VOID NTAPI KeEnterGuardedRegion(VOID)
{
    NT_ENTRY(KeEnterGuardedRegion);
    KiCurrentThread()->SpecialApcDisable--;
}

VOID NTAPI KeLeaveGuardedRegion(VOID)
{
    NT_ENTRY(KeLeaveGuardedRegion);
    KiEnableApcs(&KiCurrentThread()->SpecialApcDisable, "guarded");
}

BOOLEAN NTAPI KeAreApcsDisabled(VOID)
{
    NT_ENTRY(KeAreApcsDisabled);
    PKTHREAD Thread = KiCurrentThread();
    return Thread->KernelApcDisable != 0 || Thread->SpecialApcDisable != 0;
}

BOOLEAN NTAPI KeAreAllApcsDisabled(VOID)
{
    PKTHREAD Thread = KiCurrentThread();
    return Thread->SpecialApcDisable != 0 || Thread->Irql >= APC_LEVEL;
}
