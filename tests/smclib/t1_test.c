// SPDX-License-Identifier: MIT
// T=1 as it should go: commands, chains, supervisory blocks, buffers.
#include "tests/smclib/t1script.h"

static void FirstExchangeNegotiatesIfs(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
    CheckUser(REPLY);
    CHECK_EQ(Ext->T1.IFSD, 254);
}

static void SelectOfTheReference(void)
{
    RequestBegin(BY_T1, "00 A4 00 00 02 3F 00", 300);
    CHECK_STATUS(RUN(IFS, "> 00 00 07 00 A4 00 00 02 3F 00 9E", "< 00 00 02 90 00 92"), STATUS_SUCCESS);
    CheckUser("90 00");
}

static void ReaderWithSmallFieldAsksForIt(void)
{
    Ext->ReaderCapabilities.MaxIFSD = 64;
    CHECK_STATUS(RUN("> 00 C1 01 40 80", "< 00 E1 01 40 A0", SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
    CHECK_EQ(Ext->T1.IFSD, 64);
    CardFive();
    Ext->ReaderCapabilities.MaxIFSD = 32; // nothing to gain
    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(RUN(SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
}

static void ReaderWithoutALimitAsksForTheMost(void)
{
    Ext->ReaderCapabilities.MaxIFSD = 0;
    CHECK_STATUS(RUN(IFS, SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
}

// What the reply buffer cannot take is not asked for.
static void FieldFollowsTheReplyBuffer(void)
{
    Ext->SmartcardReply.BufferSize = 100;
    CHECK_STATUS(RUN("> 00 C1 01 5F 9F"), STATUS_MORE_PROCESSING_REQUIRED);
    CardFive();
    Ext->SmartcardReply.BufferSize = 4;
    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(RUN(SEND_N0), STATUS_MORE_PROCESSING_REQUIRED);
}

static void ImpossibleFieldOfTheCardIsTheDefault(void)
{
    UCHAR command[40] = {0x00, 0xD6};

    for (ULONG ifsc = 0; ifsc <= 255; ifsc += 255) {
        CardFive();
        Ext->ReaderCapabilities.MaxIFSD = 32;
        Ext->T1.IFSC = (UCHAR)ifsc; // of a driver that parses ATRs itself
        RequestBeginBytes(BY_T1, command, sizeof(command), 300);
        CHECK_STATUS(SmartcardT1Request(Ext), STATUS_SUCCESS);
        CHECK_EQ(Ext->SmartcardRequest.BufferLength, 3 + 32 + 1);
    }
}

static void NumbersAlternateOverCommands(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(RUN(SEND_N1, RECEIVE_N1), STATUS_SUCCESS);
    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(RUN(SEND_N0, RECEIVE_N0), STATUS_SUCCESS);
    CheckUser(REPLY);
}

static void WaitingTimeIsExtendedForOneBlock(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 C3 01 05 C7"), STATUS_MORE_PROCESSING_REQUIRED);
    CHECK_EQ(Ext->T1.Wtx, 5);
    CHECK_STATUS(RUN("> 00 E3 01 05 E7"), STATUS_MORE_PROCESSING_REQUIRED);
    CHECK_EQ(Ext->T1.Wtx, 5); // the driver reads it between sending and receiving
    CHECK_STATUS(RUN("< 00 C3 01 1E DC", "> 00 E3 01 1E FC"), STATUS_MORE_PROCESSING_REQUIRED);
    CHECK_EQ(Ext->T1.Wtx, 30);
    CHECK_STATUS(RUN(RECEIVE_N0), STATUS_SUCCESS);
    CHECK_EQ(Ext->T1.Wtx, 0);
}

static void WaitingTimeInAChainOfTheCard(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, "< 00 20 05 11 22 33 44 55 34", "> 00 90 00 90", "< 00 C3 01 01 C3",
                     "> 00 E3 01 01 E3", "< 00 40 05 66 77 88 90 00 4C"),
                 STATUS_SUCCESS);
    CheckUser(REPLY);
}

static void OurChainIsAcknowledged(void)
{
    RequestBegin(BY_T1, "00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E", 300);
    CHECK_STATUS(RUN(IFS, "> 00 00 14 00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E C2",
                     "< 00 C1 01 10 D0", "> 00 E1 01 10 F0", "< 00 00 02 90 00 92"),
                 STATUS_SUCCESS);
    CHECK_EQ(Ext->T1.IFSC, 16);
    RequestBegin(BY_T1, "00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E", 300);
    CHECK_STATUS(RUN("> 00 60 10 00 D6 00 00 0F 00 01 02 03 04 05 06 07 08 09 0A A2", "< 00 80 00 80",
                     "> 00 00 04 0B 0C 0D 0E 00", "< 00 40 02 90 00 D2"),
                 STATUS_SUCCESS);
    CheckUser("90 00");
}

static void ChainOfTheCardIsCollected(void)
{
    CHECK_STATUS(
        RUN(IFS, SEND_N0, "< 00 20 05 11 22 33 44 55 34", "> 00 90 00 90", "< 00 40 05 66 77 88 90 00 4C"),
        STATUS_SUCCESS);
    CheckUser(REPLY);
}

static void NodeAddressIsUsedAndSwapped(void)
{
    Ext->ReaderCapabilities.MaxIFSD = 32;
    Ext->T1.NAD = 0x12;
    CHECK_STATUS(RUN("> 12 00 05 00 84 00 00 08 9B", "< 21 00 02 90 00 B3"), STATUS_SUCCESS);
    CheckUser("90 00");
}

static void ReplyLargerThanTheUserBufferKeepsTheLinkInStep(void)
{
    RequestBegin(BY_T1, CHALLENGE, 8 + 9);
    CHECK_STATUS(
        RUN(IFS, SEND_N0, "< 00 20 05 11 22 33 44 55 34", "> 00 90 00 90", "< 00 40 05 66 77 88 90 00 4C"),
        STATUS_BUFFER_TOO_SMALL);
    CHECK_EQ(Information, 0);
    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(RUN(SEND_N1, RECEIVE_N0), STATUS_SUCCESS);
}

// What does not fit is not stored anywhere: the pool has no room for it.
static void OverlongChainIsNotStored(void)
{
    UCHAR block[258] = {0, 0x20, 254};
    NTSTATUS status;

    RequestBegin(BY_T1, CHALLENGE, 8 + 300);
    status = RUN(IFS, SEND_N0);
    for (ULONG i = 0; i < 4; i++) {
        CHECK_STATUS(status, STATUS_MORE_PROCESSING_REQUIRED);
        block[1] = (UCHAR)((i & 1) << 6 | (i < 3 ? 0x20 : 0));
        block[257] = block[1] ^ block[2];
        RtlCopyMemory(Ext->SmartcardReply.Buffer, block, sizeof(block));
        Ext->SmartcardReply.BufferLength = sizeof(block);
        status = SmartcardT1Reply(Ext);
        if (i < 3) {
            Ext->SmartcardRequest.BufferLength = 0;
            CHECK_STATUS(SmartcardT1Request(Ext), STATUS_SUCCESS);
        }
    }
    CHECK_STATUS(status, STATUS_BUFFER_TOO_SMALL);
}

static void CrcCardIsServed(void)
{
    CHECK_STATUS(CardAtr("3B 80 81 71 80 45 01 B4"), STATUS_SUCCESS);
    RequestBegin(BY_T1, "00 A4 04 00 00", 300);
    CHECK_STATUS(RUN("> 00 C1 01 FE 54 4E", "<", "> 00 C1 01 FE 54 4E"), STATUS_MORE_PROCESSING_REQUIRED);
    Ext->T1.State = T1_START;
    CHECK_STATUS(RUN("> 00 00 05 00 A4 04 00 00 DB BB", "< 00 00 02 90 00 9C 6C", "> 00 81 00 AC 27",
                     "< 00 00 02 90 00 9C 6D"),
                 STATUS_SUCCESS);
    CheckUser("90 00");
    RequestBegin(BY_T1, "00 A4 04 00 00", 300);
    CHECK_STATUS(RUN("> 00 40 05 00 A4 04 00 00 1C BD"), STATUS_MORE_PROCESSING_REQUIRED);
    CHECK_STATUS(RUN("< 00 C3 01 02 DC 15"), STATUS_MORE_PROCESSING_REQUIRED);
    CHECK_STATUS(RUN("> 00 E3 01 02 DF 2E", "< 00 40 02 90 00 8A DA"), STATUS_SUCCESS);
}

static void InverseCardGetsInverseBlocks(void)
{
    Ext->ReaderCapabilities.MaxIFSD = 32;
    Ext->CardCapabilities.InversConvention = TRUE;
    RequestBegin(BY_T1, "00 84 00 00 08", 300);
    CHECK_STATUS(RUN("> FF FF 5F FF DE FF FF EF 6E", "< FF FF BF F6 FF B6"), STATUS_SUCCESS);
    CheckUser("90 00");
}

static void ReaderHeaderStaysFree(void)
{
    Ext->SmartcardRequest.Buffer[0] = 0xAA;
    Ext->SmartcardRequest.Buffer[1] = 0xBB;
    Ext->SmartcardRequest.BufferLength = 2;
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_SUCCESS);
    CheckRequest(2, "00 C1 01 FE 3E");
    CHECK_EQ(Ext->SmartcardRequest.Buffer[0], 0xAA);
    CHECK_EQ(Ext->SmartcardRequest.Buffer[1], 0xBB);
}

static void RequestBoundsAreKept(void)
{
    Ext->SmartcardRequest.BufferLength = 288 - 4;
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_BUFFER_OVERFLOW);
    Ext->SmartcardRequest.BufferLength = 0xFFFFFFFF;
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_BUFFER_OVERFLOW);
    // One byte of INF is the least: IFS, then the command byte by byte.
    Ext->SmartcardRequest.BufferLength = 288 - 5;
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->SmartcardRequest.BufferLength, 288);
    ReplyBytes("00 E1 01 FE 1E");
    CHECK_STATUS(SmartcardT1Reply(Ext), STATUS_MORE_PROCESSING_REQUIRED);
    Ext->SmartcardRequest.BufferLength = 288 - 5;
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_SUCCESS);
    CheckRequest(288 - 5, "00 20 01 00 21");

    RequestBegin(BY_T1, "", 300);
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_INVALID_PARAMETER);
    RequestBegin(BY_T1, CHALLENGE, 300);
    *(PULONG)(User + 4) = 14; // a PCI header longer than the request
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_INVALID_PARAMETER);
    RequestBegin(BY_T1, CHALLENGE, 300);
    Ext->SmartcardRequest.Buffer = NULL;
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_INSUFFICIENT_RESOURCES);
}

