// SPDX-License-Identifier: MIT
#include <wdm.h>
#include <smclib.h>

#include "tools/atrparse.h"

enum { CLOCK_KHZ = 4000, RATE = 10752, MAXIMUM_RATE = 344086 };

static void AtrSetReader(PSMARTCARD_EXTENSION Extension)
{
    Extension->Version = SMCLIB_VERSION;
    Extension->SmartcardRequest.BufferSize = MIN_BUFFER_SIZE;
    Extension->SmartcardReply.BufferSize = MIN_BUFFER_SIZE;
    Extension->ReaderCapabilities.SupportedProtocols = SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1;
    Extension->ReaderCapabilities.ReaderType = SCARD_READER_TYPE_USB;
    Extension->ReaderCapabilities.CurrentState = SCARD_POWERED;
    Extension->ReaderCapabilities.CLKFrequency.Default = CLOCK_KHZ;
    Extension->ReaderCapabilities.CLKFrequency.Max = CLOCK_KHZ;
    Extension->ReaderCapabilities.DataRate.Default = RATE;
    Extension->ReaderCapabilities.DataRate.Max = MAXIMUM_RATE;
    Extension->ReaderCapabilities.MaxIFSD = 254;
}

static void AtrTakeFacts(const SMARTCARD_EXTENSION *Extension, struct AtrFacts *Facts)
{
    const SCARD_CARD_CAPABILITIES *Card = &Extension->CardCapabilities;
    // By TS: InversConvention tells the driver whether its bytes still have to be inverted.
    Facts->Inverse = Card->ATR.Buffer[0] == 0x3F;
    Facts->Negotiable = Extension->ReaderCapabilities.CurrentState == SCARD_NEGOTIABLE;
    Facts->Fl = Card->Fl;
    Facts->Dl = Card->Dl;
    Facts->Current = Card->II;
    Facts->Voltage = Card->P;
    Facts->N = Card->N;
    Facts->WI = Card->T0.WI;
    Facts->IFSC = Card->T1.IFSC;
    Facts->CWI = Card->T1.CWI;
    Facts->BWI = Card->T1.BWI;
    Facts->EDC = Card->T1.EDC & 1;
    Facts->HistoricalLength = Card->HistoricalChars.Length <= 16 ? Card->HistoricalChars.Length : 16;
    RtlCopyMemory(Facts->Historical, Card->HistoricalChars.Buffer, Facts->HistoricalLength);
    Facts->F = Card->ClockRateConversion[Card->Fl & 15].F;
    Facts->DNumerator = Card->BitRateAdjustment[Card->Dl & 15].DNumerator;
    Facts->DDivisor = Card->BitRateAdjustment[Card->Dl & 15].DDivisor;
    Facts->Supported = Card->Protocol.Supported;
    Facts->Selected = Card->Protocol.Selected;
    Facts->PtsType = Card->PtsData.Type;
    Facts->PtsFl = Card->PtsData.Fl;
    Facts->PtsDl = Card->PtsData.Dl;
    Facts->PtsStopBits = Card->PtsData.StopBits;
    Facts->PtsClock = Card->PtsData.CLKFrequency;
    Facts->PtsRate = Card->PtsData.DataRate;
    Facts->Etu = Card->etu;
    Facts->GT = Card->GT;
    Facts->WT = Card->T0.WT;
    Facts->CWT = Card->T1.CWT;
    Facts->BWT = Card->T1.BWT;
    Facts->BGT = Card->T1.BGT;
}

void AtrRead(const unsigned char *Atr, unsigned int Length, struct AtrFacts *Facts)
{
    SMARTCARD_EXTENSION Extension;
    RtlZeroMemory(&Extension, sizeof Extension);
    RtlZeroMemory(Facts, sizeof *Facts);
    AtrSetReader(&Extension);
    NTSTATUS Status = SmartcardInitialize(&Extension);
    if (NT_SUCCESS(Status)) {
        RtlCopyMemory(Extension.CardCapabilities.ATR.Buffer, Atr, Length);
        Extension.CardCapabilities.ATR.Length = (UCHAR)Length;
        Status = SmartcardUpdateCardCapabilities(&Extension);
    }
    if (NT_SUCCESS(Status)) {
        AtrTakeFacts(&Extension, Facts);
    }
    Facts->Status = (unsigned int)Status;
    SmartcardExit(&Extension);
}
