// SPDX-License-Identifier: MIT
// System worker threads. One queue: a driver may rely neither on an order nor on a number of workers.
#include "nthost/ex/ex.h"
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/verifier/faults.h"

enum { EXP_WORKERS = 16 };

// Queued items are linked through List.Flink, never NULL while queued; List.Blink holds the driver.
static WORK_QUEUE_ITEM ExpQueueEnd;
static uint32_t ExpWorkLock;
static PLIST_ENTRY ExpFirst, ExpLast;
static ULONG ExpWorkerCount, ExpIdleCount, ExpQueuedCount;
static PKTHREAD ExpWorkers[EXP_WORKERS];
static KSEMAPHORE ExpWorkReady;

static PWORK_QUEUE_ITEM ExpDequeue(VOID)
{
    PLIST_ENTRY Entry = NULL;
    KiLock(&ExpWorkLock);
    if (ExpQueuedCount != 0) {
        Entry = ExpFirst;
        ExpFirst = Entry->Flink;
        Entry->Flink = NULL;
        ExpQueuedCount--;
        ExpIdleCount--;
    }
    KiUnlock(&ExpWorkLock);
    return Entry == NULL ? NULL : CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List);
}

static VOID ExpRunItem(PWORK_QUEUE_ITEM Item)
{
    VF_FRAME Frame;
    PWORKER_THREAD_ROUTINE Routine = Item->WorkerRoutine;
    VfEnterDriver(&Frame, (VF_DRIVER)(ULONG_PTR)Item->List.Blink, (PVOID)Routine);
    VfMayBeLate(NT_FAULT_WORK_ITEM, (PVOID)Routine);
    Routine(Item->Parameter); // may free the item
    VfLeaveDriver(&Frame, "work item");
    KiLock(&ExpWorkLock);
    ExpIdleCount++;
    KiUnlock(&ExpWorkLock);
}

static void ExpRunWorker(void *Argument)
{
    PKTHREAD Thread = Argument;
    KiBeginThread(Thread);
    for (;;) {
        KeWaitForSingleObject(&ExpWorkReady, Executive, KernelMode, FALSE, NULL);
        PWORK_QUEUE_ITEM Item = ExpDequeue();
        if (Item == NULL) {
            break; // told to stop, and nothing is left to do
        }
        ExpRunItem(Item);
    }
    KiEndThread(Thread);
}

// A worker more when all have something to do: an item may wait for one that is queued behind it.
static VOID ExpAddWorker(VOID)
{
    PKTHREAD Thread = NULL;
    KiLock(&ExpWorkLock);
    BOOLEAN Needed = ExpIdleCount < ExpQueuedCount && ExpWorkerCount < EXP_WORKERS;
    ULONG Index = ExpWorkerCount;
    if (Needed) {
        ExpWorkerCount++;
        ExpIdleCount++;
    }
    KiUnlock(&ExpWorkLock);
    if (!Needed) {
        return;
    }
    Thread = KiCreateThread();
    if (Thread != NULL) {
        ObReferenceObject(Thread);
        ExpWorkers[Index] = Thread;
    }
    if (Thread == NULL || !KiStartThread(Thread, ExpRunWorker)) {
        KeBugCheckEx(INSTALL_MORE_MEMORY, sizeof *Thread, 0, 0, 0);
    }
}

VOID ExpQueueWorkItemFor(PWORK_QUEUE_ITEM Item, WORK_QUEUE_TYPE Type, USHORT Driver)
{
    (void)Type;
    KiLock(&ExpWorkLock);
    BOOLEAN Queued = Item->List.Flink != NULL;
    if (!Queued) {
        Item->List.Flink = &ExpQueueEnd.List;
        Item->List.Blink = (PLIST_ENTRY)(ULONG_PTR)Driver;
        if (ExpQueuedCount++ == 0) {
            ExpFirst = &Item->List;
        } else {
            ExpLast->Flink = &Item->List;
        }
        ExpLast = &Item->List;
    }
    KiUnlock(&ExpWorkLock);
    if (Queued) {
        VfBreak(VfRuleWorkItemQueuedTwice, (ULONG_PTR)Item, 0, 0, "work item %p is queued already", Item);
    }
    ExpAddWorker();
    KeReleaseSemaphore(&ExpWorkReady, 0, 1, FALSE);
}

VOID NTAPI ExQueueWorkItem(PWORK_QUEUE_ITEM Item, WORK_QUEUE_TYPE Type)
{
    NT_ENTRY(ExQueueWorkItem);
    ExpQueueWorkItemFor(Item, Type, VfCurrentDriver());
}

BOOLEAN ExpWorkItemRangeActive(PVOID Start, SIZE_T Size, PVOID *Object)
{
    BOOLEAN Active = FALSE;
    KiLock(&ExpWorkLock);
    PLIST_ENTRY Entry = ExpFirst;
    for (ULONG i = 0; i < ExpQueuedCount && !Active; i++, Entry = Entry->Flink) {
        *Object = CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List);
        Active = (ULONG_PTR)*Object - (ULONG_PTR)Start < Size;
    }
    KiUnlock(&ExpWorkLock);
    return Active;
}

VOID ExpBootWorkers(VOID)
{
    KeInitializeSemaphore(&ExpWorkReady, 0, MAXLONG);
    ExpWorkerCount = ExpIdleCount = ExpQueuedCount = 0;
}

VOID ExpShutdownWorkers(VOID)
{
    if (ExpWorkerCount != 0) {
        KeReleaseSemaphore(&ExpWorkReady, 0, (LONG)ExpWorkerCount, FALSE);
    }
    for (ULONG i = 0; i < ExpWorkerCount; i++) {
        KeWaitForSingleObject(ExpWorkers[i], Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(ExpWorkers[i]);
        ExpWorkers[i] = NULL;
    }
    ExpWorkerCount = 0;
}
