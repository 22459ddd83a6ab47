// SPDX-License-Identifier: MIT
// Active timers in a binary heap, guarded by the dispatcher lock; KTIMER.Processor holds a timer's place in
// it.
#include "nthost/ke/ke.h"
#include "nthost/os/os.h"
#include "nthost/verifier/verifier.h"

static PKTIMER *KiHeap;
static ULONG KiHeapCount, KiHeapSize;

static VOID KiPlace(PKTIMER Timer, ULONG Index)
{
    KiHeap[Index] = Timer;
    Timer->Processor = Index;
}

static VOID KiSiftUp(PKTIMER Timer, ULONG Index)
{
    while (Index > 0 && KiHeap[(Index - 1) / 2]->DueTime.QuadPart > Timer->DueTime.QuadPart) {
        KiPlace(KiHeap[(Index - 1) / 2], Index);
        Index = (Index - 1) / 2;
    }
    KiPlace(Timer, Index);
}

static VOID KiSiftDown(PKTIMER Timer, ULONG Index)
{
    for (;;) {
        ULONG Child = 2 * Index + 1;
        if (Child + 1 < KiHeapCount &&
            KiHeap[Child + 1]->DueTime.QuadPart < KiHeap[Child]->DueTime.QuadPart) {
            Child++;
        }
        if (Child >= KiHeapCount || KiHeap[Child]->DueTime.QuadPart >= Timer->DueTime.QuadPart) {
            KiPlace(Timer, Index);
            return;
        }
        KiPlace(KiHeap[Child], Index);
        Index = Child;
    }
}

static VOID KiGrowHeap(VOID)
{
    ULONG Size = KiHeapSize == 0 ? 64 : KiHeapSize * 2;
    PKTIMER *Heap = os_allocate(Size * sizeof *Heap, 16);
    if (Heap == NULL) {
        KeBugCheckEx(INSTALL_MORE_MEMORY, Size, 0, 0, 0);
    }
    if (KiHeapCount != 0) {
        RtlCopyMemory(Heap, KiHeap, KiHeapCount * sizeof *Heap);
    }
    os_free(KiHeap);
    KiHeap = Heap;
    KiHeapSize = Size;
}

VOID KiInsertTimerLocked(PKTIMER Timer, ULONG64 Due)
{
    if (KiHeapCount == KiHeapSize) {
        KiGrowHeap();
    }
    Timer->DueTime.QuadPart = Due;
    Timer->Header.Inserted = 1;
    KiSiftUp(Timer, KiHeapCount++);
}

BOOLEAN KiRemoveTimerLocked(PKTIMER Timer)
{
    if (!Timer->Header.Inserted) {
        return FALSE;
    }
    Timer->Header.Inserted = 0;
    PKTIMER Last = KiHeap[--KiHeapCount];
    if (Last != Timer) {
        ULONG Index = Timer->Processor;
        KiSiftUp(Last, Index);
        KiSiftDown(Last, Last->Processor);
    }
    return TRUE;
}

ULONG64 KiNextDue(VOID)
{
    KiLockDispatcher();
    ULONG64 Due = KiHeapCount == 0 ? OS_FOREVER : KiHeap[0]->DueTime.QuadPart;
    KiUnlockDispatcher();
    return Due;
}

static VOID KiExpire(PKTIMER Timer, PKTHREAD *Woken)
{
    KiRemoveTimerLocked(Timer);
    if (KiObjectType(&Timer->Header) == KiThreadTimer) {
        KiTimeOutLocked(CONTAINING_RECORD(Timer, KTHREAD, Timer), Woken);
        return;
    }
    if (Timer->Period != 0) {
        KiInsertTimerLocked(Timer, Timer->DueTime.QuadPart + (ULONG64)Timer->Period * 10000);
    }
    // The timer is its owner's again as soon as a waiter or the DPC sees it.
    PKDPC Dpc = Timer->Dpc;
    KiSignalLocked(&Timer->Header, 1, Woken);
    if (Dpc != NULL) {
        KiQueueTimerDpc(Dpc);
    }
}

