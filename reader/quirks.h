// SPDX-License-Identifier: MIT
// What is known to be wrong with certain readers.
#pragma once
#include <ntddk.h>
#include "reader/quirkrows.h"

typedef struct _READER_EXTENSION *PSLOT;
struct _READER;
struct _CCID_PIN_REPAIR;

typedef struct _QUIRKS {
    ULONG Values[QuirkCount]; // 0: not this one
} QUIRKS, *PQUIRKS;

C_ASSERT(QuirkCount <= 32); // bits of the registry's QuirksDisabled

// The quirks of one reader. Release: bcdDevice. Disabled: bit n is kind n.
VOID QuirksFind(_In_ USHORT Vendor, _In_ USHORT Product, _In_ USHORT Release, _In_ ULONG Disabled,
                _Out_ PQUIRKS Quirks);

// quirks_card.c: corrects what the library has read from an ATR.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID QuirksCardRepair(_Inout_ PSLOT Slot);
// quirks_local.c: answers a command in the reader's place. FALSE: it is for the card. *Status: of one
// answered, STATUS_SUCCESS or STATUS_BUFFER_TOO_SMALL.
_Must_inspect_result_
_IRQL_requires_max_(APC_LEVEL)
BOOLEAN QuirksAnswer(_Inout_ PSLOT Slot, _In_ const UCHAR *Apdu, _In_ ULONG Length, _Out_ PNTSTATUS Status);
// quirks_pin.c: what becomes of a PIN request, and what must be done before it is sent. ApduLength: of its
// template. STATUS_SUCCESS, STATUS_CANCELLED, STATUS_NO_MEDIA or what ChannelRun returns.
VOID QuirksPinRepair(_In_ const struct _READER *Reader, _In_ BOOLEAN Modify,
                     _Out_ struct _CCID_PIN_REPAIR *Repair);
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS QuirksPinPrepare(_Inout_ PSLOT Slot, _In_ BOOLEAN Modify, _In_ ULONG ApduLength);
