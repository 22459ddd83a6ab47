// SPDX-License-Identifier: MIT
// Times in microseconds from the parameters in force (ISO 7816-3:2006 8.1, 10.2, 11.4.3). All in 64 bits and
// never by way of a rounded etu, so that the results are exact before the last rounding.
#include "smclib/smc.h"
#include "smclib/atr.h"

typedef struct _SMC_ETU {
    ULONG64 Numerator; // etu = Numerator / Denominator microseconds
    ULONG64 Denominator;
} SMC_ETU;

static ULONG SmcTimeClamp(_In_ ULONG64 Value)
{
    return Value > MAXULONG ? MAXULONG : (ULONG)Value;
}

static ULONG64 SmcDivideUp(_In_ ULONG64 Dividend, _In_ ULONG64 Divisor)
{
    return (Dividend + Divisor - 1) / Divisor;
}

// PtsData of type USER may hold any index: a reserved one counts as the default.
static UCHAR SmcTimeFi(_In_ UCHAR Fl)
{
    return SmcClockRates[Fl & 0x0F].F == 0 ? 1 : Fl & 0x0F;
}

static SMC_ETU SmcEtuCurrent(_In_ const SCARD_CARD_CAPABILITIES *Card, _In_ ULONG Clock)
{
    const BIT_RATE_ADJUSTMENT *rate = &SmcBitRates[Card->PtsData.Dl & 0x0F];
    SMC_ETU etu;

    if (rate->DNumerator == 0) {
        rate = &SmcBitRates[1];
    }
    etu.Numerator = 1000ULL * SmcClockRates[SmcTimeFi(Card->PtsData.Fl)].F * rate->DDivisor;
    etu.Denominator = (ULONG64)rate->DNumerator * Clock;
    return etu;
}

static ULONG SmcEtuTimes(_In_ SMC_ETU Etu, _In_ ULONG64 Count)
{
    return SmcTimeClamp(SmcDivideUp(Etu.Numerator * Count, Etu.Denominator));
}

// The waiting time counts with the larger of the F in use and the F the card announces: safe before a PTS.
static ULONG SmcTimeWork(_In_ const SCARD_CARD_CAPABILITIES *Card, _In_ ULONG Clock)
{
    ULONG64 f = SmcClockRates[SmcTimeFi(Card->PtsData.Fl)].F;
    ULONG64 announced = SmcClockRates[SmcTimeFi(Card->Fl)].F;

    return SmcTimeClamp(SmcDivideUp(
        960ULL * Card->T0.WI * (f > announced || SmcOther(SmcOtherTimes) ? f : announced) * 1000, Clock));
}

// 11.4.3: BWT = 11 etu + 2^BWI * 960 * Fd / f, with Fd = 372 whatever F is. One fraction, rounded once.
static ULONG SmcTimeBlock(_In_ const SCARD_CARD_CAPABILITIES *Card, _In_ SMC_ETU Etu, _In_ ULONG Clock)
{
    ULONG64 perClock = Etu.Denominator / Clock;
    ULONG64 wait = (1ULL << (Card->T1.BWI & 0x0F)) * 960 * 372 * 1000;

    return SmcTimeClamp(SmcDivideUp(Etu.Numerator * 11 + wait * perClock, Etu.Denominator));
}

_Use_decl_annotations_
VOID SmcTimesUpdate(PSCARD_CARD_CAPABILITIES Card)
{
    ULONG clock = Card->PtsData.CLKFrequency != 0 ? Card->PtsData.CLKFrequency : SMC_CLOCK_IF_UNKNOWN;
    SMC_ETU etu = SmcEtuCurrent(Card, clock);
    ULONG64 rounded = (etu.Numerator + etu.Denominator / 2) / etu.Denominator;

    // Microseconds are told too coarsely for the fast rates; the header leaves the unit open.
    Card->etu = SmcOther(SmcOtherTimes) ? SmcTimeClamp(etu.Numerator * 1000 / etu.Denominator)
                : rounded == 0          ? 1
                                        : SmcTimeClamp(rounded);
    // Only the extra part: a driver that sees 0 sends a block in one go. N = 255 shows in StopBits.
    Card->GT = Card->N == SMC_N_MINIMUM ? 0 : SmcEtuTimes(etu, Card->N);
    if (SmcOther(SmcOtherTimes)) {
        Card->GT = SmcEtuTimes(etu, 12ULL + (Card->N == SMC_N_MINIMUM ? 0 : Card->N));
    }
    Card->T0.WT = SmcTimeWork(Card, clock);
    Card->T1.CWT = SmcEtuTimes(etu, 11 + (1ULL << (Card->T1.CWI & 0x0F)));
    Card->T1.BWT = SmcTimeBlock(Card, etu, clock);
    Card->T1.BGT = SmcEtuTimes(etu, 22);
}
