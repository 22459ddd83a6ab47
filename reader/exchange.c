// SPDX-License-Identifier: MIT
#include "reader/exchange.h"
#include "reader/ccid/parameters.h"
#include "reader/ccid/timing.h"

#define APDU_SHORT_MAX 261
#define US_PER_SECOND  1000000
#define ETU_DEFAULT    105 // us, 372 clocks of 3.58 MHz
#define N_MINIMUM      255 // the shortest guard time, ISO 7816-3:2006 8.3

const EXCHANGE *ExchangeSelect(const CCID_INTERFACE *Interface)
{
    ULONG features = Interface->Descriptor.Features;

    // A token of version A names no level; the channel makes a TPDU of its phases.
    if (Interface->Transport == CcidTokenA) {
        return &ExchangeTpdu;
    }
    if ((features & (CCID_FEATURE_SHORT_APDU | CCID_FEATURE_EXTENDED_APDU)) != 0) {
        return &ExchangeApdu;
    }
    return (features & CCID_FEATURE_TPDU) != 0 ? &ExchangeTpdu : &ExchangeCharacter;
}

// Neither the unit of the library's etu nor what its GT includes is documented, so both are reckoned here.
static CCID_CARD_TIMES CardTimes(PSLOT Slot)
{
    const SCARD_CARD_CAPABILITIES *card = &Slot->Smartcard.CardCapabilities;
    ULONG rate =
        SlotRate(Slot, card->PtsData.CLKFrequency, (UCHAR)(card->PtsData.Fl << 4 | card->PtsData.Dl));
    ULONG etu = rate != 0 ? US_PER_SECOND / rate + 1 : ETU_DEFAULT;
    CCID_CARD_TIMES times = {etu, card->N == N_MINIMUM ? 0 : card->N * etu, card->T0.WT, card->T1.BWT,
                             card->Protocol.Selected == SCARD_PROTOCOL_T1};

    return times;
}

NTSTATUS ExchangeBlock(PSLOT Slot, PCOMMAND Command, USHORT Level, UCHAR Multiplier)
{
    CCID_CARD_TIMES times = CardTimes(Slot);
    NTSTATUS status;

    Command->Origin = CommandOfRequest;
    Command->Type = CCID_XFR_BLOCK;
    Command->Specific[0] = Multiplier;
    Command->Specific[1] = (UCHAR)Level;
    Command->Specific[2] = (UCHAR)(Level >> 8);
    Command->Timeout = CcidWaitBlock(&times, Multiplier);
    status = ChannelRun(Slot, Command);
    if (!NT_SUCCESS(status)) {
        ReportRefusal(Slot->Reader, Command);
    }
    return status;
}

// Bytes of the longest command that can reach a card. At TPDU level T=1 chains whatever comes.
static ULONG CommandMost(PSLOT Slot)
{
    const READER *reader = Slot->Reader;
    BOOLEAN extended = reader->Exchange == &ExchangeApdu
                           ? (reader->Usb.Interface.Descriptor.Features & CCID_FEATURE_EXTENDED_APDU) != 0
                           : Slot->Smartcard.CardCapabilities.Protocol.Selected == SCARD_PROTOCOL_T1;

    return extended ? CCID_DATA_LENGTH_MAX : APDU_SHORT_MAX;
}

static NTSTATUS TransmitWork(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    const SCARD_IO_REQUEST *header = (const SCARD_IO_REQUEST *)smartcard->IoRequest.RequestBuffer;
    ULONG length = smartcard->IoRequest.RequestBufferLength - header->cbPciLength;
    ULONG most = CommandMost(Slot);
    NTSTATUS status;

    // It may have lost its power while the request waited for the reader, and not every library looks.
    if (SlotState(Slot) != SCARD_SPECIFIC ||
        header->dwProtocol != smartcard->CardCapabilities.Protocol.Selected) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (length > most) {
        ReportWrite(Slot->Reader, LECTERN_APDU_TOO_LONG, most);
        return STATUS_INVALID_PARAMETER;
    }
    if (QuirksAnswer(Slot, smartcard->IoRequest.RequestBuffer + header->cbPciLength, length, &status)) {
        return status;
    }
    switch (Slot->Smartcard.CardCapabilities.Protocol.Selected) {
    case SCARD_PROTOCOL_T0:
        return Slot->Reader->Exchange->TransmitT0(Slot);
    case SCARD_PROTOCOL_T1:
        return Slot->Reader->Exchange->TransmitT1(Slot);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

// Commands carry PINs and keys, answers carry what they protect.
static VOID BuffersErase(PSMARTCARD_EXTENSION Smartcard)
{
    RtlSecureZeroMemory(Smartcard->SmartcardRequest.Buffer, Smartcard->SmartcardRequest.BufferSize);
    RtlSecureZeroMemory(Smartcard->SmartcardReply.Buffer, Smartcard->SmartcardReply.BufferSize);
}

NTSTATUS NTAPI ExchangeTransmit(PSMARTCARD_EXTENSION Smartcard)
{
    const SCARD_IO_REQUEST *header = (const SCARD_IO_REQUEST *)Smartcard->IoRequest.RequestBuffer;
    NTSTATUS status;

    *Smartcard->IoRequest.Information = 0;
    if (header == NULL || Smartcard->IoRequest.RequestBufferLength < sizeof(*header) ||
        header->cbPciLength < sizeof(*header) ||
        header->cbPciLength > Smartcard->IoRequest.RequestBufferLength) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Smartcard->IoRequest.ReplyBuffer == NULL ||
        Smartcard->IoRequest.ReplyBufferLength < sizeof(*header)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    status = SlotServe(SlotOfExtension(Smartcard), TransmitWork, TRUE);
    BuffersErase(Smartcard);
    return status;
}

NTSTATUS ExchangePps(PSLOT Slot, ULONG Protocol, PUCHAR FiDi)
{
    const EXCHANGE *exchange = Slot->Reader->Exchange;
    UCHAR pps[CCID_PPS_LENGTH];
    UCHAR answer[CCID_PPS_LENGTH];
    COMMAND command = {.Data = pps, .DataLength = sizeof(pps), .Reply = answer, .ReplySize = sizeof(answer)};
    NTSTATUS status;

    if (!exchange->Pps) {
        *FiDi = CCID_DEFAULT_FINDEX;
        return STATUS_SUCCESS;
    }
    CcidPpsEncode(Protocol == SCARD_PROTOCOL_T1, *FiDi, pps);
    status = ExchangeBlock(Slot, &command, (USHORT)exchange->PpsAnswer, 0);
    if (NT_SUCCESS(status) && !CcidPpsAccept(pps, answer, command.ReplyLength, FiDi)) {
        status = STATUS_DEVICE_PROTOCOL_ERROR;
    }
    return status;
}
