// SPDX-License-Identifier: MIT
// CardCapabilities and T1_DATA around a reset: what is set anew, what is kept, what was never ours.
#include "tests/smclib/card.h"

static void CheckLinkIsNew(void)
{
    const T1_DATA *t1 = &Ext->T1;

    CHECK_EQ(t1->State, T1_INIT);
    CHECK_EQ(t1->OriginalState, T1_INIT);
    CHECK_EQ(t1->IFSC, Ext->CardCapabilities.T1.IFSC);
    CHECK_EQ(t1->IFSD, 32);
    CHECK_EQ(t1->BytesReceived, 0);
    CHECK_EQ(t1->BytesSent, 0);
    CHECK_EQ(t1->BytesToSend, 0);
    CHECK_EQ(t1->InfBytesSent, 0);
    CHECK_EQ(t1->LastError, 0);
    CHECK_EQ(t1->SSN, 0);
    CHECK_EQ(t1->RSN, 0);
    CHECK_EQ(t1->Wtx, 0);
    CHECK_EQ(t1->Resend, 0);
    CHECK_EQ(t1->Resynch, 0);
    CHECK(!t1->MoreData);
    CHECK(!t1->WaitForReply);
}

static VOID SpoilLink(void)
{
    PUCHAR reply = Ext->T1.ReplyData;

    RtlFillMemory(&Ext->T1, sizeof(Ext->T1), 0x55);
    Ext->T1.ReplyData = reply;
}

// Whatever the last card left, the next one begins as ISO 7816-3 11 says.
static void EveryResetMakesTheLinkNew(void)
{
    SpoilLink();
    SmartcardInitializeCardCapabilities(Ext);
    CheckLinkIsNew();
    Ext->CardCapabilities.ATR.Length =
        (UCHAR)HexBytes("3B 80 81 31 20 49 59", Ext->CardCapabilities.ATR.Buffer);
    SpoilLink();
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CheckLinkIsNew();
}

static NTSTATUS NTAPI ParseAsT1(PSMARTCARD_EXTENSION Extension)
{
    Extension->CardCapabilities.T1.IFSC = 77;
    return STATUS_SUCCESS;
}

static void DriverThatParsesGetsANewLinkToo(void)
{
    Ext->ReaderFunction[RDF_ATR_PARSE] = ParseAsT1;
    Ext->CardCapabilities.ATR.Length = (UCHAR)HexBytes("3B 80 0E 8E", Ext->CardCapabilities.ATR.Buffer);
    SpoilLink();
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CheckLinkIsNew();
    CHECK_EQ(Ext->ReaderCapabilities.CurrentState, SCARD_NEGOTIABLE); // the callback selected nothing
}

static void TypeOfTheParametersFallsBackUnlessTheUserChose(void)
{
    PPTS_DATA pts = &Ext->CardCapabilities.PtsData;

    RtlFillMemory(pts, sizeof(*pts), 0x55);
    pts->Type = PTS_TYPE_OPTIMAL;
    SmartcardInitializeCardCapabilities(Ext);
    CHECK_EQ(pts->Type, PTS_TYPE_DEFAULT);
    CHECK_EQ(pts->Fl, 1);
    CHECK_EQ(pts->Dl, 1);
    CHECK_EQ(pts->CLKFrequency, 4000);
    CHECK_EQ(pts->DataRate, 10752);
    CHECK_EQ(pts->StopBits, 2);
    CHECK_EQ(Ext->CardCapabilities.Fl, 1);
    CHECK_EQ(Ext->CardCapabilities.Dl, 1);
    CHECK_EQ(Ext->CardCapabilities.II, 50);
    CHECK_EQ(Ext->CardCapabilities.P, 50);
    CHECK_EQ(Ext->CardCapabilities.T1.EDC, 0);
}

// All that is documented for DISPATCH_LEVEL, there; the verifier knows who may not.
static void RoutinesRunAtDispatchLevel(void)
{
    UCHAR byte = 0x3B;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    CHECK_STATUS(CardAtr("3B 80 81 31 20 49 59"), STATUS_SUCCESS);
    RequestBegin(SCARD_PROTOCOL_T1, "00 84 00 00 08", 300);
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_SUCCESS);
    ReplyBytes("00 E1 01 FE 1E");
    CHECK_STATUS(SmartcardT1Reply(Ext), STATUS_MORE_PROCESSING_REQUIRED);
    Ext->SmartcardRequest.BufferLength = 0;
    CHECK_STATUS(SmartcardT1Request(Ext), STATUS_SUCCESS);
    RequestBegin(SCARD_PROTOCOL_T0, "00 84 00 00 08", 300);
    CHECK_STATUS(SmartcardT0Request(Ext), STATUS_SUCCESS);
    ReplyBytes("90 00");
    CHECK_STATUS(SmartcardT0Reply(Ext), STATUS_SUCCESS);
    RequestBegin(SCARD_PROTOCOL_RAW, "00", 300);
    CHECK_STATUS(SmartcardRawRequest(Ext), STATUS_SUCCESS);
    CHECK_STATUS(SmartcardRawReply(Ext), STATUS_SUCCESS);
    SmartcardInvertData(&byte, 1);
    SmartcardSetDebugLevel(SmartcardGetDebugLevel());
    CHECK_STATUS(SmartcardAcquireRemoveLockWithTag(Ext, 'abcd'), STATUS_SUCCESS);
    SmartcardReleaseRemoveLockWithTag(Ext, 'abcd');
    CHECK_STATUS(SmartcardAcquireRemoveLock(Ext), STATUS_SUCCESS);
    SmartcardReleaseRemoveLock(Ext);
    KeLowerIrql(irql);
}

