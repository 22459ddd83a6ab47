// SPDX-License-Identifier: MIT
// Interrupt messages, CCID 1.1 6.3.
#pragma once
#include <ntddk.h>
#include "reader/ccid/ccid.h"

typedef enum _CCID_PRESENCE {
    CcidUnchanged, // the message says nothing of this slot, or nothing new
    CcidInserted,
    CcidRemoved
} CCID_PRESENCE;

// A message too short for the slot, or of another type, says nothing.
CCID_PRESENCE CcidNotifyPresence(_In_ const UCHAR *Message, _In_ ULONG Length, _In_ ULONG Slot);
// TRUE: a hardware error of this slot.
BOOLEAN CcidNotifyHardwareError(_In_ const UCHAR *Message, _In_ ULONG Length, _In_ ULONG Slot);
