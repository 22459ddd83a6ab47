// SPDX-License-Identifier: MIT
#include "nthost/verifier/faults.h"
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/os/os.h"
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/report.h"

BOOLEAN VfEnabled;

static const struct {
    PCSTR Name;
    ULONG Code, SubCode;
} VfRules[] = {
#define VF_RULE_ROW(name, code, sub) {#name, code, sub},
    VF_RULES(VF_RULE_ROW)
#undef VF_RULE_ROW
};

static const UCHAR VfMaxIrql[] = {
    HIGH_LEVEL,
#define NT_EXPORT_AS(name, symbol, irql) irql,
#define NT_EXPORT(name, irql)            irql,
#define NT_EXPORT_DATA(name, symbol)     HIGH_LEVEL,
#include "nthost/exports.inc"
#undef NT_EXPORT
#undef NT_EXPORT_AS
#undef NT_EXPORT_DATA
};

PCSTR VfRuleName(VF_RULE Rule)
{
    return VfRules[Rule].Name;
}

static CHAR VfTold[0x800];
static uint32_t VfTellLock;

VOID __cdecl VfTell(PCSTR Format, ...)
{
    __builtin_ms_va_list Arguments;
    __builtin_ms_va_start(Arguments, Format);
    KiLock(&VfTellLock);
    RtlpAppendV(VfTold, sizeof VfTold, Format, Arguments);
    KiUnlock(&VfTellLock);
    __builtin_ms_va_end(Arguments);
}

VOID __cdecl VfBreak(VF_RULE Rule, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4, PCSTR Format, ...)
{
    CHAR Detail[0x1400];
    const ULONG_PTR Parameters[] = {VfRules[Rule].SubCode, P2, P3, P4};
    __builtin_ms_va_list Arguments;
    Detail[0] = 0;
    RtlpAppend(Detail, sizeof Detail, "rule: %s\n", VfRules[Rule].Name);
    __builtin_ms_va_start(Arguments, Format);
    RtlpAppendV(Detail, sizeof Detail, Format, Arguments);
    __builtin_ms_va_end(Arguments);
    RtlpAppend(Detail, sizeof Detail, "\n%s", VfTold);
    KiBugCheck(VfRules[Rule].Code, Parameters, Detail);
}

VOID VfCheckEntry(USHORT Routine, PVOID Caller)
{
    PKTHREAD Thread = KiCurrentThread();
    Thread->Routine = Routine;
    Thread->Caller = Caller;
    if (Thread->Irql > VfMaxIrql[Routine]) {
        VfBreak(VfRuleIrqlTooHigh, (ULONG_PTR)Caller, Thread->Irql, VfMaxIrql[Routine],
                "called at IRQL %u, allowed up to %u", Thread->Irql, VfMaxIrql[Routine]);
    }
    if (VfFaultKinds[NT_FAULT_MEET] != 0) {
        VfFaultMeet(NT_FAULT_CALL);
    }
}

VOID VfEnterDriver(VF_FRAME *Frame, VF_DRIVER Driver, PVOID Routine)
{
    PKTHREAD Thread = KiCurrentThread();
    *Frame = (VF_FRAME){.Previous = Thread->Driver,
                        .Irql = Thread->Irql,
                        .KernelApcDisable = Thread->KernelApcDisable,
                        .SpecialApcDisable = Thread->SpecialApcDisable,
                        .HeldCount = Thread->HeldCount,
                        .Routine = Routine,
                        .Outer = Thread->DriverFrame};
    Thread->Driver = Driver;
    Thread->DriverFrame = Frame;
}

// For the one report there is.
static PCSTR VfRoutineText(const VF_FRAME *Frame)
{
    static CHAR Text[160];
    os_describe(Frame->Routine, Text, sizeof Text);
    return Text;
}

static VOID VfCheckReturn(PKTHREAD Thread, const VF_FRAME *Frame, PCSTR Kind)
{
    if (Thread->HeldCount != Frame->HeldCount) {
        PKSPIN_LOCK Lock = Thread->HeldCount == 0 ? NULL : Thread->Held[Thread->HeldCount - 1].Lock;
        VfBreak(VfRuleSpinLockAtReturn, (ULONG_PTR)Frame->Routine, (ULONG_PTR)Lock, 0,
                "%s %s returned with spin lock %p held", Kind, VfRoutineText(Frame), Lock);
    }
    if (Thread->Irql != Frame->Irql) {
        VfBreak(VfRuleIrqlAtReturn, (ULONG_PTR)Frame->Routine, Thread->Irql, Frame->Irql,
                "%s %s was called at IRQL %u and returned at %u", Kind, VfRoutineText(Frame), Frame->Irql,
                Thread->Irql);
    }
    if (Thread->KernelApcDisable != Frame->KernelApcDisable ||
        Thread->SpecialApcDisable != Frame->SpecialApcDisable) {
        VfBreak(VfRuleApcsAtReturn, (ULONG_PTR)Frame->Routine, (ULONG_PTR)Thread->KernelApcDisable,
                (ULONG_PTR)Frame->KernelApcDisable,
                "%s %s returned within a critical region, guarded region or mutex of its own", Kind,
                VfRoutineText(Frame));
    }
}

VOID VfLeaveDriver(const VF_FRAME *Frame, PCSTR Kind)
{
    PKTHREAD Thread = KiCurrentThread();
    if (VfEnabled) {
        VfCheckReturn(Thread, Frame, Kind);
    }
    Thread->Driver = Frame->Previous;
    Thread->DriverFrame = Frame->Outer;
}

VF_DRIVER VfCurrentDriver(VOID)
{
    return KiCurrentThread()->Driver;
}
