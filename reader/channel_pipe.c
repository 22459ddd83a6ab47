// SPDX-License-Identifier: MIT
// Messages on the bulk pipes, and which command a reply belongs to: CCID 1.1 6.2.
#include "reader/clock.h"
#include "reader/slot.h"
#include "reader/ccid/timing.h"

#define OUT_TIMEOUT 5000 // ms; a reader takes a message at once or is stuck
#define STALE_MAX   16   // answers to nobody before the reader is taken for confused

static NTSTATUS OutTransfer(PREADER Reader, ULONG Length, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Reader->Channel;

    return UsbTransferRun(Reader, &channel->OutTransfer, &Reader->Usb.BulkOut, FALSE, channel->OutBuffer,
                          &Length, Wait);
}

static NTSTATUS MessageSend(PREADER Reader, const CCID_REQUEST *Request, const UCHAR *Data,
                            const USB_WAIT *Wait)
{
    PCHANNEL channel = &Reader->Channel;
    USB_WAIT wait = {min(OUT_TIMEOUT, Wait->Milliseconds), Wait->Halt, Wait->Cancel, Wait->Departed};
    USB_WAIT patience = {USB_WAIT_FOREVER, Wait->Halt, Wait->Cancel, Wait->Departed};
    ULONG length = CCID_HEADER_LENGTH + Request->Length;
    NTSTATUS status = UsbWait(NULL, &channel->OutFree, &patience);

    if (status != STATUS_WAIT_1) {
        return status;
    }
    CcidRequestEncode(Request, channel->OutBuffer);
    if (Request->Length != 0) {
        RtlCopyMemory(channel->OutBuffer + CCID_HEADER_LENGTH, Data, Request->Length);
    }
    status = OutTransfer(Reader, length, &wait);
    if (status == STATUS_PIPE_BROKEN) {
        status = UsbPipeReset(Reader, &Reader->Usb.BulkOut, &wait);
        if (NT_SUCCESS(status)) {
            status = OutTransfer(Reader, length, &wait);
        }
    }
    // A command may carry a PIN or a key.
    RtlSecureZeroMemory(channel->OutBuffer + CCID_HEADER_LENGTH, Request->Length);
    KeSetEvent(&channel->OutFree, IO_NO_INCREMENT, FALSE);
    return status;
}

static NTSTATUS ReceiveMore(PREADER Reader, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Reader->Channel;
    ULONG length = channel->InSize - channel->Received;
    NTSTATUS status = UsbTransferRun(Reader, &channel->InTransfer, &Reader->Usb.BulkIn, TRUE,
                                     channel->InBuffer + channel->Received, &length, Wait);

    channel->Received += length;
    return status;
}

// Empty transfers are left over from messages that ended with a full packet; some firmware sends too many of
// them.
static NTSTATUS MessageReceive(PREADER Reader, PCCID_REPLY Reply, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Reader->Channel;

    for (ULONG transfers = 0; transfers < STALE_MAX; transfers++) {
        NTSTATUS status = ReceiveMore(Reader, Wait);
        if (status == STATUS_PIPE_BROKEN) {
            NTSTATUS reset = UsbPipeReset(Reader, &Reader->Usb.BulkIn, Wait);
            return NT_SUCCESS(reset) ? STATUS_IO_DEVICE_ERROR : reset;
        }
        // A reader that omits the empty packet leaves the transfer pending although all is there.
        if (!NT_SUCCESS(status) && (status != STATUS_IO_TIMEOUT || channel->Received < CCID_HEADER_LENGTH)) {
            return status;
        }
        if (channel->Received < CCID_HEADER_LENGTH) {
            continue;
        }
        if (!CcidReplyDecode(channel->InBuffer, channel->Received, Reply) ||
            Reply->Length > channel->InSize - CCID_HEADER_LENGTH) {
            return STATUS_DEVICE_PROTOCOL_ERROR;
        }
        if (channel->Received >= CCID_HEADER_LENGTH + Reply->Length) {
            return STATUS_SUCCESS;
        }
        if (!NT_SUCCESS(status) || channel->Received == channel->InSize) {
            return status == STATUS_SUCCESS ? STATUS_DEVICE_PROTOCOL_ERROR : status;
        }
    }
    return STATUS_DEVICE_PROTOCOL_ERROR;
}

static NTSTATUS ReplyTake(PCOMMAND Command, const UCHAR *Data)
{
    Command->Answered = Command->Header.CommandStatus == CCID_COMMAND_FAILED ||
                        Command->Header.Type == CcidReplyType(Command->Type);
    Command->ReplyLength = Command->Header.Length;
    if (!Command->Answered) {
        return STATUS_DEVICE_PROTOCOL_ERROR;
    }
    if (Command->Header.CommandStatus != CCID_COMMAND_OK) {
        return CcidReplyStatus(&Command->Header);
    }
    if (Command->ReplyLength > Command->ReplySize) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (Command->ReplyLength != 0) {
        RtlCopyMemory(Command->Reply, Data, Command->ReplyLength);
    }
    return STATUS_SUCCESS;
}

// Slot and sequence tell which command is answered. FALSE: none; it is left from one given up.
static BOOLEAN ReplyDeliver(PCHANNEL Channel, const CCID_REPLY *Reply)
{
    PLANE lane = &Channel->Lanes[min(Reply->Slot, READER_SLOTS_MAX - 1u)];
    BOOLEAN expected;
    KIRQL irql;

    KeAcquireSpinLock(&Channel->Lock, &irql);
    expected = Reply->Slot < READER_SLOTS_MAX && lane->Expecting != NULL && lane->Sequence == Reply->Sequence;
    if (expected) {
        lane->Expecting->Header = *Reply;
        if (Reply->CommandStatus != CCID_COMMAND_TIME_EXTENSION) {
            lane->Status = ReplyTake(lane->Expecting, Channel->InBuffer + CCID_HEADER_LENGTH);
            lane->Expecting = NULL;
        }
        KeSetEvent(&lane->Arrived, IO_NO_INCREMENT, FALSE);
    }
    KeReleaseSpinLock(&Channel->Lock, irql);
    return expected;
}

