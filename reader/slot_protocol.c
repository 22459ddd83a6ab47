// SPDX-License-Identifier: MIT
// RDF_SET_PROTOCOL: who negotiates depends on dwFeatures, CCID 1.1 5.1 and ISO 7816-3:2006 clause 9.
#include "reader/exchange.h"
#include "reader/slot.h"
#include "reader/ccid/parameters.h"

#define PARAMETERS_TIMEOUT 5000 // ms; an automatic PPS is within
#define TS_INVERSE         0x3F
#define CLASS_T1           1
#define HZ_PER_KHZ         1000
#define RATE_TOLERANCE     3 // percent, ISO 7816-3:2006 7.1

static BOOLEAN FeatureIs(PSLOT Slot, ULONG Feature)
{
    return (Slot->Reader->Usb.Interface.Descriptor.Features & Feature) != 0;
}

static VOID ParametersFill(PSLOT Slot, ULONG Protocol, UCHAR FiDi, PCCID_PARAMETERS_DATA Data)
{
    const SCARD_CARD_CAPABILITIES *card = &Slot->Smartcard.CardCapabilities;

    Data->Protocol = Protocol == SCARD_PROTOCOL_T1;
    Data->FiDi = FiDi;
    Data->Inverse = card->ATR.Buffer[0] == TS_INVERSE;
    Data->GuardTime = card->N;
    Data->WaitingInteger = card->T0.WI;
    Data->WaitingIntegers = (UCHAR)(card->T1.BWI << 4 | card->T1.CWI);
    Data->Crc = (card->T1.EDC & T1_CRC_CHECK) != 0;
    Data->Ifsc = card->T1.IFSC;
}

// The reader takes the parameters from the ATR and follows with clock and rate: it knows by itself what it
// can.
static BOOLEAN RatePrivate(PSLOT Slot)
{
    BOOLEAN parameters = FeatureIs(Slot, CCID_FEATURE_AUTO_PARAMETERS) || !Slot->Reader->Exchange->Pps;

    return FeatureIs(Slot, CCID_FEATURE_AUTO_NEGOTIATION) ||
           (parameters && FeatureIs(Slot, CCID_FEATURE_AUTO_CLOCK) &&
            FeatureIs(Slot, CCID_FEATURE_AUTO_RATE));
}

// An offset as the reason means that this parameter cannot be changed: the reader has its own way. A reader
// that leaves Fi and Di to the host cannot have its own way with them.
static BOOLEAN RefusalHarmless(PSLOT Slot, UCHAR Error, UCHAR FiDi)
{
    if (RatePrivate(Slot) && SlotState(Slot) == SCARD_SPECIFIC) {
        return Error <= CCID_ERROR_OFFSET_MAX;
    }
    if (Error == CCID_ERROR_OFFSET_FIDI && FiDi != CCID_DEFAULT_FINDEX) {
        return FALSE;
    }
    return Error <= CCID_ERROR_OFFSET_MAX &&
           (Error != CCID_ERROR_NOT_SUPPORTED || FeatureIs(Slot, CCID_FEATURE_AUTO_PARAMETERS));
}

static NTSTATUS ParametersSend(PSLOT Slot, ULONG Protocol, UCHAR FiDi)
{
    CCID_PARAMETERS_DATA data;
    UCHAR bytes[CCID_PARAMETERS_MAX];
    UCHAR answer[CCID_PARAMETERS_MAX];
    COMMAND command = {.Origin = CommandOfRequest,
                       .Type = CCID_SET_PARAMETERS,
                       .Data = bytes,
                       .Timeout = PARAMETERS_TIMEOUT,
                       .Reply = answer,
                       .ReplySize = sizeof(answer)};
    NTSTATUS status;

    ParametersFill(Slot, Protocol, FiDi, &data);
    command.Specific[0] = data.Protocol;
    command.DataLength = CcidParametersEncode(&data, bytes);
    status = ChannelRun(Slot, &command);
    if (NT_SUCCESS(status) || !command.Answered || command.Header.CommandStatus != CCID_COMMAND_FAILED ||
        command.Header.IccStatus == CCID_ICC_ABSENT) {
        return status;
    }
    if (RefusalHarmless(Slot, command.Header.Error, FiDi)) {
        return STATUS_SUCCESS;
    }
    ReportWrite(Slot->Reader, LECTERN_PARAMETERS_REFUSED, command.Header.Error);
    return status;
}

