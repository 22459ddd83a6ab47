// SPDX-License-Identifier: MIT
// Short and extended APDU level: the reader runs the protocol, we chain what does not fit into one message
// (CCID 1.1 6.1.4 and 6.2.1).
#include "reader/exchange.h"

#define APDU_HEADER_LENGTH 4
#define STATUS_WORD_LENGTH 2
#define APDU_EXTENDED_LC   7 // header, zero, two bytes of Lc or Le

typedef struct _APDU {
    const UCHAR *Bytes;
    ULONG Length;
    BOOLEAN Extended; // the reader takes extended APDUs
} APDU;

static BOOLEAN ApduShortIsWhole(const APDU *Apdu)
{
    ULONG body = Apdu->Length - APDU_HEADER_LENGTH;
    ULONG lc = body == 0 ? 0 : Apdu->Bytes[APDU_HEADER_LENGTH];

    return body <= 1 || (lc != 0 && (body == 1 + lc || body == 2 + lc));
}

static BOOLEAN ApduExtendedIsWhole(const APDU *Apdu)
{
    ULONG lc;

    if (Apdu->Length < APDU_EXTENDED_LC || Apdu->Bytes[APDU_HEADER_LENGTH] != 0) {
        return FALSE;
    }
    lc = (ULONG)Apdu->Bytes[5] << 8 | Apdu->Bytes[6];
    return Apdu->Length == APDU_EXTENDED_LC ||
           (lc != 0 && (Apdu->Length == APDU_EXTENDED_LC + lc || Apdu->Length == APDU_EXTENDED_LC + 2 + lc));
}

static NTSTATUS ApduTake(PSLOT Slot, APDU *Apdu)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    const SCARD_IO_REQUEST *header = (const SCARD_IO_REQUEST *)smartcard->IoRequest.RequestBuffer;
    ULONG features = Slot->Reader->Usb.Interface.Descriptor.Features;

    Apdu->Bytes = smartcard->IoRequest.RequestBuffer + header->cbPciLength;
    Apdu->Length = smartcard->IoRequest.RequestBufferLength - header->cbPciLength;
    Apdu->Extended = (features & CCID_FEATURE_EXTENDED_APDU) != 0;
    return Apdu->Length < APDU_HEADER_LENGTH ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

static USHORT ChainPosition(ULONG Sent, ULONG Part, ULONG Total)
{
    if (Sent == 0) {
        return Part == Total ? CCID_CHAIN_WHOLE : CCID_CHAIN_BEGIN;
    }
    return Sent + Part == Total ? CCID_CHAIN_END : CCID_CHAIN_MIDDLE;
}

// Sends all parts; the last one's reply is the first of the answer. Until then the reader may only say "go
// on", since the request still lies where the answer will.
static NTSTATUS ApduSend(PSLOT Slot, const APDU *Apdu, PUCHAR Reply, ULONG Room, PCOMMAND Command)
{
    ULONG most = Slot->Reader->Channel.MessageMax - CCID_HEADER_LENGTH;
    ULONG sent = 0;

    for (;;) {
        ULONG part = min(Apdu->Length - sent, most);
        BOOLEAN last = sent + part == Apdu->Length;
        NTSTATUS status;

        Command->Data = Apdu->Bytes + sent;
        Command->DataLength = part;
        Command->Reply = last ? Reply : NULL;
        Command->ReplySize = last ? Room : 0;
        status = ExchangeBlock(Slot, Command, ChainPosition(sent, part, Apdu->Length), 0);
        if (last || !NT_SUCCESS(status)) {
            return !last && status == STATUS_BUFFER_TOO_SMALL ? STATUS_DEVICE_PROTOCOL_ERROR : status;
        }
        sent += part;
    }
}

static BOOLEAN ReplyContinues(const COMMAND *Command)
{
    return Command->Header.Specific == CCID_CHAIN_BEGIN || Command->Header.Specific == CCID_CHAIN_MIDDLE;
}

// Readers that declare the short level chain as well, so both are treated alike.
static NTSTATUS ApduReceive(PSLOT Slot, PUCHAR Reply, ULONG Room, PCOMMAND Command, PULONG Received)
{
    NTSTATUS status = STATUS_SUCCESS;

    *Received = Command->ReplyLength;
    while (ReplyContinues(Command)) {
        Command->Data = NULL;
        Command->DataLength = 0;
        Command->Reply = Reply + *Received;
        Command->ReplySize = Room - *Received;
        status = ExchangeBlock(Slot, Command, CCID_CHAIN_CONTINUE, 0);
        if (!NT_SUCCESS(status)) {
            break;
        }
        if (Command->ReplyLength == 0) {
            return STATUS_DEVICE_PROTOCOL_ERROR; // it would go on for ever
        }
        *Received += Command->ReplyLength;
    }
    return status;
}

static NTSTATUS ApduTransmit(PSLOT Slot, const APDU *Apdu)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    SCARD_IO_REQUEST header = {smartcard->CardCapabilities.Protocol.Selected, sizeof(header)};
    PUCHAR reply = smartcard->IoRequest.ReplyBuffer + sizeof(header);
    ULONG room = smartcard->IoRequest.ReplyBufferLength - sizeof(header);
    COMMAND command = {0};
    ULONG received = 0;
    NTSTATUS status = ApduSend(Slot, Apdu, reply, room, &command);

    if (NT_SUCCESS(status)) {
        status = ApduReceive(Slot, reply, room, &command, &received);
    }
    if (NT_SUCCESS(status) && received < STATUS_WORD_LENGTH) {
        status = STATUS_DEVICE_PROTOCOL_ERROR;
    }
    if (NT_SUCCESS(status)) {
        RtlCopyMemory(smartcard->IoRequest.ReplyBuffer, &header, sizeof(header));
        *smartcard->IoRequest.Information = sizeof(header) + received;
    }
    return status;
}

static NTSTATUS TransmitT0(PSLOT Slot)
{
    APDU apdu;
    NTSTATUS status = ApduTake(Slot, &apdu);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    // What is not a whole command would leave a T=0 card waiting in the middle of it.
    if (!ApduShortIsWhole(&apdu) && !(apdu.Extended && ApduExtendedIsWhole(&apdu))) {
        return STATUS_INVALID_PARAMETER;
    }
    return ApduTransmit(Slot, &apdu);
}

static NTSTATUS TransmitT1(PSLOT Slot)
{
    APDU apdu;
    NTSTATUS status = ApduTake(Slot, &apdu);

    return NT_SUCCESS(status) ? ApduTransmit(Slot, &apdu) : status;
}

const EXCHANGE ExchangeApdu = {TransmitT0, TransmitT1, 0, FALSE};
