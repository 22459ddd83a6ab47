// SPDX-License-Identifier: MIT
#include "tests/reader/script.h"
#include "reader/clock.h"
#include "tests/support/wdmtest.h"

#define ROOM 70000

static const SCRIPT_LINE *Line;
static ULONG LinesLeft;
static SLOT *ScriptSlot;
static LONG LastEvent;
static ULONG LastData;
static UCHAR SystemBuffer[ROOM];
static UCHAR RequestBuffer[MIN_BUFFER_SIZE];
static UCHAR ReplyBuffer[MIN_BUFFER_SIZE];

VOID ScriptBegin(SLOT *Slot, READER *Reader, const SCRIPT_LINE *Lines, ULONG Count)
{
    RtlZeroMemory(Slot, sizeof(*Slot));
    RtlZeroMemory(Reader, sizeof(*Reader));
    Slot->Reader = Reader;
    Slot->Smartcard.ReaderExtension = Slot;
    Slot->Smartcard.SmartcardRequest.Buffer = RequestBuffer;
    Slot->Smartcard.SmartcardRequest.BufferSize = sizeof(RequestBuffer);
    Slot->Smartcard.SmartcardReply.Buffer = ReplyBuffer;
    Slot->Smartcard.SmartcardReply.BufferSize = sizeof(ReplyBuffer);
    Reader->Channel.MessageMax = 271;
    ScriptSlot = Slot;
    LastEvent = 0;
    Line = Lines;
    LinesLeft = Count;
}

VOID ScriptEnd(void)
{
    CHECK_EQ(LinesLeft, 0);
}

NTSTATUS ScriptTransmit(ULONG Protocol, const UCHAR *Command, ULONG CommandLength, PUCHAR Reply,
                        PULONG Length)
{
    PSMARTCARD_EXTENSION smartcard = &ScriptSlot->Smartcard;
    SCARD_IO_REQUEST header = {Protocol, sizeof(header)};
    ULONG information = 0;
    NTSTATUS status;

    RtlCopyMemory(SystemBuffer, &header, sizeof(header));
    RtlCopyMemory(SystemBuffer + sizeof(header), Command, CommandLength);
    smartcard->CardCapabilities.Protocol.Selected = Protocol;
    smartcard->IoRequest.Information = &information;
    smartcard->IoRequest.RequestBuffer = SystemBuffer;
    smartcard->IoRequest.RequestBufferLength = sizeof(header) + CommandLength;
    smartcard->IoRequest.ReplyBuffer = SystemBuffer;
    smartcard->IoRequest.ReplyBufferLength = sizeof(header) + *Length;
    status = ExchangeTransmit(smartcard);
    CHECK(NT_SUCCESS(status) == (information >= sizeof(header)));
    *Length = NT_SUCCESS(status) ? information - (ULONG)sizeof(header) : 0;
    RtlCopyMemory(Reply, SystemBuffer + sizeof(header), *Length);
    if (NT_SUCCESS(status)) {
        CHECK_MEM(SystemBuffer, &header, sizeof(header));
    }
    return status;
}

NTSTATUS SlotServe(PSLOT Slot, SLOT_WORK *Work, BOOLEAN NeedsCard)
{
    CHECK(NeedsCard);
    return Work(Slot);
}

ULONG SlotState(PSLOT Slot)
{
    CHECK(Slot == ScriptSlot);
    return SCARD_SPECIFIC;
}

ULONG SlotRate(PSLOT Slot, ULONG Clock, UCHAR FiDi)
{
    UNREFERENCED_PARAMETER(Slot);
    UNREFERENCED_PARAMETER(Clock);
    UNREFERENCED_PARAMETER(FiDi);
    return 9600;
}

VOID SlotStateSet(PSLOT Slot, ULONG State)
{
    Slot->Smartcard.ReaderCapabilities.CurrentState = State;
}

NTSTATUS ChannelRun(PSLOT Slot, PCOMMAND Command)
{
    const SCRIPT_LINE *line = Line++;
    USHORT level = (USHORT)(Command->Specific[1] | Command->Specific[2] << 8);

    CHECK(Slot == ScriptSlot);
    CHECK(LinesLeft != 0);
    LinesLeft--;
    CHECK_EQ(Command->Type, CCID_XFR_BLOCK);
    CHECK_EQ(level, line->Level);
    CHECK_EQ(Command->Specific[0], line->Multiplier);
    CHECK_EQ(Command->DataLength, line->SentLength);
    CHECK_MEM(Command->Data, line->Sent, line->SentLength);
    RtlZeroMemory(&Command->Header, sizeof(Command->Header));
    Command->Answered = TRUE;
    Command->ReplyLength = line->ReplyLength;
    Command->Header.Specific = line->Chain;
    if (!NT_SUCCESS(line->Status)) {
        Command->Header.CommandStatus = CCID_COMMAND_FAILED;
        Command->Header.Error = line->Error;
        return line->Status;
    }
    if (line->ReplyLength > Command->ReplySize) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (line->ReplyLength != 0) {
        RtlCopyMemory(Command->Reply, line->Reply, line->ReplyLength);
    }
    return STATUS_SUCCESS;
}