// From the clock, since many a descriptor states a default rate that its clock does not give.
ULONG SlotRate(PSLOT Slot, ULONG Clock, UCHAR FiDi)
{
    const SCARD_CARD_CAPABILITIES *card = &Slot->Smartcard.CardCapabilities;
    const CLOCK_RATE_CONVERSION *f = &card->ClockRateConversion[FiDi >> 4];
    const BIT_RATE_ADJUSTMENT *d = &card->BitRateAdjustment[FiDi & 0x0F];

    if (f->F == 0 || d->DDivisor == 0) {
        return 0;
    }
    return (ULONG)((ULONGLONG)Clock * HZ_PER_KHZ * d->DNumerator / ((ULONGLONG)f->F * d->DDivisor));
}

ULONG SlotRateMost(PSLOT Slot)
{
    ULONG most = Slot->Reader->Usb.Interface.Descriptor.MaximumRate;
    ULONG limit = Slot->Index != 0 ? Slot->Reader->Quirks.Values[QuirkSlotRate] : 0;

    return limit != 0 ? min(limit, most) : most;
}

BOOLEAN SlotRateReached(PSLOT Slot, ULONG Rate)
{
    const CCID_CLASS *ccid = &Slot->Reader->Usb.Interface.Descriptor;

    ULONG most = SlotRateMost(Slot);

    // A maximum below the default says nothing.
    if (RatePrivate(Slot) || ccid->DefaultRate == 0 || most < ccid->DefaultRate) {
        return TRUE;
    }
    return Rate * 100ULL <= most * (100ULL + RATE_TOLERANCE);
}

// A reader with a list of rates is told one of them.
static ULONG RateSpell(PSLOT Slot, ULONG Rate)
{
    const USB_FUNCTION *usb = &Slot->Reader->Usb;

    for (ULONG i = 0; i < usb->RateCount; i++) {
        ULONG listed = usb->Rates[i];
        ULONG distance = listed > Rate ? listed - Rate : Rate - listed;
        if (distance * 100ULL <= (ULONGLONG)Rate * RATE_TOLERANCE) {
            return listed;
        }
    }
    return Rate;
}

// Readers that do not follow the parameters with clock and rate by themselves are told both, CCID 1.1 6.1.14.
static NTSTATUS RateSend(PSLOT Slot, UCHAR FiDi)
{
    const PTS_DATA *pts = &Slot->Smartcard.CardCapabilities.PtsData;
    UCHAR bytes[CCID_RATE_AND_CLOCK];
    UCHAR answer[CCID_RATE_AND_CLOCK];
    COMMAND command = {.Origin = CommandOfRequest,
                       .Type = CCID_SET_DATA_RATE,
                       .Data = bytes,
                       .DataLength = sizeof(bytes),
                       .Timeout = PARAMETERS_TIMEOUT,
                       .Reply = answer,
                       .ReplySize = sizeof(answer)};
    NTSTATUS status;

    if (FiDi == CCID_DEFAULT_FINDEX ||
        (FeatureIs(Slot, CCID_FEATURE_AUTO_CLOCK) && FeatureIs(Slot, CCID_FEATURE_AUTO_RATE))) {
        return STATUS_SUCCESS;
    }
    CcidRateAndClockEncode(pts->CLKFrequency, RateSpell(Slot, SlotRate(Slot, pts->CLKFrequency, FiDi)),
                           bytes);
    status = ChannelRun(Slot, &command);
    return status == STATUS_NOT_SUPPORTED ? STATUS_SUCCESS : status;
}

NTSTATUS SlotParametersSet(PSLOT Slot, ULONG Protocol, UCHAR FiDi)
{
    NTSTATUS status;

    QuirksCardRepair(Slot);
    if (FeatureIs(Slot, CCID_FEATURE_AUTO_NEGOTIATION)) {
        return STATUS_SUCCESS;
    }
    status = ParametersSend(Slot, Protocol, FiDi);
    return NT_SUCCESS(status) ? RateSend(Slot, FiDi) : status;
}

// The reader has negotiated by its own algorithm; what came of it is in the parameters' protocol number.
static ULONG ProtocolOfReader(PSLOT Slot, ULONG Wanted)
{
    UCHAR answer[CCID_PARAMETERS_MAX];
    COMMAND command = {.Origin = CommandOfRequest,
                       .Type = CCID_GET_PARAMETERS,
                       .Timeout = PARAMETERS_TIMEOUT,
                       .Reply = answer,
                       .ReplySize = sizeof(answer)};

    if (!NT_SUCCESS(ChannelRun(Slot, &command)) || command.Header.Specific > CLASS_T1) {
        return Wanted;
    }
    return command.Header.Specific == CLASS_T1 ? SCARD_PROTOCOL_T1 : SCARD_PROTOCOL_T0;
}

