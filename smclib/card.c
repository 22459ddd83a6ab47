// SPDX-License-Identifier: MIT
// CardCapabilities: what is known of the card in the reader.
#define _ISO_TABLES_
#include "smclib/smc.h"
#include "smclib/atr.h"

const PCLOCK_RATE_CONVERSION SmcClockRates = ClockRateConversion;
const PBIT_RATE_ADJUSTMENT SmcBitRates = BitRateAdjustment;

// A reset of USER parameters would undo what the driver asked for.
static VOID SmcPtsReset(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    PPTS_DATA pts = &Ext->CardCapabilities.PtsData;

    if (pts->Type == PTS_TYPE_USER) {
        return;
    }
    pts->Type = PTS_TYPE_DEFAULT;
    pts->Fl = 1;
    pts->Dl = 1;
    pts->CLKFrequency = Ext->ReaderCapabilities.CLKFrequency.Default;
    pts->DataRate = Ext->ReaderCapabilities.DataRate.Default;
    pts->StopBits = 2;
}

static VOID SmcCardClear(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    PSCARD_CARD_CAPABILITIES card = &Ext->CardCapabilities;
    PTS_DATA pts = card->PtsData;

    RtlZeroMemory(card, FIELD_OFFSET(SCARD_CARD_CAPABILITIES, Reserved));
    card->ClockRateConversion = SmcClockRates;
    card->BitRateAdjustment = SmcBitRates;
    card->Fl = 1;
    card->Dl = 1;
    card->II = 50;
    card->P = 50;
    card->T0.WI = 10;
    card->T1.IFSC = T1_IFSD_DEFAULT;
    card->T1.CWI = T1_CWI_DEFAULT;
    card->T1.BWI = T1_BWI_DEFAULT;
    card->PtsData = pts;
    SmcPtsReset(Ext);
    if (card->PtsData.CLKFrequency != 0) {
        SmcTimesUpdate(card);
    }
}

_Use_decl_annotations_
VOID NTAPI SmartcardInitializeCardCapabilities(PSMARTCARD_EXTENSION Ext)
{
    KIRQL irql;

    KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
    SmcCardClear(Ext);
    SmcT1Reset(Ext);
    KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
}

static VOID SmcCardStore(_Inout_ PSCARD_CARD_CAPABILITIES Card, _In_ const SMC_ATR *Atr)
{
    Card->Fl = SMC_TA1_FI(Atr->Ta1);
    Card->Dl = SMC_TA1_DI(Atr->Ta1);
    Card->II = Atr->II;
    Card->P = Atr->P;
    Card->N = Atr->N;
    Card->T0.WI = Atr->Wi;
    Card->T1.IFSC = Atr->Ifsc;
    Card->T1.CWI = Atr->Cwi;
    Card->T1.BWI = Atr->Bwi;
    Card->T1.EDC = Atr->Edc;
    Card->HistoricalChars.Length = (UCHAR)Atr->HistoricalLength;
    RtlCopyMemory(Card->HistoricalChars.Buffer, Atr->Bytes + Atr->HistoricalOffset, Atr->HistoricalLength);
    Card->Protocol.Supported = Atr->Supported;
}

static ULONG SmcCardProtocol(_In_ const SMC_ATR *Atr)
{
    BOOLEAN single = Atr->Supported == SCARD_PROTOCOL_T0 || Atr->Supported == SCARD_PROTOCOL_T1;
    BOOLEAN usual =
        SmcClockRates[SMC_TA1_FI(Atr->Ta1)].F == 372 && SmcBitRates[SMC_TA1_DI(Atr->Ta1)].DNumerator == 1;

    if (Atr->Specific) {
        return SMC_TA2_T(Atr->Ta2) == 0 ? SCARD_PROTOCOL_T0 : SCARD_PROTOCOL_T1;
    }
    return single && usual && !SmcOther(SmcOtherNegotiate) ? Atr->Supported : SCARD_PROTOCOL_UNDEFINED;
}

// Under the spin lock. A card that was pulled meanwhile stays away.
static VOID SmcCardSetState(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    if (Ext->ReaderCapabilities.CurrentState > SCARD_ABSENT) {
        Ext->ReaderCapabilities.CurrentState =
            Ext->CardCapabilities.Protocol.Selected == SCARD_PROTOCOL_UNDEFINED ? SCARD_NEGOTIABLE
                                                                                : SCARD_SPECIFIC;
    }
}

// The driver appends raw bytes after a failure, so the buffer is normalised only now.
static VOID SmcCardCommit(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ const SMC_ATR *Atr)
{
    PSCARD_CARD_CAPABILITIES card = &Ext->CardCapabilities;
    KIRQL irql;

    KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
    if (Atr->Inverted) {
        SmartcardInvertData(card->ATR.Buffer, card->ATR.Length);
        card->InversConvention = TRUE;
    } else if (Atr->Bytes[0] == 0x3B) {
        card->InversConvention = FALSE;
    }
    SmcCardStore(card, Atr);
    card->Protocol.Selected = SmcCardProtocol(Atr);
    SmcPtsSelect(card, &Ext->ReaderCapabilities, Atr);
    SmcTimesUpdate(card);
    SmcT1Reset(Ext);
    SmcCardSetState(Ext);
    KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
}

static ULONG SmcCardReadAtr(_In_ PSMARTCARD_EXTENSION Ext, _Out_ PUCHAR Buffer)
{
    KIRQL irql;
    ULONG length;

    KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
    length = Ext->CardCapabilities.ATR.Length;
    if (length > sizeof(Ext->CardCapabilities.ATR.Buffer)) {
        length = 0;
    }
    RtlCopyMemory(Buffer, Ext->CardCapabilities.ATR.Buffer, length);
    KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
    return length;
}

// The driver may know a card whose complete ATR the library cannot use.
_Must_inspect_result_
static NTSTATUS SmcCardAskDriver(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ NTSTATUS Failure)
{
    ULONG code = Ext->MajorIoControlCode;
    KIRQL irql;
    NTSTATUS status;

    if (Ext->ReaderFunction[RDF_ATR_PARSE] == NULL) {
        return Failure;
    }
    Ext->MajorIoControlCode = IOCTL_SMARTCARD_SET_PROTOCOL;
    status = Ext->ReaderFunction[RDF_ATR_PARSE](Ext);
    Ext->MajorIoControlCode = code;
    if (NT_SUCCESS(status)) {
        KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
        SmcT1Reset(Ext);
        SmcCardSetState(Ext);
        KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
    }
    return status;
}

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardUpdateCardCapabilities(PSMARTCARD_EXTENSION Ext)
{
    UCHAR raw[sizeof(Ext->CardCapabilities.ATR.Buffer)];
    SMC_ATR atr;
    NTSTATUS status = SmcAtrParse(&atr, raw, SmcCardReadAtr(Ext, raw));

    if (!NT_SUCCESS(status)) {
        return atr.Complete ? SmcCardAskDriver(Ext, status) : status;
    }
    SmcCardCommit(Ext, &atr);
    return STATUS_SUCCESS;
}
