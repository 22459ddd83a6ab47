// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"

static KEVENT Go, Done;
static LONG Counter;

static HANDLE StartThread(PKSTART_ROUTINE Routine, PVOID Context, PKTHREAD *Thread)
{
    HANDLE Handle;
    CHECK_STATUS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context),
                 STATUS_SUCCESS);
    CHECK_STATUS(
        ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, (PVOID *)Thread, NULL),
        STATUS_SUCCESS);
    return Handle;
}

static VOID JoinThread(HANDLE Handle, PKTHREAD Thread)
{
    CHECK_STATUS(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    ObDereferenceObject(Thread);
    CHECK_STATUS(ZwClose(Handle), STATUS_SUCCESS);
}

static VOID NTAPI SetsDone(PVOID Context)
{
    (void)Context;
    CHECK_STATUS(KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    InterlockedIncrement(&Counter);
    KeSetEvent(&Done, 0, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void EventsWakeThreads(void)
{
    PKTHREAD Threads[3];
    HANDLE Handles[3];
    Counter = 0;
    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    for (ULONG i = 0; i < 3; i++) {
        Handles[i] = StartThread(SetsDone, NULL, &Threads[i]);
    }
    CHECK_EQ(KeSetEvent(&Go, 0, FALSE), 0);
    CHECK_EQ(KeReadStateEvent(&Go), 1);
    CHECK_STATUS(KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    for (ULONG i = 0; i < 3; i++) {
        JoinThread(Handles[i], Threads[i]);
    }
    CHECK_EQ(Counter, 3);
}
KE_TEST_CLOCKS(EventsWakeThreads)

static void StatesAndTimeouts(void)
{
    LARGE_INTEGER Time;
    KEVENT Event;
    KeInitializeEvent(&Event, SynchronizationEvent, TRUE);
    CHECK_STATUS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, KeTestMs(&Time, 0)),
                 STATUS_SUCCESS);
    CHECK_STATUS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, KeTestMs(&Time, 0)),
                 STATUS_TIMEOUT);
    ULONG64 Start = KiUptime();
    CHECK_STATUS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, KeTestMs(&Time, 5)),
                 STATUS_TIMEOUT);
    CHECK(KiUptime() - Start >= 50000);
    CHECK_EQ(KeSetEvent(&Event, 0, FALSE), 0);
    CHECK_EQ(KeSetEvent(&Event, 0, FALSE), 1);
    CHECK_EQ(KeResetEvent(&Event), 1);
    CHECK_EQ(KeResetEvent(&Event), 0);
}
KE_TEST_CLOCKS(StatesAndTimeouts)

static VOID NTAPI SignalsLater(PVOID Context)
{
    LARGE_INTEGER Time;
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, 2));
    KeSetEvent(Context, 0, FALSE);
}

static void WaitsForAnyAndAll(void)
{
    LARGE_INTEGER Time;
    KEVENT A, B, C, D;
    PVOID Objects[] = {&A, &B, &C, &D};
    KWAIT_BLOCK Blocks[4];
    PKTHREAD Thread;
    KeInitializeEvent(&A, SynchronizationEvent, FALSE);
    KeInitializeEvent(&B, SynchronizationEvent, FALSE);
    KeInitializeEvent(&C, NotificationEvent, TRUE);
    KeInitializeEvent(&D, SynchronizationEvent, FALSE);
    CHECK_STATUS(KeWaitForMultipleObjects(3, Objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL),
                 STATUS_WAIT_2);
    CHECK_STATUS(KeWaitForMultipleObjects(4, Objects, WaitAll, Executive, KernelMode, FALSE,
                                          KeTestMs(&Time, 1), Blocks),
                 STATUS_TIMEOUT);
    KeSetEvent(&A, 0, FALSE);
    KeSetEvent(&B, 0, FALSE);
    HANDLE Handle = StartThread(SignalsLater, &D, &Thread);
    CHECK_STATUS(KeWaitForMultipleObjects(4, Objects, WaitAll, Executive, KernelMode, FALSE, NULL, Blocks),
                 STATUS_SUCCESS);
    CHECK_EQ(KeReadStateEvent(&A) + KeReadStateEvent(&B) + KeReadStateEvent(&D), 0);
    CHECK_EQ(KeReadStateEvent(&C), 1);
    JoinThread(Handle, Thread);
    CHECK(IsListEmpty(&A.Header.WaitListHead) && IsListEmpty(&D.Header.WaitListHead));
}
KE_TEST_CLOCKS(WaitsForAnyAndAll)

static KMUTEX Mutex;
static LONG Inside, Worst;

static VOID NTAPI TakesMutex(PVOID Context)
{
    (void)Context;
    for (ULONG i = 0; i < 20; i++) {
        KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL);
        LONG Now = InterlockedIncrement(&Inside);
        Worst = Now > Worst ? Now : Worst;
        LARGE_INTEGER Nothing = {.QuadPart = 0};
        KeDelayExecutionThread(KernelMode, FALSE, &Nothing);
        InterlockedDecrement(&Inside);
        KeReleaseMutex(&Mutex, FALSE);
    }
}

