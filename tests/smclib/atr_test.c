// SPDX-License-Identifier: MIT
// SmartcardUpdateCardCapabilities over real cards' ATRs (all from the public list that comes with pcsc-tools)
// and over damaged ones. Times are for reader R1, whose etu is 93 us.
#include "tests/smclib/card.h"

typedef struct _CASE {
    const char *Name;
    const char *Atr;
    const char *Historical;
    ULONG Supported, Selected, State;
    struct {
        UCHAR Fl, Dl, II, P, N, WI, Ifsc, Bwi, Cwi, Edc, StopBits;
    } Card;
    struct {
        UCHAR Fl, Dl;
        ULONG Etu, Gt, Wt, Cwt, Bwt, Bgt;
    } Time;
} CASE;

static const CASE Cases[] = {
    {"1",
     "3B 02 14 50",
     "14 50",
     SCARD_PROTOCOL_T0,
     SCARD_PROTOCOL_T0,
     SCARD_SPECIFIC,
     {1, 1, 50, 50, 0, 10, 32, 4, 13, 0, 2},
     {1, 1, 93, 0, 892800, 762879, 1429503, 2046}},
    {"2",
     "3B 65 00 00 20 63 CB BD 80",
     "20 63 CB BD 80",
     SCARD_PROTOCOL_T0,
     SCARD_PROTOCOL_T0,
     SCARD_SPECIFIC,
     {1, 1, 25, 0, 0, 10, 32, 4, 13, 0, 2},
     {1, 1, 93, 0, 892800, 762879, 1429503, 2046}},
    {"3",
     "3F 65 25 00 2C 09 69 90 00",
     "2C 09 69 90 00",
     SCARD_PROTOCOL_T0,
     SCARD_PROTOCOL_T0,
     SCARD_SPECIFIC,
     {1, 1, 50, 50, 0, 10, 32, 4, 13, 0, 2},
     {1, 1, 93, 0, 892800, 762879, 1429503, 2046}},
    {"4",
     "3B 95 18 40 FF 62 01 02 01 04",
     "62 01 02 01 04",
     SCARD_PROTOCOL_T0,
     SCARD_PROTOCOL_UNDEFINED,
     SCARD_NEGOTIABLE,
     {1, 8, 50, 50, 0, 255, 32, 4, 13, 0, 2},
     {1, 1, 93, 0, 22766400, 762879, 1429503, 2046}},
    {"5",
     "3B 16 94 81 10 06 01 81 2F",
     "81 10 06 01 81 2F",
     SCARD_PROTOCOL_T0,
     SCARD_PROTOCOL_UNDEFINED,
     SCARD_NEGOTIABLE,
     {9, 4, 50, 50, 0, 10, 32, 4, 13, 0, 2},
     {1, 1, 93, 0, 1228800, 762879, 1429503, 2046}},
    {"6",
     "3B 98 13 40 0A A5 03 01 01 01 AD 13 11",
     "A5 03 01 01 01 AD 13 11",
     SCARD_PROTOCOL_T0,
     SCARD_PROTOCOL_UNDEFINED,
     SCARD_NEGOTIABLE,
     {1, 3, 50, 50, 0, 10, 32, 4, 13, 0, 2},
     {1, 1, 93, 0, 892800, 762879, 1429503, 2046}},
    {"7",
     "3B DF 18 00 81 31 FE 67 00 5C 49 43 4D D4 91 47 D2 76 00 00 38 33 00 58",
     "00 5C 49 43 4D D4 91 47 D2 76 00 00 38 33 00",
     SCARD_PROTOCOL_T1,
     SCARD_PROTOCOL_UNDEFINED,
     SCARD_NEGOTIABLE,
     {1, 8, 50, 50, 0, 10, 254, 6, 7, 0, 2},
     {1, 1, 93, 0, 892800, 12927, 5714943, 2046}},
    {"8",
     "3B F2 18 00 02 C1 0A 31 FE 58 C8 08 74",
     "C8 08",
     SCARD_PROTOCOL_T1,
     SCARD_PROTOCOL_UNDEFINED,
     SCARD_NEGOTIABLE,
     {1, 8, 25, 0, 2, 10, 254, 5, 8, 0, 2},
     {1, 1, 93, 186, 892800, 24831, 2857983, 2046}},
    {"9",
     "3B F8 13 00 00 81 31 FE 45 4A 43 4F 50 76 32 34 31 B7",
     "4A 43 4F 50 76 32 34 31",
     SCARD_PROTOCOL_T1,
     SCARD_PROTOCOL_UNDEFINED,
     SCARD_NEGOTIABLE,
     {1, 3, 25, 0, 0, 10, 254, 4, 5, 0, 2},
     {1, 1, 93, 0, 892800, 3999, 1429503, 2046}},
    {"10",
     "3B FF 94 00 FF 80 B1 FE 45 1F 03 00 68 D2 76 00 00 28 FF 05 1E 31 80 00 90 00 23",
     "00 68 D2 76 00 00 28 FF 05 1E 31 80 00 90 00",
     SCARD_PROTOCOL_Tx,
     SCARD_PROTOCOL_UNDEFINED,
     SCARD_NEGOTIABLE,
     {9, 4, 25, 0, 255, 10, 254, 4, 5, 0, 1},
     {1, 1, 93, 0, 1228800, 3999, 1429503, 2046}},
    {"11",
     "3B 80 80 01 01",
     "",
     SCARD_PROTOCOL_Tx,
     SCARD_PROTOCOL_UNDEFINED,
     SCARD_NEGOTIABLE,
     {1, 1, 50, 50, 0, 10, 32, 4, 13, 0, 2},
     {1, 1, 93, 0, 892800, 762879, 1429503, 2046}},
    {"12",
     "3B 9F 96 80 1F C6 80 31 E0 73 F6 21 13 67 4D 45 22 00 79 02 00 80",
     "80 31 E0 73 F6 21 13 67 4D 45 22 00 79 02 00",
     SCARD_PROTOCOL_T0,
     SCARD_PROTOCOL_UNDEFINED,
     SCARD_NEGOTIABLE,
     {9, 6, 50, 50, 0, 10, 32, 4, 13, 0, 2},
     {1, 1, 93, 0, 1228800, 762879, 1429503, 2046}},
    {"13",
     "3B F0 12 00 FF 91 81 B1 7C 45 1F 03 99",
     "",
     SCARD_PROTOCOL_T1,
     SCARD_PROTOCOL_T1,
     SCARD_SPECIFIC,
     {1, 2, 25, 0, 255, 10, 124, 4, 5, 0, 1},
     {1, 2, 47, 0, 892800, 2000, 1428992, 1023}},
    {"14",
     "3B F0 13 00 00 10 00",
     "",
     SCARD_PROTOCOL_T0,
     SCARD_PROTOCOL_T0,
     SCARD_SPECIFIC,
     {1, 3, 25, 0, 0, 10, 32, 4, 13, 0, 2},
     {1, 3, 23, 0, 892800, 190720, 1428736, 512}},
    {"A",
     "3B 80 81 71 80 45 01 B4",
     "",
     SCARD_PROTOCOL_T1,
     SCARD_PROTOCOL_T1,
     SCARD_SPECIFIC,
     {1, 1, 50, 50, 0, 10, 128, 4, 5, 1, 2},
     {1, 1, 93, 0, 892800, 3999, 1429503, 2046}},
    {"B",
     "3B 90 11 10 10",
     "",
     SCARD_PROTOCOL_T0,
     SCARD_PROTOCOL_T0,
     SCARD_SPECIFIC,
     {1, 1, 50, 50, 0, 10, 32, 4, 13, 0, 2},
     {1, 1, 93, 0, 892800, 762879, 1429503, 2046}},
};

