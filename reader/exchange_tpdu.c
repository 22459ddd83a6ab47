// SPDX-License-Identifier: MIT
// TPDU level: the library builds the blocks, the reader carries them one by one.
#include "reader/exchange.h"

#define T0_HEADER_LENGTH 5
#define IFS_DATA_LENGTH  4 // prologue and size
#define T1_RESPONSE      0x20
#define CRC_POLYNOMIAL   0x8408

// A case 4 command cannot travel whole over T=0 (ISO 7816-3:2006 12.2.1): without its Le the card answers
// 61xx, and fetching the rest is the application's part. Returns how many trailing bytes are Le.
ULONG ExchangeTrailingLe(const SMARTCARD_EXTENSION *Smartcard)
{
    const SCARD_IO_REQUEST *header = (const SCARD_IO_REQUEST *)Smartcard->IoRequest.RequestBuffer;
    const UCHAR *tpdu = Smartcard->IoRequest.RequestBuffer + header->cbPciLength;
    ULONG length = Smartcard->IoRequest.RequestBufferLength - header->cbPciLength;

    return length > T0_HEADER_LENGTH && tpdu[4] != 0 && length == T0_HEADER_LENGTH + 1u + tpdu[4] ? 1 : 0;
}

static VOID BlockPrepare(PSMARTCARD_EXTENSION Smartcard, PCOMMAND Command)
{
    RtlZeroMemory(Command, sizeof(*Command));
    Command->Data = Smartcard->SmartcardRequest.Buffer;
    Command->DataLength = Smartcard->SmartcardRequest.BufferLength;
    Command->Reply = Smartcard->SmartcardReply.Buffer;
    Command->ReplySize = Smartcard->SmartcardReply.BufferSize;
}

static NTSTATUS TransmitT0(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    ULONG le = ExchangeTrailingLe(smartcard);
    COMMAND command;
    NTSTATUS status;

    smartcard->SmartcardRequest.BufferLength = 0;
    smartcard->IoRequest.RequestBufferLength -= le;
    status = SmartcardT0Request(smartcard);
    smartcard->IoRequest.RequestBufferLength += le;
    if (!NT_SUCCESS(status)) {
        return status;
    }
    BlockPrepare(smartcard, &command);
    status = ExchangeBlock(Slot, &command, 0, 0);
    smartcard->SmartcardReply.BufferLength = command.ReplyLength;
    if (NT_SUCCESS(status)) {
        status = SmartcardT0Reply(smartcard);
    }
    return status;
}

// A silent card or a damaged block is what T=1 recovers from; the library decides for how long.
static BOOLEAN BlockLost(const COMMAND *Command)
{
    return Command->Answered && Command->Header.CommandStatus == CCID_COMMAND_FAILED &&
           Command->Header.IccStatus == CCID_ICC_ACTIVE &&
           (Command->Header.Error == CCID_ERROR_ICC_MUTE || Command->Header.Error == CCID_ERROR_PARITY);
}

static NTSTATUS BlockExchange(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    COMMAND command;
    NTSTATUS status;

    BlockPrepare(smartcard, &command);
    status = ExchangeBlock(Slot, &command, 0, smartcard->T1.Wtx);
    smartcard->SmartcardReply.BufferLength = NT_SUCCESS(status) ? command.ReplyLength : 0;
    return BlockLost(&command) ? STATUS_SUCCESS : status;
}

// ISO/IEC 13239, as ISO 7816-3:2006 11.3.4 wants it. What the text leaves open of order and inversion does
// not matter to the difference between two blocks, except the order of its bytes.
static USHORT CrcReckon(const UCHAR *Bytes, ULONG Length)
{
    USHORT crc = 0xFFFF;

    for (ULONG i = 0; i < Length; i++) {
        crc ^= Bytes[i];
        for (ULONG bit = 0; bit < 8; bit++) {
            crc = (USHORT)(crc >> 1 ^ ((crc & 1) != 0 ? CRC_POLYNOMIAL : 0));
        }
    }
    return crc;
}

// Changes the request's CRC into the answer's, in the byte order it has. FALSE: it is no CRC that we know.
static BOOLEAN CrcFollow(const UCHAR *Request, PUCHAR Answer)
{
    USHORT before = CrcReckon(Request, IFS_DATA_LENGTH);
    USHORT change = before ^ CrcReckon(Answer, IFS_DATA_LENGTH);
    USHORT highFirst = before ^ (USHORT)(Request[IFS_DATA_LENGTH] << 8 | Request[IFS_DATA_LENGTH + 1]);
    USHORT lowFirst = before ^ (USHORT)(Request[IFS_DATA_LENGTH + 1] << 8 | Request[IFS_DATA_LENGTH]);

    if (highFirst == 0 || highFirst == 0xFFFF) {
        Answer[IFS_DATA_LENGTH] ^= change >> 8;
        Answer[IFS_DATA_LENGTH + 1] ^= (UCHAR)change;
        return TRUE;
    }
    Answer[IFS_DATA_LENGTH] ^= (UCHAR)change;
    Answer[IFS_DATA_LENGTH + 1] ^= change >> 8;
    return lowFirst == 0 || lowFirst == 0xFFFF;
}

// A reader with feature 400h has told the card its IFSD by itself; the library's request is answered here, so
// that the card gets none.
static BOOLEAN IfsAnswered(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    const UCHAR *block = smartcard->SmartcardRequest.Buffer;
    PUCHAR answer = smartcard->SmartcardReply.Buffer;
    BOOLEAN crc = (smartcard->CardCapabilities.T1.EDC & T1_CRC_CHECK) != 0;
    ULONG length = IFS_DATA_LENGTH + (crc ? 2u : 1u);

    if ((Slot->Reader->Usb.Interface.Descriptor.Features & CCID_FEATURE_AUTO_IFSD) == 0 ||
        smartcard->SmartcardRequest.BufferLength != length || block[1] != T1_IFS_REQUEST) {
        return FALSE;
    }
    RtlCopyMemory(answer, block, length);
    answer[1] ^= T1_RESPONSE;
    if (!crc) {
        answer[IFS_DATA_LENGTH] ^= T1_RESPONSE; // the LRC
    } else if (!CrcFollow(block, answer)) {
        return FALSE;
    }
    smartcard->SmartcardReply.BufferLength = length;
    return TRUE;
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
        status = IfsAnswered(Slot) ? STATUS_SUCCESS : BlockExchange(Slot);
        if (NT_SUCCESS(status)) {
            status = SmartcardT1Reply(smartcard);
        }
    } while (status == STATUS_MORE_PROCESSING_REQUIRED);
    return status;
}

const EXCHANGE ExchangeTpdu = {TransmitT0, TransmitT1, 0, TRUE};
