// SPDX-License-Identifier: MIT
// Tokens: the card is the USB device and is spoken to by control requests, ICCD 1.0. Version A carries the
// bytes of T=0, version B what XfrBlock would carry.
#include "reader/slot.h"

#define TICKS_PER_MS     10000
#define POLL_INTERVAL    10     // ms, the unit of wDelayTime, and where the token names none
#define POLL_CEILING     1000   // ms between two polls
#define DURATION_CEILING 600000 // ms of polling for one command
#define T0_HEADER_LENGTH 5
#define STATUS_LENGTH    3
#define STATUS_WORD      2
#define POWER_SELECT_5V  1

typedef struct _TOKEN_CALL { // one command under way
    PSLOT Slot;
    PCOMMAND Command;
    USB_WAIT Wait;
    ULONG Waited; // ms
} TOKEN_CALL, *PTOKEN_CALL;

static NTSTATUS RequestSend(PTOKEN_CALL Call, UCHAR Request, USHORT Value, const UCHAR *Data, ULONG Length)
{
    PCHANNEL channel = &Call->Slot->Reader->Channel;
    ULONG moved = Length;
    NTSTATUS status;

    if (Length != 0) {
        RtlCopyMemory(channel->OutBuffer, Data, Length);
    }
    status =
        UsbClassRequest(Call->Slot->Reader, FALSE, Request, Value, channel->OutBuffer, &moved, &Call->Wait);
    RtlSecureZeroMemory(channel->OutBuffer, Length); // it may carry a PIN
    return status;
}

// The answer lies in InBuffer.
static NTSTATUS RequestFetch(PTOKEN_CALL Call, UCHAR Request, USHORT Value, ULONG Room, PULONG Length)
{
    *Length = Room;
    return UsbClassRequest(Call->Slot->Reader, TRUE, Request, Value, Call->Slot->Reader->Channel.InBuffer,
                           Length, &Call->Wait);
}

static NTSTATUS Pause(PTOKEN_CALL Call, ULONG Milliseconds)
{
    PVOID objects[2];
    ULONG count = 0;
    LARGE_INTEGER due = {.QuadPart = -(LONGLONG)Milliseconds * TICKS_PER_MS};

    Call->Waited += Milliseconds;
    if (Call->Waited > DURATION_CEILING) {
        return STATUS_IO_TIMEOUT;
    }
    if (Call->Wait.Halt != NULL) {
        objects[count++] = Call->Wait.Halt;
    }
    if (Call->Wait.Cancel != NULL) {
        objects[count++] = Call->Wait.Cancel;
    }
    if (count == 0) {
        return KeDelayExecutionThread(KernelMode, FALSE, &due);
    }
    return KeWaitForMultipleObjects(count, objects, WaitAny, Executive, KernelMode, FALSE, &due, NULL) ==
                   STATUS_TIMEOUT
               ? STATUS_SUCCESS
               : STATUS_CANCELLED;
}

static NTSTATUS Answer(PTOKEN_CALL Call, UCHAR IccStatus, UCHAR Parameter)
{
    PCOMMAND command = Call->Command;

    command->Answered = TRUE;
    command->Header.IccStatus = IccStatus;
    command->Header.CommandStatus = CCID_COMMAND_OK;
    command->Header.Specific = Parameter;
    return STATUS_SUCCESS;
}

static NTSTATUS Refuse(PTOKEN_CALL Call, UCHAR IccStatus, UCHAR Error)
{
    PCOMMAND command = Call->Command;

    command->Answered = TRUE;
    command->Header.IccStatus = IccStatus;
    command->Header.CommandStatus = CCID_COMMAND_FAILED;
    command->Header.Error = Error;
    return CcidReplyStatus(&command->Header);
}

static NTSTATUS ReplyAppend(PTOKEN_CALL Call, ULONG Offset, ULONG Length)
{
    PCOMMAND command = Call->Command;
    PUCHAR data = Call->Slot->Reader->Channel.InBuffer + Offset;
    ULONG room = command->ReplySize - command->ReplyLength;
    NTSTATUS status = STATUS_SUCCESS;

    if (Length > room) {
        status = STATUS_BUFFER_TOO_SMALL;
    } else if (Length != 0) {
        RtlCopyMemory(command->Reply + command->ReplyLength, data, Length);
        command->ReplyLength += Length;
    }
    RtlSecureZeroMemory(data, Length);
    return status;
}

// What the reader's extension remembers; a token of version A says nothing about its power.
static UCHAR PowerKnown(PTOKEN_CALL Call)
{
    return SlotState(Call->Slot) > SCARD_SWALLOWED ? CCID_ICC_ACTIVE : CCID_ICC_INACTIVE;
}

