// SPDX-License-Identifier: MIT
#include "smclib/t1.h"
#include "bench/smclib/operations.h"

#define COMMAND 254 // bytes: a whole T=1 block

static SMARTCARD_EXTENSION Ext;
static UCHAR User[8 + COMMAND];
static UCHAR Blocks[2][3 + COMMAND + 2]; // the card's answers, by their number
static ULONG BlockLength;
static ULONG Information;
static ULONG Turn;

static const UCHAR Atrs[][27] = {
    {4, 0x3B, 0x02, 0x14, 0x50},
    {10, 0x3B, 0x95, 0x18, 0x40, 0xFF, 0x62, 0x01, 0x02, 0x01, 0x04},
    {13, 0x3B, 0xF2, 0x18, 0x00, 0x02, 0xC1, 0x0A, 0x31, 0xFE, 0x58, 0xC8, 0x08, 0x74},
    {24,   0x3B, 0xDF, 0x18, 0x00, 0x81, 0x31, 0xFE, 0x67, 0x00, 0x5C, 0x49, 0x43,
     0x4D, 0xD4, 0x91, 0x47, 0xD2, 0x76, 0x00, 0x00, 0x38, 0x33, 0x00, 0x58},
};

static void Require(BOOLEAN Condition)
{
    if (!Condition) {
        __builtin_trap(); // a number for work that was not done would be worse
    }
}

static void StoreAtr(ULONG Number)
{
    Ext.CardCapabilities.ATR.Length = Atrs[Number][0];
    RtlCopyMemory(Ext.CardCapabilities.ATR.Buffer, Atrs[Number] + 1, Atrs[Number][0]);
}

static void ParseAtr(void)
{
    StoreAtr(Turn++ % ARRAYSIZE(Atrs));
    Require(SmartcardUpdateCardCapabilities(&Ext) == STATUS_SUCCESS);
}

static void PrepareDefault(void)
{
    Ext.CardCapabilities.PtsData.Type = PTS_TYPE_DEFAULT;
}

static void PrepareOptimal(void)
{
    Ext.CardCapabilities.PtsData.Type = PTS_TYPE_OPTIMAL;
}

static void PrepareRequest(ULONG Protocol, ULONG Length)
{
    SCARD_IO_REQUEST header = {Protocol, sizeof(header)};

    RtlCopyMemory(User, &header, sizeof(header));
    Ext.CardCapabilities.Protocol.Selected = Protocol;
    Ext.IoRequest.RequestBuffer = User;
    Ext.IoRequest.RequestBufferLength = sizeof(header) + Length;
    Ext.IoRequest.ReplyBuffer = User;
    Ext.IoRequest.ReplyBufferLength = sizeof(User);
    Ext.IoRequest.Information = &Information;
}

static void PrepareT1(BOOLEAN Crc)
{
    StoreAtr(3);
    Require(SmartcardUpdateCardCapabilities(&Ext) == STATUS_SUCCESS);
    Ext.CardCapabilities.T1.EDC = Crc;
    PrepareRequest(SCARD_PROTOCOL_T1, COMMAND);
    SmcT1BeginCommand(&Ext);
    Ext.T1.State = T1_START; // the field size is agreed
    for (UCHAR number = 0; number < 2; number++) {
        Blocks[number][1] = number << 6;
        Blocks[number][2] = COMMAND;
        BlockLength = 3 + COMMAND + SmcT1EdcWrite(Blocks[number], 3 + COMMAND, Crc);
    }
}

static void PrepareLrc(void)
{
    PrepareT1(FALSE);
}

static void PrepareCrc(void)
{
    PrepareT1(TRUE);
}

// Without a reply in between the same block is built again.
static void EncodeT1(void)
{
    Ext.SmartcardRequest.BufferLength = 0;
    Require(SmartcardT1Request(&Ext) == STATUS_SUCCESS);
}

// The state of a command that waits for its answer is set by hand, so that only the reply is measured.
static void DecodeT1(void)
{
    PSMC_T1 own = &SmcPrivateOf(&Ext)->T1;

    own->ReplyExpected = TRUE;
    own->CommandSent = TRUE;
    Ext.T1.MoreData = FALSE;
    Ext.T1.BytesReceived = 0;
    RtlCopyMemory(Ext.SmartcardReply.Buffer, Blocks[Ext.T1.RSN], BlockLength);
    Ext.SmartcardReply.BufferLength = BlockLength;
    Require(SmartcardT1Reply(&Ext) == STATUS_SUCCESS && Information == 8 + COMMAND);
}

static void PrepareDecodeLrc(void)
{
    PrepareLrc();
    EncodeT1(); // allocates what collects the answer
}

static void PrepareDecodeCrc(void)
{
    PrepareCrc();
    EncodeT1();
}

static void PrepareT0(void)
{
    static const UCHAR command[] = {0x00, 0xC0, 0x00, 0x00, 0x10};

    PrepareRequest(SCARD_PROTOCOL_T0, sizeof(command));
    RtlCopyMemory(User + 8, command, sizeof(command));
}

static void ExchangeT0(void)
{
    PrepareT0(); // the answer has overwritten the command
    Ext.SmartcardRequest.BufferLength = 0;
    Require(SmartcardT0Request(&Ext) == STATUS_SUCCESS);
    Ext.SmartcardReply.Buffer[16] = 0x90;
    Ext.SmartcardReply.BufferLength = 18;
    Require(SmartcardT0Reply(&Ext) == STATUS_SUCCESS);
}

static void Invert(void)
{
    SmartcardInvertData(User, sizeof(User));
}

const struct operation operations[] = {
    {"ATR parse, 4 to 24 bytes", PrepareDefault, ParseAtr},
    {"ATR parse and choice of PTS", PrepareOptimal, ParseAtr},
    {"T=1 encode, 254 bytes, LRC", PrepareLrc, EncodeT1},
    {"T=1 encode, 254 bytes, CRC", PrepareCrc, EncodeT1},
    {"T=1 decode, 254 bytes, LRC", PrepareDecodeLrc, DecodeT1},
    {"T=1 decode, 254 bytes, CRC", PrepareDecodeCrc, DecodeT1},
    {"T=0 request and reply, 16 bytes", PrepareT0, ExchangeT0},
    {"inversion of 262 bytes", PrepareT0, Invert},
    {NULL, NULL, NULL},
};

void operations_begin(void)
{
    Ext.Version = SMCLIB_VERSION;
    Ext.ReaderCapabilities.SupportedProtocols = SCARD_PROTOCOL_Tx;
    Ext.ReaderCapabilities.CurrentState = SCARD_PRESENT;
    Ext.ReaderCapabilities.CLKFrequency.Default = 4000;
    Ext.ReaderCapabilities.CLKFrequency.Max = 4000;
    Ext.ReaderCapabilities.DataRate.Default = 10752;
    Ext.ReaderCapabilities.DataRate.Max = 344086;
    Ext.ReaderCapabilities.MaxIFSD = 254;
    Require(SmartcardInitialize(&Ext) == STATUS_SUCCESS);
}

void operations_end(void)
{
    SmartcardExit(&Ext);
}
