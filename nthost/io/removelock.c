// SPDX-License-Identifier: MIT
// Remove locks. Under the verifier a record per lock, hung onto the device whose extension holds it, keeps
// the tags.
#include "nthost/io/io.h"

typedef struct _IOP_TAG_RECORD {
    LIST_ENTRY ListEntry;
    PVOID Tag;
} IOP_TAG_RECORD;

typedef struct _IOP_LOCK_RECORD {
    LIST_ENTRY ListEntry;
    PIO_REMOVE_LOCK Lock;
    LIST_ENTRY Tags;
} IOP_LOCK_RECORD;

static LIST_ENTRY IopLockRecords = {&IopLockRecords, &IopLockRecords};
static KSPIN_LOCK IopLockRecordsLock;

static IOP_LOCK_RECORD *IopFindLockRecord(PIO_REMOVE_LOCK Lock)
{
    for (PLIST_ENTRY entry = IopLockRecords.Flink; entry != &IopLockRecords; entry = entry->Flink) {
        IOP_LOCK_RECORD *record = CONTAINING_RECORD(entry, IOP_LOCK_RECORD, ListEntry);
        if (record->Lock == Lock) {
            return record;
        }
    }
    return NULL;
}

static VOID IopFreeLockRecord(IOP_LOCK_RECORD *Record)
{
    RemoveEntryList(&Record->ListEntry);
    while (!IsListEmpty(&Record->Tags)) {
        os_free(CONTAINING_RECORD(RemoveHeadList(&Record->Tags), IOP_TAG_RECORD, ListEntry));
    }
    os_free(Record);
}

VOID IopForgetRemoveLocks(PVOID Start, SIZE_T Size)
{
    KIRQL irql;
    KeAcquireSpinLock(&IopLockRecordsLock, &irql);
    for (PLIST_ENTRY entry = IopLockRecords.Flink; entry != &IopLockRecords;) {
        IOP_LOCK_RECORD *record = CONTAINING_RECORD(entry, IOP_LOCK_RECORD, ListEntry);
        entry = entry->Flink;
        if ((ULONG_PTR)record->Lock - (ULONG_PTR)Start < Size) {
            IopFreeLockRecord(record);
        }
    }
    KeReleaseSpinLock(&IopLockRecordsLock, irql);
}

// The bits of a live lock: a record whose lock was released for good, or overwritten, is stale.
static BOOLEAN IopLockIsLive(const IO_REMOVE_LOCK *Lock)
{
    return !Lock->Common.Removed && Lock->Common.IoCount >= 1;
}

static VOID IopRecordLock(PIO_REMOVE_LOCK Lock)
{
    KIRQL irql;
    IOP_LOCK_RECORD *record = IopAllocateZeroed(sizeof *record);
    if (record == NULL) {
        return;
    }
    record->Lock = Lock;
    InitializeListHead(&record->Tags);
    KeAcquireSpinLock(&IopLockRecordsLock, &irql);
    IOP_LOCK_RECORD *old = IopFindLockRecord(Lock);
    BOOLEAN live = old != NULL && IopLockIsLive(Lock);
    if (old != NULL) {
        IopFreeLockRecord(old);
    }
    InsertTailList(&IopLockRecords, &record->ListEntry);
    KeReleaseSpinLock(&IopLockRecordsLock, irql);
    if (live) {
        VfBreak(VfRuleRemoveLockReinitialized, (ULONG_PTR)Lock, 0, 0,
                "remove lock %p is initialized a second time", Lock);
    }
}

static VOID IopRecordTag(PIO_REMOVE_LOCK Lock, PVOID Tag)
{
    KIRQL irql;
    IOP_TAG_RECORD *tag = IopAllocateZeroed(sizeof *tag);
    if (tag == NULL) {
        return;
    }
    tag->Tag = Tag;
    KeAcquireSpinLock(&IopLockRecordsLock, &irql);
    IOP_LOCK_RECORD *record = IopFindLockRecord(Lock);
    if (record != NULL) {
        InsertTailList(&record->Tags, &tag->ListEntry);
    }
    KeReleaseSpinLock(&IopLockRecordsLock, irql);
    if (record == NULL) {
        VfBreak(VfRuleRemoveLockUninitialized, (ULONG_PTR)Lock, 0, 0, "remove lock %p was never initialized",
                Lock);
    }
}

