// SPDX-License-Identifier: MIT
#include "tests/smclib/t1script.h"

static NTSTATUS Step(const char *Line)
{
    if (Line[0] == '>') {
        Ext->SmartcardRequest.BufferLength = 0;
        Ext->SmartcardReply.BufferLength = 99; // of the last block
        CHECK_STATUS(SmartcardT1Request(Ext), STATUS_SUCCESS);
        CheckRequest(0, Line + 2);
        CHECK_EQ(Ext->SmartcardReply.BufferLength, 0);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    ReplyBytes(Line + 1);
    return SmartcardT1Reply(Ext);
}

NTSTATUS Script(const char *const *Lines)
{
    NTSTATUS status = STATUS_MORE_PROCESSING_REQUIRED;

    for (; *Lines != NULL; Lines++) {
        if (status != STATUS_MORE_PROCESSING_REQUIRED) {
            CHECK_EQ((ULONG_PTR)*Lines, 0); // the exchange ended before the script
        }
        status = Step(*Lines);
    }
    return status;
}

VOID CardFive(void)
{
    CHECK_STATUS(CardAtr("3B 80 81 31 20 49 59"), STATUS_SUCCESS);
}

VOID ScriptSetup(void)
{
    CardSetup();
    CardFive();
    RequestBegin(BY_T1, CHALLENGE, 300);
}

ULONG PlayUntilEnd(ANSWER *Answer, ULONG Limit, NTSTATUS *Status)
{
    ULONG round = 0;

    do {
        Ext->SmartcardRequest.BufferLength = 0;
        CHECK_STATUS(SmartcardT1Request(Ext), STATUS_SUCCESS);
        Answer(round);
        *Status = SmartcardT1Reply(Ext);
        round++;
    } while (*Status == STATUS_MORE_PROCESSING_REQUIRED && round < Limit);
    return round;
}
