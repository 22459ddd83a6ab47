// SPDX-License-Identifier: MIT
#include "reader/slot.h"

#define CHANNEL_SHORTEST     (CCID_HEADER_LENGTH + 261) // some readers state less than the short APDU they take
#define CHANNEL_SMALLEST     32                         // and would chain for ever with less
#define CHANNEL_IN_SMALLEST  512
#define CHANNEL_ATTEMPTS     3    // of a command that a busy reader refuses
#define CHANNEL_LATE_TIMEOUT 1000 // ms for an answer, once the card is gone

VOID ChannelInitialize(PCHANNEL Channel)
{
    RtlZeroMemory(Channel, sizeof(*Channel));
    KeInitializeSpinLock(&Channel->Lock);
    KeInitializeSemaphore(&Channel->Turns, 0, READER_SLOTS_MAX);
    KeInitializeEvent(&Channel->Idle, NotificationEvent, TRUE);
    KeInitializeEvent(&Channel->OutFree, SynchronizationEvent, TRUE);
    KeInitializeEvent(&Channel->InFree, SynchronizationEvent, TRUE);
    for (ULONG i = 0; i < READER_SLOTS_MAX; i++) {
        KeInitializeEvent(&Channel->Lanes[i].Free, SynchronizationEvent, TRUE);
        KeInitializeEvent(&Channel->Lanes[i].Arrived, SynchronizationEvent, FALSE);
    }
}

static VOID SizesChoose(PREADER Reader)
{
    PCHANNEL channel = &Reader->Channel;
    ULONG packet = max(Reader->Usb.BulkIn.MaximumPacketSize, 1u); // a token has no such pipe
    ULONG message = Reader->Usb.Interface.Descriptor.MaxMessageLength;

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
}

// Some readers state 0 busy slots, some more than they have slots.
static ULONG TurnLimit(const CCID_INTERFACE *Interface)
{
    ULONG slots = min(Interface->Descriptor.MaxSlotIndex + 1u, READER_SLOTS_MAX);
    ULONG busy = max(Interface->Descriptor.MaxBusySlots, 1u);

    return Interface->Transport == CcidBulk ? min(slots, busy) : 1;
}

