// SPDX-License-Identifier: MIT
// Which parameters to propose to the card (ISO 7816-3:2006 clause 9): any F among { Fi, Fd } and any D up to
// Di that gives a clock and a data rate the reader has.
#include "smclib/smc.h"
#include "smclib/atr.h"

typedef struct _SMC_PTS_CHOICE {
    UCHAR Fl;
    UCHAR Dl;
    ULONG Clock; // kHz
    ULONG Rate;  // bit/s
} SMC_PTS_CHOICE, *PSMC_PTS_CHOICE;

#define SMC_PTS_NONE 0xFF
#define SMC_PTS_BEYOND                                                                                       \
    (MAXULONG64 / 64) // faster than any reader can be asked for, and still good to reckon with

// Scaled from the reader's own default, so that a driver whose clock and rate do not quite agree still gets
// rates from its list.
static ULONG64 SmcPtsRate(_In_ const SCARD_READER_CAPABILITIES *Reader, _In_ const SMC_PTS_CHOICE *Choice)
{
    ULONG base = Reader->CLKFrequency.Default != 0 ? Reader->CLKFrequency.Default : SMC_CLOCK_IF_UNKNOWN;
    const BIT_RATE_ADJUSTMENT *d = &SmcBitRates[Choice->Dl];
    ULONG64 divisor = (ULONG64)SmcClockRates[Choice->Fl].F * base * d->DDivisor;
    ULONG64 dividend = (ULONG64)Reader->DataRate.Default * d->DNumerator * 372;

    if (Choice->Clock != 0 && dividend > MAXULONG64 / Choice->Clock) {
        return SMC_PTS_BEYOND;
    }
    return dividend * Choice->Clock / divisor;
}

// A driver puts the rate into its UART, so a listed rate is returned as listed when it is within 2 %.
static ULONG SmcPtsListed(_In_ const SCARD_READER_CAPABILITIES *Reader, _In_ ULONG64 Rate)
{
    for (ULONG i = 0; i < Reader->DataRatesSupported.Entries; i++) {
        ULONG64 entry = Reader->DataRatesSupported.List[i];
        ULONG64 distance = entry > Rate ? entry - Rate : Rate - entry;
        if (distance * 50 <= Rate) {
            return (ULONG)entry;
        }
    }
    return 0;
}

static BOOLEAN SmcPtsHasList(_In_ const SCARD_READER_CAPABILITIES *Reader)
{
    return Reader->DataRatesSupported.Entries != 0 && Reader->DataRatesSupported.List != NULL;
}

_Must_inspect_result_
static BOOLEAN SmcPtsAcceptable(_In_ const SCARD_READER_CAPABILITIES *Reader, _Inout_ PSMC_PTS_CHOICE Choice)
{
    ULONG64 rate = SmcPtsRate(Reader, Choice);

    if (SmcPtsHasList(Reader)) {
        Choice->Rate = SmcPtsListed(Reader, rate);
        return Choice->Rate != 0;
    }
    if (rate == 0 || rate * 50 > Reader->DataRate.Max * 51ULL) {
        return FALSE;
    }
    Choice->Rate = (ULONG)rate;
    return TRUE;
}

// The largest clock below Limit that the reader offers; 0 when there is no more.
static ULONG SmcPtsNextClock(_In_ const SCARD_READER_CAPABILITIES *Reader, _In_ ULONG64 Limit)
{
    ULONG best = 0;

    if (Reader->CLKFrequenciesSupported.Entries == 0 || Reader->CLKFrequenciesSupported.List == NULL) {
        return Reader->CLKFrequency.Default < Limit ? Reader->CLKFrequency.Default : 0;
    }
    for (ULONG i = 0; i < Reader->CLKFrequenciesSupported.Entries; i++) {
        ULONG clock = Reader->CLKFrequenciesSupported.List[i];
        if (clock < Limit && clock > best) {
            best = clock;
        }
    }
    return best;
}

// The index of the largest D below Limit; SMC_PTS_NONE when there is no more.
static UCHAR SmcPtsNextD(_In_ ULONG Limit)
{
    UCHAR best = SMC_PTS_NONE;
    ULONG bestD = 0;

    for (UCHAR i = 0; i < 16; i++) {
        ULONG d = SmcBitRates[i].DNumerator;
        if (d < Limit && d > bestD) {
            bestD = d;
            best = i;
        }
    }
    return best;
}

