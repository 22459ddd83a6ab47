// SPDX-License-Identifier: MIT
// Each rule of ke/ broken once.
#include "tests/nthost/support/ketest.h"
#include "nthost/os/os.h"

static KSPIN_LOCK Lock, Inner;
static KEVENT Event;
static KDPC Dpc;
static KMUTEX Mutex;

static void Run(PKSTART_ROUTINE Routine)
{
    HANDLE Handle;
    CHECK_STATUS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, NULL),
                 STATUS_SUCCESS);
    ZwClose(Handle);
    KiReapThreads();
}

static void ThreadAtDispatch(void)
{
    HANDLE Handle;
    KIRQL Irql;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, NULL, NULL);
}
KE_RULE_TEST(ThreadAtDispatch, IrqlTooHigh)

static void ReportIsReadable(void)
{
    KeTestBreaks(ThreadAtDispatch, VfRuleIrqlTooHigh);
    CHECK(child_contains(KeTestReport, "driver: bad\n"));
    CHECK(child_contains(KeTestReport, "routine: PsCreateSystemThread\n"));
    CHECK(child_contains(KeTestReport, "called at IRQL 2, allowed up to 0"));
    CHECK(child_contains(KeTestReport, "caller: ThreadAtDispatch"));
    CHECK(child_contains(KeTestReport, "DRIVER_VERIFIER_DETECTED_VIOLATION"));
}

static VOID NTAPI LowersIrql(PKDPC Object, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    (void)Object, (void)Context, (void)Argument1, (void)Argument2;
    KeLowerIrql(PASSIVE_LEVEL);
}

static void DpcLowersIrql(void)
{
    KeInitializeDpc(&Dpc, LowersIrql, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
}
KE_RULE_TEST(DpcLowersIrql, IrqlAtReturn)

static VOID NTAPI KeepsLock(PKDPC Object, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    (void)Object, (void)Context, (void)Argument1, (void)Argument2;
    KeAcquireSpinLockAtDpcLevel(&Lock);
}

static void DpcKeepsLock(void)
{
    KeInitializeDpc(&Dpc, KeepsLock, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
}
KE_RULE_TEST(DpcKeepsLock, SpinLockAtReturn)

static void LeavesRegionTwice(void)
{
    KeEnterCriticalRegion();
    KeLeaveCriticalRegion();
    KeLeaveCriticalRegion();
}
KE_RULE_TEST(LeavesRegionTwice, ApcsUnderflow)

static void StaysInRegion(void)
{
    KeEnterCriticalRegion();
}
KE_RULE_TEST(StaysInRegion, ApcsAtReturn)

static void WaitsAtDispatch(void)
{
    KIRQL Irql;
    LARGE_INTEGER Time;
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    CHECK_STATUS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, KeTestMs(&Time, 0)),
                 STATUS_SUCCESS);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, KeTestMs(&Time, 1));
}
KE_RULE_TEST(WaitsAtDispatch, WaitAtDispatch)

static void WaitsAboveDispatch(void)
{
    KIRQL Irql;
    LARGE_INTEGER Time;
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &Irql);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, KeTestMs(&Time, 0));
}
KE_RULE_TEST(WaitsAboveDispatch, WaitAboveDispatch)

static void WaitsWithSpinLock(void)
{
    KIRQL Irql;
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    KeAcquireSpinLock(&Lock, &Irql);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
}
KE_RULE_TEST(WaitsWithSpinLock, WaitWithSpinLock)

static void WaitsOnGarbage(void)
{
    KEVENT Garbage;
    RtlZeroMemory(&Garbage, sizeof Garbage);
    KeWaitForSingleObject(&Garbage, Executive, KernelMode, FALSE, NULL);
}
KE_RULE_TEST(WaitsOnGarbage, WaitOnUninitialized)

static void WaitsOnTooMany(void)
{
    PVOID Objects[] = {&Event, &Event, &Event, &Event};
    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    KeWaitForMultipleObjects(4, Objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
}
KE_RULE_TEST(WaitsOnTooMany, WaitTooMany)

static void AcquiresTwice(void)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Lock, &Irql);
    KeAcquireSpinLock(&Lock, &Irql);
}
KE_RULE_TEST(AcquiresTwice, SpinLockRecursion)

