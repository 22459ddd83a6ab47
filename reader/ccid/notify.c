// SPDX-License-Identifier: MIT
#include "reader/ccid/notify.h"

#define SLOTS_PER_OCTET       4
#define BITS_PER_SLOT         2
#define SLOT_PRESENT          0x01
#define SLOT_CHANGED          0x02
#define HARDWARE_ERROR_LENGTH 4

CCID_PRESENCE CcidNotifyPresence(const UCHAR *Message, ULONG Length, ULONG Slot)
{
    ULONG octet = 1 + Slot / SLOTS_PER_OCTET;
    UCHAR bits;

    if (Length <= octet || Message[0] != CCID_NOTIFY_SLOT_CHANGE) {
        return CcidUnchanged;
    }
    bits = Message[octet] >> (Slot % SLOTS_PER_OCTET * BITS_PER_SLOT);
    if ((bits & SLOT_CHANGED) == 0) {
        return CcidUnchanged;
    }
    return (bits & SLOT_PRESENT) != 0 ? CcidInserted : CcidRemoved;
}

BOOLEAN CcidNotifyHardwareError(const UCHAR *Message, ULONG Length, ULONG Slot)
{
    return Length >= HARDWARE_ERROR_LENGTH && Message[0] == CCID_HARDWARE_ERROR && Message[1] == Slot;
}
