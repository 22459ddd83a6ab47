// SPDX-License-Identifier: MIT
// Every rule of the I/O manager, broken by a driver; the report names the rule.
#include "tests/nthost/io/fixture.h"

static void NullControl(void)
{
    size_t returned;
    TestPlug(0);
    nt_file *file = TestOpen(TEST_FN_PATH "0");
    (void)nt_device_control(file, TEST_NULL, NULL, 0, NULL, 0, &returned);
    nt_close(file);
    TestUnplug(0);
}

static void ForwardControl(void)
{
    size_t returned;
    TestPlug(0);
    nt_file *file = TestOpen(TEST_FN_PATH "0");
    (void)nt_device_control(file, TEST_DOWN, NULL, 0, NULL, 0, &returned);
    nt_close(file);
}

#define RULE(name, rule, fault, fragment)                                                                    \
    static void name(void)                                                                                   \
    {                                                                                                        \
        TestBreaks(rule, fault, fragment);                                                                   \
    }
#define RULES(X)                                                                                             \
    X(Twice, "IrpCompletedTwice", CompletesTwice, NullControl)                                               \
    X(Pending, "IrpCompletedPending", CompletesPending, NullControl)                                         \
    X(Cancelable, "IrpCancelRoutineSet", CompletesCancelable, NullControl)                                   \
    X(Unmarked, "IrpPendingNotMarked", PendsWithoutMark, NullControl)                                        \
    X(Marked, "IrpMarkedNotPending", MarksWithoutPending, NullControl)                                       \
    X(OtherStatus, "IrpReturnMismatch", ReturnsOtherStatus, NullControl)                                     \
    X(TooMuch, "IrpInformationTooLarge", TooMuchInformation, NullControl)                                    \
    X(Raised, "IrqlAtReturn", ReturnsRaised, NullControl)                                                    \
    X(NoLocation, "IrpNoStackLocation", CallsWithoutLocation, NullControl)                                   \
    X(AfterCompletion, "IrpCalledAfterCompletion", CallsAfterCompletion, NullControl)                        \
    X(Forwarded, "IrpForwardedCancelable", ForwardsCancelable, NullControl)                                  \
    X(NotPropagated, "IrpPendingNotPropagated", DoesNotPropagate, ForwardControl)                            \
    X(Foreign, "IrpFreeManaged", FreesForeign, NullControl)                                                  \
    X(NoDevice, "IrpBadDevice", CallsNoDevice, NullControl)                                                  \
    X(ReusedManaged, "IrpReuseManaged", ReusesManaged, NullControl)                                          \
    X(CompletedBelow, "IrpCompletedBelow", CompletesBelow, NullControl)                                      \
    X(ReusedInUse, "IrpReuseInUse", ReusesInUse, NullControl)                                                \
    X(Garbage, "IrpFreeForeign", FreesGarbage, NullControl)                                                  \
    X(DetachedTwice, "DeviceDetachedTwice", DetachesTwice, NullControl)                                      \
    X(DeletedAttached, "DeviceDeletedAttached", DeletesAttached, NullControl)                                \
    X(LeftNotification, "UnloadNotifications", LeavesNotification, NullControl)                              \
    X(LeftDevice, "UnloadDevices", LeavesControlDevice, NullControl)                                         \
    X(InUse, "IrpFreeInUse", FreesInUse, NullControl)                                                        \
    X(NotReclaimed, "IrpNotReclaimed", DoesNotReclaim, NullControl)                                          \
    X(WrongTag, "RemoveLockTag", ReleasesWrongTag, NullControl)                                              \
    X(WrongWaitTag, "RemoveLockWaitTag", WaitsWithWrongTag, NullControl)                                     \
    X(LockAgain, "RemoveLockReinitialized", InitializesLockAgain, NullControl)                               \
    X(BareLock, "RemoveLockUninitialized", UsesBareLock, NullControl)                                        \
    X(WorkTwice, "WorkItemQueuedTwice", QueuesWorkTwice, NullControl)                                        \
    X(FreedWork, "WorkItemFreedQueued", FreesQueuedWork, NullControl)                                        \
    X(DeletedTwice, "DeviceDeletedTwice", DeletesTwice, NullControl)                                         \
    X(Lost, "IrpLost", LosesIrp, NullControl)                                                                \
    X(ProviderLeft, "WmiLeft", LeavesProvider, NullControl)                                                  \
    X(PnpRaised, "IrpIrqlForMajor", SendsPnpRaised, NullControl)                                             \
    X(TimerSet, "TimerInFreedMemory", LeavesTimerSet, NullControl)                                           \
    X(LeftIrp, "IrpLeak", LeavesIrp, NullControl)                                                            \
    X(LeftWork, "UnloadWorkItems", LeavesWorkItem, NullControl)                                              \
    X(LeftLink, "UnloadSymbolicLinks", LeavesLink, NullControl)                                              \
    X(LeftInterface, "UnloadInterfaces", LeavesInterface, NullControl)                                       \
    X(NoRoutine, "DispatchMissing", NoPowerRoutine, NullControl)                                             \
    X(BothFlags, "DeviceBothIoFlags", SetsBothIoFlags, NullControl)                                          \
    X(NotPagable, "DevicePagableNotInherited", ForgetsPagable, NullControl)                                  \
    X(NotAttached, "DeviceNotAttached", AddsWithoutAttaching, NullControl)                                   \
    X(Initializing, "DeviceInitializingLeft", LeavesInitializing, NullControl)
RULES(RULE)

static void History(void)
{
    TestBreaks("IrpCompletedTwice", CompletesTwice, NullControl);
    CHECK(child_contains(TestReport, "sent to testfn, status 00000000\n"));
    CHECK(child_contains(TestReport, "completed by testfn, status 00000000\n"));
    CHECK(child_contains(TestReport, "driver: testfn\nroutine: IofCompleteRequest\ncaller: TestComplete+0x"));
    CHECK(child_contains(TestReport, " VfBreak+0x"));
}

#define ROW(name, rule, fault, fragment) {rule, name},
const struct WdmTest WdmTests[] = {RULES(ROW){"a report has the IRP's history", History}, {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
