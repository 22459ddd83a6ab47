// SPDX-License-Identifier: MIT
// T=0 TPDUs: classification, room, convention and the status word.
#include "tests/smclib/card.h"

#define BY_T0 SCARD_PROTOCOL_T0

static void CommandsBecomeTpdus(void)
{
    static const struct {
        const char *Command;
        const char *Tpdu;
        ULONG Lc, Le;
    } cases[] = {
        {"00 A4 00 00", "00 A4 00 00 00", 0, 0},
        {"00 C0 00 00 0F", "00 C0 00 00 0F", 0, 15},
        {"00 B0 00 00 00", "00 B0 00 00 00", 0, 256},
        {"00 A4 00 00 02 3F 00", "00 A4 00 00 02 3F 00", 2, 0},
    };
    static const ULONG headers[] = {0, 3, 5};

    for (ULONG i = 0; i < ARRAYSIZE(cases) * ARRAYSIZE(headers); i++) {
        ULONG n = i / ARRAYSIZE(headers);
        ULONG header = headers[i % ARRAYSIZE(headers)];
        RequestBegin(BY_T0, cases[n].Command, 300);
        RtlFillMemory(Ext->SmartcardRequest.Buffer, 8, 0xEE);
        Ext->SmartcardRequest.BufferLength = header;
        Ext->SmartcardReply.BufferLength = 99;
        CHECK_STATUS(SmartcardT0Request(Ext), STATUS_SUCCESS);
        CHECK_EQ(Ext->SmartcardReply.BufferLength, 0);
        CheckRequest(header, cases[n].Tpdu);
        CHECK_EQ(Ext->T0.Lc, cases[n].Lc);
        CHECK_EQ(Ext->T0.Le, cases[n].Le);
        for (ULONG b = 0; b < header; b++) {
            CHECK_EQ(Ext->SmartcardRequest.Buffer[b], 0xEE);
        }
    }
}

static void MalformedCommandsAreRefused(void)
{
    static const char *const cases[] = {
        "",
        "00",
        "00 A4",
        "00 A4 00",
        "00 A4 00 00 02 3F 00 00", // case 4
        "00 A4 00 00 08 00",       // Lc says more
        "00 A4 00 00 03 2F",       // Lc says more
        "00 B0 00 00 00 01 00",    // extended
    };

    for (ULONG i = 0; i < ARRAYSIZE(cases); i++) {
        RequestBegin(BY_T0, cases[i], 300);
        CHECK_STATUS(SmartcardT0Request(Ext), STATUS_INVALID_PARAMETER);
        CHECK_EQ(Ext->SmartcardRequest.BufferLength, 0);
    }
}

static void LongestCommandFillsTheBuffer(void)
{
    UCHAR command[260] = {0x00, 0xD6, 0x00, 0x00, 0xFF};

    RequestBeginBytes(BY_T0, command, sizeof(command), 10);
    Ext->SmartcardRequest.BufferLength = 28;
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->SmartcardRequest.BufferLength, 288);
    CHECK_EQ(Ext->T0.Lc, 255);
    Ext->SmartcardRequest.BufferLength = 29;
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_BUFFER_OVERFLOW);
    Ext->SmartcardRequest.BufferLength = 0xFFFFFFF0;
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_BUFFER_OVERFLOW);
}

static void ReplyRoomIsCheckedBeforeSending(void)
{
    RequestBegin(BY_T0, "00 C0 00 00 0F", 8 + 15 + 2);
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_SUCCESS);
    RequestBegin(BY_T0, "00 C0 00 00 0F", 8 + 15 + 1);
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_BUFFER_TOO_SMALL);
    // For 256 bytes the answer decides: it may be shorter.
    RequestBegin(BY_T0, "00 B0 00 00 00", 8 + 2);
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_SUCCESS);
    RequestBegin(BY_T0, "00 B0 00 00 00", 8 + 1);
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_BUFFER_TOO_SMALL);
}

static void InverseCardGetsInverseBytes(void)
{
    RequestBegin(BY_T0, "00 A4 00 00 02 3F 00", 300);
    Ext->CardCapabilities.InversConvention = TRUE;
    Ext->SmartcardRequest.Buffer[0] = 0x6B;
    Ext->SmartcardRequest.BufferLength = 1;
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->SmartcardRequest.Buffer[0], 0x6B);
    CheckRequest(1, "FF DA FF FF BF 03 FF");
    ReplyBytes("F6 FF");
    CHECK_STATUS(SmartcardT0Reply(Ext), STATUS_SUCCESS);
    CheckUser("90 00");
}

