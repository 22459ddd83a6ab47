// SPDX-License-Identifier: MIT
// Where a driver's call may go wrong on purpose: one line at each place, one test of a word while no plan is
// set.
#pragma once
#include "nthost/user/faults.h"
#include "nthost/verifier/verifier.h"

enum { VF_FAULT_FRAMES = 12 };

extern ULONG VfFaultKinds[NT_FAULT_EFFECTS]; // what the plan is about, by effect

// Counts an occurrence; TRUE: it is one of the plan's.
BOOLEAN VfFaultDue(ULONG Kind, VF_DRIVER Driver);

static inline BOOLEAN VfFaultAt(enum nt_fault_effect Effect, ULONG Kind, VF_DRIVER Driver)
{
    return __builtin_expect((VfFaultKinds[Effect] & Kind) != 0, 0) && VfFaultDue(Kind, Driver);
}

static inline BOOLEAN VfFails(ULONG Kind)
{
    return __builtin_expect((VfFaultKinds[NT_FAULT_FAIL] & Kind) != 0, 0) &&
           VfFaultDue(Kind, VfCurrentDriver());
}

ULONG64 VfFaultDelay(VOID); // of the plan, in 100 ns

VOID VfComeLate(ULONG Kind, PVOID Routine);
static inline VOID VfMayBeLate(ULONG Kind, PVOID Routine) // of the current driver, about to be called
{
    if (__builtin_expect((VfFaultKinds[NT_FAULT_LATE] & Kind) != 0, 0)) {
        VfComeLate(Kind, Routine);
    }
}

// After NT_ENTRY in routines that can fail.
#define NT_MAY_FAIL(kind, result)                                                                            \
    do {                                                                                                     \
        if (VfFails(NT_FAULT_##kind)) {                                                                      \
            return result;                                                                                   \
        }                                                                                                    \
    } while (0)

VOID VfFaultMeet(ULONG Kind); // of call: lets the plan's routine run now, if it is due
VOID VfAwaitMeeting(VOID);    // until it has returned, if it was called
VOID VfBootFaultPlan(VOID);   // the verifier is on
VOID VfEndFaultPlan(VOID);

// faultsites.c, under the plan's lock
typedef struct _VF_SITE {
    ULONG64 Hash, Occurrences, Injected;
    ULONG Kind;
    USHORT Frames;
    CHAR Driver[32];
    PVOID Stack[VF_FAULT_FRAMES];
} VF_SITE;

typedef struct _VF_CALL {
    ULONG Kind;
    VF_DRIVER Driver;
    ULONG Count;
    PVOID Frames[VF_FAULT_FRAMES];
} VF_CALL;

VOID VfTakeCall(VF_CALL *Call, ULONG Kind, VF_DRIVER Driver); // the current one; no lock needed
VF_SITE *VfNoteSite(const VF_CALL *Call);                     // NULL: the table is full
ULONG VfSiteNumber(const VF_SITE *Site);                      // from 1
ULONG VfSiteCount(VOID);
VOID VfForgetSites(VOID);

// faulttransfer.c: TRUE: it has taken the IRP, and *Status is what the call returns.
BOOLEAN VfFaultTransfer(PDEVICE_OBJECT Device, PIRP Irp, PVOID Caller, NTSTATUS *Status);
static inline BOOLEAN VfFaultsTransfers(VOID)
{
    return ((VfFaultKinds[NT_FAULT_FAIL] | VfFaultKinds[NT_FAULT_LATE] | VfFaultKinds[NT_FAULT_CANCEL] |
             VfFaultKinds[NT_FAULT_MEET]) &
            NT_FAULT_TRANSFER) != 0;
}
