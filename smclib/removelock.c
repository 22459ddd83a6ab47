// SPDX-License-Identifier: MIT
// The remove lock: the same counting as the kernel's own. Tags are a debugging aid and can never make a call
// fail.
#include "smclib/smc.h"

_Use_decl_annotations_
VOID SmcRemoveLockInitialize(PSMARTCARD_EXTENSION Ext)
{
    POS_DEP_DATA data = Ext->OsData;

    data->RemoveLock.RefCount = 1;
    KeInitializeEvent(&data->RemoveLock.RemoveEvent, SynchronizationEvent, FALSE);
    InitializeListHead(&data->RemoveLock.TagList);
    KeInitializeSpinLock(&SmcPrivateOf(Ext)->TagLock);
}

static PSMC_TAG SmcTagFind(_In_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Tag)
{
    PLIST_ENTRY head = &Ext->OsData->RemoveLock.TagList;

    for (PLIST_ENTRY entry = head->Flink; entry != head; entry = entry->Flink) {
        PSMC_TAG tag = CONTAINING_RECORD(entry, SMC_TAG, Link);
        if (tag->Tag == Tag) {
            return tag;
        }
    }
    return NULL;
}

// From a fixed set, so that a driver that mixes tags up cannot fill the pool; beyond it tags are not
// followed.
static VOID SmcTagAdd(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Tag)
{
    PSMC_TAG tags = SmcPrivateOf(Ext)->Tags;

    if (SmcOther(SmcOtherTags)) {
        return;
    }
    for (ULONG i = 0; i < SMC_TAG_SLOTS; i++) {
        if (tags[i].Count == 0) {
            tags[i].Tag = Tag;
            tags[i].Count = 1;
            InsertTailList(&Ext->OsData->RemoveLock.TagList, &tags[i].Link);
            return;
        }
    }
}

// FALSE when removal has begun.
_Must_inspect_result_
static BOOLEAN SmcTagAcquired(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Tag)
{
    PSMC_PRIVATE private = SmcPrivateOf(Ext);
    BOOLEAN removed;
    KIRQL irql;

    KeAcquireSpinLock(&private->TagLock, &irql);
    removed = Ext->OsData->RemoveLock.Removed;
    if (!removed) {
        PSMC_TAG tag = SmcTagFind(Ext, Tag);
        if (tag != NULL) {
            tag->Count++;
        } else {
            SmcTagAdd(Ext, Tag);
        }
    }
    KeReleaseSpinLock(&private->TagLock, irql);
    return !removed;
}

static VOID SmcTagReleased(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Tag)
{
    PSMC_PRIVATE private = SmcPrivateOf(Ext);
    PSMC_TAG tag;
    KIRQL irql;

    KeAcquireSpinLock(&private->TagLock, &irql);
    tag = SmcTagFind(Ext, Tag);
    if (tag != NULL && --tag->Count == 0) {
        RemoveEntryList(&tag->Link);
    }
    KeReleaseSpinLock(&private->TagLock, irql);
}

static VOID SmcRemoveLockDrop(_Inout_ POS_DEP_DATA Data)
{
    if (InterlockedDecrement(&Data->RemoveLock.RefCount) == 0) {
        KeSetEvent(&Data->RemoveLock.RemoveEvent, IO_NO_INCREMENT, FALSE);
    }
}

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardAcquireRemoveLockWithTag(PSMARTCARD_EXTENSION Ext, ULONG Tag)
{
    POS_DEP_DATA data = Ext->OsData;

    InterlockedIncrement(&data->RemoveLock.RefCount);
    if (!SmcTagAcquired(Ext, Tag)) {
        SmcRemoveLockDrop(data);
        return STATUS_DELETE_PENDING;
    }
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardAcquireRemoveLock(PSMARTCARD_EXTENSION Ext)
{
    return SmartcardAcquireRemoveLockWithTag(Ext, 0);
}

_Use_decl_annotations_
VOID NTAPI SmartcardReleaseRemoveLockWithTag(PSMARTCARD_EXTENSION Ext, ULONG Tag)
{
    SmcTagReleased(Ext, Tag);
    SmcRemoveLockDrop(Ext->OsData);
}

_Use_decl_annotations_
VOID NTAPI SmartcardReleaseRemoveLock(PSMARTCARD_EXTENSION Ext)
{
    SmartcardReleaseRemoveLockWithTag(Ext, 0);
}

// Drops the caller's reference and the initial one. A driver that cleans up after a failed AddDevice holds
// none: then the count ends at -1 and there is nobody to wait for.
_Use_decl_annotations_
VOID NTAPI SmartcardReleaseRemoveLockAndWait(PSMARTCARD_EXTENSION Ext)
{
    POS_DEP_DATA data = Ext->OsData;
    KIRQL irql;

    KeAcquireSpinLock(&SmcPrivateOf(Ext)->TagLock, &irql);
    data->RemoveLock.Removed = TRUE;
    KeReleaseSpinLock(&SmcPrivateOf(Ext)->TagLock, irql);
    InterlockedDecrement(&data->RemoveLock.RefCount);
    if (InterlockedDecrement(&data->RemoveLock.RefCount) > 0) {
        (VOID) KeWaitForSingleObject(&data->RemoveLock.RemoveEvent, Executive, KernelMode, FALSE, NULL);
    }
}