static VOID IopForgetTag(PIO_REMOVE_LOCK Lock, PVOID Tag, VF_RULE Rule)
{
    KIRQL irql;
    IOP_TAG_RECORD *found = NULL;
    KeAcquireSpinLock(&IopLockRecordsLock, &irql);
    IOP_LOCK_RECORD *record = IopFindLockRecord(Lock);
    for (PLIST_ENTRY entry = record != NULL ? record->Tags.Flink : NULL;
         record != NULL && entry != &record->Tags; entry = entry->Flink) {
        found = CONTAINING_RECORD(entry, IOP_TAG_RECORD, ListEntry);
        if (found->Tag == Tag) {
            RemoveEntryList(entry);
            break;
        }
        found = NULL;
    }
    KeReleaseSpinLock(&IopLockRecordsLock, irql);
    if (found == NULL) {
        VfBreak(Rule, (ULONG_PTR)Lock, (ULONG_PTR)Tag, 0, "remove lock %p is not held with tag %p", Lock,
                Tag);
    }
    os_free(found);
}

VOID NTAPI IoInitializeRemoveLockEx(PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes,
                                    ULONG HighWatermark, ULONG RemlockSize)
{
    NT_ENTRY(IoInitializeRemoveLockEx);
    UNREFERENCED_PARAMETER(AllocateTag);
    UNREFERENCED_PARAMETER(MaxLockedMinutes);
    UNREFERENCED_PARAMETER(HighWatermark);
    if (VfEnabled) {
        IopRecordLock(Lock);
    }
    RtlZeroMemory(Lock, RemlockSize);
    Lock->Common.IoCount = 1;
    KeInitializeEvent(&Lock->Common.RemoveEvent, SynchronizationEvent, FALSE);
}

static VOID IopDropRemoveLock(PIO_REMOVE_LOCK Lock)
{
    if (InterlockedDecrement(&Lock->Common.IoCount) == 0) {
        KeSetEvent(&Lock->Common.RemoveEvent, IO_NO_INCREMENT, FALSE);
    }
}

NTSTATUS NTAPI IoAcquireRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, PCSTR File, ULONG Line,
                                     ULONG RemlockSize)
{
    NT_ENTRY(IoAcquireRemoveLockEx);
    UNREFERENCED_PARAMETER(File);
    UNREFERENCED_PARAMETER(Line);
    UNREFERENCED_PARAMETER(RemlockSize);
    InterlockedIncrement(&RemoveLock->Common.IoCount);
    if (*(volatile BOOLEAN *)&RemoveLock->Common.Removed) {
        IopDropRemoveLock(RemoveLock);
        return STATUS_DELETE_PENDING;
    }
    if (VfEnabled) {
        IopRecordTag(RemoveLock, Tag);
    }
    return STATUS_SUCCESS;
}

VOID NTAPI IoReleaseRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
    NT_ENTRY(IoReleaseRemoveLockEx);
    UNREFERENCED_PARAMETER(RemlockSize);
    if (VfEnabled) {
        IopForgetTag(RemoveLock, Tag, VfRuleRemoveLockTag);
    }
    IopDropRemoveLock(RemoveLock);
}

VOID NTAPI IoReleaseRemoveLockAndWaitEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
    NT_ENTRY(IoReleaseRemoveLockAndWaitEx);
    UNREFERENCED_PARAMETER(RemlockSize);
    if (VfEnabled) {
        IopForgetTag(RemoveLock, Tag, VfRuleRemoveLockWaitTag);
    }
    *(volatile BOOLEAN *)&RemoveLock->Common.Removed = TRUE;
    InterlockedDecrement(&RemoveLock->Common.IoCount);
    // The initial count is the last one unless somebody still holds the lock.
    if (InterlockedDecrement(&RemoveLock->Common.IoCount) > 0) {
        KeWaitForSingleObject(&RemoveLock->Common.RemoveEvent, Executive, KernelMode, FALSE, NULL);
    }
}
