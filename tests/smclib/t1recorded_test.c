// SPDX-License-Identifier: MIT
// The T=1 exchanges that hardware test suites record block by block, each by the number it has in the
// project's list; every one with LRC and, as ISO1-28 asks, once more with CRC.
#include "tests/smclib/t1script.h"

#define LONG_COMMAND "00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E"
#define LONG_FIRST   "> 00 20 10 00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A E2"
#define LONG_SECOND  "> 00 40 04 0B 0C 0D 0E 40"
#define DONE_N0      "< 00 00 02 90 00 92"
#define CHAIN_FIRST  "< 00 20 05 11 22 33 44 55 34"
#define CHAIN_SECOND "< 00 40 05 66 77 88 90 00 4C"
#define WTX1         "< 00 C3 01 01 C3", "> 00 E3 01 01 E3"
#define WTX5         "< 00 C3 01 05 C7", "> 00 E3 01 05 E7"
#define WTX30        "< 00 C3 01 1E DC", "> 00 E3 01 1E FC"
#define ASK          "> 00 82 00 82" // R(0), other error
#define GARBAGE      "! 00 00 02 90 00 93"
#define GARBLED      "! 00 00 0A 11 22 33 44 55 66 77 88 90 00 47", "> 00 81 00 81"

// A line is as in t1script.h; '!' is a block of the card whose check bytes are wrong.
typedef struct _RECORDED {
    const char *Id;
    const char *Command;
    UCHAR Ifsc;      // of the card
    NTSTATUS Status; // of the last reply
    const char *Reply;
    const char *Lines[16];
} RECORDED;

static const RECORDED Recorded[] = {
    {"ISO1-01", CHALLENGE, 32, STATUS_SUCCESS, REPLY, {IFS, SEND_N0, RECEIVE_N0}},
    {"ISO1-02",
     CHALLENGE,
     32,
     STATUS_SUCCESS,
     REPLY,
     {"> 00 C1 01 FE 3E", "< 00 82 00 82", SEND_N0, RECEIVE_N0}},
    {"ISO1-05", CHALLENGE, 32, STATUS_SUCCESS, REPLY, {IFS, SEND_N0, WTX1, RECEIVE_N0}},
    {"ISO1-05",
     CHALLENGE,
     32,
     STATUS_SUCCESS,
     REPLY,
     {IFS, SEND_N0, WTX1, WTX5, WTX30, WTX30, WTX1, RECEIVE_N0}},
    {"ISO1-06", CHALLENGE, 32, STATUS_SUCCESS, REPLY, {IFS, SEND_N0, GARBLED, RECEIVE_N0}},
    {"ISO1-07", CHALLENGE, 32, STATUS_SUCCESS, REPLY, {IFS, SEND_N0, "< 00 81 00 81", SEND_N0, RECEIVE_N0}},
    {"ISO1-08", CHALLENGE, 32, STATUS_SUCCESS, REPLY, {IFS, SEND_N0, GARBLED, GARBLED, RECEIVE_N0}},
    {"ISO1-09",
     CHALLENGE,
     32,
     STATUS_SUCCESS,
     REPLY,
     {IFS, SEND_N0, GARBLED, GARBLED, GARBAGE, RESYNCH, SEND_N0, RECEIVE_N0}},
    {"ISO1-12",
     LONG_COMMAND,
     16,
     STATUS_SUCCESS,
     "90 00",
     {IFS, LONG_FIRST, "< 00 90 00 90", LONG_SECOND, DONE_N0}},
    {"ISO1-13",
     LONG_COMMAND,
     16,
     STATUS_SUCCESS,
     "90 00",
     {IFS, LONG_FIRST, "< 00 80 00 80", LONG_FIRST, "< 00 90 00 90", LONG_SECOND, DONE_N0}},
    {"ISO1-14",
     CHALLENGE,
     32,
     STATUS_SUCCESS,
     REPLY,
     {IFS, SEND_N0, CHAIN_FIRST, "> 00 90 00 90", CHAIN_SECOND}},
    {"ISO1-17",
     CHALLENGE,
     32,
     STATUS_SUCCESS,
     REPLY,
     {IFS, SEND_N0, "< 00 C1 01 00 C0", ASK, "< 00 C1 01 FF 3F", ASK, RECEIVE_N0}},
    {"ISO1-18",
     LONG_COMMAND,
     16,
     STATUS_DEVICE_PROTOCOL_ERROR,
     NULL,
     {IFS, LONG_FIRST, "< 00 C2 00 C2", "> 00 E2 00 E2", "< 00 90 00 90"}},
    {"ISO1-19",
     CHALLENGE,
     32,
     STATUS_DEVICE_PROTOCOL_ERROR,
     NULL,
     {IFS, SEND_N0, CHAIN_FIRST, "> 00 90 00 90", "< 00 C2 00 C2", "> 00 E2 00 E2", CHAIN_SECOND}},
    {"ISO1-20",
     CHALLENGE,
     32,
     STATUS_SUCCESS,
     REPLY,
     {IFS, SEND_N0, "< 12 00 02 90 00 80", ASK, "< 08 00 02 90 00 9A", ASK, RECEIVE_N0}},
    {"ISO1-21", CHALLENGE, 32, STATUS_SUCCESS, REPLY, {IFS, SEND_N0, "< 00 00 FF 90 00 6F", ASK, RECEIVE_N0}},
    {"ISO1-23",
     CHALLENGE,
     32,
     STATUS_SUCCESS,
     REPLY,
     {IFS, SEND_N0, "< 00 00 0A 11 22 33", ASK, "< 00", ASK, RECEIVE_N0}},
    {"ISO1-25",
     CHALLENGE,
     32,
     STATUS_SUCCESS,
     REPLY,
     {IFS, SEND_N0, "< 00 E3 01 01 E3", ASK, "< 00 E1 01 10 F0", ASK, RECEIVE_N0}},
    {"ISO1-26",
     CHALLENGE,
     32,
     STATUS_SUCCESS,
     REPLY,
     {IFS, SEND_N0, "< 00 20 00 20", "> 00 90 00 90", "< 00 40 0A 11 22 33 44 55 66 77 88 90 00 52"}},
};

