// SPDX-License-Identifier: MIT
// T=1 when blocks are lost, damaged or hostile (ISO 7816-3:2006 11.6.3).
#include "smclib/smc.h"
#include "tests/smclib/t1script.h"

static void CardThatRefusesIfsIsServed(void)
{
    Ext->T1.IFSD = 64;
    CHECK_STATUS(RUN("> 00 C1 01 FE 3E", "< 00 82 00 82", SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
    CHECK_EQ(Ext->T1.IFSD, 32);
}

// That is no refusal: the request was damaged on its way.
static void CardThatMissedTheIfsRequestGetsItAgain(void)
{
    CHECK_STATUS(RUN("> 00 C1 01 FE 3E", "< 00 81 00 81", "> 00 C1 01 FE 3E", "< 00 80 00 80", IFS, SEND_N0,
                     RECEIVE_N0),
                 STATUS_SUCCESS);
    CHECK_EQ(Ext->T1.IFSD, 254);
}

static void AnotherIfsThanAskedIsAnError(void)
{
    CHECK_STATUS(RUN("> 00 C1 01 FE 3E", "< 00 E1 01 10 F0", IFS, SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
    CHECK_EQ(Ext->T1.IFSD, 254);
}

// Whether a resynchronised card goes back to the IFSC of its ATR or not, the smaller one is safe.
static void ResynchronisedCardGetsTheSmallerIfsc(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 C1 01 FE 3E", "> 00 E1 01 FE 1E"), STATUS_MORE_PROCESSING_REQUIRED);
    CHECK_EQ(Ext->T1.IFSC, 254);
    CHECK_STATUS(RUN("<", "> 00 82 00 82", "<", "> 00 82 00 82", "<", RESYNCH, SEND_N0, RECEIVE_N0),
                 STATUS_SUCCESS);
    CHECK_EQ(Ext->T1.IFSC, 32);
}

// Before the command has begun there is nothing to answer and nothing to abort.
static void EarlyBlocksAreErrors(void)
{
    CHECK_STATUS(RUN("> 00 C1 01 FE 3E", "< 00 00 02 90 00 92", "> 00 C1 01 FE 3E", "< 00 C2 00 C2", IFS,
                     SEND_N0, RECEIVE_N0),
                 STATUS_SUCCESS);
}

static void AcknowledgementOfTheLastBlockIsNoAnswer(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 90 00 90", "> 00 82 00 82", RECEIVE_N0), STATUS_SUCCESS);
    CheckUser(REPLY);
}

static void MissingReplyBufferIsSilence(void)
{
    PUCHAR buffer = Ext->SmartcardReply.Buffer;

    CHECK_STATUS(RUN(IFS, SEND_N0), STATUS_MORE_PROCESSING_REQUIRED);
    Ext->SmartcardReply.Buffer = NULL;
    Ext->SmartcardReply.BufferLength = 6;
    CHECK_STATUS(SmartcardT1Reply(Ext), STATUS_MORE_PROCESSING_REQUIRED);
    Ext->SmartcardReply.Buffer = buffer;
    CHECK_STATUS(RUN("> 00 82 00 82", RECEIVE_N0), STATUS_SUCCESS);
}

static void MuteCardAtIfsIsServed(void)
{
    CHECK_STATUS(
        RUN("> 00 C1 01 FE 3E", "<", "> 00 C1 01 FE 3E", "<", "> 00 C1 01 FE 3E", "<", SEND_N0, RECEIVE_N0),
        STATUS_SUCCESS);
}

static void BrokenReplyIsAskedForAgain(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, RECEIVE_BAD, "> 00 81 00 81", RECEIVE_N0), STATUS_SUCCESS);
    CheckUser(REPLY);
}

static void CardAsksForOurBlockAgain(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 81 00 81", SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
}

static void ReplyToOurRMayBeARequestForTheCommand(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "<", "> 00 82 00 82", "< 00 80 00 80", SEND_N0, RECEIVE_N0),
                 STATUS_SUCCESS);
}

static void TwoBrokenRepliesAreSurvived(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, RECEIVE_BAD, "> 00 81 00 81", RECEIVE_BAD, "> 00 81 00 81", RECEIVE_N0),
                 STATUS_SUCCESS);
}

