// SPDX-License-Identifier: MIT
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/verifier/verifier.h"

static uint32_t KiDeviceQueueLock; // of all queues: they are short, and rarely used at all

VOID NTAPI KeInitializeDeviceQueue(PKDEVICE_QUEUE Queue)
{
    RtlZeroMemory(Queue, sizeof *Queue);
    Queue->Type = 20; // DeviceQueueObject
    Queue->Size = sizeof *Queue;
    InitializeListHead(&Queue->DeviceListHead);
}

// An idle queue takes no entry but becomes busy: its caller starts at once.
static BOOLEAN KiInsertBefore(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY Entry, BOOLEAN Sorted)
{
    KiLock(&KiDeviceQueueLock);
    BOOLEAN Busy = Queue->Busy;
    PLIST_ENTRY Next = &Queue->DeviceListHead;
    if (Busy && Sorted) {
        Next = Queue->DeviceListHead.Flink;
        while (Next != &Queue->DeviceListHead &&
               CONTAINING_RECORD(Next, KDEVICE_QUEUE_ENTRY, DeviceListEntry)->SortKey <= Entry->SortKey) {
            Next = Next->Flink;
        }
    }
    if (Busy) {
        InsertTailList(Next, &Entry->DeviceListEntry);
    }
    Entry->Inserted = Busy;
    Queue->Busy = TRUE;
    KiUnlock(&KiDeviceQueueLock);
    return Busy;
}

BOOLEAN NTAPI KeInsertDeviceQueue(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY Entry)
{
    NT_ENTRY(KeInsertDeviceQueue);
    return KiInsertBefore(Queue, Entry, FALSE);
}

BOOLEAN NTAPI KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY Entry, ULONG Key)
{
    NT_ENTRY(KeInsertByKeyDeviceQueue);
    Entry->SortKey = Key;
    return KiInsertBefore(Queue, Entry, TRUE);
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveDeviceQueue(PKDEVICE_QUEUE Queue)
{
    PKDEVICE_QUEUE_ENTRY Entry = NULL;
    NT_ENTRY(KeRemoveDeviceQueue);
    KiLock(&KiDeviceQueueLock);
    if (IsListEmpty(&Queue->DeviceListHead)) {
        Queue->Busy = FALSE;
    } else {
        Entry =
            CONTAINING_RECORD(RemoveHeadList(&Queue->DeviceListHead), KDEVICE_QUEUE_ENTRY, DeviceListEntry);
        Entry->Inserted = FALSE;
    }
    KiUnlock(&KiDeviceQueueLock);
    return Entry;
}

BOOLEAN NTAPI KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY Entry)
{
    (void)Queue;
    NT_ENTRY(KeRemoveEntryDeviceQueue);
    KiLock(&KiDeviceQueueLock);
    BOOLEAN Inserted = Entry->Inserted;
    if (Inserted) {
        RemoveEntryList(&Entry->DeviceListEntry);
        Entry->Inserted = FALSE;
    }
    KiUnlock(&KiDeviceQueueLock);
    return Inserted;
}
