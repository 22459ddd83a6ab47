// SPDX-License-Identifier: MIT
// Character level: the reader carries bytes and wants to know how many to wait for (CCID 1.1 6.1.4).
#include "reader/clock.h"
#include "reader/exchange.h"
#include "reader/ccid/parameters.h"

#define T0_HEADER_LENGTH   5
#define T0_INS             1
#define T0_NULL            0x60
#define STATUS_WORD_LENGTH 2
#define T1_PROLOGUE        3
#define T1_LEN             2

typedef struct _CHARACTERS { // one T=0 command under way
    PSLOT Slot;
    const UCHAR *Data; // to the card, Left bytes of it
    ULONG Left;
    ULONG Expected; // data bytes the card still owes
    ULONG Received; // in the library's reply buffer
    ULONG Nulls;    // procedure bytes that ask for time
    LONGLONG Begin; // ms
} CHARACTERS, *PCHARACTERS;

// How many bytes of a reply must be fetched by another message.
static ULONG ReplyExcess(PREADER Reader, ULONG Want)
{
    if (Reader->Quirks.Values[QuirkPackets] == 0) {
        return 0;
    }
    return (CCID_HEADER_LENGTH + Want) % Reader->Usb.BulkIn.MaximumPacketSize == 0 ? 1 : 0;
}

// Sends Length bytes, then takes exactly Want into Reply.
static NTSTATUS CharactersMove(PSLOT Slot, const UCHAR *Data, ULONG Length, PUCHAR Reply, ULONG Want,
                               UCHAR Multiplier)
{
    ULONG first = Want - ReplyExcess(Slot->Reader, Want);
    COMMAND command = {.Data = Data, .DataLength = Length, .Reply = Reply, .ReplySize = first};
    NTSTATUS status = ExchangeBlock(Slot, &command, (USHORT)first, Multiplier);

    if (!NT_SUCCESS(status) || command.ReplyLength != first) {
        return NT_SUCCESS(status) ? STATUS_DEVICE_PROTOCOL_ERROR : status;
    }
    return first == Want ? status : CharactersMove(Slot, NULL, 0, Reply + first, Want - first, Multiplier);
}

static NTSTATUS ReplyAppend(PCHARACTERS T0, ULONG Want)
{
    const SMARTCARD_REPLY *reply = &T0->Slot->Smartcard.SmartcardReply;
    NTSTATUS status;

    if (Want > reply->BufferSize - T0->Received) {
        return STATUS_DEVICE_PROTOCOL_ERROR;
    }
    status = CharactersMove(T0->Slot, NULL, 0, reply->Buffer + T0->Received, Want, 0);
    if (NT_SUCCESS(status)) {
        T0->Received += Want;
    }
    return status;
}

// ISO 7816-3:2006 10.3.3: the card acknowledged the transfer of Count bytes in the command's direction. When
// it sends all the rest, the status word is fetched along with it: between two messages the reader may not
// listen.
static NTSTATUS DataMove(PCHARACTERS T0, ULONG Count, PUCHAR Procedure)
{
    ULONG count = min(Count, T0->Left != 0 ? T0->Left : T0->Expected);
    NTSTATUS status;

    if (count == 0) {
        return STATUS_DEVICE_PROTOCOL_ERROR;
    }
    if (T0->Left != 0) {
        T0->Data += count;
        T0->Left -= count;
        return CharactersMove(T0->Slot, T0->Data - count, count, Procedure, 1, 0);
    }
    T0->Expected -= count;
    status = ReplyAppend(T0, count + (T0->Expected == 0 ? STATUS_WORD_LENGTH : 0));
    if (!NT_SUCCESS(status) || T0->Expected == 0) {
        return status;
    }
    return CharactersMove(T0->Slot, NULL, 0, Procedure, 1, 0);
}

static NTSTATUS StatusTake(PCHARACTERS T0, UCHAR Sw1)
{
    const SMARTCARD_REPLY *reply = &T0->Slot->Smartcard.SmartcardReply;

    if (T0->Received == reply->BufferSize) {
        return STATUS_DEVICE_PROTOCOL_ERROR;
    }
    reply->Buffer[T0->Received++] = Sw1;
    return ReplyAppend(T0, 1);
}

// All data and two bytes more have come: SW1 SW2, or a NULL and the procedure byte after it. TRUE: the status
// word.
static BOOLEAN DataEnded(PCHARACTERS T0, PUCHAR Procedure)
{
    const UCHAR *tail = T0->Slot->Smartcard.SmartcardReply.Buffer + T0->Received - STATUS_WORD_LENGTH;

    if (tail[0] != T0_NULL) {
        return TRUE;
    }
    T0->Received -= STATUS_WORD_LENGTH;
    *Procedure = tail[1];
    return FALSE;
}