LONGLONG ClockNow(VOID)
{
    return 0;
}

VOID ReportWrite(PREADER Reader, LONG Event, ULONG Data)
{
    CHECK(Reader == ScriptSlot->Reader);
    LastEvent = Event;
    LastData = Data;
}

VOID ReportRefusal(PREADER Reader, const COMMAND *Command)
{
    CHECK(Reader == ScriptSlot->Reader);
    CHECK(!NT_SUCCESS(CcidReplyStatus(&Command->Header)));
}

NTSTATUS ChannelTimeGrant(PREADER Reader, LONGLONG Duration, ULONG Requests)
{
    CHECK(Reader == ScriptSlot->Reader && Duration >= 0);
    return Requests <= SCRIPT_NULLS ? STATUS_SUCCESS : STATUS_IO_TIMEOUT;
}

LONG ScriptEvent(PULONG Data)
{
    *Data = LastData;
    return LastEvent;
}

// The library's part in small: enough to see what the driver hands over and takes back.
NTSTATUS NTAPI SmartcardT0Request(PSMARTCARD_EXTENSION Smartcard)
{
    const SCARD_IO_REQUEST *header = (const SCARD_IO_REQUEST *)Smartcard->IoRequest.RequestBuffer;
    ULONG length = Smartcard->IoRequest.RequestBufferLength - header->cbPciLength;
    const UCHAR *tpdu = Smartcard->IoRequest.RequestBuffer + header->cbPciLength;

    if (length != 4 && length != 5 && (length < 5 || length != 5u + tpdu[4])) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlCopyMemory(Smartcard->SmartcardRequest.Buffer, tpdu, length);
    Smartcard->SmartcardRequest.Buffer[4] = length == 4 ? 0 : tpdu[4];
    Smartcard->SmartcardRequest.BufferLength = length == 4 ? 5 : length;
    Smartcard->T0.Lc = length > 5 ? length - 5 : 0;
    Smartcard->T0.Le = length == 5 ? (tpdu[4] != 0 ? tpdu[4] : 256u) : 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SmartcardT0Reply(PSMARTCARD_EXTENSION Smartcard)
{
    SCARD_IO_REQUEST header = {Smartcard->CardCapabilities.Protocol.Selected, sizeof(header)};

    CHECK(sizeof(header) + Smartcard->SmartcardReply.BufferLength <= Smartcard->IoRequest.ReplyBufferLength);
    RtlCopyMemory(Smartcard->IoRequest.ReplyBuffer, &header, sizeof(header));
    RtlCopyMemory(Smartcard->IoRequest.ReplyBuffer + sizeof(header), Smartcard->SmartcardReply.Buffer,
                  Smartcard->SmartcardReply.BufferLength);
    *Smartcard->IoRequest.Information = sizeof(header) + Smartcard->SmartcardReply.BufferLength;
    return STATUS_SUCCESS;
}

// Sends the APDU as it is; asks for another round as often as the answer is empty or starts with a WTX
// request.
NTSTATUS NTAPI SmartcardT1Request(PSMARTCARD_EXTENSION Smartcard)
{
    const SCARD_IO_REQUEST *header = (const SCARD_IO_REQUEST *)Smartcard->IoRequest.RequestBuffer;
    ULONG length = Smartcard->IoRequest.RequestBufferLength - header->cbPciLength;

    CHECK_EQ(Smartcard->SmartcardRequest.BufferLength, 0);
    RtlCopyMemory(Smartcard->SmartcardRequest.Buffer,
                  Smartcard->IoRequest.RequestBuffer + header->cbPciLength, length);
    Smartcard->SmartcardRequest.BufferLength = length;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SmartcardT1Reply(PSMARTCARD_EXTENSION Smartcard)
{
    const SMARTCARD_REPLY *reply = &Smartcard->SmartcardReply;

    Smartcard->T1.Wtx = 0;
    if (reply->BufferLength == 0) {
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    if (reply->Buffer[1] == T1_WTX_REQUEST) {
        Smartcard->T1.Wtx = reply->Buffer[3];
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    return SmartcardT0Reply(Smartcard);
}
