// SPDX-License-Identifier: MIT
#include "reader/slot.h"
#include "reader/ccid/timing.h"

#define CHANNEL_OUT_TIMEOUT 5000                       // ms; a reader takes a message at once or is stuck
#define CHANNEL_SHORTEST    (CCID_HEADER_LENGTH + 261) // some readers state less than the short APDU they take
#define CHANNEL_SMALLEST    32                         // and would chain for ever with less
#define CHANNEL_IN_SMALLEST 512
#define CHANNEL_STALE_MAX   16  // answers to others before the reader is taken for confused
#define CHANNEL_DURATION    600 // s, for all time extensions of one command
#define TICKS_PER_SECOND    10000000

VOID ChannelInitialize(PCHANNEL Channel)
{
    RtlZeroMemory(Channel, sizeof(*Channel));
    KeInitializeEvent(&Channel->Free, SynchronizationEvent, TRUE);
}

NTSTATUS ChannelOpen(PREADER Reader)
{
    PCHANNEL channel = &Reader->Channel;
    ULONG packet = max(Reader->Usb.BulkIn.MaximumPacketSize, 1u); // a token has no such pipe
    ULONG message = Reader->Usb.Interface.Descriptor.MaxMessageLength;
    NTSTATUS status;

    // Below the extended level nothing is chained, so what a short APDU needs is taken for granted.
    if ((Reader->Usb.Interface.Descriptor.Features & CCID_FEATURE_EXTENDED_APDU) == 0) {
        message = max(message, CHANNEL_SHORTEST);
    }
    message = max(message, CHANNEL_SMALLEST);
    channel->MessageMax = message > CCID_MESSAGE_MAX ? CCID_MESSAGE_MAX : message;
    if (Reader->Usb.Interface.Transport != CcidBulk) {
        channel->MessageMax = min(channel->MessageMax, CCID_HEADER_LENGTH + ICCD_TRANSFER_MAX);
    }
    channel->OutSize = channel->MessageMax;
    // Whole packets, and room for one more: a full packet into a lesser remainder is babble, USB 2.0 8.7.4.
    channel->InSize = channel->MessageMax < CHANNEL_IN_SMALLEST ? CHANNEL_IN_SMALLEST : channel->MessageMax;
    channel->InSize = (channel->InSize / packet + 2) * packet;
    status = UsbTransferCreate(Reader, &channel->Transfer);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    RtlZeroMemory(channel->Unsettled, sizeof(channel->Unsettled));
    channel->OutBuffer = ExAllocatePoolWithTag(NonPagedPool, channel->OutSize, READER_TAG);
    channel->InBuffer = ExAllocatePoolWithTag(NonPagedPool, channel->InSize, READER_TAG);
    if (channel->OutBuffer == NULL || channel->InBuffer == NULL) {
        ChannelClose(Reader);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

VOID ChannelClose(PREADER Reader)
{
    PCHANNEL channel = &Reader->Channel;

    if (channel->OutBuffer != NULL) {
        ExFreePoolWithTag(channel->OutBuffer, READER_TAG);
        channel->OutBuffer = NULL;
    }
    if (channel->InBuffer != NULL) {
        ExFreePoolWithTag(channel->InBuffer, READER_TAG);
        channel->InBuffer = NULL;
    }
    UsbTransferDestroy(&channel->Transfer);
}

static NTSTATUS ChannelAcquire(PREADER Reader, const USB_WAIT *Wait)
{
    PVOID objects[3];
    ULONG count = 0;
    NTSTATUS status;

    // Reasons to leave come first: of several signalled objects the first one ends the wait.
    if (Wait->Halt != NULL) {
        objects[count++] = Wait->Halt;
    }
    if (Wait->Cancel != NULL) {
        objects[count++] = Wait->Cancel;
    }
    objects[count] = &Reader->Channel.Free;
    status = KeWaitForMultipleObjects(count + 1, objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
    return status == STATUS_WAIT_0 + (NTSTATUS)count ? STATUS_SUCCESS : STATUS_CANCELLED;
}

VOID ChannelDrain(PREADER Reader)
{
    KeWaitForSingleObject(&Reader->Channel.Free, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&Reader->Channel.Free, IO_NO_INCREMENT, FALSE);
}

NTSTATUS ChannelSend(PREADER Reader, PCCID_REQUEST Request, const UCHAR *Data, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Reader->Channel;
    USB_WAIT wait = *Wait;
    ULONG length = CCID_HEADER_LENGTH + Request->Length;
    NTSTATUS status;

    wait.Milliseconds = CHANNEL_OUT_TIMEOUT;
    CcidRequestEncode(Request, channel->OutBuffer);
    if (Request->Length != 0) {
        RtlCopyMemory(channel->OutBuffer + CCID_HEADER_LENGTH, Data, Request->Length);
    }
    status = UsbTransferRun(Reader, &channel->Transfer, &Reader->Usb.BulkOut, FALSE, channel->OutBuffer,
                            &length, &wait);
    if (status == STATUS_PIPE_BROKEN) {
        status = UsbPipeReset(Reader, &Reader->Usb.BulkOut, &wait);
        if (NT_SUCCESS(status)) {
            length = CCID_HEADER_LENGTH + Request->Length;
            status = UsbTransferRun(Reader, &channel->Transfer, &Reader->Usb.BulkOut, FALSE,
                                    channel->OutBuffer, &length, &wait);
        }
    }
    // A command may carry a PIN or a key.
    RtlSecureZeroMemory(channel->OutBuffer + CCID_HEADER_LENGTH, Request->Length);
    return status;
}

static NTSTATUS ReceiveMore(PREADER Reader, PULONG Received, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Reader->Channel;
    ULONG length = channel->InSize - *Received;
    NTSTATUS status = UsbTransferRun(Reader, &channel->Transfer, &Reader->Usb.BulkIn, TRUE,
                                     channel->InBuffer + *Received, &length, Wait);

    *Received += length;
    return status;
}

// Empty transfers are left over from messages that ended with a full packet; some firmware sends too many of
// them.
NTSTATUS ChannelReceive(PREADER Reader, PCCID_REPLY Reply, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Reader->Channel;
    ULONG received = 0;

    for (ULONG transfers = 0; transfers < CHANNEL_STALE_MAX; transfers++) {
        NTSTATUS status = ReceiveMore(Reader, &received, Wait);
        if (status == STATUS_PIPE_BROKEN) {
            NTSTATUS reset = UsbPipeReset(Reader, &Reader->Usb.BulkIn, Wait);
            return NT_SUCCESS(reset) ? STATUS_IO_DEVICE_ERROR : reset;
        }
        // A reader that omits the empty packet leaves the transfer pending although all is there.
        if (!NT_SUCCESS(status) && (status != STATUS_IO_TIMEOUT || received < CCID_HEADER_LENGTH)) {
            return status;
        }
        if (received < CCID_HEADER_LENGTH) {
            continue;
        }
        if (!CcidReplyDecode(channel->InBuffer, received, Reply) ||
            Reply->Length > channel->InSize - CCID_HEADER_LENGTH) {
            return STATUS_DEVICE_PROTOCOL_ERROR;
        }
        if (received >= CCID_HEADER_LENGTH + Reply->Length) {
            return STATUS_SUCCESS;
        }
        if (!NT_SUCCESS(status) || received == channel->InSize) {
            return status == STATUS_SUCCESS ? STATUS_DEVICE_PROTOCOL_ERROR : status;
        }
    }
    return STATUS_DEVICE_PROTOCOL_ERROR;
}

static NTSTATUS ReplyTake(PREADER Reader, PCOMMAND Command)
{
    PUCHAR data = Reader->Channel.InBuffer + CCID_HEADER_LENGTH;
    NTSTATUS status = STATUS_SUCCESS;

    Command->Answered = Command->Header.CommandStatus == CCID_COMMAND_FAILED ||
                        Command->Header.Type == CcidReplyType(Command->Type);
    Command->ReplyLength = Command->Header.Length;
    if (!Command->Answered) {
        status = STATUS_DEVICE_PROTOCOL_ERROR;
    } else if (Command->Header.CommandStatus != CCID_COMMAND_OK) {
        status = CcidReplyStatus(&Command->Header);
    } else if (Command->ReplyLength > Command->ReplySize) {
        status = STATUS_BUFFER_TOO_SMALL;
    } else if (Command->ReplyLength != 0) {
        RtlCopyMemory(Command->Reply, data, Command->ReplyLength);
    }
    RtlSecureZeroMemory(data, Command->Header.Length);
    return status;
}

static BOOLEAN DurationOver(LONGLONG Since)
{
    LARGE_INTEGER now = {.QuadPart = 0};

    KeQueryTickCount(&now);
    return (now.QuadPart - Since) * KeQueryTimeIncrement() > (LONGLONG)CHANNEL_DURATION * TICKS_PER_SECOND;
}

static NTSTATUS ReplyAwait(PREADER Reader, const CCID_REQUEST *Request, PCOMMAND Command, USB_WAIT Wait)
{
    ULONG stale = 0;
    LARGE_INTEGER begin = {.QuadPart = 0};

    KeQueryTickCount(&begin);
    for (;;) {
        NTSTATUS status = ChannelReceive(Reader, &Command->Header, &Wait);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        // CCID 1.1 6.2: slot and sequence tell which command is answered; anything else is left from one
        // given up.
        if (Command->Header.Slot != Request->Slot || Command->Header.Sequence != Request->Sequence) {
            if (++stale == CHANNEL_STALE_MAX) {
                return STATUS_DEVICE_PROTOCOL_ERROR;
            }
            continue;
        }
        if (Command->Header.CommandStatus != CCID_COMMAND_TIME_EXTENSION) {
            return ReplyTake(Reader, Command);
        }
        if (DurationOver(begin.QuadPart)) {
            return STATUS_IO_TIMEOUT;
        }
        Wait.Milliseconds = CcidWaitExtend(Command->Timeout, Command->Header.Error);
    }
}

static NTSTATUS CommandExchange(PSLOT Slot, PCOMMAND Command, const USB_WAIT *Wait)
{
    PREADER reader = Slot->Reader;
    CCID_REQUEST request = {Command->Type,
                            Slot->Index,
                            ++reader->Channel.Sequence,
                            {Command->Specific[0], Command->Specific[1], Command->Specific[2]},
                            Command->DataLength};
    NTSTATUS status;

    if (reader->Channel.Unsettled[Slot->Index] && Wait->Halt != NULL) {
        ChannelAbort(reader, Slot->Index, Wait);
        request.Sequence = ++reader->Channel.Sequence;
    }
    status = ChannelSend(reader, &request, Command->Data, Wait);
    if (NT_SUCCESS(status)) {
        status = ReplyAwait(reader, &request, Command, *Wait);
    }
    if (!Command->Answered && (status == STATUS_CANCELLED || status == STATUS_IO_TIMEOUT) &&
        Wait->Halt != NULL) {
        ChannelAbort(reader, Slot->Index, Wait);
    }
    return status;
}

NTSTATUS ChannelRun(PSLOT Slot, PCOMMAND Command)
{
    PREADER reader = Slot->Reader;
    USB_WAIT wait = {Command->Timeout, NULL, NULL, NULL};
    NTSTATUS status;

    Command->Answered = FALSE;
    Command->ReplyLength = 0;
    if (Command->DataLength > reader->Channel.OutSize - CCID_HEADER_LENGTH) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Command->Origin != CommandOfShutdown) {
        wait.Halt = &reader->Halt;
    }
    if (Command->Origin == CommandOfRequest) {
        wait.Cancel = &Slot->Cancel;
        wait.Departed = &Slot->Departed;
    }
    status = ChannelAcquire(reader, &wait);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = reader->Usb.Interface.Transport == CcidBulk ? CommandExchange(Slot, Command, &wait)
                                                         : ChannelTokenRun(Slot, Command, &wait);
    KeSetEvent(&reader->Channel.Free, IO_NO_INCREMENT, FALSE);
    // An escape may be answered by the reader without a look at the slot.
    if (Command->Answered && Command->Type != CCID_ESCAPE) {
        SlotObserve(Slot, Command->Header.IccStatus);
    }
    return status;
}
