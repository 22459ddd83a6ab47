// SPDX-License-Identifier: MIT
// abPINDataStructure of PC_to_RDR_Secure from the structures of PC/SC part 10; CCID 1.1 6.1.11.
#pragma once
#include <ntddk.h>
#include "reader/ccid/ccid.h"

#define CCID_PIN_APDU_MAX      261
#define CCID_PIN_PROLOGUE      3
#define CCID_PIN_STRUCTURE_MAX (21 + CCID_PIN_APDU_MAX)

typedef struct _CCID_PIN {
    const UCHAR *Apdu; // the template, within the structure
    ULONG ApduLength;
    ULONG Seconds; // the user has, 0: the reader decides
} CCID_PIN, *PCCID_PIN;

// Checks a PIN_VERIFY_STRUCTURE or PIN_MODIFY_STRUCTURE of Length bytes. FALSE: its lengths do not agree.
_Must_inspect_result_
BOOLEAN CcidPinDecode(_In_ const UCHAR *Structure, _In_ ULONG Length, _In_ BOOLEAN Modify,
                      _Out_ PCCID_PIN Pin);
// What a reader cannot do without although the structure lacks it.
typedef struct _CCID_PIN_REPAIR {
    USHORT MessagesBelow; // fewer messages than these become Messages
    UCHAR Messages;
    BOOLEAN KeyOnly;    // the entry ends with the validation key, whatever was asked for
    BOOLEAN AllIndexes; // of messages, in a modification
    BOOLEAN SwapDigits; // wPINMaxExtraDigit, in a verification
} CCID_PIN_REPAIR, *PCCID_PIN_REPAIR;

// Of a decoded structure. Prologue: NAD, PCB, LEN of the T=1 block, or zeros. Returns the bytes written, at
// most CCID_PIN_STRUCTURE_MAX.
ULONG CcidPinEncode(_In_ const UCHAR *Structure, _In_ BOOLEAN Modify, _In_ const CCID_PIN *Pin,
                    _In_ const CCID_PIN_REPAIR *Repair, _In_ const UCHAR *Prologue, _Out_ PUCHAR Bytes);