static void InvertsOrder(void)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Lock, &Irql);
    KeAcquireSpinLockAtDpcLevel(&Inner);
    KeReleaseSpinLockFromDpcLevel(&Inner);
    KeReleaseSpinLock(&Lock, Irql);
    KeAcquireSpinLock(&Inner, &Irql);
    KeAcquireSpinLockAtDpcLevel(&Lock);
}
KE_RULE_TEST(InvertsOrder, SpinLockOrder)

static void InvertsOrderOfThree(void)
{
    static KSPIN_LOCK Locks[3];
    KIRQL Irql;
    for (ULONG i = 0; i < 3; i++) {
        KeAcquireSpinLock(&Locks[i], &Irql);
        KeAcquireSpinLockAtDpcLevel(&Locks[(i + 1) % 3]);
        KeReleaseSpinLockFromDpcLevel(&Locks[(i + 1) % 3]);
        KeReleaseSpinLock(&Locks[i], Irql);
    }
}
KE_RULE_TEST(InvertsOrderOfThree, SpinLockOrder)

static void ReleasesUnheld(void)
{
    KIRQL Irql;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeReleaseSpinLock(&Lock, Irql);
}
KE_RULE_TEST(ReleasesUnheld, SpinLockNotHeld)

static VOID NTAPI ReleasesLock(PVOID Context)
{
    KIRQL Irql;
    (void)Context;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeReleaseSpinLock(&Lock, Irql);
}

static void ReleasesForOther(void)
{
    Lock = 0x1000; // as if held by a thread elsewhere
    Run(ReleasesLock);
}
KE_RULE_TEST(ReleasesForOther, SpinLockOtherThread)

static void MixesFamilies(void)
{
    KIRQL Irql;
    KLOCK_QUEUE_HANDLE Handle;
    KeAcquireInStackQueuedSpinLock(&Lock, &Handle);
    Irql = Handle.OldIrql;
    KeReleaseSpinLock(&Lock, Irql);
}
KE_RULE_TEST(MixesFamilies, SpinLockMixed)

static void ReleasesToOtherIrql(void)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Lock, &Irql);
    KeReleaseSpinLock(&Lock, APC_LEVEL);
}
KE_RULE_TEST(ReleasesToOtherIrql, SpinLockIrql)

static void AcquiresAtDpcWhenPassive(void)
{
    KeAcquireSpinLockAtDpcLevel(&Lock);
}
KE_RULE_TEST(AcquiresAtDpcWhenPassive, SpinLockBelowDispatch)

static void LowersWithLock(void)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Lock, &Irql);
    KeLowerIrql(Irql);
}
KE_RULE_TEST(LowersWithLock, SpinLockAtLower)

static void ReleasesForeignMutex(void)
{
    KeInitializeMutex(&Mutex, 0);
    KeReleaseMutex(&Mutex, FALSE);
}
KE_RULE_TEST(ReleasesForeignMutex, MutexNotOwned)

static VOID NTAPI EndsWithMutex(PVOID Context)
{
    (void)Context;
    KeInitializeMutex(&Mutex, 0);
    KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL);
}

static void ThreadEndsWithMutex(void)
{
    Run(EndsWithMutex);
}
KE_RULE_TEST(ThreadEndsWithMutex, MutexAtThreadEnd)

static VOID NTAPI EndsInRegion(PVOID Context)
{
    (void)Context;
    KeEnterCriticalRegion();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void ThreadEndsInRegion(void)
{
    Run(EndsInRegion);
}
KE_RULE_TEST(ThreadEndsInRegion, ThreadApcsAtEnd)

static VOID NTAPI EndsRaised(PVOID Context)
{
    KIRQL Irql;
    (void)Context;
    KeRaiseIrql(APC_LEVEL, &Irql);
}

static void ThreadEndsRaised(void)
{
    Run(EndsRaised);
}
KE_RULE_TEST(ThreadEndsRaised, ThreadIrqlAtEnd)

static VOID NTAPI Sleeps(PVOID Context)
{
    LARGE_INTEGER Time;
    (void)Context;
    KeDelayExecutionThread(KernelMode, FALSE, KeTestMs(&Time, 1000));
}

static void LeavesThread(void)
{
    HANDLE Handle;
    PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Sleeps, NULL);
    ZwClose(Handle);
}
KE_RULE_TEST(LeavesThread, ThreadLeftAtUnload)

static VOID NTAPI DoesNothing(PKDPC Object, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    (void)Object, (void)Context, (void)Argument1, (void)Argument2;
}