static BOOLEAN OthersExpect(PCHANNEL Channel, ULONG Self)
{
    BOOLEAN others = FALSE;
    KIRQL irql;

    KeAcquireSpinLock(&Channel->Lock, &irql);
    for (ULONG i = 0; i < READER_SLOTS_MAX; i++) {
        others |= i != Self && Channel->Lanes[i].Expecting != NULL;
    }
    KeReleaseSpinLock(&Channel->Lock, irql);
    return others;
}

// Reads one message, whosever it is. The caller has InFree and gives it back.
static NTSTATUS MessageDistribute(PSLOT Slot, PULONG Stale, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Slot->Reader->Channel;
    CCID_REPLY reply;
    NTSTATUS status = MessageReceive(Slot->Reader, &reply, Wait);

    if (NT_SUCCESS(status) && !ReplyDeliver(channel, &reply) && ++*Stale == STALE_MAX) {
        status = STATUS_DEVICE_PROTOCOL_ERROR;
    }
    // Whoever loses patience amid another's message leaves him what has come of it; a late one goes on.
    if (status != STATUS_NO_MEDIA && ((status != STATUS_CANCELLED && status != STATUS_IO_TIMEOUT) ||
                                      !OthersExpect(channel, Slot->Index))) {
        RtlSecureZeroMemory(channel->InBuffer, channel->Received);
        channel->Received = 0;
    }
    KeSetEvent(&channel->InFree, IO_NO_INCREMENT, FALSE);
    return status;
}

// TRUE: the reply has come, be it at the last moment, and *Status is the command's.
static BOOLEAN ReplyArrived(PCHANNEL Channel, PLANE Lane, BOOLEAN Withdraw, PNTSTATUS Status)
{
    BOOLEAN arrived;
    KIRQL irql;

    KeAcquireSpinLock(&Channel->Lock, &irql);
    arrived = Lane->Expecting == NULL;
    if (arrived) {
        *Status = Lane->Status;
    }
    if (Withdraw) {
        Lane->Expecting = NULL;
    }
    KeReleaseSpinLock(&Channel->Lock, irql);
    return arrived;
}

NTSTATUS ChannelTimeGrant(PREADER Reader, LONGLONG Duration, ULONG Extensions)
{
    if (Duration <= CCID_DURATION_MAX && Extensions <= CCID_EXTENSIONS_MAX) {
        return STATUS_SUCCESS;
    }
    ReportWrite(Reader, LECTERN_CARD_ENDLESS, (ULONG)(Duration / 1000));
    return STATUS_IO_TIMEOUT;
}

static NTSTATUS ReplyAwait(PSLOT Slot, PCOMMAND Command, USB_WAIT Wait)
{
    PCHANNEL channel = &Slot->Reader->Channel;
    PLANE lane = &channel->Lanes[Slot->Index];
    LONGLONG begin = ClockNow();
    LONGLONG deadline = begin + Wait.Milliseconds;
    ULONG extensions = 0;
    ULONG stale = 0;
    NTSTATUS status;

    for (;;) {
        LONGLONG now = ClockNow();
        Wait.Milliseconds = now < deadline ? (ULONG)(deadline - now) : 0;
        status = UsbWait(&lane->Arrived, &channel->InFree, &Wait);
        if (status == STATUS_WAIT_1) {
            status = MessageDistribute(Slot, &stale, &Wait);
        } else if (NT_SUCCESS(status)) {
            if (ReplyArrived(channel, lane, FALSE, &status)) {
                return status;
            }
            now = ClockNow();
            status = ChannelTimeGrant(Slot->Reader, now - begin, ++extensions);
            deadline = now + CcidWaitExtend(Command->Timeout, Command->Header.Error);
        }
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
}

NTSTATUS ChannelExchange(PSLOT Slot, PCOMMAND Command, UCHAR Sequence, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Slot->Reader->Channel;
    PLANE lane = &channel->Lanes[Slot->Index];
    CCID_REQUEST request = {Command->Type,
                            Slot->Index,
                            Sequence,
                            {Command->Specific[0], Command->Specific[1], Command->Specific[2]},
                            Command->DataLength};
    NTSTATUS status;
    KIRQL irql;

    // The reply may be read by another slot's command before this one begins to wait.
    KeAcquireSpinLock(&channel->Lock, &irql);
    KeClearEvent(&lane->Arrived);
    lane->Expecting = Command;
    lane->Sequence = Sequence;
    lane->Type = Command->Type;
    KeReleaseSpinLock(&channel->Lock, irql);
    status = MessageSend(Slot->Reader, &request, Command->Data, Wait);
    if (NT_SUCCESS(status)) {
        status = ReplyAwait(Slot, Command, *Wait);
    }
    (VOID) ReplyArrived(channel, lane, TRUE, &status);
    return status;
}

NTSTATUS ChannelAwait(PSLOT Slot, PCOMMAND Command, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Slot->Reader->Channel;
    PLANE lane = &channel->Lanes[Slot->Index];
    NTSTATUS status;
    KIRQL irql;

    KeAcquireSpinLock(&channel->Lock, &irql);
    KeClearEvent(&lane->Arrived);
    lane->Expecting = Command;
    KeReleaseSpinLock(&channel->Lock, irql);
    status = ReplyAwait(Slot, Command, *Wait);
    (VOID) ReplyArrived(channel, lane, TRUE, &status);
    return status;
}
