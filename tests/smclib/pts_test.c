// SPDX-License-Identifier: MIT
// The choice of parameters for a PTS, at a reader without a rate list (R1) and at one with a list (R2).
#include "tests/smclib/card.h"

typedef struct _CASE {
    const char *Atr;
    VOID (*Reader)(void);
    UCHAR Fl, Dl;
    ULONG DataRate, Etu, Gt, Wt, Cwt, Bwt, Bgt;
} CASE;

static const CASE Cases[] = {
    {"3B 95 18 40 FF 62 01 02 01 04", ReaderR1, 1, 8, 129024, 8, 0, 22766400, 63574, 1428566, 171},
    {"3B 95 18 40 FF 62 01 02 01 04", ReaderR2, 1, 8, 115200, 9, 0, 25501429, 71211, 1600186, 191},
    {"3B 16 94 81 10 06 01 81 2F", ReaderR1, 9, 4, 62496, 16, 0, 1228800, 131248, 1428656, 352},
    {"3B 16 94 81 10 06 01 81 2F", ReaderR2, 1, 3, 38400, 26, 0, 1376422, 213632, 1600377, 573},
    {"3B 98 13 40 0A A5 03 01 01 01 AD 13 11", ReaderR1, 1, 3, 43008, 23, 0, 892800, 190720, 1428736, 512},
    {"3B 98 13 40 0A A5 03 01 01 01 AD 13 11", ReaderR2, 1, 3, 38400, 26, 0, 1000057, 213632, 1600377, 573},
    {"3B DF 18 00 81 31 FE 67 00 5C 49 43 4D D4 91 47 D2 76 00 00 38 33 00 58", ReaderR1, 1, 8, 129024, 8, 0,
     892800, 1078, 5714006, 171},
    {"3B DF 18 00 81 31 FE 67 00 5C 49 43 4D D4 91 47 D2 76 00 00 38 33 00 58", ReaderR2, 1, 8, 115200, 9, 0,
     1000057, 1207, 6400454, 191},
    {"3B F2 18 00 02 C1 0A 31 FE 58 C8 08 74", ReaderR1, 1, 8, 129024, 8, 16, 892800, 2070, 2857046, 171},
    {"3B F2 18 00 02 C1 0A 31 FE 58 C8 08 74", ReaderR2, 1, 8, 115200, 9, 18, 1000057, 2318, 3200275, 191},
    {"3B F8 13 00 00 81 31 FE 45 4A 43 4F 50 76 32 34 31 B7", ReaderR1, 1, 3, 43008, 23, 0, 892800, 1000,
     1428736, 512},
    {"3B F8 13 00 00 81 31 FE 45 4A 43 4F 50 76 32 34 31 B7", ReaderR2, 1, 3, 38400, 26, 0, 1000057, 1120,
     1600377, 573},
    {"3B FF 94 00 FF 80 B1 FE 45 1F 03 00 68 D2 76 00 00 28 FF 05 1E 31 80 00 90 00 23", ReaderR1, 9, 4,
     62496, 16, 0, 1228800, 688, 1428656, 352},
    {"3B FF 94 00 FF 80 B1 FE 45 1F 03 00 68 D2 76 00 00 28 FF 05 1E 31 80 00 90 00 23", ReaderR2, 1, 3,
     38400, 26, 0, 1376422, 1120, 1600377, 573},
    {"3B 80 80 01 01", ReaderR1, 1, 1, 10752, 93, 0, 892800, 762879, 1429503, 2046},
    {"3B 80 80 01 01", ReaderR2, 1, 1, 9600, 104, 0, 1000057, 854528, 1601236, 2292},
    {"3B 9F 96 80 1F C6 80 31 E0 73 F6 21 13 67 4D 45 22 00 79 02 00 80", ReaderR1, 9, 6, 249984, 4, 0,
     1228800, 32812, 1428524, 88},
    {"3B 9F 96 80 1F C6 80 31 E0 73 F6 21 13 67 4D 45 22 00 79 02 00 80", ReaderR2, 1, 8, 115200, 9, 0,
     1376422, 71211, 1600186, 191},
};

static VOID Optimal(const char *Atr)
{
    CHECK_STATUS(CardAtr(Atr), STATUS_SUCCESS);
    Ext->CardCapabilities.PtsData.Type = PTS_TYPE_OPTIMAL;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
}