_Must_inspect_result_
static BOOLEAN SmcPtsTryRates(_In_ const SCARD_READER_CAPABILITIES *Reader, _In_ ULONG MaximumD,
                              _Inout_ PSMC_PTS_CHOICE Choice)
{
    ULONG limit = MaximumD + 1;

    while ((Choice->Dl = SmcPtsNextD(limit)) != SMC_PTS_NONE) {
        if (SmcPtsAcceptable(Reader, Choice)) {
            return TRUE;
        }
        limit = SmcBitRates[Choice->Dl].DNumerator;
    }
    return FALSE;
}

_Must_inspect_result_
static BOOLEAN SmcPtsOptimal(_In_ const SCARD_READER_CAPABILITIES *Reader, _In_ UCHAR Ta1,
                             _Out_ PSMC_PTS_CHOICE Choice)
{
    UCHAR fi = SMC_TA1_FI(Ta1);
    UCHAR candidates[2] = {fi, 1};
    // Fi 0 and 1 are both 372, but 0 allows the lower clock: then there is nothing to fall back to.
    ULONG count = SmcClockRates[fi].F == SmcClockRates[1].F ? 1 : 2;
    ULONG64 limit = Reader->CLKFrequency.Max != 0 ? Reader->CLKFrequency.Max + 1ULL : MAXULONG + 1ULL;

    while ((Choice->Clock = SmcPtsNextClock(Reader, limit)) != 0) {
        for (ULONG i = 0; i < count; i++) {
            Choice->Fl = candidates[i];
            if (Choice->Clock <= SmcClockRates[Choice->Fl].fs / 1000 &&
                SmcPtsTryRates(Reader, SmcBitRates[SMC_TA1_DI(Ta1)].DNumerator, Choice)) {
                return TRUE;
            }
        }
        limit = Choice->Clock;
    }
    return FALSE;
}

static SMC_PTS_CHOICE SmcPtsDefault(_In_ const SCARD_READER_CAPABILITIES *Reader)
{
    SMC_PTS_CHOICE choice = {1, 1, Reader->CLKFrequency.Default, Reader->DataRate.Default};

    return choice;
}

// Specific mode: the card already uses TA1, so the rate is a fact; take the listed spelling of it if there is
// one.
static SMC_PTS_CHOICE SmcPtsSpecific(_In_ const SCARD_READER_CAPABILITIES *Reader, _In_ UCHAR Ta1)
{
    SMC_PTS_CHOICE choice = {SMC_TA1_FI(Ta1), SMC_TA1_DI(Ta1), Reader->CLKFrequency.Default, 0};
    ULONG64 rate = SmcPtsRate(Reader, &choice);

    choice.Rate = SmcPtsHasList(Reader) ? SmcPtsListed(Reader, rate) : 0;
    if (choice.Rate == 0) {
        choice.Rate = rate > MAXULONG ? MAXULONG : (ULONG)rate;
    }
    return choice;
}

_Use_decl_annotations_
VOID SmcPtsSelect(PSCARD_CARD_CAPABILITIES Card, const SCARD_READER_CAPABILITIES *Reader, const SMC_ATR *Atr)
{
    SMC_PTS_CHOICE choice = SmcPtsDefault(Reader);

    if (Atr->Specific && (Atr->Ta2 & SMC_TA2_IMPLICIT) == 0) {
        choice = SmcPtsSpecific(Reader, Atr->Ta1);
    } else if (Card->PtsData.Type == PTS_TYPE_USER) {
        return;
    } else if (Card->PtsData.Type == PTS_TYPE_OPTIMAL && !SmcOther(SmcOtherOptimal) &&
               Card->Protocol.Selected == SCARD_PROTOCOL_UNDEFINED &&
               (!SmcPtsOptimal(Reader, Atr->Ta1, &choice) || choice.Rate < Reader->DataRate.Default)) {
        choice = SmcPtsDefault(Reader);
    }
    Card->PtsData.Fl = choice.Fl;
    Card->PtsData.Dl = choice.Dl;
    Card->PtsData.CLKFrequency = choice.Clock;
    Card->PtsData.DataRate = choice.Rate;
    Card->PtsData.StopBits = Atr->N == SMC_N_MINIMUM ? 1 : 2;
}