static void MutexExcludes(void)
{
    PKTHREAD Threads[4];
    HANDLE Handles[4];
    Worst = Inside = 0;
    KeInitializeMutex(&Mutex, 0);
    for (ULONG i = 0; i < 4; i++) {
        Handles[i] = StartThread(TakesMutex, NULL, &Threads[i]);
    }
    for (ULONG i = 0; i < 4; i++) {
        JoinThread(Handles[i], Threads[i]);
    }
    CHECK_EQ(Worst, 1);
    CHECK_EQ(KeReadStateMutex(&Mutex), 1);
    CHECK_STATUS(KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    CHECK(KeAreApcsDisabled());
    CHECK_EQ(KeReleaseMutex(&Mutex, FALSE), -1);
    CHECK_EQ(KeReleaseMutex(&Mutex, FALSE), 0);
    CHECK(!KeAreApcsDisabled());
}
KE_TEST_CLOCKS(MutexExcludes)

static KSEMAPHORE Semaphore;

static VOID NTAPI TakesSemaphore(PVOID Context)
{
    (void)Context;
    for (ULONG i = 0; i < 10; i++) {
        KeWaitForSingleObject(&Semaphore, Executive, KernelMode, FALSE, NULL);
        InterlockedIncrement(&Counter);
    }
}

static void SemaphoreCounts(void)
{
    PKTHREAD Thread;
    Counter = 0;
    KeInitializeSemaphore(&Semaphore, 2, 100);
    HANDLE Handle = StartThread(TakesSemaphore, NULL, &Thread);
    for (ULONG i = 0; i < 4; i++) {
        KeReleaseSemaphore(&Semaphore, 0, 2, FALSE);
    }
    JoinThread(Handle, Thread);
    CHECK_EQ(Counter, 10);
    CHECK_EQ(KeReadStateSemaphore(&Semaphore), 0);
    CHECK_EQ(KeReleaseSemaphore(&Semaphore, 0, 3, FALSE), 0);
    CHECK_EQ(KeReadStateSemaphore(&Semaphore), 3);
}
KE_TEST_CLOCKS(SemaphoreCounts)

// ---- two hundred threads ----

enum { RING = 200, LAPS = 3 };
static KEVENT Ring[RING];

static VOID NTAPI PassesOn(PVOID Context)
{
    ULONG_PTR Own = (ULONG_PTR)Context;
    LARGE_INTEGER Time;
    for (ULONG i = 0; i < LAPS; i++) {
        PVOID Objects[] = {&Ring[Own], &Done};
        NTSTATUS Status = KeWaitForMultipleObjects(2, Objects, WaitAny, Executive, KernelMode, FALSE,
                                                   KeTestMs(&Time, 60000), NULL);
        CHECK_STATUS(Status, STATUS_WAIT_0);
        KeSetEvent(&Ring[(Own + 1) % RING], 0, FALSE);
    }
    InterlockedIncrement(&Counter);
}

static void ThreadsPassOn(void)
{
    static PKTHREAD Threads[RING];
    static HANDLE Handles[RING];
    Counter = 0;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    for (ULONG i = 0; i < RING; i++) {
        KeInitializeEvent(&Ring[i], SynchronizationEvent, FALSE);
    }
    for (ULONG i = 0; i < RING; i++) {
        Handles[i] = StartThread(PassesOn, (PVOID)(ULONG_PTR)i, &Threads[i]);
    }
    KeSetEvent(&Ring[0], 0, FALSE);
    for (ULONG i = 0; i < RING; i++) {
        JoinThread(Handles[i], Threads[i]);
    }
    CHECK_EQ(Counter, RING);
}

static void RingReal(void)
{
    KeTestReal(ThreadsPassOn);
}

static void RingVirtual(void)
{
    KeTestVirtual(ThreadsPassOn, 7);
}

static void TenMinutesPassAtOnce(void)
{
    LARGE_INTEGER Time;
    ULONG64 Start = KiUptime();
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, 600000));
    CHECK(KiUptime() - Start >= 6000000000u);
}

static void TenMinutes(void)
{
    KeTestVirtual(TenMinutesPassAtOnce, 0);
}

const struct WdmTest WdmTests[] = {KE_TEST_ROWS(EventsWakeThreads),
                                   KE_TEST_ROWS(StatesAndTimeouts),
                                   KE_TEST_ROWS(WaitsForAnyAndAll),
                                   KE_TEST_ROWS(MutexExcludes),
                                   KE_TEST_ROWS(SemaphoreCounts),
                                   {"200 threads real", RingReal},
                                   {"200 threads virtual", RingVirtual},
                                   {"ten minutes pass at once", TenMinutes},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