// The request of a command must not change between its blocks: what is left would not be what was promised.
static void CommandThatChangesOnTheWayIsRefused(void)
{
    CHECK_STATUS(RUN(IFS, SEND_N0, RECEIVE_BAD, "> 00 81 00 81", "< 00 81 00 81"),
                 STATUS_MORE_PROCESSING_REQUIRED);
    RequestBegin(BY_T1, "00 84 00 00", 300);
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_INVALID_PARAMETER);
    // Shorter than what the card has already acknowledged.
    CardFive();
    Ext->ReaderCapabilities.MaxIFSD = 32;
    Ext->T1.IFSC = 4;
    RequestBegin(BY_T1, CHALLENGE, 300);
    CHECK_STATUS(RUN("> 00 20 04 00 84 00 00 A0", "< 00 90 00 90"), STATUS_MORE_PROCESSING_REQUIRED);
    RequestBegin(BY_T1, "00 84", 300);
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_INVALID_PARAMETER);
}

#define TEST(Routine)                                                                                        \
    {                                                                                                        \
#Routine, Routine                                                                                    \
    }

const struct WdmTest WdmTests[] = {
    TEST(FirstExchangeNegotiatesIfs),
    TEST(SelectOfTheReference),
    TEST(ReaderWithSmallFieldAsksForIt),
    TEST(ReaderWithoutALimitAsksForTheMost),
    TEST(FieldFollowsTheReplyBuffer),
    TEST(ImpossibleFieldOfTheCardIsTheDefault),
    TEST(NumbersAlternateOverCommands),
    TEST(WaitingTimeIsExtendedForOneBlock),
    TEST(WaitingTimeInAChainOfTheCard),
    TEST(OurChainIsAcknowledged),
    TEST(ChainOfTheCardIsCollected),
    TEST(NodeAddressIsUsedAndSwapped),
    TEST(ReplyLargerThanTheUserBufferKeepsTheLinkInStep),
    TEST(OverlongChainIsNotStored),
    TEST(CrcCardIsServed),
    TEST(InverseCardGetsInverseBlocks),
    TEST(ReaderHeaderStaysFree),
    TEST(RequestBoundsAreKept),
    TEST(CommandThatChangesOnTheWayIsRefused),
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = ScriptSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