VOID KiExpireTimers(VOID)
{
    PKTHREAD Woken = NULL;
    ULONG64 Now = KiUptime();
    KiLockDispatcher();
    while (KiHeapCount != 0 && KiHeap[0]->DueTime.QuadPart <= Now) {
        KiExpire(KiHeap[0], &Woken);
    }
    KiUnlockDispatcher();
    KiWake(Woken);
}

VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    RtlZeroMemory(Timer, sizeof *Timer);
    KiInitializeHeader(&Timer->Header,
                       Type == NotificationTimer ? KiTimerNotification : KiTimerSynchronization,
                       sizeof *Timer, 0);
}

VOID NTAPI KeInitializeTimer(PKTIMER Timer)
{
    KeInitializeTimerEx(Timer, NotificationTimer);
}

static VOID KiCheckTimer(PKTIMER Timer)
{
    UCHAR Type = KiObjectType(&Timer->Header);
    if (VfEnabled && Type != KiTimerNotification && Type != KiTimerSynchronization) {
        VfBreak(VfRuleWaitOnUninitialized, (ULONG_PTR)Timer, Type, 0, "timer %p was not initialized", Timer);
    }
}

static BOOLEAN KiSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, PKDPC Dpc)
{
    KiCheckTimer(Timer);
    ULONG64 Due = KiDueTime(DueTime);
    KiLockDispatcher();
    BOOLEAN WasSet = KiRemoveTimerLocked(Timer);
    KiLockObject(&Timer->Header);
    Timer->Header.SignalState = 0;
    KiUnlockObject(&Timer->Header);
    Timer->Dpc = Dpc;
    Timer->Period = Period;
    KiInsertTimerLocked(Timer, Due);
    BOOLEAN First = KiHeap[0] == Timer;
    KiUnlockDispatcher();
    if (First && !KiOptions.Virtual) {
        KiWakeClock();
    }
    KiPreempt(Timer);
    return WasSet;
}

BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    NT_ENTRY(KeSetTimer);
    return KiSetTimer(Timer, DueTime, 0, Dpc);
}

BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
    NT_ENTRY(KeSetTimerEx);
    return KiSetTimer(Timer, DueTime, (ULONG)Period, Dpc);
}

BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer)
{
    NT_ENTRY(KeCancelTimer);
    KiCheckTimer(Timer);
    KiLockDispatcher();
    BOOLEAN WasSet = KiRemoveTimerLocked(Timer);
    KiUnlockDispatcher();
    KiPreempt(Timer);
    return WasSet;
}

BOOLEAN NTAPI KeReadStateTimer(PKTIMER Timer)
{
    NT_ENTRY(KeReadStateTimer);
    return __atomic_load_n(&Timer->Header.SignalState, __ATOMIC_ACQUIRE) != 0;
}

// The active timer that lies in the range, or whose DPC does or belongs to the driver; NULL: none.
PKTIMER KiFindTimer(PVOID Start, SIZE_T Size, USHORT Driver)
{
    PKTIMER Found = NULL;
    KiLockDispatcher();
    for (ULONG i = 0; i < KiHeapCount && Found == NULL; i++) {
        PKTIMER Timer = KiHeap[i];
        PKDPC Dpc = KiObjectType(&Timer->Header) == KiThreadTimer ? NULL : Timer->Dpc;
        if ((ULONG_PTR)Timer - (ULONG_PTR)Start < Size ||
            (Dpc != NULL &&
             ((ULONG_PTR)Dpc - (ULONG_PTR)Start < Size || (Driver != 0 && Dpc->Number == Driver)))) {
            Found = Timer;
        }
    }
    KiUnlockDispatcher();
    return Found;
}

VOID KiFreeTimers(VOID)
{
    os_free(KiHeap);
    KiHeap = NULL;
    KiHeapCount = KiHeapSize = 0;
}