static void OptimalFindsTheBestRateOfTheReader(void)
{
    const SCARD_CARD_CAPABILITIES *card = &Ext->CardCapabilities;

    for (ULONG i = 0; i < ARRAYSIZE(Cases); i++) {
        Cases[i].Reader();
        Optimal(Cases[i].Atr);
        CHECK_EQ(Ext->ReaderCapabilities.CurrentState, SCARD_NEGOTIABLE);
        CHECK_EQ(card->PtsData.Fl, Cases[i].Fl);
        CHECK_EQ(card->PtsData.Dl, Cases[i].Dl);
        CHECK_EQ(card->PtsData.DataRate, Cases[i].DataRate);
        CHECK_EQ(card->PtsData.CLKFrequency, Ext->ReaderCapabilities.CLKFrequency.Default);
        CHECK_EQ(card->etu, Cases[i].Etu);
        CHECK_EQ(card->GT, Cases[i].Gt);
        CHECK_EQ(card->T0.WT, Cases[i].Wt);
        CHECK_EQ(card->T1.CWT, Cases[i].Cwt);
        CHECK_EQ(card->T1.BWT, Cases[i].Bwt);
        CHECK_EQ(card->T1.BGT, Cases[i].Bgt);
    }
}

static const char CardTa1Is18[] = "3B 95 18 40 FF 62 01 02 01 04";

// A driver whose PTS failed goes back to DEFAULT and expects the default parameters.
static void DefaultGoesBack(void)
{
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 8);
    Ext->CardCapabilities.PtsData.Type = PTS_TYPE_DEFAULT;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Type, PTS_TYPE_DEFAULT);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Fl, 1);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 1);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 10752);
}

static void UserParametersStay(void)
{
    PPTS_DATA pts = &Ext->CardCapabilities.PtsData;

    CHECK_STATUS(CardAtr(CardTa1Is18), STATUS_SUCCESS);
    pts->Type = PTS_TYPE_USER;
    pts->Fl = 7; // reserved: the times fall back to the default F
    pts->Dl = 15;
    pts->CLKFrequency = 1000;
    pts->DataRate = 77;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CHECK_EQ(pts->Type, PTS_TYPE_USER);
    CHECK_EQ(pts->Fl, 7);
    CHECK_EQ(pts->Dl, 15);
    CHECK_EQ(pts->DataRate, 77);
    CHECK_EQ(Ext->CardCapabilities.etu, 372);
    SmartcardInitializeCardCapabilities(Ext);
    CHECK_EQ(pts->Type, PTS_TYPE_USER);
    CHECK_EQ(pts->DataRate, 77);
}

static void HighestClockThatTheCardTakesWins(void)
{
    ULONG clocks[] = {2000, 8000, 4800, 1000};

    Ext->ReaderCapabilities.CLKFrequenciesSupported.List = clocks;
    Ext->ReaderCapabilities.CLKFrequenciesSupported.Entries = ARRAYSIZE(clocks);
    Ext->ReaderCapabilities.CLKFrequency.Max = 8000;
    Optimal(CardTa1Is18); // Fi 1: 5 MHz at most
    CHECK_EQ(Ext->CardCapabilities.PtsData.CLKFrequency, 4800);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 154828);
}

// A driver that fills nothing in must still not see a zero time: it would mean "no timeout".
static void ReaderWithoutNumbersGetsTimes(void)
{
    RtlZeroMemory(&Ext->ReaderCapabilities.CLKFrequency, sizeof(Ext->ReaderCapabilities.CLKFrequency));
    RtlZeroMemory(&Ext->ReaderCapabilities.DataRate, sizeof(Ext->ReaderCapabilities.DataRate));
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Fl, 1);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 1);
    CHECK_EQ(Ext->CardCapabilities.etu, 104);
    CHECK_EQ(Ext->CardCapabilities.T0.WT, 25501429);
}

// Without a list anything up to the maximum goes, and 2 % more.
static void RateMayExceedTheMaximumByTwoPercent(void)
{
    Ext->ReaderCapabilities.DataRate.Max = 50000;
    Optimal(CardTa1Is18); // D 12: 129024, D 8: 86016, D 4: 43008
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 3);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 43008);
    Ext->ReaderCapabilities.DataRate.Max = 42165;
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 3);
    Ext->ReaderCapabilities.DataRate.Max = 42164;
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 2);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 21504);
}

static void ListedRateMayDifferByTwoPercent(void)
{
    ULONG rates[] = {43868, 21504}; // 43868.16 is 2 % above 43008
    PSCARD_READER_CAPABILITIES reader = &Ext->ReaderCapabilities;

    reader->DataRatesSupported.List = rates;
    reader->DataRatesSupported.Entries = ARRAYSIZE(rates);
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 43868);
    rates[0] = 43869;
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 21504);
    Ext->ReaderCapabilities.DataRate.Default = 10000;
    rates[0] = 40800; // 2 % above 40000 exactly
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 40800);
    ReaderR1();
    reader->DataRatesSupported.List = rates;
    reader->DataRatesSupported.Entries = ARRAYSIZE(rates);
    rates[0] = 42148; // 42147.84 is 2 % below
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 42148);
    rates[0] = 42147;
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 21504);
}

