// SPDX-License-Identifier: MIT
// The bulk pipes: commands of as many slots at a time as the reader takes, one of each slot, CCID 1.1
// chapter 6.
#pragma once
#include "reader/ccid/message.h"
#include "reader/usb.h"

#define READER_SLOTS_MAX 16

typedef struct _READER_EXTENSION *PSLOT;

// A slot's place on the pipes. Whoever waits reads the pipe in turn, and hands out what is for others.
typedef struct _LANE {
    KEVENT Free;                // taken by the one command of the slot
    KEVENT Arrived;             // the reply, or a time extension, has been filled in
    struct _COMMAND *Expecting; // NULL: nothing sent, or the reply has arrived; under the channel's lock
    UCHAR Sequence;
    UCHAR Type;        // of the command sent last
    NTSTATUS Status;   // of the command, once it is no longer expecting
    BOOLEAN Unsettled; // the slot may still be busy with a command nobody waits for
    BOOLEAN Late;      // because its card has left: most readers answer it by themselves then
    BOOLEAN Owing;     // the last command got no answer
} LANE, *PLANE;

typedef struct _CHANNEL {
    KSPIN_LOCK Lock;
    KSEMAPHORE Turns; // one for each command that may be under way at a time
    ULONG TurnCount;  // of them, taken ones included; this and the next two under the lock
    ULONG Limit;      // how many there should be, bMaxCCIDBusySlots at first
    ULONG Active;     // taken
    KEVENT Idle;      // set: none is taken
    LANE Lanes[READER_SLOTS_MAX];
    KEVENT OutFree; // taken by the sender of a message
    KEVENT InFree;  // taken by whoever reads the next one
    USB_TRANSFER OutTransfer;
    USB_TRANSFER InTransfer;
    PUCHAR OutBuffer;
    PUCHAR InBuffer;
    ULONG OutSize;
    ULONG InSize;
    ULONG Received;   // of the next message, left by a reader that had to leave
    ULONG MessageMax; // what one message may hold in either direction, header included
    volatile LONG Sequence;
} CHANNEL, *PCHANNEL;

typedef enum _COMMAND_ORIGIN {
    CommandOfRequest,  // ends with its requester's patience
    CommandOfDriver,   // ends when the reader halts
    CommandOfShutdown, // sent while the reader halts
} COMMAND_ORIGIN;

typedef struct _COMMAND {
    COMMAND_ORIGIN Origin;
    UCHAR Type;
    UCHAR Specific[3];
    const UCHAR *Data;
    ULONG DataLength;
    ULONG Timeout; // ms, until the reply or the next time extension
    PUCHAR Reply;  // where the reply's data goes
    ULONG ReplySize;
    ULONG ReplyLength; // out, also when larger than ReplySize (then nothing was copied)
    CCID_REPLY Header; // out, valid on success and when Answered
    BOOLEAN Answered;  // out: the reader refused the command, Header tells why
} COMMAND, *PCOMMAND;

VOID ChannelInitialize(_Out_ PCHANNEL Channel);
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ChannelOpen(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID ChannelClose(_Inout_ PREADER Reader);

// STATUS_SUCCESS, STATUS_BUFFER_TOO_SMALL (reply does not fit), STATUS_INVALID_PARAMETER (request does not),
// STATUS_CANCELLED, STATUS_NO_MEDIA (the card has left meanwhile), STATUS_IO_TIMEOUT,
// STATUS_DEVICE_PROTOCOL_ERROR, STATUS_DEVICE_NOT_CONNECTED, another
// status of the pipes, or what CcidReplyStatus makes of a refusal.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ChannelRun(_Inout_ PSLOT Slot, _Inout_ PCOMMAND Command);
// Ends what a request has left behind, while no request waits for it; the next command would do so, too.
_IRQL_requires_(PASSIVE_LEVEL)
VOID ChannelSettle(_Inout_ PSLOT Slot);
// Waits until no command is under way.
_IRQL_requires_(PASSIVE_LEVEL)
VOID ChannelDrain(_Inout_ PREADER Reader);
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN ChannelBusy(_Inout_ PREADER Reader);

// channel_turn.c: how many commands are under way. STATUS_SUCCESS, STATUS_CANCELLED or
// STATUS_NO_MEDIA.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID ChannelTurnsOpen(_Inout_ PCHANNEL Channel, _In_ ULONG Limit);
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ChannelTurnTake(_Inout_ PCHANNEL Channel, _In_ const USB_WAIT *Wait);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID ChannelTurnGive(_Inout_ PCHANNEL Channel);
// The reader takes less than it promised: one fewer than now from now on. FALSE: there is only one.
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN ChannelTurnsLower(_Inout_ PCHANNEL Channel);

// channel_pipe.c: sends a message and waits for its reply; the caller owns the lane and a turn.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS
ChannelExchange(_Inout_ PSLOT Slot, _Inout_ PCOMMAND Command, _In_ UCHAR Sequence, _In_ const USB_WAIT *Wait);

// A card may ask for more time again and again, a broken one for ever. Duration: ms since the command began.
// STATUS_SUCCESS, or STATUS_IO_TIMEOUT once it has had enough.
_Must_inspect_result_
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS ChannelTimeGrant(_Inout_ PREADER Reader, _In_ LONGLONG Duration, _In_ ULONG Requests);

static inline UCHAR ChannelSequenceNext(_Inout_ PCHANNEL Channel)
{
    return (UCHAR)InterlockedIncrement(&Channel->Sequence);
}

// The same for one that has been sent before; Sequence stays the lane's.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ChannelAwait(_Inout_ PSLOT Slot, _Inout_ PCOMMAND Command, _In_ const USB_WAIT *Wait);

// channel_token.c: what the exchange is for a token. Tokens have one slot.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ChannelTokenRun(_Inout_ PSLOT Slot, _Inout_ PCOMMAND Command, _In_ const USB_WAIT *Wait);

// channel_abort.c: ends a command the reader still works on, CCID 1.1 5.3.1. STATUS_CANCELLED
// and STATUS_NO_MEDIA: not yet.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ChannelAbort(_Inout_ PSLOT Slot, _In_ const USB_WAIT *Wait);