// By the definition of ISO/IEC 13239, a bit at a time.
static ULONG Crc(_In_reads_bytes_(Length) const UCHAR *Bytes, _In_ ULONG Length)
{
    ULONG crc = 0xFFFF;

    for (ULONG bit = 0; bit < Length * 8; bit++) {
        ULONG out = (crc ^ (ULONG)(Bytes[bit / 8] >> (bit % 8))) & 1;
        crc = out != 0 ? (crc >> 1) ^ 0x8408 : crc >> 1;
    }
    return crc;
}

// The line's block, with the check bytes that the card of the test uses.
static ULONG BlockOf(_In_ const char *Line, _Out_ PUCHAR Block)
{
    ULONG length = HexBytes(Line + 1, Block);
    ULONG crc;

    if ((Ext->CardCapabilities.T1.EDC & T1_CRC_CHECK) == 0 || length == 0) {
        return length;
    }
    crc = Crc(Block, length - 1) ^ (Line[0] == '!' ? 1 : 0);
    Block[length - 1] = (UCHAR)(crc >> 8);
    Block[length] = (UCHAR)crc;
    return length + 1;
}

static VOID Send(_In_ const UCHAR *Block, _In_ ULONG Length)
{
    Ext->SmartcardRequest.BufferLength = 0;
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->SmartcardRequest.BufferLength, Length);
    CHECK_MEM(Ext->SmartcardRequest.Buffer, Block, Length);
}