static void ReaderWithoutAUsableClockKeepsItsDefault(void)
{
    ULONG clocks[] = {8000};

    Ext->ReaderCapabilities.CLKFrequenciesSupported.List = clocks;
    Ext->ReaderCapabilities.CLKFrequenciesSupported.Entries = ARRAYSIZE(clocks);
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.CLKFrequency, 4000);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 1);

    ReaderR2(); // with a list no rate fits a clock that is not there: the search must end all the same
    Ext->ReaderCapabilities.CLKFrequenciesSupported.List = clocks;
    Ext->ReaderCapabilities.CLKFrequenciesSupported.Entries = ARRAYSIZE(clocks);
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 1);
}

// Neither the card's F nor the default one meets the list: after both the search ends.
static void ReaderWithoutAUsableRateKeepsItsDefault(void)
{
    ULONG rates[] = {1000};

    Ext->ReaderCapabilities.DataRatesSupported.List = rates;
    Ext->ReaderCapabilities.DataRatesSupported.Entries = ARRAYSIZE(rates);
    Optimal("3B 10 94");
    CHECK_EQ(Ext->CardCapabilities.PtsData.Fl, 1);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 1);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 10752);
}

static void ReaderWithoutAMaximumClockTakesAny(void)
{
    Ext->ReaderCapabilities.CLKFrequency.Max = 0;
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.CLKFrequency, 4000);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 8);
}

// Fi 0 is 372 too, but stands 4 MHz only, and there is no second F to try.
static void ClockThatTheCardDoesNotStandIsNotChosen(void)
{
    ULONG clocks[] = {4800, 4000};

    Ext->ReaderCapabilities.CLKFrequency.Max = 5000;
    Ext->ReaderCapabilities.CLKFrequenciesSupported.List = clocks;
    Ext->ReaderCapabilities.CLKFrequenciesSupported.Entries = ARRAYSIZE(clocks);
    Optimal("3B 10 03");
    CHECK_EQ(Ext->CardCapabilities.PtsData.CLKFrequency, 4000);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Fl, 0);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 3);
}

// F 1488 and D 4: 8 MHz with D 2 is the reader's default rate again, and no reason to fall back.
static void DefaultRateAtAHigherClockIsTaken(void)
{
    ULONG clocks[] = {4000, 8000};
    ULONG rates[] = {10752};

    Ext->ReaderCapabilities.CLKFrequency.Max = 8000;
    Ext->ReaderCapabilities.CLKFrequenciesSupported.List = clocks;
    Ext->ReaderCapabilities.CLKFrequenciesSupported.Entries = ARRAYSIZE(clocks);
    Ext->ReaderCapabilities.DataRatesSupported.List = rates;
    Ext->ReaderCapabilities.DataRatesSupported.Entries = ARRAYSIZE(rates);
    Optimal("3B 10 53");
    CHECK_EQ(Ext->CardCapabilities.PtsData.CLKFrequency, 8000);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Fl, 5);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 2);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 10752);
    Ext->ReaderCapabilities.CLKFrequency.Max = 7999;
    Optimal("3B 10 53");
    CHECK_EQ(Ext->CardCapabilities.PtsData.CLKFrequency, 4000);
}

// F 2048 with D 1 is slower than what every card begins with.
static void SlowCardGetsTheDefault(void)
{
    Optimal("3B 10 D1");
    CHECK_EQ(Ext->CardCapabilities.PtsData.Fl, 1);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 1);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 10752);
}

// A card in specific mode already runs at its rate: the reader has to follow, in the spelling of its list.
static void SpecificModeHasTheRateOfTheCard(void)
{
    CHECK_STATUS(CardAtr("3B F0 13 00 00 10 00"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 43008);
    CHECK_EQ(Ext->CardCapabilities.PtsData.CLKFrequency, 4000);
    ReaderR2();
    CHECK_STATUS(CardAtr("3B F0 13 00 00 10 00"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 38400);
    CHECK_STATUS(CardAtr("3B F0 15 00 00 10 00"), STATUS_SUCCESS); // D 16 is in no list
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 153600);
}

static void ListWithoutEntriesIsNone(void)
{
    Ext->ReaderCapabilities.DataRatesSupported.Entries = 3; // and no list
    Ext->ReaderCapabilities.CLKFrequenciesSupported.Entries = 3;
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 8);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 129024);
}

static void ReaderThatContradictsItselfGetsTheDefaults(void)
{
    Ext->ReaderCapabilities.CLKFrequency.Max = 3000; // below its default
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 1);
    ReaderR1();
    Ext->ReaderCapabilities.DataRate.Default = 0;
    Optimal(CardTa1Is18);
    CHECK_EQ(Ext->CardCapabilities.PtsData.Dl, 1);
}

