// SPDX-License-Identifier: MIT
// The deterministic scheduler: the thread that has the baton runs, all others wait for it. Only the holder
// touches the ready and spinning lists and the time; host threads that arrive queue up under a lock of their
// own.
#include "nthost/ke/explore.h"
#include "nthost/ke/lock.h"
#include "nthost/verifier/verifier.h"

ULONG64 KiVirtualNow;
BOOLEAN KiPreempts;

enum { KI_KEPT_MAX = 600000000 }; // 60 s

static LIST_ENTRY KiReadyListHead, KiSpinListHead;
static ULONG KiReadyCount, KiSpinCount;
static ULONG64 KiRandomState;
static ULONG64 KiHostRan;     // when one of the host's threads last had the baton
static PKTHREAD KiIdleThread; // the clock's: keeps the baton while every thread is outside

static uint32_t KiArrivalLock, KiArrivalWord;
static LIST_ENTRY KiArrivalListHead;
static LONG KiOutsideCount;

// splitmix64: any seed is a good one.
static ULONG64 KiRandom(VOID)
{
    ULONG64 Value = KiRandomState += 0x9E3779B97F4A7C15u;
    Value = (Value ^ (Value >> 30)) * 0xBF58476D1CE4E5B9u;
    Value = (Value ^ (Value >> 27)) * 0x94D049BB133111EBu;
    return Value ^ (Value >> 31);
}

// What is to come depends on it, and on nothing else that orders of the same histories differ in.
static ULONG64 KiState(PKTHREAD Thread)
{
    ULONG64 State = KiMixHistory(KiHistoryNow(), Thread->History);
    for (PLIST_ENTRY Entry = KiReadyListHead.Flink; Entry != &KiReadyListHead; Entry = Entry->Flink) {
        State = KiMixHistory(State, CONTAINING_RECORD(Entry, KTHREAD, ReadyListEntry)->History);
    }
    return State;
}

ULONG KiChooseVirtual(ULONG Count)
{
    if (KiExploring) {
        return Count < 2 ? 0 : KiChooseExplored(Count, KiState(KiCurrentThread()), FALSE);
    }
    return KiOptions.Seed == 0 ? 0 : (ULONG)(KiRandom() % Count);
}

static VOID KiMakeReady(PKTHREAD Thread)
{
    Thread->State = KiReadyToRun;
    InsertTailList(&KiReadyListHead, &Thread->ReadyListEntry);
    KiReadyCount++;
}

VOID KiReadyVirtual(PKTHREAD Thread)
{
    if (Thread->State == KiWaiting) {
        KiMakeReady(Thread);
    }
}

static VOID KiTakeArrivals(VOID)
{
    KiLock(&KiArrivalLock);
    while (!IsListEmpty(&KiArrivalListHead)) {
        KiMakeReady(CONTAINING_RECORD(RemoveHeadList(&KiArrivalListHead), KTHREAD, ReadyListEntry));
    }
    KiUnlock(&KiArrivalLock);
}

static VOID KiMoveTime(ULONG64 Now)
{
    KiVirtualNow = Now;
    KiUpdateTime();
    if (KiNextDue() <= Now) {
        KiExpireTimers();
    }
}

VOID KiAdvanceVirtual(ULONG64 Interval)
{
    KiMoveTime(KiVirtualNow + Interval);
}

static PKTHREAD KiTakeReadyAt(ULONG Index)
{
    PLIST_ENTRY Entry = KiReadyListHead.Flink;
    for (ULONG i = Index; i > 0; i--) {
        Entry = Entry->Flink;
    }
    RemoveEntryList(Entry);
    KiReadyCount--;
    return CONTAINING_RECORD(Entry, KTHREAD, ReadyListEntry);
}

// The thread gives up its turn of itself, perhaps as the last it does.
static PKTHREAD KiTakeReady(PKTHREAD Thread)
{
    if (KiExploring && KiReadyCount > 1) {
        return KiTakeReadyAt(KiChooseExplored(KiReadyCount, KiState(Thread), TRUE));
    }
    return KiTakeReadyAt(KiChooseVirtual(KiReadyCount));
}

