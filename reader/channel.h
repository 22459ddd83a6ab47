// SPDX-License-Identifier: MIT
// The bulk pipes: one command and its reply at a time, CCID 1.1 chapter 6.
#pragma once
#include "reader/ccid/message.h"
#include "reader/usb.h"

#define READER_SLOTS_MAX 16

typedef struct _READER_EXTENSION *PSLOT;

typedef struct _CHANNEL {
    KEVENT Free; // taken by the owner of the pipes
    USB_TRANSFER Transfer;
    PUCHAR OutBuffer;
    PUCHAR InBuffer;
    ULONG OutSize;
    ULONG InSize;
    ULONG MessageMax; // what one message may hold in either direction, header included
    UCHAR Sequence;
    BOOLEAN Unsettled[READER_SLOTS_MAX]; // an abort got no answer: the slot may still be busy
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
// STATUS_CANCELLED, STATUS_IO_TIMEOUT, STATUS_DEVICE_PROTOCOL_ERROR, STATUS_DEVICE_NOT_CONNECTED, another
// status of the pipes, or what CcidReplyStatus makes of a refusal.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ChannelRun(_Inout_ PSLOT Slot, _Inout_ PCOMMAND Command);
// Takes and gives back the pipes, to know that nobody uses them.
_IRQL_requires_(PASSIVE_LEVEL)
VOID ChannelDrain(_Inout_ PREADER Reader);

// channel_token.c: what ChannelRun is for a token. The caller owns the channel.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ChannelTokenRun(_Inout_ PSLOT Slot, _Inout_ PCOMMAND Command, _In_ const USB_WAIT *Wait);

// channel_abort.c: ends a command the reader still works on, CCID 1.1 5.3.1. The caller owns the channel.
_IRQL_requires_(PASSIVE_LEVEL)
VOID ChannelAbort(_Inout_ PREADER Reader, _In_ UCHAR Slot, _In_ const USB_WAIT *Wait);
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS
ChannelSend(_Inout_ PREADER Reader, _Inout_ PCCID_REQUEST Request, _In_opt_ const UCHAR *Data,
            _In_ const USB_WAIT *Wait);
// The next whole message; its data stays in InBuffer behind the header.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ChannelReceive(_Inout_ PREADER Reader, _Out_ PCCID_REPLY Reply, _In_ const USB_WAIT *Wait);
