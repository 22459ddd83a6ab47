// SPDX-License-Identifier: MIT
// Every allocation of the library fails once. The linker hands ExAllocatePoolWithTag to this file (--wrap).
#include "tests/smclib/t1script.h"

PVOID NTAPI __real_ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI __wrap_ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);

static ULONG FailAt; // the n-th allocation from now fails; 0: none

PVOID NTAPI __wrap_ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    if (FailAt != 0 && --FailAt == 0) {
        return NULL;
    }
    return __real_ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

static void InitializeLeavesNothingBehind(void)
{
    ULONG failures = 0;

    SmartcardExit(Ext);
    for (ULONG n = 1;; n++) {
        NTSTATUS status;
        FailAt = n;
        status = SmartcardInitialize(Ext);
        if (FailAt != 0) { // more than it allocates
            FailAt = 0;
            CHECK_STATUS(status, STATUS_SUCCESS);
            break;
        }
        failures++;
        CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
        CHECK(Ext->OsData == NULL);
        CHECK(Ext->SmartcardRequest.Buffer == NULL);
        CHECK(Ext->SmartcardReply.Buffer == NULL);
        SmartcardExit(Ext);
    }
    CHECK_EQ(failures, 3);
}

// Nothing went out, so the link is still in step: no resynchronisation.
static void FailedT1CommandCanBeSentAgain(void)
{
    RequestBegin(BY_T1, CHALLENGE, 2000);
    CHECK_STATUS(RUN(IFS), STATUS_MORE_PROCESSING_REQUIRED);
    FailAt = 1;
    Ext->SmartcardRequest.BufferLength = 0;
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_INSUFFICIENT_RESOURCES);
    CHECK_EQ(Ext->SmartcardRequest.BufferLength, 0);
    CHECK_STATUS(RUN(SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
    // A longer reply buffer needs a new assembly buffer; a failure leaves none that is too short.
    RequestBegin(BY_T1, CHALLENGE, 4000);
    FailAt = 1;
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_INSUFFICIENT_RESOURCES);
    CHECK(Ext->T1.ReplyData == NULL);
    CHECK_STATUS(RUN(SEND_N1, RECEIVE_N1), STATUS_SUCCESS);
}

PVOID NTAPI __wrap_IoAllocateErrorLogEntry(PVOID IoObject, UCHAR EntrySize);
PVOID NTAPI __wrap_IoAllocateErrorLogEntry(PVOID IoObject, UCHAR EntrySize)
{
    CHECK(IoObject == Ext);
    CHECK_EQ(EntrySize, FIELD_OFFSET(IO_ERROR_LOG_PACKET, DumpData) + sizeof(ULONG) + sizeof(WCHAR));
    return NULL;
}

// There is nobody to tell that nothing could be told.
static void LogWithoutMemory(void)
{
    UNICODE_STRING empty = {2, 2, NULL};

    SmartcardLogError(Ext, 1, NULL, 2);
    SmartcardLogError(Ext, 1, &empty, 2);
}

static void LinkWithoutMemory(void)
{
    UNICODE_STRING name;
    UNICODE_STRING link = {4, 4, NULL};

    RtlInitUnicodeString(&name, L"\\Device\\Nothing");
    FailAt = 1;
    CHECK_STATUS(SmartcardCreateLink(&link, &name), STATUS_INSUFFICIENT_RESOURCES);
    CHECK(link.Buffer == NULL && link.Length == 0);
}

const struct WdmTest WdmTests[] = {
    {"SmartcardInitialize leaves nothing behind", InitializeLeavesNothingBehind},
    {"a failed T=1 command can be sent again", FailedT1CommandCanBeSentAgain},
    {"a log entry without memory", LogWithoutMemory},
    {"a link without memory", LinkWithoutMemory},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = ScriptSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