static BOOLEAN IsStatusByte(UCHAR Procedure)
{
    return (Procedure & 0xF0) == 0x60 || (Procedure & 0xF0) == 0x90;
}

static NTSTATUS ProcedureFollow(PCHARACTERS T0, UCHAR Ins)
{
    UCHAR procedure;
    NTSTATUS status = CharactersMove(T0->Slot, T0->Data, T0_HEADER_LENGTH, &procedure, 1, 0);

    T0->Data += T0_HEADER_LENGTH;
    while (NT_SUCCESS(status)) {
        ULONG owed = T0->Expected;
        UCHAR difference = procedure ^ Ins;

        if (procedure == T0_NULL) {
            status = ChannelTimeGrant(T0->Slot->Reader, ClockNow() - T0->Begin, ++T0->Nulls);
            status = NT_SUCCESS(status) ? CharactersMove(T0->Slot, NULL, 0, &procedure, 1, 0) : status;
        } else if (IsStatusByte(procedure)) {
            return StatusTake(T0, procedure);
        } else if (difference == 0x00 || difference == 0x01) { // with the obsolete Vpp variants
            status = DataMove(T0, MAXULONG, &procedure);
        } else if (difference == 0xFF || difference == 0xFE) {
            status = DataMove(T0, 1, &procedure);
        } else {
            status = STATUS_DEVICE_PROTOCOL_ERROR;
        }
        if (NT_SUCCESS(status) && owed != 0 && T0->Expected == 0 && DataEnded(T0, &procedure)) {
            return status;
        }
    }
    return status;
}

static NTSTATUS TransmitT0(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    CHARACTERS t0 = {.Slot = Slot, .Begin = ClockNow()};
    ULONG le = ExchangeTrailingLe(smartcard);
    NTSTATUS status;

    smartcard->SmartcardRequest.BufferLength = 0;
    smartcard->IoRequest.RequestBufferLength -= le;
    status = SmartcardT0Request(smartcard);
    smartcard->IoRequest.RequestBufferLength += le;
    if (!NT_SUCCESS(status)) {
        return status;
    }
    t0.Data = smartcard->SmartcardRequest.Buffer;
    t0.Left = smartcard->T0.Lc;
    t0.Expected = smartcard->T0.Le;
    status = ProcedureFollow(&t0, t0.Data[T0_INS]);
    if (status == STATUS_CANCELLED) {
        // The card still waits for the rest, and would take the next command for it.
        SlotStateSet(Slot, SCARD_PRESENT);
    }
    if (NT_SUCCESS(status)) {
        smartcard->SmartcardReply.BufferLength = t0.Received;
        status = SmartcardT0Reply(smartcard);
    }
    return status;
}

static NTSTATUS BlockReceive(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    PUCHAR block = smartcard->SmartcardReply.Buffer;
    ULONG rest;
    NTSTATUS status =
        CharactersMove(Slot, smartcard->SmartcardRequest.Buffer, smartcard->SmartcardRequest.BufferLength,
                       block, T1_PROLOGUE, smartcard->T1.Wtx);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    rest = block[T1_LEN] + ((smartcard->CardCapabilities.T1.EDC & T1_CRC_CHECK) != 0 ? 2u : 1u);
    status = CharactersMove(Slot, NULL, 0, block + T1_PROLOGUE, rest, 0);
    if (NT_SUCCESS(status)) {
        smartcard->SmartcardReply.BufferLength = T1_PROLOGUE + rest;
    }
    return status;
}

static NTSTATUS TransmitT1(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    NTSTATUS status;

    do {
        smartcard->SmartcardRequest.BufferLength = 0;
        smartcard->T1.NAD = 0;
        status = SmartcardT1Request(smartcard);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        smartcard->SmartcardReply.BufferLength = 0;
        status = BlockReceive(Slot);
        // Silence and damaged blocks are the protocol's to repair.
        if (NT_SUCCESS(status) || status == STATUS_IO_TIMEOUT || status == STATUS_DEVICE_PROTOCOL_ERROR) {
            status = SmartcardT1Reply(smartcard);
        }
    } while (status == STATUS_MORE_PROCESSING_REQUIRED);
    return status;
}

const EXCHANGE ExchangeCharacter = {TransmitT0, TransmitT1, CCID_PPS_LENGTH, TRUE};
