// SPDX-License-Identifier: MIT
// Which of the drivers' calls go wrong.
#include "nthost/verifier/faults.h"
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"

ULONG VfFaultKinds[NT_FAULT_EFFECTS];

static uint32_t VfPlanLock;
static struct nt_fault_plan VfPlan;
static struct nt_fault_counts VfCounts;
static ULONG64 VfPlanRandom;
static PKTHREAD VfMeeting; // referenced

static BOOLEAN VfIsNamed(VF_DRIVER Driver, PCSTR Text)
{
    PCSTR Name = VfDriverName(Driver);
    ULONG i = 0;
    while (Name[i] != 0 && Name[i] == Text[i]) {
        i++;
    }
    return Name[i] == Text[i];
}

// The root bus is a driver as well, but the kernel's.
static BOOLEAN VfConcerns(VF_DRIVER Driver)
{
    if (VfPlan.driver[0] != 0) {
        return Driver != 0 && VfIsNamed(Driver, VfPlan.driver);
    }
    return Driver != 0 && !VfIsNamed(Driver, "PnpManager");
}

// splitmix64, as the scheduler has it.
static ULONG VfMillionth(VOID)
{
    ULONG64 Value = VfPlanRandom += 0x9E3779B97F4A7C15u;
    Value = (Value ^ (Value >> 30)) * 0xBF58476D1CE4E5B9u;
    Value = (Value ^ (Value >> 27)) * 0x94D049BB133111EBu;
    return (ULONG)((Value ^ (Value >> 31)) % 1000000);
}

static BOOLEAN VfIsDue(const VF_SITE *Site)
{
    switch (VfPlan.mode) {
    case NT_FAULT_NTH:
        return VfCounts.occurrences == VfPlan.n;
    case NT_FAULT_FROM:
        return VfCounts.occurrences >= VfPlan.n;
    case NT_FAULT_SITE:
        return Site != NULL && Site->Occurrences == 1 && (VfPlan.n == 0 || VfSiteNumber(Site) == VfPlan.n);
    case NT_FAULT_CHANCE:
        return VfMillionth() < VfPlan.chance;
    default:
        return FALSE;
    }
}

BOOLEAN VfFaultDue(ULONG Kind, VF_DRIVER Driver)
{
    VF_CALL Call;
    if (!VfConcerns(Driver)) {
        return FALSE;
    }
    VfTakeCall(&Call, Kind, Driver);
    KiLock(&VfPlanLock);
    VF_SITE *Site = VfNoteSite(&Call);
    VfCounts.occurrences++;
    BOOLEAN Due = VfIsDue(Site);
    if (Due) {
        VfCounts.injected++;
        Site != NULL ? Site->Injected++ : 0;
    }
    KiUnlock(&VfPlanLock);
    return Due;
}

ULONG64 VfFaultDelay(VOID)
{
    return VfPlan.late_us * 10;
}

VOID VfComeLate(ULONG Kind, PVOID Routine)
{
    KiCurrentThread()->Caller = Routine;
    if (VfFaultDue(Kind, VfCurrentDriver())) {
        KiSleep(VfFaultDelay());
    }
}

// ---- meeting ----

static void VfRunMeeting(void *Argument)
{
    PKTHREAD Thread = Argument;
    KiBeginThread(Thread);
    VfPlan.meet(VfPlan.context);
    KiEndThread(Thread);
}

VOID VfFaultMeet(ULONG Kind)
{
    if (!VfFaultAt(NT_FAULT_MEET, Kind, VfCurrentDriver())) {
        return;
    }
    VfFaultKinds[NT_FAULT_MEET] = 0;
    VfMeeting = KiCreateThread();
    if (VfMeeting == NULL) {
        return;
    }
    ObReferenceObject(VfMeeting);
    if (KiStartThread(VfMeeting, VfRunMeeting)) {
        KiYield();
    }
}

VOID VfAwaitMeeting(VOID)
{
    PKTHREAD Thread = VfMeeting;
    if (Thread != NULL) {
        KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
        VfMeeting = NULL;
        ObDereferenceObject(Thread);
    }
}

// ---- the plan ----

VOID VfBootFaultPlan(VOID)
{
    if (VfPlan.kinds != 0) {
        VfFaultKinds[VfPlan.effect] = VfPlan.kinds;
    }
}

VOID VfEndFaultPlan(VOID)
{
    RtlZeroMemory(VfFaultKinds, sizeof VfFaultKinds);
}

void nt_faults_plan(const struct nt_fault_plan *plan)
{
    VfEndFaultPlan();
    KiLock(&VfPlanLock);
    VfPlan = plan != NULL ? *plan : (struct nt_fault_plan){.kinds = 0};
    VfCounts = (struct nt_fault_counts){0};
    VfPlanRandom = VfPlan.seed;
    VfForgetSites();
    KiUnlock(&VfPlanLock);
    if (VfEnabled) {
        VfBootFaultPlan();
    }
}

void nt_faults_count(struct nt_fault_counts *counts)
{
    KiLock(&VfPlanLock);
    *counts = VfCounts;
    counts->sites = VfSiteCount();
    KiUnlock(&VfPlanLock);
}
