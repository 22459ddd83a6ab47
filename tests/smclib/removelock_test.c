// SPDX-License-Identifier: MIT
// The remove lock, the link, the error log.
#include "tests/smclib/card.h"

static void ReferencesAreCounted(void)
{
    CHECK_STATUS(SmartcardAcquireRemoveLock(Ext), STATUS_SUCCESS);
    CHECK_STATUS(SmartcardAcquireRemoveLockWithTag(Ext, 'abcd'), STATUS_SUCCESS);
    CHECK_EQ(Ext->OsData->RemoveLock.RefCount, 3);
    CHECK(!IsListEmpty(&Ext->OsData->RemoveLock.TagList));
    SmartcardReleaseRemoveLockWithTag(Ext, 'abcd');
    SmartcardReleaseRemoveLock(Ext);
    CHECK_EQ(Ext->OsData->RemoveLock.RefCount, 1);
    CHECK(IsListEmpty(&Ext->OsData->RemoveLock.TagList));
}

// An unknown tag is never a failure, nor are more tags than the library follows.
static void TagsAreOnlyAnAid(void)
{
    for (ULONG i = 0; i < 100; i++) {
        CHECK_STATUS(SmartcardAcquireRemoveLockWithTag(Ext, 1000 + i), STATUS_SUCCESS);
    }
    for (ULONG i = 0; i < 100; i++) {
        SmartcardReleaseRemoveLockWithTag(Ext, 5000 + i);
    }
    CHECK_EQ(Ext->OsData->RemoveLock.RefCount, 1);
}

static ULONG FollowedTags(void)
{
    PLIST_ENTRY head = &Ext->OsData->RemoveLock.TagList;
    ULONG count = 0;

    for (PLIST_ENTRY entry = head->Flink; entry != head; entry = entry->Flink) {
        count++;
    }
    return count;
}

static void SixteenTagsAreFollowed(void)
{
    for (ULONG i = 0; i < 17; i++) {
        CHECK_STATUS(SmartcardAcquireRemoveLockWithTag(Ext, 100 + i), STATUS_SUCCESS);
        CHECK_EQ(FollowedTags(), i < 16 ? i + 1 : 16);
    }
    CHECK_STATUS(SmartcardAcquireRemoveLockWithTag(Ext, 105), STATUS_SUCCESS);
    SmartcardReleaseRemoveLockWithTag(Ext, 105);
    CHECK_EQ(FollowedTags(), 16); // once more to go
    SmartcardReleaseRemoveLockWithTag(Ext, 105);
    CHECK_EQ(FollowedTags(), 15);
    for (ULONG i = 0; i < 17; i++) {
        if (i != 5) {
            SmartcardReleaseRemoveLockWithTag(Ext, 100 + i);
        }
    }
    CHECK_EQ(FollowedTags(), 0);
    CHECK_EQ(Ext->OsData->RemoveLock.RefCount, 1);
}

// The clean-up after a failed AddDevice holds no reference, the REMOVE handler holds one: neither may wait.
static void WaitWithoutReferenceReturns(void)
{
    SmartcardReleaseRemoveLockAndWait(Ext);
    CHECK(Ext->OsData->RemoveLock.Removed);
    CHECK_STATUS(SmartcardAcquireRemoveLock(Ext), STATUS_DELETE_PENDING);
    CHECK_STATUS(SmartcardAcquireRemoveLockWithTag(Ext, 'abcd'), STATUS_DELETE_PENDING);
}

static void WaitWithOwnReferenceReturns(void)
{
    CHECK_STATUS(SmartcardAcquireRemoveLockWithTag(Ext, ' pnP'), STATUS_SUCCESS);
    SmartcardReleaseRemoveLockAndWait(Ext);
    CHECK_EQ(Ext->OsData->RemoveLock.RefCount, 0);
    CHECK_STATUS(SmartcardAcquireRemoveLock(Ext), STATUS_DELETE_PENDING);
    CHECK_EQ(Ext->OsData->RemoveLock.RefCount, 0);
    CHECK(IsListEmpty(&Ext->OsData->RemoveLock.TagList) == FALSE); // a reference given away keeps its tag
}