static void CheckCard(const CASE *Case)
{
    const SCARD_CARD_CAPABILITIES *card = &Ext->CardCapabilities;

    CHECK_EQ(card->Protocol.Supported, Case->Supported);
    CHECK_EQ(card->Protocol.Selected, Case->Selected);
    CHECK_EQ(Ext->ReaderCapabilities.CurrentState, Case->State);
    CHECK_EQ(card->Fl, Case->Card.Fl);
    CHECK_EQ(card->Dl, Case->Card.Dl);
    CHECK_EQ(card->II, Case->Card.II);
    CHECK_EQ(card->P, Case->Card.P);
    CHECK_EQ(card->N, Case->Card.N);
    CHECK_EQ(card->T0.WI, Case->Card.WI);
    CHECK_EQ(card->T1.IFSC, Case->Card.Ifsc);
    CHECK_EQ(card->T1.BWI, Case->Card.Bwi);
    CHECK_EQ(card->T1.CWI, Case->Card.Cwi);
    CHECK_EQ(card->T1.EDC, Case->Card.Edc);
    CHECK_EQ(card->PtsData.StopBits, Case->Card.StopBits);
}

static void CheckTimes(const CASE *Case)
{
    const SCARD_CARD_CAPABILITIES *card = &Ext->CardCapabilities;

    CHECK_EQ(card->PtsData.Fl, Case->Time.Fl);
    CHECK_EQ(card->PtsData.Dl, Case->Time.Dl);
    CHECK_EQ(card->etu, Case->Time.Etu);
    CHECK_EQ(card->GT, Case->Time.Gt);
    CHECK_EQ(card->T0.WT, Case->Time.Wt);
    CHECK_EQ(card->T1.CWT, Case->Time.Cwt);
    CHECK_EQ(card->T1.BWT, Case->Time.Bwt);
    CHECK_EQ(card->T1.BGT, Case->Time.Bgt);
}