// Nothing can run and no time can pass. Threads that are outside come back some time; so may one of the
// host's that was never inside, which has a moment to do so.
static VOID KiAwaitArrival(uint32_t Arrivals)
{
    enum { GRACE = 3000000 };
    BOOLEAN Outside = __atomic_load_n(&KiOutsideCount, __ATOMIC_ACQUIRE) > 0;
    os_wait(&KiArrivalWord, Arrivals, Outside ? OS_FOREVER : os_uptime() + GRACE);
    if (!Outside && __atomic_load_n(&KiArrivalWord, __ATOMIC_ACQUIRE) == Arrivals) {
        VfBreak(VfRuleDeadlock, 0, 0, 0, "every thread waits, and no timer is set");
    }
}

// Timers that go on for ever hide a deadlock. No caller of the host waits this long.
static VOID KiCheckHostProgress(VOID)
{
    const ULONG64 Patience = 30ull * 24 * 3600 * 10000000;
    if (KiVirtualNow - KiHostRan > Patience && __atomic_load_n(&KiOutsideCount, __ATOMIC_ACQUIRE) == 0) {
        VfBreak(VfRuleHostThreadHangs, 0, 0, 0,
                "30 days have passed, and no thread of the host has come back");
    }
}

static PKTHREAD KiChooseNext(PKTHREAD Thread)
{
    // A step costs some time, so that threads that keep each other busy cannot hold back the timers.
    KiMoveTime(KiVirtualNow + 1);
    for (;;) {
        uint32_t Arrivals = __atomic_load_n(&KiArrivalWord, __ATOMIC_ACQUIRE);
        KiTakeArrivals();
        if (KiReadyCount != 0) {
            return KiTakeReady(Thread);
        }
        ULONG64 Due = KiNextDue();
        if (Due != OS_FOREVER) {
            KiMoveTime(Due);
            KiCheckHostProgress();
        } else {
            KiAwaitArrival(Arrivals);
        }
    }
}

static VOID KiRun(PKTHREAD Thread)
{
    Thread->State = KiRunning;
    if (Thread->Host) {
        KiHostRan = KiVirtualNow;
    }
}

static VOID KiGoOnWith(PKTHREAD Thread, PKTHREAD Next)
{
    if (Next != Thread) {
        if (KiExploring) {
            KiCountSwitch();
        }
        KiSwitchTo(Thread, Next);
    }
    KiRun(Thread);
}

static VOID KiSwitch(PKTHREAD Thread)
{
    KiGoOnWith(Thread, KiChooseNext(Thread));
}

// A thread can be kept from running while time passes, unless its processor takes no interrupts; not for
// minutes, which power IRPs are not given either.
static VOID KiPreemptExplored(PKTHREAD Thread, PVOID Object)
{
    ULONG Others = KiReadyCount;
    ULONG64 Due = KiNextDue();
    BOOLEAN Passes = Thread->Irql < DISPATCH_LEVEL && Due != OS_FOREVER && Due - KiVirtualNow <= KI_KEPT_MAX;
    ULONG Option = KiChooseVirtual(1 + Others + Passes);
    if (Option == 0) {
        return;
    }
    if (Option > Others) {
        KiTouchExplored(&KiVirtualNow);
        KiMoveTime(Due);
    }
    KiMakeReady(Thread);
    KiGoOnWith(Thread, KiTakeReadyAt(Option > Others ? 0 : Option - 1));
    KiTouchExplored(Object); // what it is about to do comes after what the others did
}

VOID KiPreemptVirtual(PVOID Object)
{
    PKTHREAD Thread = KiCurrentThread();
    KiMoveTime(KiVirtualNow + 1);
    if (KiExploring) {
        KiTouchExplored(Object);
        KiPreemptExplored(Thread, Object);
    } else if (KiRandom() % 4 == 0) {
        KiMakeReady(Thread);
        KiSwitch(Thread);
    }
}

VOID KiYieldVirtual(VOID)
{
    PKTHREAD Thread = KiCurrentThread();
    KiMakeReady(Thread);
    KiSwitch(Thread);
}

