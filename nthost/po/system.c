// SPDX-License-Identifier: MIT
// The system's power states: down children before parents, up parents before children, one device after the
// other.
#include "nthost/pnp/pnp.h"
#include "nthost/po/po.h"

enum { POP_TIMEOUT_SECONDS = 600 };

typedef struct _POP_STEP {
    UCHAR Minor;
    SYSTEM_POWER_STATE State;
} POP_STEP;

typedef struct _POP_WATCHDOG {
    KTIMER Timer;
    KDPC Dpc;
} POP_WATCHDOG;

static VOID NTAPI PopTimedOut(PKDPC Dpc, PVOID Node, PVOID Unused1, PVOID Unused2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Unused1);
    UNREFERENCED_PARAMETER(Unused2);
    PNP_NODE *node = Node;
    VfBreak(VfRulePowerTimeout, (ULONG_PTR)node->Pdo, 0, 0,
            "a system power IRP for %wZ is not completed within %d s", &node->Instance, POP_TIMEOUT_SECONDS);
}

static POWER_ACTION PopAction(SYSTEM_POWER_STATE State)
{
    switch (State) {
    case PowerSystemWorking:
        return PowerActionNone;
    case PowerSystemHibernate:
        return PowerActionHibernate;
    case PowerSystemShutdown:
        return PowerActionShutdownOff;
    default:
        return PowerActionSleep;
    }
}

static NTSTATUS PopSendSystem(PNP_NODE *Node, const POP_STEP *Step)
{
    POP_WATCHDOG watchdog;
    LARGE_INTEGER due = {.QuadPart = -10000000LL * POP_TIMEOUT_SECONDS};
    IO_STACK_LOCATION location = {.MajorFunction = IRP_MJ_POWER, .MinorFunction = Step->Minor};
    location.Parameters.Power.Type = SystemPowerState;
    location.Parameters.Power.State.SystemState = Step->State;
    location.Parameters.Power.ShutdownType = PopAction(Step->State);
    KeInitializeTimer(&watchdog.Timer);
    KeInitializeDpc(&watchdog.Dpc, PopTimedOut, Node);
    KeSetTimer(&watchdog.Timer, due, &watchdog.Dpc);
    NTSTATUS status = IopSendSynchronously(Node->Pdo, &location, STATUS_NOT_SUPPORTED, NULL);
    KeCancelTimer(&watchdog.Timer);
    KeFlushQueuedDpcs();
    return status;
}

// A stack in which nobody answered has no objection.
static NTSTATUS PopQueryOne(PNP_NODE *Node, PVOID Step)
{
    NTSTATUS status = PopSendSystem(Node, Step);
    return status == STATUS_NOT_SUPPORTED ? STATUS_SUCCESS : status;
}

static NTSTATUS PopSetOne(PNP_NODE *Node, PVOID Step)
{
    const POP_STEP *step = Step;
    (void)PopSendSystem(Node, step); // may not be refused
    Node->SystemState = step->State;
    return STATUS_SUCCESS;
}

NTSTATUS PopSetSystemPower(SYSTEM_POWER_STATE State)
{
    POP_STEP query = {IRP_MN_QUERY_POWER, State}, set = {IRP_MN_SET_POWER, State};
    if (State == PowerSystemWorking) {
        return PnpWalk(PnpRoot, FALSE, PopSetOne, &set);
    }
    NTSTATUS status = PnpWalk(PnpRoot, TRUE, PopQueryOne, &query);
    if (NT_SUCCESS(status)) {
        return PnpWalk(PnpRoot, TRUE, PopSetOne, &set);
    }
    // Those that agreed are told that nothing comes of it.
    set.State = PowerSystemWorking;
    (void)PnpWalk(PnpRoot, FALSE, PopSetOne, &set);
    return status;
}