static void RealCardsGiveTheirValues(void)
{
    for (ULONG i = 0; i < ARRAYSIZE(Cases); i++) {
        UCHAR historical[16];
        ULONG length = HexBytes(Cases[i].Historical, historical);
        CHECK_STATUS(CardAtr(Cases[i].Atr), STATUS_SUCCESS);
        CheckCard(&Cases[i]);
        CheckTimes(&Cases[i]);
        CHECK_EQ(Ext->CardCapabilities.HistoricalChars.Length, length);
        CHECK_MEM(Ext->CardCapabilities.HistoricalChars.Buffer, historical, length);
        CHECK_EQ(Ext->T1.IFSC, Cases[i].Card.Ifsc);
        CHECK_EQ(Ext->T1.IFSD, 32);
        CHECK_EQ(Ext->T1.State, T1_INIT);
    }
}

// A driver may append bytes as they come and ask after each: only the last call succeeds, and no failing one
// touches the buffer.
static void IncompleteAtrFailsAndStays(void)
{
    for (ULONG i = 0; i < ARRAYSIZE(Cases); i++) {
        UCHAR bytes[40];
        ULONG length = HexBytes(Cases[i].Atr, bytes);
        SmartcardInitializeCardCapabilities(Ext);
        Ext->ReaderCapabilities.CurrentState = SCARD_PRESENT;
        for (ULONG n = 0; n < length; n++) {
            Ext->CardCapabilities.ATR.Length = (UCHAR)n;
            RtlCopyMemory(Ext->CardCapabilities.ATR.Buffer, bytes, n);
            CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_UNRECOGNIZED_MEDIA);
            CHECK_EQ(Ext->CardCapabilities.ATR.Length, n);
            CHECK_MEM(Ext->CardCapabilities.ATR.Buffer, bytes, n);
            CHECK_EQ(Ext->ReaderCapabilities.CurrentState, SCARD_PRESENT);
        }
        CHECK_STATUS(CardAtr(Cases[i].Atr), STATUS_SUCCESS);
    }
}

static void UnusableAtrIsRefused(void)
{
    static const char *const atrs[] = {
        "",
        "3B",
        "3B 02 14",             // a historical byte is missing
        "3B 80 80 01",          // TCK is missing
        "3B 80 80 01 00",       // TCK is wrong
        "3B 14 71 01 02 03 04", // Fi 7 is reserved
        "3B 14 1A 01 02 03 04", // Di 10 is reserved
        "3A 02 14 50",          // TS
        "3B 80 0E 8E",          // T=14 only
        "3B 80 10 02",          // specific mode with T=2
    };

    for (ULONG i = 0; i < ARRAYSIZE(atrs); i++) {
        CHECK_STATUS(CardAtr(atrs[i]), STATUS_UNRECOGNIZED_MEDIA);
        CHECK_EQ(Ext->CardCapabilities.Protocol.Supported, 0);
        CHECK_EQ(Ext->ReaderCapabilities.CurrentState, SCARD_PRESENT);
    }
}