static NTSTATUS Play(_In_ const char *const *Lines)
{
    NTSTATUS status = STATUS_MORE_PROCESSING_REQUIRED;
    UCHAR block[300];

    for (; *Lines != NULL; Lines++) {
        ULONG length = BlockOf(*Lines, block);
        CHECK_STATUS(status, STATUS_MORE_PROCESSING_REQUIRED);
        if (**Lines == '>') {
            Send(block, length);
            continue;
        }
        RtlCopyMemory(Ext->SmartcardReply.Buffer, block, length);
        Ext->SmartcardReply.BufferLength = length;
        status = SmartcardT1Reply(Ext);
    }
    return status;
}

static VOID CardInsert(_In_ const char *Atr, _In_ UCHAR Ifsc)
{
    CHECK_STATUS(CardAtr(Atr), STATUS_SUCCESS);
    Ext->CardCapabilities.T1.IFSC = Ifsc;
    Ext->T1.IFSC = Ifsc;
}

// After a failure, which must leave a link that the next command can use.
static VOID NextCommandWorks(void)
{
    static const char *const lines[] = {RESYNCH, SEND_N0, RECEIVE_N0, NULL};

    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(Play(lines), STATUS_SUCCESS);
    CheckUser(REPLY);
}

static VOID PlayAll(_In_ const char *Atr)
{
    for (ULONG i = 0; i < ARRAYSIZE(Recorded); i++) {
        CardInsert(Atr, Recorded[i].Ifsc);
        RequestBegin(BY_T1, Recorded[i].Command, 300);
        CHECK_STATUS(Play(Recorded[i].Lines), Recorded[i].Status);
        if (Recorded[i].Reply != NULL) {
            CheckUser(Recorded[i].Reply);
        } else {
            CHECK_EQ(Information, 0);
            NextCommandWorks();
        }
    }
}

static void RecordedExchangesWithLrc(void)
{
    PlayAll("3B 80 81 31 20 49 59");
}

static void RecordedExchangesWithCrc(void)
{
    PlayAll("3B 80 81 71 20 49 01 18");
    CHECK_EQ(Ext->CardCapabilities.T1.EDC & T1_CRC_CHECK, 1);
}

// ISO1-03 and ISO1-04: no S(IFS request) when it is not wanted, and none after the first exchange.
static void IfsIsAskedForOnce(void)
{
    static const char *const first[] = {IFS, SEND_N0, RECEIVE_N0, NULL};
    static const char *const second[] = {SEND_N1, RECEIVE_N1, NULL};
    static const char *const small[] = {SEND_N0, RECEIVE_N0, NULL};

    CHECK_STATUS(Play(first), STATUS_SUCCESS);
    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(Play(second), STATUS_SUCCESS);
    Ext->ReaderCapabilities.MaxIFSD = 32;
    CardFive();
    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(Play(small), STATUS_SUCCESS);
}

// ISO1-10: three attempts at a resynchronisation, each three times, then the command fails.
static void GarbageForResynchEndsTheCommand(void)
{
    static const char *const begin[] = {IFS, SEND_N0, GARBLED, GARBLED, GARBAGE, NULL};
    static const char *const again[] = {"> 00 C0 00 C0", GARBAGE, NULL};
    NTSTATUS status = Play(begin);

    for (ULONG i = 0; i < 9; i++) {
        CHECK_STATUS(status, STATUS_MORE_PROCESSING_REQUIRED);
        status = Play(again);
    }
    CHECK_STATUS(status, STATUS_DEVICE_PROTOCOL_ERROR);
    CardFive(); // a reset recovers
    RequestBegin(BY_T1, CHALLENGE, 300);
    IfsIsAskedForOnce();
}

const struct WdmTest WdmTests[] = {
    {"recorded exchanges, LRC", RecordedExchangesWithLrc},
    {"recorded exchanges, CRC", RecordedExchangesWithCrc},
    {"IFS is asked for once", IfsIsAskedForOnce},
    {"garbage for S(RESYNCH) ends the command", GarbageForResynchEndsTheCommand},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = ScriptSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