static NTSTATUS Negotiate(PSLOT Slot, ULONG Protocol)
{
    const PTS_DATA *pts = &Slot->Smartcard.CardCapabilities.PtsData;
    UCHAR fidi = (UCHAR)(pts->Fl << 4 | pts->Dl);
    NTSTATUS status = STATUS_SUCCESS;

    if (!FeatureIs(Slot, CCID_FEATURE_AUTO_NEGOTIATION | CCID_FEATURE_AUTO_PPS)) {
        status = ExchangePps(Slot, Protocol, &fidi);
    }
    return NT_SUCCESS(status) ? SlotParametersSet(Slot, Protocol, fidi) : status;
}

// ISO 7816-3:2006 9: a card that failed a PPS must be reset; then it takes the default parameters. One with
// two protocols starts in its first, so the other still takes a PPS.
static NTSTATUS NegotiateDefault(PSLOT Slot, ULONG Protocol)
{
    const SCARD_CARD_CAPABILITIES *card = &Slot->Smartcard.CardCapabilities;
    UCHAR fidi = CCID_DEFAULT_FINDEX;
    NTSTATUS status;

    Slot->Smartcard.CardCapabilities.PtsData.Type = PTS_TYPE_DEFAULT;
    status = SlotReset(Slot, TRUE);
    if (NT_SUCCESS(status) && Slot->Reader->Quirks.Values[QuirkResets] != 0) {
        status = SlotReset(Slot, TRUE);
    }
    if (!NT_SUCCESS(status) || SlotState(Slot) == SCARD_SPECIFIC) {
        return status;
    }
    if ((card->Protocol.Supported & SCARD_PROTOCOL_Tx) == SCARD_PROTOCOL_Tx &&
        !FeatureIs(Slot, CCID_FEATURE_AUTO_PPS)) {
        status = ExchangePps(Slot, Protocol, &fidi);
    }
    return NT_SUCCESS(status) ? SlotParametersSet(Slot, Protocol, fidi) : status;
}

static VOID ProtocolReturn(PSLOT Slot, ULONG Protocol)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;

    smartcard->CardCapabilities.Protocol.Selected = Protocol;
    SlotStateSet(Slot, SCARD_SPECIFIC);
    RtlCopyMemory(smartcard->IoRequest.ReplyBuffer, &Protocol, sizeof(Protocol));
    *smartcard->IoRequest.Information = sizeof(Protocol);
}

// Libraries differ in whether they ask the driver when there is nothing left to choose.
static NTSTATUS ProtocolKnown(PSLOT Slot, ULONG Mask)
{
    ULONG selected = Slot->Smartcard.CardCapabilities.Protocol.Selected & Mask;

    if (selected == 0) {
        return STATUS_NOT_SUPPORTED;
    }
    ProtocolReturn(Slot, selected);
    return STATUS_SUCCESS;
}

static NTSTATUS ProtocolWork(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    ULONG mask = smartcard->MinorIoControlCode & smartcard->CardCapabilities.Protocol.Supported &
                 smartcard->ReaderCapabilities.SupportedProtocols & SCARD_PROTOCOL_Tx;
    ULONG protocol = (mask & SCARD_PROTOCOL_T1) != 0 ? SCARD_PROTOCOL_T1 : SCARD_PROTOCOL_T0;
    NTSTATUS status;

    if (mask == 0 || SlotState(Slot) == SCARD_SPECIFIC) {
        return ProtocolKnown(Slot, mask);
    }
    if (FeatureIs(Slot, CCID_FEATURE_AUTO_NEGOTIATION)) {
        protocol = ProtocolOfReader(Slot, protocol);
        status = (protocol & mask) != 0 ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
    } else {
        status = Negotiate(Slot, protocol);
        if (!NT_SUCCESS(status) && !SlotCancelled(Slot) && SlotState(Slot) > SCARD_ABSENT) {
            status = NegotiateDefault(Slot, protocol);
        }
    }
    if (NT_SUCCESS(status)) {
        ProtocolReturn(Slot, protocol);
    } else {
        smartcard->CardCapabilities.Protocol.Selected = SCARD_PROTOCOL_UNDEFINED;
    }
    return status;
}

NTSTATUS NTAPI SlotSetProtocol(PSMARTCARD_EXTENSION Smartcard)
{
    *Smartcard->IoRequest.Information = 0;
    if ((Smartcard->MinorIoControlCode & SCARD_PROTOCOL_Tx) == 0) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Smartcard->IoRequest.ReplyBuffer == NULL || Smartcard->IoRequest.ReplyBufferLength < sizeof(ULONG)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    return SlotServe(SlotOfExtension(Smartcard), ProtocolWork, TRUE);
}
