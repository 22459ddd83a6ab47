// SPDX-License-Identifier: MIT
// A kernel with two small drivers: testbus, root-enumerated, whose children appear and vanish on request, and
// testfn, which drives them. Each can be told one fault to commit; every driver routine leaves a mark in
// TestLog.
#pragma once
#include <ntddk.h>

#include "nthost/user/nthost.h"
#include "tests/nthost/support/child.h"
#include "tests/support/wdmtest.h"

#define TEST_BUS_ID   "ROOT\\TESTBUS"
#define TEST_CHILD_ID "TEST\\CHILD"
#define TEST_BUS_PATH "\\\\.\\TestBus"
#define TEST_FN_PATH  "\\\\.\\TestFn" // and a digit: the child's number
#define TEST_SUBLINK  L"\\DosDevices\\TestFn0"

enum {
    TEST_NULL = CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS),
    TEST_ECHO = CTL_CODE(0x8000, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS), // input bytes, each plus one
    TEST_PEND = CTL_CODE(0x8000, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS), // until TEST_RELEASE or cancelled
    TEST_RELEASE = CTL_CODE(0x8000, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS), // completes one
    TEST_LATER = CTL_CODE(0x8000, 0x804, METHOD_BUFFERED, FILE_ANY_ACCESS),   // from a timer's DPC in 1 s
    TEST_WORK = CTL_CODE(0x8000, 0x805, METHOD_BUFFERED, FILE_ANY_ACCESS),    // from a work item
    TEST_IN_DIRECT =
        CTL_CODE(0x8000, 0x806, METHOD_IN_DIRECT, FILE_ANY_ACCESS), // out: input of the MDL's first byte
    TEST_OUT_DIRECT = CTL_CODE(0x8000, 0x807, METHOD_OUT_DIRECT, FILE_ANY_ACCESS),
    TEST_NEITHER = CTL_CODE(0x8000, 0x808, METHOD_NEITHER, FILE_ANY_ACCESS),
    TEST_DOWN =
        CTL_CODE(0x8000, 0x809, METHOD_BUFFERED, FILE_ANY_ACCESS), // forwarded to the PDO, with a routine
    TEST_DOWN_OWN = CTL_CODE(0x8000, 0x80A, METHOD_BUFFERED, FILE_ANY_ACCESS), // an IRP of its own to the PDO
    TEST_OVERFLOW =
        CTL_CODE(0x8000, 0x80B, METHOD_BUFFERED, FILE_ANY_ACCESS), // STATUS_BUFFER_OVERFLOW, 4 bytes
    TEST_FAIL =
        CTL_CODE(0x8000, 0x80C, METHOD_BUFFERED, FILE_ANY_ACCESS), // STATUS_UNSUCCESSFUL, Information 4
    TEST_BUS_PLUG = CTL_CODE(0x8000, 0x810, METHOD_BUFFERED, FILE_WRITE_ACCESS),   // in: ULONG number
    TEST_BUS_UNPLUG = CTL_CODE(0x8000, 0x811, METHOD_BUFFERED, FILE_WRITE_ACCESS), // in: ULONG number
};

typedef enum _TEST_FAULT {
    NoFault,
    // The function driver's IRPs, committed when TEST_NULL comes.
    CompletesTwice,
    CompletesPending,
    CompletesCancelable,
    PendsWithoutMark,
    MarksWithoutPending,
    ReturnsOtherStatus,
    TooMuchInformation,
    ReturnsRaised,
    CallsWithoutLocation,
    CallsAfterCompletion,
    ForwardsCancelable,
    DoesNotPropagate,
    FreesForeign,
    CallsNoDevice,
    ReusesManaged,
    CompletesBelow,
    LosesIrp,
    FreesInUse, // from here on the IRP itself is treated well
    ReusesInUse,
    FreesGarbage,
    DetachesTwice,
    DeletesAttached,
    LeavesNotification,
    DoesNotReclaim,
    ReleasesWrongTag,
    WaitsWithWrongTag,
    InitializesLockAgain,
    UsesBareLock,
    QueuesWorkTwice,
    FreesQueuedWork,
    DeletesTwice,
    LeavesTimerSet,
    TwoTimers,
    LeavesProvider,
    SendsPnpRaised,
    // Left at unload.
    LeavesIrp,
    LeavesWorkItem,
    LeavesLink,
    LeavesInterface,
    LeavesDevice,
    LeavesControlDevice,
    // PnP.
    FailsStop,
    ChangesCapabilities,
    NoPowerRoutine,
    AddsWithoutAttaching,
    LeavesInitializing,
    SetsBothIoFlags,
    FailsAddDevice,
    FailsStart,
    FailsQueryRemove,
    FailsQueryStop,
    CompletesStart,
    CompletesRemove,
    FailsRemove,
    CompletesQueryId,
    ChangesStatus,
    PassesFailedDown,
    AnswersNotSupported,
    DoesNotDetach,
    DeletesInSurprise,
    DetachesInSurprise,
    SkipsToBottom,
    ReportsFailed,
    ForgetsPagable,
    // Power.
    FailsSetPower,
    PassesFailedPower,
    AnswersPowerNotSupported,
    CompletesPower,
    FailsQueryPower,
    UsesIoCallDriver,
    NoStartNext,
    NeverCompletesPower,
    // The bus.
    BadIds,
    SameIds,
    ReportsFdo,
} TEST_FAULT;

extern TEST_FAULT TestFault;
extern char TestLog[4096];

extern DRIVER_INITIALIZE TestBusEntry, TestFnEntry;
extern const GUID TestInterfaceClass;

VOID TestNote(PCSTR Text); // appends Text and a blank to TestLog

// Boots with the verifier, the virtual clock and both services; the bus is added.
void TestBoot(void);
void TestBootSeed(uint64_t seed); // the scheduler's choices
void TestBootReal(bool verifier); // real clock
void TestShutdown(void);
void TestPlug(ULONG Number); // returns when the child is up, or has failed
void TestUnplug(ULONG Number);
enum nt_device_state TestState(ULONG Number, uint32_t *Problem);
nt_file *TestOpen(PCSTR Path); // must succeed
#define TestLogHas(text) (TestFind(TestLog, text) != NULL)
PCSTR TestFind(PCSTR Text, PCSTR Part);
// Runs the fragment with the fault in a child process; the report must name the rule.
extern char TestReport[CHILD_REPORT_SIZE];
void TestBreaks(PCSTR Rule, TEST_FAULT Fault, void (*Fragment)(void));
