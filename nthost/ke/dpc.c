// SPDX-License-Identifier: MIT
// One queue. Whoever lowers its IRQL below DISPATCH_LEVEL after queueing runs what is there; the clock's
// thread runs the DPCs of timers, and under the seeded scheduler any others as well, as another processor
// would.
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/verifier/verifier.h"

static uint32_t KiDpcLock;
static LIST_ENTRY KiDpcListHead = {&KiDpcListHead, &KiDpcListHead};
static ULONG KiDrainers;
static ULONG KiFlushers;
static KEVENT KiDpcsIdle = {
    {.Type = KiEventNotification,
     .Size = sizeof(KEVENT) / sizeof(LONG),
     .WaitListHead = {&KiDpcsIdle.Header.WaitListHead, &KiDpcsIdle.Header.WaitListHead}}};

VOID NTAPI KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE Routine, PVOID Context)
{
    VfCheckResident(Dpc);
    RtlZeroMemory(Dpc, sizeof *Dpc);
    Dpc->Type = KiDpc;
    Dpc->Importance = MediumImportance;
    Dpc->Number = VfCurrentDriver(); // there are no processors to number
    Dpc->DeferredRoutine = Routine;
    Dpc->DeferredContext = Context;
}

VOID NTAPI KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance)
{
    Dpc->Importance = (UCHAR)Importance;
}

static BOOLEAN KiEnqueueDpc(PKDPC Dpc, PVOID Argument1, PVOID Argument2)
{
    if (Dpc->Type != KiDpc) {
        VfBreak(VfRuleDpcUninitialized, (ULONG_PTR)Dpc, 0, 0, "DPC %p was not initialized", Dpc);
    }
    KiTouch(Dpc);
    KiLock(&KiDpcLock);
    BOOLEAN Queued = Dpc->DpcData == NULL;
    if (Queued) {
        Dpc->DpcData = &KiDpcListHead;
        Dpc->SystemArgument1 = Argument1;
        Dpc->SystemArgument2 = Argument2;
        if (Dpc->Importance == HighImportance) {
            InsertHeadList(&KiDpcListHead, &Dpc->DpcListEntry);
        } else {
            InsertTailList(&KiDpcListHead, &Dpc->DpcListEntry);
        }
    }
    KiUnlock(&KiDpcLock);
    return Queued;
}

VOID KiQueueTimerDpc(PKDPC Dpc)
{
    if (KiEnqueueDpc(Dpc, NULL, NULL)) {
        KiWakeClock();
    }
}

BOOLEAN NTAPI KeInsertQueueDpc(PRKDPC Dpc, PVOID Argument1, PVOID Argument2)
{
    PKTHREAD Thread = KiCurrentThread();
    NT_ENTRY(KeInsertQueueDpc);
    if (!KiEnqueueDpc(Dpc, Argument1, Argument2)) {
        return FALSE;
    }
    if (KiOptions.Virtual && KiChooseVirtual(2) == 1) {
        KiWakeClock();
        KiPreempt(Dpc);
    } else if (Thread->Irql < DISPATCH_LEVEL) {
        KiDrainDpcs(Thread);
    } else {
        Thread->DpcPending = TRUE;
    }
    return TRUE;
}

BOOLEAN NTAPI KeRemoveQueueDpc(PRKDPC Dpc)
{
    NT_ENTRY(KeRemoveQueueDpc);
    KiPoint(Dpc);
    KiLock(&KiDpcLock);
    BOOLEAN Queued = Dpc->DpcData != NULL;
    if (Queued) {
        RemoveEntryList(&Dpc->DpcListEntry);
        Dpc->DpcData = NULL;
    }
    KiUnlock(&KiDpcLock);
    return Queued;
}

// A copy, since the DPC may be queued anew or freed as soon as it is off the queue.
static BOOLEAN KiDequeueDpc(KDPC *Copy, PKDPC *Dpc)
{
    KiLock(&KiDpcLock);
    BOOLEAN Found = !IsListEmpty(&KiDpcListHead);
    if (Found) {
        *Dpc = CONTAINING_RECORD(RemoveHeadList(&KiDpcListHead), KDPC, DpcListEntry);
        *Copy = **Dpc;
        (*Dpc)->DpcData = NULL;
    }
    KiUnlock(&KiDpcLock);
    return Found;
}

static VOID KiRunDpc(PKDPC Dpc, const KDPC *Copy)
{
    VF_FRAME Frame;
    KiTouch(Dpc);
    VfEnterDriver(&Frame, Copy->Number, (PVOID)Copy->DeferredRoutine);
    Copy->DeferredRoutine(Dpc, Copy->DeferredContext, Copy->SystemArgument1, Copy->SystemArgument2);
    VfLeaveDriver(&Frame, "DPC");
}

static VOID KiCountDrainer(LONG Change)
{
    KiLock(&KiDpcLock);
    KiDrainers = (ULONG)((LONG)KiDrainers + Change);
    BOOLEAN Tell = KiDrainers == 0 && KiFlushers != 0;
    KiUnlock(&KiDpcLock);
    if (Tell) {
        KiSignal(&KiDpcsIdle.Header, 1);
    }
}

VOID KiDrainDpcs(PKTHREAD Thread)
{
    KIRQL Irql = Thread->Irql;
    PKDPC Dpc;
    KDPC Copy;
    Thread->Irql = DISPATCH_LEVEL;
    Thread->InDpc = TRUE;
    KiCountDrainer(1);
    while (KiDequeueDpc(&Copy, &Dpc)) {
        KiRunDpc(Dpc, &Copy);
    }
    Thread->DpcPending = FALSE;
    KiCountDrainer(-1);
    Thread->InDpc = FALSE;
    Thread->Irql = Irql;
}

BOOLEAN KiDpcsQueued(VOID)
{
    KiLock(&KiDpcLock);
    BOOLEAN Queued = !IsListEmpty(&KiDpcListHead);
    KiUnlock(&KiDpcLock);
    return Queued;
}

VOID NTAPI KeFlushQueuedDpcs(VOID)
{
    PKTHREAD Thread = KiCurrentThread();
    NT_ENTRY(KeFlushQueuedDpcs);
    for (;;) {
        KiDrainDpcs(Thread);
        KiLock(&KiDpcLock);
        BOOLEAN Idle = KiDrainers == 0 && IsListEmpty(&KiDpcListHead);
        if (!Idle) {
            KiFlushers++;
            KiLockObject(&KiDpcsIdle.Header);
            KiDpcsIdle.Header.SignalState = 0;
            KiUnlockObject(&KiDpcsIdle.Header);
        }
        KiUnlock(&KiDpcLock);
        if (Idle) {
            return;
        }
        KeWaitForSingleObject(&KiDpcsIdle, Executive, KernelMode, FALSE, NULL);
        KiLock(&KiDpcLock);
        KiFlushers--;
        KiUnlock(&KiDpcLock);
    }
}

BOOLEAN KiDpcRangeActive(PVOID Start, SIZE_T Size, PVOID *Object)
{
    BOOLEAN Active = FALSE;
    KiLock(&KiDpcLock);
    for (PLIST_ENTRY Entry = KiDpcListHead.Flink; Entry != &KiDpcListHead && !Active; Entry = Entry->Flink) {
        *Object = CONTAINING_RECORD(Entry, KDPC, DpcListEntry);
        Active = (ULONG_PTR)*Object - (ULONG_PTR)Start < Size;
    }
    KiUnlock(&KiDpcLock);
    return Active;
}