// The third failure: resynchronise and send the whole command again, from N(S) = 0.
static void ThreeBrokenRepliesRestartTheCommand(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(RUN(SEND_N1, "<", "> 00 92 00 92", "<", "> 00 92 00 92", "<", RESYNCH, SEND_N0, RECEIVE_N0),
                 STATUS_SUCCESS);
    CheckUser(REPLY);
}

static VOID Silence(ULONG Round)
{
    (VOID) Round;
    Ext->SmartcardReply.BufferLength = 0;
}

static void ResynchronisationHasAnEnd(void)
{
    NTSTATUS status;

    CHECK_STATUS(RUN(IFS), STATUS_MORE_PROCESSING_REQUIRED);
    CHECK_EQ(PlayUntilEnd(Silence, 100, &status), 3 + 3 * 3);
    CHECK_STATUS(status, STATUS_DEVICE_PROTOCOL_ERROR);
    CHECK_EQ(Ext->T1.State, T1_RESTART);
    // The next command begins with a resynchronisation.
    Ext->T1.Resynch = 0;
    CHECK_STATUS(RUN(RESYNCH, SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
}

static void BlockOfOurChainIsRepeatedOnDemand(void)
{
    RequestBegin(BY_T1, "00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E", 300);
    CHECK_STATUS(RUN(IFS), STATUS_MORE_PROCESSING_REQUIRED);
    Ext->T1.IFSC = 16;
    CHECK_STATUS(RUN("> 00 20 10 00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A E2", "< 00 81 00 81",
                     "> 00 20 10 00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A E2", "< 00 90 00 90",
                     "> 00 40 04 0B 0C 0D 0E 40", "< 00 00 02 90 00 92"),
                 STATUS_SUCCESS);
}

static void ReplyInTheMiddleOfOurChainIsAnError(void)
{
    RequestBegin(BY_T1, "00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E", 300);
    CHECK_STATUS(RUN(IFS), STATUS_MORE_PROCESSING_REQUIRED);
    Ext->T1.IFSC = 16;
    CHECK_STATUS(RUN("> 00 20 10 00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A E2", "< 00 00 02 90 00 92",
                     "> 00 82 00 82"),
                 STATUS_MORE_PROCESSING_REQUIRED);
}

static void BrokenBlockInAChainOfTheCard(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 20 05 11 22 33 44 55 34", "> 00 90 00 90",
                     "< 00 40 05 66 77 88 90 00 4D", "> 00 91 00 91", "< 00 40 05 66 77 88 90 00 4C"),
                 STATUS_SUCCESS);
    CheckUser(REPLY);
}

static void LostAcknowledgementIsRepeated(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 20 05 11 22 33 44 55 34", "> 00 90 00 90", "< 00 91 00 91",
                     "> 00 90 00 90", "< 00 40 05 66 77 88 90 00 4C"),
                 STATUS_SUCCESS);
}

static void LostWtxResponseIsRepeated(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 C3 01 02 C0", "> 00 E3 01 02 E0", "< 00 91 00 91",
                     "> 00 E3 01 02 E0", RECEIVE_N0),
                 STATUS_SUCCESS);
}

static void BadIfsOfTheCardIsAnError(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 C1 01 00 C0", "> 00 82 00 82", "< 00 C1 01 FF 3F", "> 00 82 00 82",
                     RECEIVE_N0),
                 STATUS_SUCCESS);
    CHECK_EQ(Ext->T1.IFSC, 32);
}