static void LeavesTimer(void)
{
    static KTIMER Timer;
    LARGE_INTEGER Time;
    KeInitializeDpc(&Dpc, DoesNothing, NULL);
    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, *KeTestMs(&Time, 1000), &Dpc);
}
KE_RULE_TEST(LeavesTimer, TimerLeftAtUnload)

static void QueuesGarbage(void)
{
    RtlZeroMemory(&Dpc, sizeof Dpc);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
}
KE_RULE_TEST(QueuesGarbage, DpcUninitialized)

static void HoldsTooMany(void)
{
    static KSPIN_LOCK Locks[KI_HELD_LOCKS + 1];
    KIRQL Irql;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Locks); i++) {
        KeAcquireSpinLockAtDpcLevel(&Locks[i]);
    }
}
KE_RULE_TEST(HoldsTooMany, SpinLockTooMany)

static void SpinsForever(void)
{
    KIRQL Irql;
    KiSpinPatience = 100000;
    Lock = 0x1000; // as if held by a thread elsewhere
    KeAcquireSpinLock(&Lock, &Irql);
}

static void SpinningEnds(void)
{
    KeTestBreaksUnder(SpinsForever, "rule: SpinLockTimeout\n", KeTestReal);
}

static void TimerHidesDeadlock(void)
{
    static KTIMER Timer;
    LARGE_INTEGER Time;
    KeInitializeTimer(&Timer);
    KeSetTimerEx(&Timer, *KeTestMs(&Time, 60000), 60000, NULL);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
}
KE_RULE_TEST(TimerHidesDeadlock, HostThreadHangs)

static void ReadsNullRaised(void)
{
    KIRQL Irql;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    CHECK_EQ(*(volatile UCHAR *)(ULONG_PTR)KeReadStateEvent(&Event), 0);
}

static void AccessesRaised(void)
{
    if (!os_has_asan()) { // which reports it in its own way
        KeTestBreaksUnder(ReadsNullRaised, "rule: BadAccessRaised\nread at 0000000000000000",
                          KeTestOnVirtual);
    }
}

static void RaisesStatus(void)
{
    KSEMAPHORE Semaphore;
    KeInitializeSemaphore(&Semaphore, 1, 1);
    KeReleaseSemaphore(&Semaphore, 0, 1, FALSE);
}

static void SemaphoreLimitIsRaised(void)
{
    KeTestBreaksUnder(RaisesStatus, "KMODE_EXCEPTION_NOT_HANDLED (0xFFFFFFFFC0000047", KeTestOnVirtual);
}

const struct WdmTest WdmTests[] = {KE_RULE_ROW(ThreadAtDispatch),
                                   {"a report is readable", ReportIsReadable},
                                   KE_RULE_ROW(DpcLowersIrql),
                                   KE_RULE_ROW(DpcKeepsLock),
                                   KE_RULE_ROW(LeavesRegionTwice),
                                   KE_RULE_ROW(StaysInRegion),
                                   KE_RULE_ROW(WaitsAtDispatch),
                                   KE_RULE_ROW(WaitsAboveDispatch),
                                   KE_RULE_ROW(WaitsWithSpinLock),
                                   KE_RULE_ROW(WaitsOnGarbage),
                                   KE_RULE_ROW(WaitsOnTooMany),
                                   KE_RULE_ROW(AcquiresTwice),
                                   KE_RULE_ROW(InvertsOrder),
                                   KE_RULE_ROW(InvertsOrderOfThree),
                                   KE_RULE_ROW(ReleasesUnheld),
                                   KE_RULE_ROW(ReleasesForOther),
                                   KE_RULE_ROW(MixesFamilies),
                                   KE_RULE_ROW(ReleasesToOtherIrql),
                                   KE_RULE_ROW(AcquiresAtDpcWhenPassive),
                                   KE_RULE_ROW(LowersWithLock),
                                   KE_RULE_ROW(ReleasesForeignMutex),
                                   KE_RULE_ROW(ThreadEndsWithMutex),
                                   KE_RULE_ROW(ThreadEndsInRegion),
                                   KE_RULE_ROW(ThreadEndsRaised),
                                   KE_RULE_ROW(LeavesThread),
                                   KE_RULE_ROW(LeavesTimer),
                                   KE_RULE_ROW(QueuesGarbage),
                                   KE_RULE_ROW(HoldsTooMany),
                                   {"spinning ends", SpinningEnds},
                                   KE_RULE_ROW(TimerHidesDeadlock),
                                   {"a wild access at raised IRQL", AccessesRaised},
                                   {"a raised status ends the system", SemaphoreLimitIsRaised},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