static BOOLEAN Released;

static VOID NTAPI ReleaseLater(PVOID Context)
{
    LARGE_INTEGER delay = {.QuadPart = -500000LL};

    (VOID) Context;
    (VOID) KeDelayExecutionThread(KernelMode, FALSE, &delay);
    Released = TRUE;
    SmartcardReleaseRemoveLockWithTag(Ext, 'ereH');
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void WaitIsForForeignReferences(void)
{
    HANDLE thread;
    PVOID object;

    Released = FALSE;
    CHECK_STATUS(SmartcardAcquireRemoveLockWithTag(Ext, 'ereH'), STATUS_SUCCESS);
    CHECK_STATUS(SmartcardAcquireRemoveLockWithTag(Ext, ' pnP'), STATUS_SUCCESS);
    CHECK_STATUS(PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, ReleaseLater, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(ObReferenceObjectByHandle(thread, THREAD_ALL_ACCESS, NULL, KernelMode, &object, NULL),
                 STATUS_SUCCESS);
    SmartcardReleaseRemoveLockAndWait(Ext);
    CHECK(Released);
    CHECK_STATUS(KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    ObDereferenceObject(object);
    CHECK_STATUS(ZwClose(thread), STATUS_SUCCESS);
}

static void LinksGetTheFirstFreeNumber(void)
{
    UNICODE_STRING device;
    UNICODE_STRING links[MAXIMUM_SMARTCARD_READERS];
    UNICODE_STRING more = {2, 2, (PWSTR)&more};
    static const WCHAR third[] = L"\\DosDevices\\SCReader3";

    RtlInitUnicodeString(&device, L"\\Device\\Nothing");
    for (ULONG i = 0; i < ARRAYSIZE(links); i++) {
        CHECK_STATUS(SmartcardCreateLink(&links[i], &device), STATUS_SUCCESS);
        CHECK_EQ(links[i].Buffer[links[i].Length / 2 - 1], '0' + i);
        CHECK_EQ(links[i].Buffer[links[i].Length / 2], 0);
        CHECK_EQ(links[i].MaximumLength, links[i].Length + 2);
    }
    CHECK_EQ(links[3].Length, sizeof(third) - 2);
    CHECK_MEM(links[3].Buffer, third, sizeof(third));
    CHECK_STATUS(SmartcardCreateLink(&more, &device), STATUS_INSUFFICIENT_RESOURCES);
    CHECK(more.Buffer == NULL && more.Length == 0);

    CHECK_STATUS(IoDeleteSymbolicLink(&links[3]), STATUS_SUCCESS);
    ExFreePool(links[3].Buffer);
    CHECK_STATUS(SmartcardCreateLink(&links[3], &device), STATUS_SUCCESS);
    CHECK_MEM(links[3].Buffer, third, sizeof(third));
    for (ULONG i = 0; i < ARRAYSIZE(links); i++) {
        CHECK_STATUS(IoDeleteSymbolicLink(&links[i]), STATUS_SUCCESS);
        ExFreePool(links[i].Buffer);
    }
}

static void LinkNeedsBothNames(void)
{
    UNICODE_STRING name;
    UNICODE_STRING link;

    RtlInitUnicodeString(&name, L"\\Device\\Nothing");
    CHECK_STATUS(SmartcardCreateLink(NULL, &name), STATUS_INVALID_PARAMETER_1);
    CHECK_STATUS(SmartcardCreateLink(&link, NULL), STATUS_INVALID_PARAMETER_2);
}

const struct WdmTest WdmTests[] = {
    {"references are counted", ReferencesAreCounted},
    {"tags are only an aid", TagsAreOnlyAnAid},
    {"sixteen tags are followed", SixteenTagsAreFollowed},
    {"waiting without a reference returns", WaitWithoutReferenceReturns},
    {"waiting with the own reference returns", WaitWithOwnReferenceReturns},
    {"waiting is for foreign references", WaitIsForForeignReferences},
    {"links get the first free number", LinksGetTheFirstFreeNumber},
    {"a link needs both names", LinkNeedsBothNames},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = CardSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