static void AbortEndsTheCommand(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 20 05 11 22 33 44 55 34", "> 00 90 00 90", "< 00 C2 00 C2",
                     "> 00 E2 00 E2", "< 00 80 00 80"),
                 STATUS_DEVICE_PROTOCOL_ERROR);
    CHECK_EQ(Information, 0);
    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(RUN(RESYNCH, SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
}

static void VppErrorEndsTheCommand(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 E4 00 E4"), STATUS_DEVICE_PROTOCOL_ERROR);
    CHECK_EQ(Ext->T1.State, T1_RESTART);
}

static void DamagedBlocksAreAskedForAgain(void)
{
    static const char *const blocks[] = {
        "<",
        "< 00",
        "< 00 00 02 90",                               // CWT exceeded
        "< 00 00 FF 90 00 6D",                         // LEN 255
        "< 00 00 02 90 00 92 00",                      // one byte too many
        "< 00 E1 01 FE 1E",                            // responses unasked
        "< 00 E3 01 01 E3",                            //
        "< 00 E0 00 E0",                               //
        "< 00 E2 00 E2",                               //
        "< 00 C0 00 C0",                               // only the reader resynchronises
        "< 00 C0 01 00 C1",                            // S-block with a wrong LEN
        "< 00 C3 00 C3",                               //
        "< 00 80 01 00 81",                            // R-block with data
        "< 00 83 00 83",                               // R-block with both error bits
        "< 00 10 02 90 00 82",                         // no such PCB
        "< 00 C8 00 C8",                               //
        "< 00 E5 00 E5",                               //
        "< 00 E4 01 00 E5",                            // VPP error with data
        "< 00 01 02 90 00 93",                         // I-block with a reserved bit
        "< 00 A0 00 A0",                               // R-block with a reserved bit
        "< 12 00 02 90 00 80",                         // NAD of another node
        "< 88 00 02 90 00 1A",                         // NAD with VPP bits
        "< 00 40 0A 11 22 33 44 55 66 77 88 90 00 52", // N(S) not expected
    };

    CHECK_STATUS(RUN(IFS), STATUS_MORE_PROCESSING_REQUIRED);
    for (ULONG i = 0; i < ARRAYSIZE(blocks); i++) {
        CardFive();
        RequestBegin(BY_T1, CHALLENGE, 300);
        CHECK_STATUS(RUN(IFS, SEND_N0, blocks[i], "> 00 82 00 82", RECEIVE_N0), STATUS_SUCCESS);
        CheckUser(REPLY);
    }
}

// LEN 255 is no length, even when as many bytes follow and LRC is right.
static void LongestLengthIsNone(void)
{
    static UCHAR block[259] = {0, 0, 255};

    CHECK_STATUS(RUN(IFS, SEND_N0), STATUS_MORE_PROCESSING_REQUIRED);
    block[258] = 255;
    RtlCopyMemory(Ext->SmartcardReply.Buffer, block, sizeof(block));
    Ext->SmartcardReply.BufferLength = sizeof(block);
    CHECK_STATUS(SmartcardT1Reply(Ext), STATUS_MORE_PROCESSING_REQUIRED);
    CHECK_STATUS(RUN("> 00 82 00 82", RECEIVE_N0), STATUS_SUCCESS);
}

static VOID EmptyBlock(ULONG Round)
{
    ReplyBytes((Round & 1) == 0 ? "00 20 00 20" : "00 60 00 60");
}

static void EmptyChainOfTheCardEnds(void)
{
    NTSTATUS status;

    CHECK_STATUS(RUN(IFS), STATUS_MORE_PROCESSING_REQUIRED);
    CHECK_EQ(PlayUntilEnd(EmptyBlock, 1000, &status), 33);
    CHECK_STATUS(status, STATUS_DEVICE_PROTOCOL_ERROR);
}

static VOID FullBlock(ULONG Round)
{
    UCHAR block[258] = {0, (Round & 1) == 0 ? 0x20 : 0x60, 254};

    block[257] = block[1] ^ block[2];
    RtlCopyMemory(Ext->SmartcardReply.Buffer, block, sizeof(block));
    Ext->SmartcardReply.BufferLength = sizeof(block);
}

static void EndlessChainOfTheCardEnds(void)
{
    NTSTATUS status;

    CHECK_STATUS(RUN(IFS), STATUS_MORE_PROCESSING_REQUIRED);
    CHECK_EQ(PlayUntilEnd(FullBlock, 1000, &status), 65538 / 254 + 1);
    CHECK_STATUS(status, STATUS_DEVICE_PROTOCOL_ERROR);
}

static VOID IfsAgain(ULONG Round)
{
    (VOID) Round;
    ReplyBytes("00 C1 01 10 D0");
}

static VOID WtxAgain(ULONG Round)
{
    (VOID) Round;
    ReplyBytes("00 C3 01 01 C3");
}

static void EndlessSupervisionEnds(void)
{
    NTSTATUS status;

    CHECK_EQ(PlayUntilEnd(IfsAgain, 0x20000, &status), 33);
    CHECK_STATUS(status, STATUS_DEVICE_PROTOCOL_ERROR);
    SmcT1BeginCommand(Ext); // counts anew
    CHECK_EQ(PlayUntilEnd(IfsAgain, 0x20000, &status), 33);
    CardFive();
    CHECK_EQ(PlayUntilEnd(IfsAgain, 0x20000, &status), 33);
    CHECK_EQ(PlayUntilEnd(WtxAgain, 0x20000, &status), 0xFFFF);
    CHECK_STATUS(status, STATUS_DEVICE_PROTOCOL_ERROR);
}

static void ReplyWithoutRequestIsAnError(void)
{
    ReplyBytes("00 00 02 90 00 92");
    CHECK_STATUS(SmartcardT1Reply(Ext), STATUS_DEVICE_PROTOCOL_ERROR);
    CHECK_STATUS(RUN(RESYNCH, SEND_N0), STATUS_MORE_PROCESSING_REQUIRED);
    Ext->SmartcardReply.BufferLength = Ext->SmartcardReply.BufferSize + 1;
    CHECK_STATUS(SmartcardT1Reply(Ext), STATUS_MORE_PROCESSING_REQUIRED);
    ReplyBytes("00 00 02 90 00 92"); // a second one for the same block
    CHECK_STATUS(SmartcardT1Reply(Ext), STATUS_DEVICE_PROTOCOL_ERROR);
}

// A driver that gave up in the middle: nothing of its command may count for the next one.
static void NewCommandForgetsTheOldOne(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, RECEIVE_BAD, "> 00 81 00 81", RECEIVE_BAD, "> 00 81 00 81"),
                 STATUS_MORE_PROCESSING_REQUIRED);
    SmcT1BeginCommand(Ext);
    ReplyBytes("00 00 02 90 00 92"); // late
    CHECK_STATUS(SmartcardT1Reply(Ext), STATUS_DEVICE_PROTOCOL_ERROR);
    SmcT1BeginCommand(Ext);
    CHECK_STATUS(
        RUN(RESYNCH, SEND_N0, RECEIVE_BAD, "> 00 81 00 81", RECEIVE_BAD, "> 00 81 00 81", RECEIVE_N0),
        STATUS_SUCCESS);
    // The same after a command that ended well but had used up its resynchronisations.
    Ext->T1.Resynch = 3;
    Ext->T1.Resend = 2;
    Ext->T1.Wtx = 9;
    RequestBegin(BY_T1, CHALLENGE, 300);
    SmcT1BeginCommand(Ext);
    CHECK_EQ(Ext->T1.Resynch, 0);
    CHECK_EQ(Ext->T1.Resend, 0);
    CHECK_EQ(Ext->T1.Wtx, 0);
    CHECK_STATUS(RUN(SEND_N1, "<", "> 00 92 00 92", "<", "> 00 92 00 92", "<", RESYNCH, SEND_N0, RECEIVE_N0),
                 STATUS_SUCCESS);
}

