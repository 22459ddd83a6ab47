// SPDX-License-Identifier: MIT
// A reader that follows a script: each block it is sent must be the next line's, and is answered with that
// line's.
#pragma once
#include "reader/exchange.h"

typedef struct _SCRIPT_LINE {
    USHORT Level;     // wLevelParameter
    UCHAR Multiplier; // bBWI
    ULONG SentLength;
    const UCHAR *Sent;
    NTSTATUS Status;
    UCHAR Chain; // bChainParameter
    UCHAR Error; // of a failed line
    ULONG ReplyLength;
    const UCHAR *Reply;
} SCRIPT_LINE;

VOID ScriptBegin(_Out_ SLOT *Slot, _Out_ READER *Reader, _In_ const SCRIPT_LINE *Lines, _In_ ULONG Count);
VOID ScriptEnd(void);                // every line was used
#define SCRIPT_NULLS 3               // requests for time that are granted
LONG ScriptEvent(_Out_ PULONG Data); // the last one reported, 0: none
// One request through RDF_TRANSMIT. *Length: room for the answer in, its length out.
NTSTATUS ScriptTransmit(_In_ ULONG Protocol, _In_ const UCHAR *Command, _In_ ULONG CommandLength,
                        _Out_ PUCHAR Reply, _Inout_ PULONG Length);