static void RepliesReachTheUser(void)
{
    RequestBegin(BY_T0, "00 C0 00 00 02", 12);
    ReplyBytes("11 22 90 00");
    CHECK_STATUS(SmartcardT0Reply(Ext), STATUS_SUCCESS);
    CheckUser("11 22 90 00");
}

static void StatusWordsAreThoseOfIso(void)
{
    for (ULONG sw1 = 0; sw1 < 256; sw1++) {
        BOOLEAN valid = (sw1 >= 0x61 && sw1 <= 0x6F) || (sw1 >= 0x90 && sw1 <= 0x9F);
        RequestBegin(BY_T0, "00 A4 00 00", 10);
        Ext->SmartcardReply.Buffer[0] = (UCHAR)sw1;
        Ext->SmartcardReply.Buffer[1] = 0x10;
        Ext->SmartcardReply.BufferLength = 2;
        CHECK_STATUS(SmartcardT0Reply(Ext), valid ? STATUS_SUCCESS : STATUS_DEVICE_PROTOCOL_ERROR);
        CHECK_EQ(Information, valid ? 10 : 0);
    }
}

static void BadReplyLengthsAreRefused(void)
{
    RequestBegin(BY_T0, "00 A4 00 00", 300);
    Ext->SmartcardReply.Buffer[0] = 0x90;
    Ext->SmartcardReply.BufferLength = 0;
    CHECK_STATUS(SmartcardT0Reply(Ext), STATUS_DEVICE_PROTOCOL_ERROR);
    Ext->SmartcardReply.BufferLength = 1;
    CHECK_STATUS(SmartcardT0Reply(Ext), STATUS_DEVICE_PROTOCOL_ERROR);
    Ext->SmartcardReply.BufferLength = Ext->SmartcardReply.BufferSize + 1;
    CHECK_STATUS(SmartcardT0Reply(Ext), STATUS_DEVICE_PROTOCOL_ERROR);
    Ext->SmartcardReply.BufferLength = 2;
    Ext->SmartcardReply.Buffer = NULL;
    CHECK_STATUS(SmartcardT0Reply(Ext), STATUS_DEVICE_PROTOCOL_ERROR);
}

static void ReplyThatDoesNotFitIsNotCopied(void)
{
    UCHAR before[16];

    RequestBegin(BY_T0, "00 B0 00 00 00", 11);
    RtlCopyMemory(before, User, sizeof(before));
    ReplyBytes("11 22 90 00");
    CHECK_STATUS(SmartcardT0Reply(Ext), STATUS_BUFFER_TOO_SMALL);
    CHECK_EQ(Information, 0);
    CHECK_MEM(User, before, sizeof(before));
}

static void LongPciHeaderIsSkipped(void)
{
    RequestBegin(BY_T0, "DE AD BE EF 00 A4 00 00", 300);
    *(PULONG)(User + 4) = 12;
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_SUCCESS);
    CheckRequest(0, "00 A4 00 00 00");
    *(PULONG)(User + 4) = 17; // more than the request has
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_INVALID_PARAMETER);
    *(PULONG)(User + 4) = 7;
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_INVALID_PARAMETER);
}

const struct WdmTest WdmTests[] = {
    {"commands become TPDUs behind any reader header", CommandsBecomeTpdus},
    {"malformed commands are refused", MalformedCommandsAreRefused},
    {"the longest command fills the buffer to the last byte", LongestCommandFillsTheBuffer},
    {"reply room is checked before sending", ReplyRoomIsCheckedBeforeSending},
    {"an inverse card gets inverse bytes", InverseCardGetsInverseBytes},
    {"replies reach the user", RepliesReachTheUser},
    {"status words are those of ISO", StatusWordsAreThoseOfIso},
    {"bad reply lengths are refused", BadReplyLengthsAreRefused},
    {"a reply that does not fit is not copied", ReplyThatDoesNotFitIsNotCopied},
    {"a long PCI header is skipped", LongPciHeaderIsSkipped},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = CardSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