static void TrailingBytesAreIgnored(void)
{
    CHECK_STATUS(CardAtr("3B 02 14 50 11"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.ATR.Length, 5);
    CHECK_EQ(Ext->CardCapabilities.HistoricalChars.Length, 2);
}

static void RawInverseAtrIsNormalisedOnSuccessOnly(void)
{
    UCHAR raw[9];
    UCHAR direct[9];

    HexBytes("03 59 5B FF CB 6F 69 F6 FF", raw);
    HexBytes("3F 65 25 00 2C 09 69 90 00", direct);
    CHECK_STATUS(CardAtr("03 59 5B FF CB 6F 69 F6"), STATUS_UNRECOGNIZED_MEDIA);
    CHECK_MEM(Ext->CardCapabilities.ATR.Buffer, raw, 8);
    CHECK(!Ext->CardCapabilities.InversConvention);

    CHECK_STATUS(CardAtr("03 59 5B FF CB 6F 69 F6 FF"), STATUS_SUCCESS);
    CHECK_MEM(Ext->CardCapabilities.ATR.Buffer, direct, 9);
    CHECK(Ext->CardCapabilities.InversConvention);

    // SET_PROTOCOL parses the same ATR again: the flag must survive the normalised buffer.
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CHECK(Ext->CardCapabilities.InversConvention);
}

static void DecodedInverseAtrKeepsDirectConvention(void)
{
    CHECK_STATUS(CardAtr("3F 65 25 00 2C 09 69 90 00"), STATUS_SUCCESS);
    CHECK(!Ext->CardCapabilities.InversConvention);
}

static void ReservedValuesFallBackToDefaults(void)
{
    // TC2 = WI 0.
    CHECK_STATUS(CardAtr("3B 80 40 00"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.T0.WI, 10);
    // IFSC 0, BWI 15.
    CHECK_STATUS(CardAtr("3B 80 81 31 00 F5 C5"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.T1.IFSC, 32);
    CHECK_EQ(Ext->CardCapabilities.T1.BWI, 9);
    CHECK_EQ(Ext->CardCapabilities.T1.CWI, 5);
    CHECK_STATUS(CardAtr("3B 80 81 11 FF EF"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.T1.IFSC, 32);
    CHECK_STATUS(CardAtr("3B 80 81 21 A5 85"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.T1.BWI, 9);
}

static void OnlyTheFirstBytesForT1Count(void)
{
    CHECK_STATUS(CardAtr("3B 80 81 F1 21 45 00 71 40 56 01 F2"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.T1.IFSC, 33);
    CHECK_EQ(Ext->CardCapabilities.T1.BWI, 4);
    CHECK_EQ(Ext->CardCapabilities.T1.CWI, 5);
    CHECK_EQ(Ext->CardCapabilities.T1.EDC, 0);
}

static void PulledCardIsNotResurrected(void)
{
    CHECK_STATUS(CardAtr("3B 02 14 50"), STATUS_SUCCESS);
    Ext->ReaderCapabilities.CurrentState = SCARD_ABSENT;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->ReaderCapabilities.CurrentState, SCARD_ABSENT);
    Ext->ReaderCapabilities.CurrentState = SCARD_UNKNOWN;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->ReaderCapabilities.CurrentState, SCARD_UNKNOWN);
}

static ULONG ParseCalls;
static ULONG ParseMajor;

static NTSTATUS NTAPI ParseT14(PSMARTCARD_EXTENSION Extension)
{
    ParseCalls++;
    ParseMajor = Extension->MajorIoControlCode;
    Extension->CardCapabilities.Protocol.Selected = SCARD_PROTOCOL_RAW;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI ParseFails(PSMARTCARD_EXTENSION Extension)
{
    (void)Extension;
    ParseCalls++;
    return STATUS_NO_MEDIA;
}

// RDF_ATR_PARSE is for a complete ATR that the library cannot use, not for a broken one.
static void DriverParsesWhatTheLibraryCannot(void)
{
    ParseCalls = 0;
    Ext->MajorIoControlCode = 7;
    Ext->ReaderFunction[RDF_ATR_PARSE] = ParseT14;
    CHECK_STATUS(CardAtr("3B 80 0E"), STATUS_UNRECOGNIZED_MEDIA);
    CHECK_EQ(ParseCalls, 0);
    CHECK_STATUS(CardAtr("3B 80 0E 8E"), STATUS_SUCCESS);
    CHECK_EQ(ParseCalls, 1);
    CHECK_EQ(ParseMajor, IOCTL_SMARTCARD_SET_PROTOCOL);
    CHECK_EQ(Ext->MajorIoControlCode, 7);
    CHECK_EQ(Ext->ReaderCapabilities.CurrentState, SCARD_SPECIFIC);

    Ext->ReaderFunction[RDF_ATR_PARSE] = ParseFails;
    CHECK_STATUS(CardAtr("3B 80 0E 8E"), STATUS_NO_MEDIA);
    CHECK_EQ(Ext->ReaderCapabilities.CurrentState, SCARD_PRESENT);
}

// What lies behind T1 belongs to a driver of another build.
static void NothingBehindT1IsTouched(void)
{
    UCHAR mark[sizeof(Ext->Reserved)];

    RtlFillMemory(mark, sizeof(mark), 0xA5);
    RtlFillMemory(Ext->Reserved, sizeof(Ext->Reserved), 0xA5);
    RtlFillMemory(Ext->CardCapabilities.Reserved, sizeof(Ext->CardCapabilities.Reserved), 0xA5);
    CHECK_STATUS(CardAtr(Cases[0].Atr), STATUS_SUCCESS);
    CHECK_MEM(Ext->Reserved, mark, sizeof(mark));
    CHECK_MEM(Ext->CardCapabilities.Reserved, mark, sizeof(Ext->CardCapabilities.Reserved));
}

static void ClearedCardHasTheDefaults(void)
{
    const SCARD_CARD_CAPABILITIES *card = &Ext->CardCapabilities;

    CHECK_STATUS(CardAtr(Cases[9].Atr), STATUS_SUCCESS);
    SmartcardInitializeCardCapabilities(Ext);
    CHECK_EQ(card->ATR.Length, 0);
    CHECK_EQ(card->Protocol.Supported, 0);
    CHECK_EQ(card->Protocol.Selected, SCARD_PROTOCOL_UNDEFINED);
    CHECK_EQ(card->N, 0);
    CHECK_EQ(card->T0.WI, 10);
    CHECK_EQ(card->T1.IFSC, 32);
    CHECK_EQ(card->T1.CWI, 13);
    CHECK_EQ(card->T1.BWI, 4);
    CHECK_EQ(card->PtsData.StopBits, 2);
    CHECK_EQ(card->PtsData.DataRate, 10752);
    CHECK_EQ(card->T0.WT, 892800);
    CHECK_EQ(card->ClockRateConversion[9].F, 512);
    CHECK_EQ(card->BitRateAdjustment[8].DNumerator, 12);
}

const struct WdmTest WdmTests[] = {
    {"real cards give their values", RealCardsGiveTheirValues},
    {"an incomplete ATR fails and stays as it is", IncompleteAtrFailsAndStays},
    {"an unusable ATR is refused", UnusableAtrIsRefused},
    {"trailing bytes are ignored", TrailingBytesAreIgnored},
    {"a raw inverse ATR is normalised on success only", RawInverseAtrIsNormalisedOnSuccessOnly},
    {"a decoded inverse ATR keeps the direct convention", DecodedInverseAtrKeepsDirectConvention},
    {"reserved values fall back to defaults", ReservedValuesFallBackToDefaults},
    {"only the first bytes for T=1 count", OnlyTheFirstBytesForT1Count},
    {"a pulled card is not resurrected", PulledCardIsNotResurrected},
    {"the driver parses what the library cannot", DriverParsesWhatTheLibraryCannot},
    {"nothing behind T1 is touched", NothingBehindT1IsTouched},
    {"a cleared card has the defaults", ClearedCardHasTheDefaults},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = CardSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