// ---- version B, ICCD 1.0 6.2 ----

static NTSTATUS StatusTake(PTOKEN_CALL Call, ULONG Length)
{
    const UCHAR *block = Call->Slot->Reader->Channel.InBuffer;

    if (Length < STATUS_LENGTH) {
        return STATUS_DEVICE_PROTOCOL_ERROR;
    }
    return (block[1] >> 6) == CCID_COMMAND_OK ? Answer(Call, block[1] & 0x03, 0)
                                              : Refuse(Call, block[1] & 0x03, block[2]);
}

static NTSTATUS PollAgain(PTOKEN_CALL Call, ULONG Length)
{
    const UCHAR *block = Call->Slot->Reader->Channel.InBuffer;
    ULONG delay;

    if (Length < STATUS_LENGTH) {
        return STATUS_DEVICE_PROTOCOL_ERROR;
    }
    delay = (block[1] | (ULONG)block[2] << 8) * POLL_INTERVAL;
    return Pause(Call, delay == 0 ? POLL_INTERVAL : min(delay, POLL_CEILING));
}

static NTSTATUS BlockFetch(PTOKEN_CALL Call)
{
    PCHANNEL channel = &Call->Slot->Reader->Channel;
    ULONG length = 0;
    NTSTATUS status;

    do {
        status = RequestFetch(Call, ICCD_DATA_BLOCK, 0, min(channel->InSize, ICCD_TRANSFER_MAX), &length);
        if (NT_SUCCESS(status) && length == 0) {
            status = STATUS_DEVICE_PROTOCOL_ERROR;
        }
        if (NT_SUCCESS(status) && channel->InBuffer[0] == ICCD_RESPONSE_POLLING) {
            status = PollAgain(Call, length);
        }
    } while (NT_SUCCESS(status) && channel->InBuffer[0] == ICCD_RESPONSE_POLLING);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (channel->InBuffer[0] == ICCD_RESPONSE_STATUS) {
        return StatusTake(Call, length);
    }
    status = Answer(Call, CCID_ICC_ACTIVE, channel->InBuffer[0]);
    return NT_SUCCESS(status) ? ReplyAppend(Call, 1, length - 1) : status;
}

static NTSTATUS StatusFetch(PTOKEN_CALL Call)
{
    ULONG length;
    NTSTATUS status = RequestFetch(Call, ICCD_SLOT_STATUS, 0, STATUS_LENGTH, &length);

    return NT_SUCCESS(status) ? StatusTake(Call, length) : status;
}

static NTSTATUS VersionB(PTOKEN_CALL Call)
{
    const COMMAND *command = Call->Command;
    NTSTATUS status;

    switch (command->Type) {
    case CCID_ICC_POWER_ON:
        status = RequestSend(Call, ICCD_POWER_ON, POWER_SELECT_5V, NULL, 0);
        return NT_SUCCESS(status) ? BlockFetch(Call) : status;
    case CCID_ICC_POWER_OFF:
        status = RequestSend(Call, ICCD_POWER_OFF, 0, NULL, 0);
        return NT_SUCCESS(status) ? StatusFetch(Call) : status;
    case CCID_GET_SLOT_STATUS:
        return StatusFetch(Call);
    case CCID_XFR_BLOCK:
        status = RequestSend(Call, ICCD_XFR_BLOCK, (USHORT)(command->Specific[1] << 8), command->Data,
                             command->DataLength);
        return NT_SUCCESS(status) ? BlockFetch(Call) : status;
    default:
        return Refuse(Call, PowerKnown(Call), CCID_ERROR_NOT_SUPPORTED);
    }
}

// ---- version A, ICCD 1.0 6.1 ----

static NTSTATUS PhaseAwait(PTOKEN_CALL Call, PUCHAR Phase)
{
    ULONG length;
    NTSTATUS status;

    do {
        status = RequestFetch(Call, ICCD_ICC_STATUS, 0, 1, &length);
        if (NT_SUCCESS(status) && length != 1) {
            status = STATUS_DEVICE_PROTOCOL_ERROR;
        }
        *Phase = Call->Slot->Reader->Channel.InBuffer[0];
        if (NT_SUCCESS(status) && (*Phase & ICCD_PHASE_BUSY) != 0) {
            status = Pause(Call, POLL_INTERVAL);
        }
    } while (NT_SUCCESS(status) && (*Phase & ICCD_PHASE_BUSY) != 0);
    return status;
}

