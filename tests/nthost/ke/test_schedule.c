// SPDX-License-Identifier: MIT
#include "tests/nthost/support/ketest.h"

// ---- a seed replays a run, and different seeds differ ----

enum { TRACE = 64, WORKERS = 3 };
static UCHAR Trace[TRACE];
static ULONG Traced;
static KSPIN_LOCK Lock;

static VOID NTAPI LeavesTrace(PVOID Context)
{
    for (ULONG i = 0; i < TRACE / WORKERS; i++) {
        KIRQL Irql;
        KeAcquireSpinLock(&Lock, &Irql);
        if (Traced < TRACE) {
            Trace[Traced++] = (UCHAR)(ULONG_PTR)Context;
        }
        KeReleaseSpinLock(&Lock, Irql);
    }
}

static void RunWorkers(void)
{
    HANDLE Handles[WORKERS];
    PKTHREAD Threads[WORKERS];
    Traced = 0;
    KeInitializeSpinLock(&Lock);
    for (ULONG i = 0; i < WORKERS; i++) {
        PsCreateSystemThread(&Handles[i], THREAD_ALL_ACCESS, NULL, NULL, NULL, LeavesTrace,
                             (PVOID)(ULONG_PTR)i);
        ObReferenceObjectByHandle(Handles[i], 0, *PsThreadType, KernelMode, (PVOID *)&Threads[i], NULL);
    }
    for (ULONG i = 0; i < WORKERS; i++) {
        KeWaitForSingleObject(Threads[i], Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(Threads[i]);
        ZwClose(Handles[i]);
    }
}

static void SeedsReplay(void)
{
    UCHAR First[TRACE], Different = 0;
    for (ULONG64 Seed = 1; Seed < 10; Seed++) {
        KeTestVirtual(RunWorkers, Seed);
        Different |= Seed > 1 && memcmp(First, Trace, TRACE) != 0;
        RtlCopyMemory(First, Trace, TRACE);
        KeTestVirtual(RunWorkers, Seed);
        CHECK_MEM(Trace, First, TRACE);
    }
    CHECK(Different);
}

// A seed means the same whether threads are the host's or stacks.
static void ThreadsOrStacks(void)
{
    UCHAR First[TRACE];
    for (ULONG64 Seed = 0; Seed < 5; Seed++) {
        KI_BOOT Boot = {.Virtual = TRUE, .Seed = Seed, .Verifier = TRUE};
        KeTestVirtual(RunWorkers, Seed);
        RtlCopyMemory(First, Trace, TRACE);
        Boot.Threads = TRUE;
        CHECK(KiBoot(&Boot));
        RunWorkers();
        KiShutdown();
        CHECK_MEM(Trace, First, TRACE);
    }
}

// ---- a race is found by some seed, and only there ----

static LONG Shared;

static VOID NTAPI AddsWithoutLock(PVOID Context)
{
    LONG Old = Shared;
    KIRQL Irql;
    KeAcquireSpinLock(Context, &Irql);
    KeReleaseSpinLock(Context, Irql);
    Shared = Old + 1;
}

static void RunRace(void)
{
    HANDLE Handles[2];
    Shared = 0;
    for (ULONG i = 0; i < 2; i++) {
        PsCreateSystemThread(&Handles[i], THREAD_ALL_ACCESS, NULL, NULL, NULL, AddsWithoutLock, &Lock);
        ZwClose(Handles[i]);
    }
    KiReapThreads();
}

static void SeedsFindRaces(void)
{
    ULONG Lost = 0;
    for (ULONG64 Seed = 0; Seed < 40; Seed++) {
        KeTestVirtual(RunRace, Seed);
        CHECK(Seed != 0 || Shared == 2);
        Lost += Shared == 1;
    }
    CHECK(Lost > 0 && Lost < 40);
}

// ---- deadlock ----

static void WaitsForever(void)
{
    KEVENT Never;
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}
KE_RULE_TEST(WaitsForever, Deadlock)

static KMUTEX MutexA, MutexB;

static VOID NTAPI TakesBThenA(PVOID Context)
{
    LARGE_INTEGER Time;
    (void)Context;
    KeWaitForSingleObject(&MutexB, Executive, KernelMode, FALSE, NULL);
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, 1));
    KeWaitForSingleObject(&MutexA, Executive, KernelMode, FALSE, NULL);
}

static void TwoMutexes(void)
{
    HANDLE Handle;
    LARGE_INTEGER Time;
    KeInitializeMutex(&MutexA, 0);
    KeInitializeMutex(&MutexB, 0);
    KeWaitForSingleObject(&MutexA, Executive, KernelMode, FALSE, NULL);
    PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, TakesBThenA, NULL);
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, 1));
    KeWaitForSingleObject(&MutexB, Executive, KernelMode, FALSE, NULL);
}

static void DeadlockNamesAll(void)
{
    KeTestBreaks(TwoMutexes, VfRuleDeadlock);
    CHECK(child_contains(KeTestReport, "waits for mutex"));
    CHECK(child_contains(KeTestReport, "TakesBThenA")); // the other thread's stack
    CHECK(child_contains(KeTestReport, "TwoMutexes"));
}

// ---- threads of the host ----

static void HostThreadsComeAndGo(void)
{
    KEVENT Event;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KiLeaveOutside();
    host_thread_start(&Event);
    KiReturnInside();
    CHECK_STATUS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    KiLeaveOutside();
    host_thread_join();
    KiReturnInside();
}
KE_TEST_CLOCKS(HostThreadsComeAndGo)

// ---- what a loader hooks into ----

static LONG Begun, Ended;

static void CountBegin(void *Thread)
{
    CHECK(Thread == KeGetCurrentThread());
    InterlockedIncrement(&Begun);
}

static void CountEnd(void *Thread)
{
    CHECK(Thread != NULL);
    InterlockedIncrement(&Ended);
}

static void HooksAreCalled(void)
{
    Begun = Ended = 0;
    KiHooks = (KI_HOOKS){CountBegin, CountEnd, NULL};
    KeTestVirtual(RunWorkers, 0);
    KiHooks = (KI_HOOKS){0};
    CHECK_EQ(Begun, WORKERS + 1); // and the clock's
    CHECK_EQ(Ended, WORKERS + 1);
}

void host_thread_body(void *context)
{
    LARGE_INTEGER Time;
    KiEnter();
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, 2));
    KeSetEvent(context, 0, FALSE);
}

const struct WdmTest WdmTests[] = {
    {"a seed replays a run", SeedsReplay},      {"threads or stacks", ThreadsOrStacks},
    {"some seeds find a race", SeedsFindRaces}, KE_RULE_ROW(WaitsForever),
    {"a deadlock names all", DeadlockNamesAll}, KE_TEST_ROWS(HostThreadsComeAndGo),
    {"hooks are called", HooksAreCalled},       {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