static void SpecificModeAtAReaderWithoutNumbers(void)
{
    Ext->ReaderCapabilities.CLKFrequency.Default = 0;
    CHECK_STATUS(CardAtr("3B F0 13 00 00 10 00"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 0);
    ReaderR1();
    Ext->ReaderCapabilities.DataRate.Default = 0xFFFFFFFF;
    CHECK_STATUS(CardAtr("3B F0 13 00 00 10 00"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 0xFFFFFFFF);
}

// Their product does not fit 64 bits.
static void SpecificModeAtAReaderWithAbsurdNumbers(void)
{
    Ext->ReaderCapabilities.CLKFrequency.Default = 0xFFFFFFFF;
    Ext->ReaderCapabilities.DataRate.Default = 0xFFFFFFFF;
    CHECK_STATUS(CardAtr("3B F0 17 00 00 10 00"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 0xFFFFFFFF);
    ReaderR2();
    Ext->ReaderCapabilities.CLKFrequency.Default = 0xFFFFFFFF;
    Ext->ReaderCapabilities.DataRate.Default =
        0x2C144; // the product would wrap to 9460 bit/s, near a listed rate
    CHECK_STATUS(CardAtr("3B F0 17 00 00 10 00"), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.PtsData.DataRate, 0xFFFFFFFF);
}

static void LongestTimeIsClamped(void)
{
    PPTS_DATA pts = &Ext->CardCapabilities.PtsData;

    CHECK_STATUS(CardAtr("3B 90 D1 40 FF"), STATUS_SUCCESS); // F 2048, WI 255
    pts->Type = PTS_TYPE_USER;
    pts->CLKFrequency = 1;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.T0.WT, 0xFFFFFFFF);
}

static void TimesAreRoundedUp(void)
{
    PPTS_DATA pts = &Ext->CardCapabilities.PtsData;

    CHECK_STATUS(CardAtr(CardTa1Is18), STATUS_SUCCESS);
    pts->Type = PTS_TYPE_USER;
    pts->Fl = 1;
    pts->Dl = 1;
    pts->CLKFrequency = 1009;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.T1.BGT, 8112); // 8111 and 1/1009
}

static void FastestCardHasNoZeroTime(void)
{
    PPTS_DATA pts = &Ext->CardCapabilities.PtsData;

    CHECK_STATUS(CardAtr(CardTa1Is18), STATUS_SUCCESS);
    pts->Type = PTS_TYPE_USER;
    pts->Fl = 1;
    pts->Dl = 7;
    pts->CLKFrequency = 4000000;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->CardCapabilities.etu, 1);
    CHECK(Ext->CardCapabilities.T1.BGT != 0);
    CHECK(Ext->CardCapabilities.T1.CWT != 0);
}

const struct WdmTest WdmTests[] = {
    {"OPTIMAL finds the best rate of the reader", OptimalFindsTheBestRateOfTheReader},
    {"DEFAULT goes back to the default parameters", DefaultGoesBack},
    {"USER parameters stay", UserParametersStay},
    {"the highest clock that the card takes wins", HighestClockThatTheCardTakesWins},
    {"a reader without numbers gets times", ReaderWithoutNumbersGetsTimes},
    {"a rate may exceed the maximum by 2 %", RateMayExceedTheMaximumByTwoPercent},
    {"a listed rate may differ by 2 %", ListedRateMayDifferByTwoPercent},
    {"a reader without a usable clock keeps its default", ReaderWithoutAUsableClockKeepsItsDefault},
    {"a reader without a usable rate keeps its default", ReaderWithoutAUsableRateKeepsItsDefault},
    {"a reader without a maximum clock takes any", ReaderWithoutAMaximumClockTakesAny},
    {"a clock that the card does not stand is not chosen", ClockThatTheCardDoesNotStandIsNotChosen},
    {"the default rate at a higher clock is taken", DefaultRateAtAHigherClockIsTaken},
    {"a slow card gets the default", SlowCardGetsTheDefault},
    {"specific mode has the rate of the card", SpecificModeHasTheRateOfTheCard},
    {"a list without entries is none", ListWithoutEntriesIsNone},
    {"a reader that contradicts itself gets the defaults", ReaderThatContradictsItselfGetsTheDefaults},
    {"specific mode at a reader without numbers", SpecificModeAtAReaderWithoutNumbers},
    {"specific mode at a reader with absurd numbers", SpecificModeAtAReaderWithAbsurdNumbers},
    {"the longest time is clamped", LongestTimeIsClamped},
    {"times are rounded up", TimesAreRoundedUp},
    {"the fastest card has no zero time", FastestCardHasNoZeroTime},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = CardSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