static NTSTATUS DataFetch(PTOKEN_CALL Call, ULONG Room)
{
    ULONG length;
    NTSTATUS status = RequestFetch(Call, ICCD_DATA_BLOCK, 0, Room, &length);

    if (NT_SUCCESS(status) && length == 0) {
        status = STATUS_DEVICE_PROTOCOL_ERROR;
    }
    return NT_SUCCESS(status) ? ReplyAppend(Call, 0, length) : status;
}

// One data phase at most in each direction, since a T=0 command has one.
static NTSTATUS PhasesFollow(PTOKEN_CALL Call, const UCHAR *Data, ULONG Left, ULONG Expected)
{
    NTSTATUS status;
    UCHAR phase = 0;

    for (;;) {
        status = PhaseAwait(Call, &phase);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        if ((phase & ICCD_PHASE_MUTE) != 0) {
            return Refuse(Call, CCID_ICC_ACTIVE, CCID_ERROR_ICC_MUTE);
        }
        if (phase == ICCD_PHASE_STATUS) {
            status = DataFetch(Call, STATUS_WORD);
            return NT_SUCCESS(status) ? Answer(Call, CCID_ICC_ACTIVE, CCID_CHAIN_WHOLE) : status;
        }
        if (phase != ICCD_PHASE_DATA || (Left == 0 && Expected == 0)) {
            return STATUS_DEVICE_PROTOCOL_ERROR;
        }
        status = Left != 0 ? RequestSend(Call, ICCD_XFR_BLOCK, 0, Data, Left) : DataFetch(Call, Expected);
        Expected = Left != 0 ? Expected : 0;
        Left = 0;
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
}

static NTSTATUS TpduExchange(PTOKEN_CALL Call)
{
    const COMMAND *command = Call->Command;
    UCHAR header[T0_HEADER_LENGTH] = {0};
    ULONG count = min(command->DataLength, T0_HEADER_LENGTH);
    ULONG left = command->DataLength - count;
    ULONG expected;
    NTSTATUS status;

    RtlCopyMemory(header, command->Data, count);
    expected = header[4] == 0 ? 256 : header[4];
    status = RequestSend(Call, ICCD_XFR_BLOCK, 0, header, sizeof(header));
    return NT_SUCCESS(status) ? PhasesFollow(Call, command->Data + count, left, left == 0 ? expected : 0)
                              : status;
}

static NTSTATUS ActivateA(PTOKEN_CALL Call)
{
    ULONG length;
    NTSTATUS status = RequestFetch(Call, ICCD_POWER_ON, 0, CCID_ATR_LENGTH_MAX, &length);

    if (status == STATUS_PIPE_BROKEN) {
        return Refuse(Call, CCID_ICC_INACTIVE, CCID_ERROR_ICC_MUTE);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ReplyAppend(Call, 0, length);
    return NT_SUCCESS(status) ? Answer(Call, CCID_ICC_ACTIVE, 0) : status;
}

static NTSTATUS VersionA(PTOKEN_CALL Call)
{
    ULONG length;
    NTSTATUS status;

    switch (Call->Command->Type) {
    case CCID_ICC_POWER_ON:
        return ActivateA(Call);
    case CCID_ICC_POWER_OFF:
        status = RequestSend(Call, ICCD_POWER_OFF, 0, NULL, 0);
        return NT_SUCCESS(status) ? Answer(Call, CCID_ICC_INACTIVE, 0) : status;
    case CCID_GET_SLOT_STATUS:
        // The card is there as long as the device is; the request only shows that it answers.
        status = RequestFetch(Call, ICCD_ICC_STATUS, 0, 1, &length);
        return NT_SUCCESS(status) ? Answer(Call, PowerKnown(Call), 0) : status;
    case CCID_XFR_BLOCK:
        return TpduExchange(Call);
    default:
        return Refuse(Call, PowerKnown(Call), CCID_ERROR_NOT_SUPPORTED);
    }
}

NTSTATUS ChannelTokenRun(PSLOT Slot, PCOMMAND Command, const USB_WAIT *Wait)
{
    TOKEN_CALL call = {Slot, Command, {USB_CONTROL_TIMEOUT, Wait->Halt, Wait->Cancel, NULL}, 0};
    NTSTATUS status = Slot->Reader->Usb.Interface.Transport == CcidTokenA ? VersionA(&call) : VersionB(&call);

    // The default pipe recovers from a stall by itself, USB 2.0 9.4.5.
    return status == STATUS_PIPE_BROKEN ? STATUS_IO_DEVICE_ERROR : status;
}
