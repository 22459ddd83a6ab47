// SPDX-License-Identifier: MIT
// The rules a driver must keep, and the report when it does not. A broken rule ends the system; nothing
// returns.
#pragma once
#include <ntddk.h>

#include "nthost/verifier/rules.h"

extern BOOLEAN VfEnabled;

// ---- which driver's code runs ----

typedef USHORT VF_DRIVER; // 0: the kernel itself
enum { VF_DRIVERS = 64 };
VF_DRIVER VfRegisterDriver(PCSTR Name); // 0: no room
VOID VfRetireDriver(
    VF_DRIVER Driver); // after DriverUnload: nothing of its own may be left; the id is free again
PCSTR VfDriverName(VF_DRIVER Driver);
VF_DRIVER VfCurrentDriver(VOID);

// Around every call into a driver. `Kind` names the call in reports ("DPC", "AddDevice").
typedef struct _VF_FRAME {
    VF_DRIVER Previous;
    KIRQL Irql;
    SHORT KernelApcDisable, SpecialApcDisable;
    ULONG HeldCount;
    PVOID Routine;
    PVOID Outer; // of the driver that was entered before
} VF_FRAME;
VOID VfEnterDriver(VF_FRAME *Frame, VF_DRIVER Driver, PVOID Routine);
VOID VfLeaveDriver(const VF_FRAME *Frame,
                   PCSTR Kind); // IRQL, APC-disable counts and spin locks must be as before

// ---- breaking a rule ----

typedef struct _VF_BREACH {
    VF_RULE Rule;
    ULONG_PTR Parameter[3]; // the bug check's second to fourth; the first is the rule's sub-code
} VF_BREACH;
// `Format` as DbgPrint's: one line that says what was wrong.
DECLSPEC_NORETURN VOID __cdecl VfBreak(VF_RULE Rule, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4, PCSTR Format,
                                       ...);
// What the report of the rule about to be broken shall say besides, in lines.
VOID __cdecl VfTell(PCSTR Format, ...);
PCSTR VfRuleName(VF_RULE Rule);

// ---- entry of NT routines: one line in each, checked against the table of highest IRQLs ----

enum {
    VfRoutine_None,
#define NT_EXPORT_AS(name, symbol, irql) VfRoutine_##name,
#define NT_EXPORT(name, irql)            VfRoutine_##name,
#define NT_EXPORT_DATA(name, symbol)     VfRoutine_##name,
#include "nthost/exports.inc"
#undef NT_EXPORT
#undef NT_EXPORT_AS
#undef NT_EXPORT_DATA
    VfRoutine_Count
};

VOID VfCheckEntry(USHORT Routine, PVOID Caller);
#define NT_ENTRY(name)                                                                                       \
    do {                                                                                                     \
        if (VfEnabled) {                                                                                     \
            VfCheckEntry(VfRoutine_##name, __builtin_return_address(0));                                     \
        }                                                                                                    \
    } while (0)

// ---- checks of the families ----

VOID VfCheckWait(PVOID Object, KPROCESSOR_MODE Mode, PLARGE_INTEGER Timeout);
VOID VfCheckResident(PVOID Object);                 // a synchronisation object
VOID VfCheckString(PCUNICODE_STRING String);        // given by a driver; NULL: nothing to check
VOID VfCheckObjectMemory(PVOID Start, SIZE_T Size); // nothing active lies in memory about to be freed
VOID VfForgetLocks(PVOID Start, SIZE_T Size);
VOID VfLockOrder(PKSPIN_LOCK Lock); // about to be acquired by the current thread
VOID VfCheckThreadEnd(VOID);

VOID VfBoot(BOOLEAN Enabled);
VOID VfBootFaults(BOOLEAN GuardPages);
VOID VfShutdownFaults(VOID);
VOID VfShutdown(VOID);
