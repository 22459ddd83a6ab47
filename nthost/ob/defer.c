// SPDX-License-Identifier: MIT
// Deletions that call drivers run at PASSIVE_LEVEL: when the last reference goes higher up, a worker's.
#include "nthost/ex/ex.h"
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/ob/object.h"

static uint32_t ObpDeferLock;
static PLIST_ENTRY ObpDeferred; // through NameListEntry.Flink: who is deleted has no name any more
static ULONG ObpDeferredCount;  // not yet deleted, the list and the worker's together
static WORK_QUEUE_ITEM ObpDeferWork;
static KEVENT ObpDeferIdle;

static PLIST_ENTRY ObpTakeDeferred(VOID)
{
    KiLock(&ObpDeferLock);
    PLIST_ENTRY Entry = ObpDeferred;
    ObpDeferred = NULL;
    KiUnlock(&ObpDeferLock);
    return Entry;
}

static VOID ObpFinishDeferred(VOID)
{
    KiLock(&ObpDeferLock);
    BOOLEAN Idle = --ObpDeferredCount == 0;
    KiUnlock(&ObpDeferLock);
    if (Idle) {
        KeSetEvent(&ObpDeferIdle, 0, FALSE);
    }
}

static VOID NTAPI ObpDeleteDeferred(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    PLIST_ENTRY Next;
    for (PLIST_ENTRY Entry = ObpTakeDeferred(); Entry != NULL; Entry = Next) {
        Next = Entry->Flink;
        ObpDeleteObject(CONTAINING_RECORD(Entry, OB_HEADER, NameListEntry));
        ObpFinishDeferred();
    }
}

VOID ObpDeferDelete(OB_HEADER *Header)
{
    KiLock(&ObpDeferLock);
    BOOLEAN First = ObpDeferred == NULL;
    Header->NameListEntry.Flink = ObpDeferred;
    ObpDeferred = &Header->NameListEntry;
    ObpDeferredCount++;
    KiUnlock(&ObpDeferLock);
    if (First) { // else the worker that was called for the first takes this one as well
        ExpQueueWorkItemFor(&ObpDeferWork, DelayedWorkQueue, 0);
    }
}

VOID ObpAwaitDeletions(VOID)
{
    for (;;) {
        KiLock(&ObpDeferLock);
        BOOLEAN Idle = ObpDeferredCount == 0;
        KiUnlock(&ObpDeferLock);
        if (Idle) {
            return;
        }
        KeWaitForSingleObject(&ObpDeferIdle, Executive, KernelMode, FALSE, NULL);
    }
}

VOID ObpBootDeferred(VOID)
{
    KeInitializeEvent(&ObpDeferIdle, SynchronizationEvent, FALSE);
    ExInitializeWorkItem(&ObpDeferWork, ObpDeleteDeferred, NULL);
}