NTSTATUS ChannelOpen(PREADER Reader)
{
    PCHANNEL channel = &Reader->Channel;
    NTSTATUS status;

    SizesChoose(Reader);
    for (ULONG i = 0; i < READER_SLOTS_MAX; i++) {
        channel->Lanes[i].Unsettled = FALSE;
        channel->Lanes[i].Late = FALSE;
        channel->Lanes[i].Owing = FALSE;
    }
    channel->Received = 0;
    status = UsbTransferCreate(Reader, &channel->OutTransfer);
    if (NT_SUCCESS(status)) {
        status = UsbTransferCreate(Reader, &channel->InTransfer);
    }
    channel->OutBuffer = ExAllocatePoolWithTag(NonPagedPool, channel->OutSize, READER_TAG);
    channel->InBuffer = ExAllocatePoolWithTag(NonPagedPool, channel->InSize, READER_TAG);
    if (!NT_SUCCESS(status) || channel->OutBuffer == NULL || channel->InBuffer == NULL) {
        ChannelClose(Reader);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ChannelTurnsOpen(channel, TurnLimit(&Reader->Usb.Interface));
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
    UsbTransferDestroy(&channel->OutTransfer);
    UsbTransferDestroy(&channel->InTransfer);
}

static BOOLEAN SlotBusy(const COMMAND *Command)
{
    return Command->Answered && Command->Header.CommandStatus == CCID_COMMAND_FAILED &&
           Command->Header.Error == CCID_ERROR_SLOT_BUSY;
}

static BOOLEAN Abandoned(NTSTATUS Status)
{
    return Status == STATUS_CANCELLED || Status == STATUS_NO_MEDIA;
}

static NTSTATUS Settle(PSLOT Slot, const USB_WAIT *Wait)
{
    PLANE lane = &Slot->Reader->Channel.Lanes[Slot->Index];
    COMMAND late = {.Type = lane->Type, .Timeout = CHANNEL_LATE_TIMEOUT};
    USB_WAIT wait = {CHANNEL_LATE_TIMEOUT, Wait->Halt, Wait->Cancel, Wait->Departed};
    NTSTATUS status = STATUS_SUCCESS;

    if (lane->Late) {
        status = ChannelAwait(Slot, &late, &wait);
        lane->Unsettled = !late.Answered;
        if (lane->Unsettled && Abandoned(status)) {
            return status;
        }
        lane->Late = FALSE;
    }
    return lane->Unsettled ? ChannelAbort(Slot, Wait) : STATUS_SUCCESS;
}

// Its requester waits no longer, so neither does this; unless the reader halts, which ends all by itself.
static VOID LeaveBehind(PSLOT Slot, const USB_WAIT *Wait, NTSTATUS Status)
{
    PLANE lane = &Slot->Reader->Channel.Lanes[Slot->Index];

    if (KeReadStateEvent(Wait->Halt) == 0) {
        lane->Unsettled = TRUE;
        lane->Late = Status == STATUS_NO_MEDIA;
        MonitorSettle(Slot->Reader, Slot->Index);
    }
}

// Without a Halt the reader is about to lose its state anyway, and nobody may wait for it.
static NTSTATUS CommandExchange(PSLOT Slot, PCOMMAND Command, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Slot->Reader->Channel;
    BOOLEAN repair = Wait->Halt != NULL;
    NTSTATUS status;

    status = repair && channel->Lanes[Slot->Index].Unsettled ? Settle(Slot, Wait) : STATUS_SUCCESS;
    if (!NT_SUCCESS(status)) {
        MonitorSettle(Slot->Reader, Slot->Index);
        return status;
    }
    status = ChannelExchange(Slot, Command, ChannelSequenceNext(channel), Wait);
    if (!repair) {
        return status;
    }
    if (!Command->Answered && Abandoned(status)) {
        LeaveBehind(Slot, Wait, status);
    } else if ((!Command->Answered && status == STATUS_IO_TIMEOUT) ||
               (SlotBusy(Command) && !ChannelTurnsLower(channel))) {
        // Refused, the slot works on a command nobody knows of, unless the other slots are too much for the
        // reader.
        if (!NT_SUCCESS(ChannelAbort(Slot, Wait))) {
            LeaveBehind(Slot, Wait, STATUS_CANCELLED);
        }
    }
    return status;
}

static NTSTATUS CommandAttempt(PSLOT Slot, PCOMMAND Command, const USB_WAIT *Wait)
{
    PREADER reader = Slot->Reader;
    NTSTATUS status = ChannelTurnTake(&reader->Channel, Wait);

    Command->Answered = FALSE;
    Command->ReplyLength = 0;
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = reader->Usb.Interface.Transport == CcidBulk ? CommandExchange(Slot, Command, Wait)
                                                         : ChannelTokenRun(Slot, Command, Wait);
    ChannelTurnGive(&reader->Channel);
    return status;
}

static NTSTATUS LaneTake(PLANE Lane, const USB_WAIT *Wait)
{
    USB_WAIT wait = {USB_WAIT_FOREVER, Wait->Halt, Wait->Cancel, Wait->Departed};
    NTSTATUS status = UsbWait(NULL, &Lane->Free, &wait);

    return status == STATUS_WAIT_1 ? STATUS_SUCCESS : status;
}

VOID ChannelSettle(PSLOT Slot)
{
    PCHANNEL channel = &Slot->Reader->Channel;
    PLANE lane = &channel->Lanes[Slot->Index];
    USB_WAIT wait = {0, &Slot->Reader->Halt, NULL, NULL};

    if (!NT_SUCCESS(LaneTake(lane, &wait))) {
        return;
    }
    if (lane->Unsettled && NT_SUCCESS(ChannelTurnTake(channel, &wait))) {
        // Halted it remains unsettled, for the first command after that.
        (VOID) Settle(Slot, &wait);
        ChannelTurnGive(channel);
        lane->Owing = lane->Unsettled;
    }
    KeSetEvent(&lane->Free, IO_NO_INCREMENT, FALSE);
}

NTSTATUS ChannelRun(PSLOT Slot, PCOMMAND Command)
{
    PREADER reader = Slot->Reader;
    PLANE lane = &reader->Channel.Lanes[Slot->Index];
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
        wait.Milliseconds = max(wait.Milliseconds, reader->Quirks.Values[QuirkPatience]);
        // An escape is the reader's own affair.
        wait.Departed = Command->Type != CCID_ESCAPE ? &Slot->Departed : NULL;
    }
    status = LaneTake(lane, &wait);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    // Nobody may wait for a reader that halts amid a command: it would have to finish that one first.
    status = wait.Halt == NULL && lane->Owing ? STATUS_IO_TIMEOUT : CommandAttempt(Slot, Command, &wait);
    for (ULONG attempt = 1; attempt < CHANNEL_ATTEMPTS && SlotBusy(Command); attempt++) {
        status = CommandAttempt(Slot, Command, &wait);
    }
    lane->Owing = !Command->Answered;
    KeSetEvent(&lane->Free, IO_NO_INCREMENT, FALSE);
    // An escape may be answered by the reader without a look at the slot.
    if (Command->Answered && Command->Type != CCID_ESCAPE) {
        SlotObserve(Slot, Command->Header.IccStatus);
    }
    return status;
}