#define TEST(Routine)                                                                                        \
    {                                                                                                        \
#Routine, Routine                                                                                    \
    }

const struct WdmTest WdmTests[] = {
    TEST(CardThatRefusesIfsIsServed),
    TEST(CardThatMissedTheIfsRequestGetsItAgain),
    TEST(AnotherIfsThanAskedIsAnError),
    TEST(ResynchronisedCardGetsTheSmallerIfsc),
    TEST(EarlyBlocksAreErrors),
    TEST(AcknowledgementOfTheLastBlockIsNoAnswer),
    TEST(MissingReplyBufferIsSilence),
    TEST(MuteCardAtIfsIsServed),
    TEST(BrokenReplyIsAskedForAgain),
    TEST(CardAsksForOurBlockAgain),
    TEST(ReplyToOurRMayBeARequestForTheCommand),
    TEST(TwoBrokenRepliesAreSurvived),
    TEST(ThreeBrokenRepliesRestartTheCommand),
    TEST(ResynchronisationHasAnEnd),
    TEST(BlockOfOurChainIsRepeatedOnDemand),
    TEST(ReplyInTheMiddleOfOurChainIsAnError),
    TEST(BrokenBlockInAChainOfTheCard),
    TEST(LostAcknowledgementIsRepeated),
    TEST(LostWtxResponseIsRepeated),
    TEST(BadIfsOfTheCardIsAnError),
    TEST(AbortEndsTheCommand),
    TEST(VppErrorEndsTheCommand),
    TEST(DamagedBlocksAreAskedForAgain),
    TEST(LongestLengthIsNone),
    TEST(NewCommandForgetsTheOldOne),
    TEST(EmptyChainOfTheCardEnds),
    TEST(EndlessChainOfTheCardEnds),
    TEST(EndlessSupervisionEnds),
    TEST(ReplyWithoutRequestIsAnError),
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = ScriptSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
