// SPDX-License-Identifier: MIT
// Bulk messages: the ten-byte headers, CCID 1.1 6.1 and 6.2.
#pragma once
#include <ntddk.h>
#include "reader/ccid/ccid.h"

typedef struct _CCID_REQUEST {
    UCHAR Type;
    UCHAR Slot;
    UCHAR Sequence;
    UCHAR Specific[3]; // offsets 7 to 9
    ULONG Length;      // of the data that follows
} CCID_REQUEST, *PCCID_REQUEST;

typedef struct _CCID_REPLY {
    UCHAR Type;
    UCHAR Slot;
    UCHAR Sequence;
    UCHAR IccStatus;     // CCID_ICC_*, 3 is reserved
    UCHAR CommandStatus; // CCID_COMMAND_*, 3 is reserved
    UCHAR Error;         // CCID_ERROR_*, or the multiplier of a time extension
    UCHAR Specific;      // offset 9
    ULONG Length;
} CCID_REPLY, *PCCID_REPLY;

VOID CcidRequestEncode(_In_ const CCID_REQUEST *Request, _Out_ PUCHAR Header);

// FALSE: shorter than a header, or announcing more than any CCID message can carry.
_Must_inspect_result_
BOOLEAN CcidReplyDecode(_In_ const UCHAR *Bytes, _In_ ULONG Length, _Out_ PCCID_REPLY Reply);

// The type that answers a request. Every command may also be refused with CCID_SLOT_STATUS.
UCHAR CcidReplyType(_In_ UCHAR RequestType);

// What a failed command means to the class library; never a success.
NTSTATUS CcidReplyStatus(_In_ const CCID_REPLY *Reply);
