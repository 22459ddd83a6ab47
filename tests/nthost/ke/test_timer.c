// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"

static KEVENT Done;
static LONG Calls;
static KDPC Dpc, Other;
static KTIMER Timer;

static VOID NTAPI CountsCalls(PKDPC Object, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    (void)Object, (void)Argument1, (void)Argument2;
    CHECK_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
    if (InterlockedIncrement(&Calls) == (LONG)(LONG_PTR)Context) {
        KeSetEvent(&Done, 0, FALSE);
    }
}

static void Prepare(LONG Expected)
{
    Calls = 0;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    KeInitializeDpc(&Dpc, CountsCalls, (PVOID)(LONG_PTR)Expected);
    KeInitializeTimer(&Timer);
}

static void TimerRunsDpc(void)
{
    LARGE_INTEGER Time;
    Prepare(1);
    ULONG64 Start = KiUptime();
    CHECK(!KeSetTimer(&Timer, *KeTestMs(&Time, 3), &Dpc));
    CHECK_STATUS(KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    CHECK(KiUptime() - Start >= 30000);
    CHECK(KeReadStateTimer(&Timer));
    CHECK(!KeCancelTimer(&Timer));
    KeFlushQueuedDpcs();
    CHECK_EQ(Calls, 1);
}
KE_TEST_CLOCKS(TimerRunsDpc)

static void PeriodicTimerRepeats(void)
{
    LARGE_INTEGER Time;
    Prepare(5);
    KeSetTimerEx(&Timer, *KeTestMs(&Time, 1), 1, &Dpc);
    CHECK_STATUS(KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    CHECK(KeCancelTimer(&Timer));
    KeFlushQueuedDpcs();
    LONG Before = Calls;
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, 5));
    CHECK_EQ(Calls, Before);
}
KE_TEST_CLOCKS(PeriodicTimerRepeats)

static void SetAgainReplacesTimer(void)
{
    LARGE_INTEGER Time;
    Prepare(1);
    CHECK(!KeSetTimer(&Timer, *KeTestMs(&Time, 60000), &Dpc));
    CHECK(KeSetTimer(&Timer, *KeTestMs(&Time, 1), &Dpc));
    CHECK_STATUS(KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    CHECK(!KeSetTimer(&Timer, *KeTestMs(&Time, 60000), &Dpc));
    CHECK(!KeReadStateTimer(&Timer));
    CHECK(KeCancelTimer(&Timer));
    KeFlushQueuedDpcs();
    CHECK_EQ(Calls, 1);
}
KE_TEST_CLOCKS(SetAgainReplacesTimer)

static void ManyTimersExpireInOrder(void)
{
    enum { COUNT = 60 };
    static KTIMER Timers[COUNT];
    LARGE_INTEGER Time;
    for (ULONG i = 0; i < COUNT; i++) {
        KeInitializeTimer(&Timers[i]);
        KeSetTimer(&Timers[i], *KeTestMs(&Time, (LONG)(1 + i * 7 % COUNT) * 100), NULL);
    }
    for (ULONG i = 0; i < COUNT; i += 3) {
        CHECK(KeCancelTimer(&Timers[i]));
    }
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, COUNT * 50));
    for (ULONG i = 0; i < COUNT; i++) {
        CHECK_EQ(KeReadStateTimer(&Timers[i]), i % 3 != 0 && 1 + i * 7 % COUNT <= COUNT / 2);
        KeCancelTimer(&Timers[i]);
    }
}

static void ManyTimers(void)
{
    KeTestVirtual(ManyTimersExpireInOrder, 0);
}

static void AbsoluteTime(void)
{
    LARGE_INTEGER Now = {0}, Due;
    Prepare(1);
    KeQuerySystemTime(&Now);
    Due.QuadPart = Now.QuadPart + 20000;
    KeSetTimer(&Timer, Due, NULL);
    CHECK_STATUS(KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    Due.QuadPart = 1; // long ago
    KeSetTimer(&Timer, Due, NULL);
    CHECK_STATUS(KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
}
KE_TEST_CLOCKS(AbsoluteTime)

static VOID NTAPI RemembersArguments(PKDPC Object, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    (void)Object;
    *(PVOID *)Context = (PUCHAR)Argument1 + (ULONG_PTR)Argument2;
}

static void DpcIsQueuedOnce(void)
{
    PVOID Seen = NULL;
    KIRQL Irql;
    KeInitializeDpc(&Other, RemembersArguments, &Seen);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    CHECK(KeInsertQueueDpc(&Other, (PVOID)40, (PVOID)2));
    BOOLEAN Again = KeInsertQueueDpc(&Other, (PVOID)1, (PVOID)1);
    KeLowerIrql(Irql);
    KeFlushQueuedDpcs();
    // Under a seed another processor may have run it in between.
    CHECK_EQ((ULONG_PTR)Seen, Again ? 2 : 42);
    CHECK(!KeRemoveQueueDpc(&Other));
}
KE_TEST_CLOCKS(DpcIsQueuedOnce)

static void TimeMoves(void)
{
    LARGE_INTEGER Before = {0}, After = {0}, Frequency, Ticks = {0}, Interval;
    KeQuerySystemTime(&Before);
    LARGE_INTEGER Counter = KeQueryPerformanceCounter(&Frequency);
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Interval, 50));
    KeQuerySystemTime(&After);
    KeQueryTickCount(&Ticks);
    CHECK(After.QuadPart > Before.QuadPart);
    CHECK(KeQueryPerformanceCounter(NULL).QuadPart - Counter.QuadPart >= Frequency.QuadPart / 20);
    CHECK(Ticks.QuadPart * KeQueryTimeIncrement() >= 400000 - KeQueryTimeIncrement());
    ULONG64 Start = KiUptime();
    KeStallExecutionProcessor(40);
    CHECK(KiUptime() - Start >= 400);
}
KE_TEST_CLOCKS(TimeMoves)

const struct WdmTest WdmTests[] = {KE_TEST_ROWS(TimerRunsDpc),
                                   KE_TEST_ROWS(PeriodicTimerRepeats),
                                   KE_TEST_ROWS(SetAgainReplacesTimer),
                                   {"many timers expire in order", ManyTimers},
                                   KE_TEST_ROWS(AbsoluteTime),
                                   KE_TEST_ROWS(DpcIsQueuedOnce),
                                   KE_TEST_ROWS(TimeMoves),
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