VOID KiBlockVirtual(PKTHREAD Thread, ULONG64 Due)
{
    if (Due != OS_FOREVER) {
        KiLockDispatcher();
        KiInsertTimerLocked(&Thread->Timer, Due);
        KiUnlockDispatcher();
    }
    Thread->State = KiWaiting;
    KiSwitch(Thread);
    if (Due != OS_FOREVER) {
        KiLockDispatcher();
        KiRemoveTimerLocked(&Thread->Timer);
        KiUnlockDispatcher();
    }
}

VOID KiIdleVirtual(PKTHREAD Thread)
{
    KiIdleThread = Thread;
    Thread->State = KiWaiting;
    KiSwitch(Thread);
}

VOID KiSpinVirtual(PKSPIN_LOCK Lock)
{
    PKTHREAD Thread = KiCurrentThread();
    Thread->SpinLock = Lock;
    Thread->State = KiSpinning;
    InsertTailList(&KiSpinListHead, &Thread->ReadyListEntry);
    KiSpinCount++;
    KiSwitch(Thread);
    KiTouch(Lock);
    Thread->SpinLock = NULL;
}

VOID KiSpinWakeVirtual(PKSPIN_LOCK Lock)
{
    PLIST_ENTRY Next = KiSpinListHead.Flink;
    while (KiSpinCount != 0 && Next != &KiSpinListHead) {
        PKTHREAD Thread = CONTAINING_RECORD(Next, KTHREAD, ReadyListEntry);
        Next = Next->Flink;
        if (Thread->SpinLock == Lock) {
            RemoveEntryList(&Thread->ReadyListEntry);
            KiSpinCount--;
            KiMakeReady(Thread);
        }
    }
}

VOID KiArriveVirtual(PKTHREAD Thread)
{
    KiLock(&KiArrivalLock);
    InsertTailList(&KiArrivalListHead, &Thread->ReadyListEntry);
    __atomic_fetch_add(&KiArrivalWord, 1, __ATOMIC_RELEASE);
    if (Thread->State == KiOutside) {
        __atomic_fetch_sub(&KiOutsideCount, 1, __ATOMIC_RELEASE);
    }
    KiUnlock(&KiArrivalLock);
    os_wake(&KiArrivalWord, 1);
    KiAwaitTurn(Thread);
    KiRun(Thread);
}

// The thread gives up the baton, if it has it, and does not want it back for now.
VOID KiDepartVirtual(PKTHREAD Thread, KI_STATE State)
{
    if (Thread->State == KiOutside) {
        __atomic_fetch_sub(&KiOutsideCount, 1, __ATOMIC_RELEASE);
        __atomic_fetch_add(&KiArrivalWord, 1, __ATOMIC_RELEASE); // whoever waits for it may have to give up
        os_wake(&KiArrivalWord, 1);
        return;
    }
    Thread->State = State;
    if (State == KiOutside) {
        __atomic_fetch_add(&KiOutsideCount, 1, __ATOMIC_RELEASE);
    }
    KiTakeArrivals();
    if (KiReadyCount == 0) {
        KiReadyVirtual(KiIdleThread);
    }
    if (KiReadyCount != 0) {
        KiGiveTo(KiTakeReady(Thread), KiIdleThread);
    }
}

// The last a fiber does; nothing of it is needed any more.
VOID KiEndFiber(const struct os_context *Context)
{
    KiLeaveTo(Context, KiChooseNext(KiCarrier));
}

VOID KiStartVirtual(PKTHREAD Thread)
{
    KiMakeReady(Thread);
}

VOID KiAwaitFirstTurn(PKTHREAD Thread)
{
    if (!Thread->Fiber) {
        KiAwaitTurn(Thread);
    }
    Thread->Begun = TRUE;
    KiRun(Thread);
}

VOID KiBootVirtual(PKTHREAD Thread, ULONG64 Seed)
{
    KiVirtualNow = KiHostRan = 0;
    KiRandomState = Seed;
    KiIdleThread = NULL;
    KiOutsideCount = 0;
    KiReadyCount = KiSpinCount = 0;
    InitializeListHead(&KiReadyListHead);
    InitializeListHead(&KiSpinListHead);
    InitializeListHead(&KiArrivalListHead);
    Thread->State = KiRunning;
    KiBootExplore(Thread);
    KiPreempts = KiExploring || Seed != 0;
}
