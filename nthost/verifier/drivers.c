// SPDX-License-Identifier: MIT
// Drivers as the verifier knows them: a small number that fits into a DPC, and a name.
#include "nthost/ex/ex.h"
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/faults.h"

enum { VF_NAME_SIZE = 64 };

static uint32_t VfDriverLock;
static CHAR VfNames[VF_DRIVERS][VF_NAME_SIZE] = {"nthost"};

VF_DRIVER VfRegisterDriver(PCSTR Name)
{
    VF_DRIVER Driver = 1;
    KiLock(&VfDriverLock);
    while (Driver < VF_DRIVERS && VfNames[Driver][0] != 0) {
        Driver++;
    }
    if (Driver == VF_DRIVERS) {
        Driver = 0;
    } else {
        RtlpAppend(VfNames[Driver], VF_NAME_SIZE, "%s", Name);
    }
    KiUnlock(&VfDriverLock);
    return Driver;
}

PCSTR VfDriverName(VF_DRIVER Driver)
{
    return VfNames[Driver];
}

static VOID VfCheckUnload(VF_DRIVER Driver)
{
    enum { LIST_SIZE = 0x1000 };
    static CHAR Blocks[LIST_SIZE];
    PKTIMER Timer = KiFindTimer(NULL, 0, Driver);
    if (Timer != NULL) {
        VfBreak(VfRuleTimerLeftAtUnload, (ULONG_PTR)Timer, 0, 0, "driver %s unloaded with timer %p set",
                VfNames[Driver], Timer);
    }
    PVOID Lookaside = ExpFindLookaside(NULL, 0, Driver);
    if (Lookaside != NULL) {
        VfBreak(VfRuleLookasideLeftAtUnload, (ULONG_PTR)Lookaside, 0, 0,
                "driver %s unloaded with lookaside list %p", VfNames[Driver], Lookaside);
    }
    if (ExpTracingLeft(Driver)) {
        VfBreak(VfRuleTracingLeft, (ULONG_PTR)VfNames[Driver], 0, 0,
                "driver %s unloaded with an event provider registered", VfNames[Driver]);
    }
    PKTHREAD Thread = KiFindThread(Driver);
    if (Thread != NULL) {
        VfBreak(VfRuleThreadLeftAtUnload, (ULONG_PTR)Thread, 0, 0,
                "driver %s unloaded with thread %u running", VfNames[Driver], Thread->Id);
    }
    KiLock(&VfDriverLock);
    Blocks[0] = 0;
    ULONG Count = ExpDescribePool(Driver, Blocks, sizeof Blocks);
    KiUnlock(&VfDriverLock);
    if (Count != 0) {
        VfBreak(VfRulePoolLeak, (ULONG_PTR)VfNames[Driver], 0, Count,
                "driver %s unloaded with %u pool blocks left\n%s", VfNames[Driver], Count, Blocks);
    }
}

VOID VfRetireDriver(VF_DRIVER Driver)
{
    if (Driver == 0) {
        return;
    }
    if (VfEnabled) {
        VfCheckUnload(Driver);
    }
    ExpForgetTracing(Driver);
    KiLock(&VfDriverLock);
    RtlZeroMemory(VfNames[Driver], VF_NAME_SIZE);
    KiUnlock(&VfDriverLock);
}

VOID VfBoot(BOOLEAN Enabled)
{
    VfEnabled = Enabled;
    if (Enabled) {
        VfBootFaultPlan();
    }
}

VOID VfShutdown(VOID)
{
    VfEnabled = FALSE;
    VfEndFaultPlan();
    VfForgetLocks(NULL, MAXULONG_PTR);
    RtlZeroMemory(VfNames[1], sizeof VfNames - sizeof VfNames[0]);
}