static void ConventionFollowsADirectAtr(void)
{
    CHECK_STATUS(CardAtr("3B 02 14 50"), STATUS_SUCCESS);
    Ext->CardCapabilities.InversConvention = TRUE; // of an earlier card
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CHECK(!Ext->CardCapabilities.InversConvention);
}

// TB and TC of a group for T=15 say nothing about T=1.
static void GlobalBytesAreNotThoseOfT1(void)
{
    CHECK_STATUS(CardAtr("3B 80 81 6F 55 67 5C"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.T1.BWI, 4);
    CHECK_EQ(Ext->CardCapabilities.T1.CWI, 13);
    CHECK_EQ(Ext->CardCapabilities.T1.EDC, 0);
}

static void LengthBehindTheBufferIsRefused(void)
{
    CHECK_STATUS(CardAtr("3B 02 14 50"), STATUS_SUCCESS);
    Ext->CardCapabilities.ATR.Length = 64;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS); // the rest is behind its end
    Ext->CardCapabilities.ATR.Length = 65;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_UNRECOGNIZED_MEDIA);
}

static void ProgrammingBytesOfOldCards(void)
{
    static const struct {
        const char *Atr;
        UCHAR II, P;
    } cases[] = {
        {"3B 20 05", 25, 50},        // II code 0
        {"3B 20 25", 50, 50},        // 1
        {"3B 20 45", 100, 50},       // 2
        {"3B 20 65", 50, 50},        // 3 is reserved
        {"3B 20 39", 50, 250},       // the most volts
        {"3B 20 3F", 50, 250},       // no more than that
        {"3B 20 40", 100, 0},        // VPP not connected
        {"3B A0 25 20 7D", 50, 125}, // PI2 counts tenths of a volt
        {"3B 80 20 7D", 50, 125},    //
    };

    for (ULONG i = 0; i < ARRAYSIZE(cases); i++) {
        CHECK_STATUS(CardAtr(cases[i].Atr), STATUS_SUCCESS);
        CHECK_EQ(Ext->CardCapabilities.II, cases[i].II);
        CHECK_EQ(Ext->CardCapabilities.P, cases[i].P);
    }
}

// The longest ATR there is: 15 historical bytes and TCK end at byte 33.
static void LongestAtrIsRead(void)
{
    CHECK_STATUS(CardAtr("3B FF 11 00 00 F1 01 00 0A F1 21 45 00 F1 21 45 00 01 "
                         "11 22 33 44 55 66 77 88 99 AA BB CC DD EE F0 00"),
                 STATUS_UNRECOGNIZED_MEDIA); // 34 bytes: TCK lies behind what a card may send
    CHECK_STATUS(CardAtr("3B FF 11 00 00 F1 01 00 0A F1 21 45 00 71 21 45 00 "
                         "11 22 33 44 55 66 77 88 99 AA BB CC DD EE F0 9B"),
                 STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.HistoricalChars.Length, 15);
    CHECK_EQ(Ext->CardCapabilities.HistoricalChars.Buffer[14], 0xF0);
    CHECK_EQ(Ext->ReaderCapabilities.CurrentState, SCARD_SPECIFIC);
    CHECK_EQ(Ext->CardCapabilities.Protocol.Selected, SCARD_PROTOCOL_T1);
}

static void ProtocolOfTa2IsSupportedEvenIfNoTdNamesIt(void)
{
    CHECK_STATUS(CardAtr("3B 80 10 01"), STATUS_SUCCESS); // TD1 T=0, so no TCK; TA2 T=1
    CHECK_EQ(Ext->CardCapabilities.Protocol.Supported, SCARD_PROTOCOL_Tx);
    CHECK_EQ(Ext->CardCapabilities.Protocol.Selected, SCARD_PROTOCOL_T1);
    CHECK_STATUS(CardAtr("3B 80 11 00 91"), STATUS_SUCCESS); // TD1 T=1, TA2 T=0
    CHECK_EQ(Ext->CardCapabilities.Protocol.Supported, SCARD_PROTOCOL_Tx);
    CHECK_EQ(Ext->CardCapabilities.Protocol.Selected, SCARD_PROTOCOL_T0);
    CHECK_STATUS(CardAtr("3B 80 10 00"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.Protocol.Supported, SCARD_PROTOCOL_T0);
}

const struct WdmTest WdmTests[] = {
    {"every reset makes the T=1 link new", EveryResetMakesTheLinkNew},
    {"a driver that parses gets a new link too", DriverThatParsesGetsANewLinkToo},
    {"the type of the parameters falls back", TypeOfTheParametersFallsBackUnlessTheUserChose},
    {"routines run at DISPATCH_LEVEL", RoutinesRunAtDispatchLevel},
    {"the convention follows a direct ATR", ConventionFollowsADirectAtr},
    {"global bytes are not those of T=1", GlobalBytesAreNotThoseOfT1},
    {"a length behind the buffer is refused", LengthBehindTheBufferIsRefused},
    {"programming bytes of old cards", ProgrammingBytesOfOldCards},
    {"the longest ATR is read", LongestAtrIsRead},
    {"the protocol of TA2 is supported even if no TD names it", ProtocolOfTa2IsSupportedEvenIfNoTdNamesIt},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = CardSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
