// SPDX-License-Identifier: MIT
// Any bytes as an ATR, at any reader: refused and untouched, or parsed to values that a driver can use.
#include "fuzz/smclib/fuzz.h"

static ULONG Clocks[4];
static ULONG Rates[4];

static VOID ReadReader(PFUZZ_INPUT Input)
{
    PSCARD_READER_CAPABILITIES reader = &Fuzz.ReaderCapabilities;
    UCHAR choice = FuzzByte(Input);

    reader->CLKFrequency.Default = FuzzUlong(Input);
    reader->CLKFrequency.Max = FuzzUlong(Input);
    reader->DataRate.Default = FuzzUlong(Input);
    reader->DataRate.Max = FuzzUlong(Input);
    for (ULONG i = 0; i < 4; i++) {
        Clocks[i] = FuzzUlong(Input);
        Rates[i] = FuzzUlong(Input);
    }
    reader->CLKFrequenciesSupported.List = Clocks;
    reader->CLKFrequenciesSupported.Entries = choice & 3;
    reader->DataRatesSupported.List = Rates;
    reader->DataRatesSupported.Entries = choice >> 2 & 3;
    Fuzz.CardCapabilities.PtsData.Type = choice >> 4 & 3;
}

static VOID CheckCard(const SCARD_CARD_CAPABILITIES *Card)
{
    MUST(Card->HistoricalChars.Length <= 15);
    MUST(Card->Protocol.Supported != 0 && (Card->Protocol.Supported & ~SCARD_PROTOCOL_Tx) == 0);
    MUST(Card->etu != 0 && Card->T0.WT != 0 && Card->T1.CWT != 0 && Card->T1.BWT != 0 && Card->T1.BGT != 0);
    MUST(Card->T1.IFSC >= 1 && Card->T1.IFSC <= 254);
    MUST(Card->T1.BWI <= 9 && Card->T1.CWI <= 15);
    MUST(Fuzz.ReaderCapabilities.CurrentState == SCARD_NEGOTIABLE ||
         Fuzz.ReaderCapabilities.CurrentState == SCARD_SPECIFIC);
    MUST((Fuzz.ReaderCapabilities.CurrentState == SCARD_SPECIFIC) == (Card->Protocol.Selected != 0));
    if (Card->PtsData.Type != PTS_TYPE_USER) {
        MUST(Card->ClockRateConversion[Card->PtsData.Fl].F != 0);
        MUST(Card->BitRateAdjustment[Card->PtsData.Dl].DNumerator != 0);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *Data, __SIZE_TYPE__ Size)
{
    FUZZ_INPUT input = {Data, (ULONG)Size};
    UCHAR before[sizeof(Fuzz.CardCapabilities.ATR)];

    FuzzBegin();
    // The ATR first, so that a corpus of plain ATRs is useful.
    Fuzz.CardCapabilities.ATR.Length = (UCHAR)FuzzBytes(&input, Fuzz.CardCapabilities.ATR.Buffer, 40);
    ReadReader(&input);
    RtlCopyMemory(before, &Fuzz.CardCapabilities.ATR, sizeof(before));
    if (SmartcardUpdateCardCapabilities(&Fuzz) == STATUS_SUCCESS) {
        CheckCard(&Fuzz.CardCapabilities);
    } else {
        MUST(RtlEqualMemory(before, &Fuzz.CardCapabilities.ATR, sizeof(before)));
        MUST(Fuzz.ReaderCapabilities.CurrentState == SCARD_PRESENT);
    }
    return 0;
}
