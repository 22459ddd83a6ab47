// SPDX-License-Identifier: MIT
#include "reader/ccid/message.h"
#include "tests/support/wdmtest.h"

// Messages as recorded between libccid and a reader; CCID 1.1 6.1.4 with wLevelParameter.
static VOID EncodesTheHeader(void)
{
    static const CCID_REQUEST select = {CCID_XFR_BLOCK, 0, 5, {0, 0, 0}, 7};
    static const CCID_REQUEST begin = {CCID_XFR_BLOCK, 2, 0x21, {9, 1, 0}, 261};
    static const UCHAR selectBytes[] = {0x6F, 0x07, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00};
    static const UCHAR beginBytes[] = {0x6F, 0x05, 0x01, 0x00, 0x00, 0x02, 0x21, 0x09, 0x01, 0x00};
    UCHAR header[CCID_HEADER_LENGTH];

    CcidRequestEncode(&select, header);
    CHECK_MEM(header, selectBytes, sizeof(selectBytes));
    CcidRequestEncode(&begin, header);
    CHECK_MEM(header, beginBytes, sizeof(beginBytes));
}

static VOID DecodesReplies(void)
{
    static const UCHAR data[] = {0x80, 0x05, 0x01, 0x00, 0x00, 0x01, 0x31, 0x00, 0x00, 0x03};
    static const UCHAR extension[] = {0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x80, 0x0A, 0x00};
    static const UCHAR mute[] = {0x81, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x42, 0xFE, 0x01};
    CCID_REPLY reply;

    CHECK(CcidReplyDecode(data, sizeof(data), &reply));
    CHECK_EQ(reply.Type, CCID_DATA_BLOCK);
    CHECK_EQ(reply.Length, 261);
    CHECK_EQ(reply.Slot, 1);
    CHECK_EQ(reply.Sequence, 0x31);
    CHECK_EQ(reply.CommandStatus, CCID_COMMAND_OK);
    CHECK_EQ(reply.Specific, CCID_CHAIN_MIDDLE);
    CHECK(CcidReplyDecode(extension, sizeof(extension), &reply));
    CHECK_EQ(reply.CommandStatus, CCID_COMMAND_TIME_EXTENSION);
    CHECK_EQ(reply.Error, 10);
    CHECK(CcidReplyDecode(mute, sizeof(mute), &reply));
    CHECK_EQ(reply.CommandStatus, CCID_COMMAND_FAILED);
    CHECK_EQ(reply.IccStatus, CCID_ICC_ABSENT);
}

static VOID RefusesImpossibleReplies(void)
{
    UCHAR bytes[CCID_HEADER_LENGTH] = {0x80};
    CCID_REPLY reply;

    for (ULONG length = 0; length < CCID_HEADER_LENGTH; length++) {
        CHECK(!CcidReplyDecode(bytes, length, &reply));
    }
    bytes[4] = 0x80; // two gigabytes follow
    CHECK(!CcidReplyDecode(bytes, sizeof(bytes), &reply));
    bytes[4] = 0;
    bytes[3] = 0x01; // 65536, CCID_DATA_LENGTH_MAX is 65544
    CHECK(CcidReplyDecode(bytes, sizeof(bytes), &reply));
    bytes[1] = 0x09;
    CHECK(!CcidReplyDecode(bytes, sizeof(bytes), &reply));
}

static VOID KnowsWhoAnswers(void)
{
    CHECK_EQ(CcidReplyType(CCID_XFR_BLOCK), CCID_DATA_BLOCK);
    CHECK_EQ(CcidReplyType(CCID_ICC_POWER_ON), CCID_DATA_BLOCK);
    CHECK_EQ(CcidReplyType(CCID_ICC_POWER_OFF), CCID_SLOT_STATUS);
    CHECK_EQ(CcidReplyType(CCID_GET_SLOT_STATUS), CCID_SLOT_STATUS);
    CHECK_EQ(CcidReplyType(CCID_ABORT), CCID_SLOT_STATUS);
    CHECK_EQ(CcidReplyType(CCID_SET_PARAMETERS), CCID_PARAMETERS);
    CHECK_EQ(CcidReplyType(CCID_GET_PARAMETERS), CCID_PARAMETERS);
    CHECK_EQ(CcidReplyType(CCID_ESCAPE), CCID_ESCAPE_REPLY);
    CHECK_EQ(CcidReplyType(CCID_SET_DATA_RATE), CCID_DATA_RATE);
}

static NTSTATUS StatusOf(UCHAR IccStatus, UCHAR Error)
{
    CCID_REPLY reply = {.CommandStatus = CCID_COMMAND_FAILED, .IccStatus = IccStatus, .Error = Error};

    return CcidReplyStatus(&reply);
}

static VOID TranslatesErrors(void)
{
    CHECK_STATUS(StatusOf(CCID_ICC_INACTIVE, CCID_ERROR_ICC_MUTE), STATUS_IO_TIMEOUT);
    CHECK_STATUS(StatusOf(CCID_ICC_ABSENT, CCID_ERROR_ICC_MUTE), STATUS_NO_MEDIA);
    CHECK_STATUS(StatusOf(CCID_ICC_ACTIVE, CCID_ERROR_ABORTED), STATUS_CANCELLED);
    CHECK_STATUS(StatusOf(CCID_ICC_INACTIVE, CCID_ERROR_BAD_ATR_TS), STATUS_UNRECOGNIZED_MEDIA);
    CHECK_STATUS(StatusOf(CCID_ICC_INACTIVE, CCID_ERROR_CLASS_NOT_SUPPORTED), STATUS_UNRECOGNIZED_MEDIA);
    CHECK_STATUS(StatusOf(CCID_ICC_INACTIVE, CCID_ERROR_HARDWARE), STATUS_IO_DEVICE_ERROR);
    CHECK_STATUS(StatusOf(CCID_ICC_ACTIVE, CCID_ERROR_SLOT_BUSY), STATUS_DEVICE_BUSY);
    CHECK_STATUS(StatusOf(CCID_ICC_ACTIVE, CCID_ERROR_NOT_SUPPORTED), STATUS_NOT_SUPPORTED);
    CHECK_STATUS(StatusOf(CCID_ICC_ACTIVE, CCID_ERROR_BAD_SLOT), STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(StatusOf(CCID_ICC_ACTIVE, 0x0A), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(StatusOf(CCID_ICC_ACTIVE, 0xA2), STATUS_IO_DEVICE_ERROR);
}

static VOID NoFailureIsASuccess(void)
{
    for (ULONG error = 0; error < 256; error++) {
        CHECK(!NT_SUCCESS(StatusOf(CCID_ICC_ACTIVE, (UCHAR)error)));
        CHECK(!NT_SUCCESS(StatusOf(CCID_ICC_ABSENT, (UCHAR)error)));
    }
}

const struct WdmTest WdmTests[] = {{"request headers", EncodesTheHeader},
                                   {"reply headers", DecodesReplies},
                                   {"impossible replies", RefusesImpossibleReplies},
                                   {"reply types", KnowsWhoAnswers},
                                   {"errors", TranslatesErrors},
                                   {"no failure is a success", NoFailureIsASuccess},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
