// SPDX-License-Identifier: MIT
// The smart card device controls that a resource manager sends to a slot, in plain C. The numbers are those
// of the WDM reader driver contract (winsmcrd.h), which host code cannot include beside pcsc-lite's
// namesakes.
#pragma once
#include "nthost/user/nthost.h"

#define RIG_SCARD_CTL(function)                                                                              \
    ((0x31u << 16) | ((uint32_t)(function) << 2)) // FILE_DEVICE_SMARTCARD, buffered

#define RIG_IOCTL_POWER         RIG_SCARD_CTL(1)
#define RIG_IOCTL_GET_ATTRIBUTE RIG_SCARD_CTL(2)
#define RIG_IOCTL_SET_ATTRIBUTE RIG_SCARD_CTL(3)
#define RIG_IOCTL_TRANSMIT      RIG_SCARD_CTL(5)
#define RIG_IOCTL_IS_PRESENT    RIG_SCARD_CTL(10)
#define RIG_IOCTL_IS_ABSENT     RIG_SCARD_CTL(11)
#define RIG_IOCTL_SET_PROTOCOL  RIG_SCARD_CTL(12)
#define RIG_IOCTL_GET_STATE     RIG_SCARD_CTL(14)
#define RIG_IOCTL_FEATURES      RIG_SCARD_CTL(3400) // PC/SC part 10: CM_IOCTL_GET_FEATURE_REQUEST
#define RIG_IOCTL_ESCAPE        RIG_SCARD_CTL(3500)

enum { RIG_VENDOR_FUNCTION_FIRST = 2048, RIG_VENDOR_FUNCTION_LAST = 4095 };

enum rig_power { RIG_POWER_DOWN, RIG_COLD_RESET, RIG_WARM_RESET };

enum rig_state {
    RIG_STATE_UNKNOWN,
    RIG_STATE_ABSENT,
    RIG_STATE_PRESENT,
    RIG_STATE_SWALLOWED,
    RIG_STATE_POWERED,
    RIG_STATE_NEGOTIABLE,
    RIG_STATE_SPECIFIC
};

#define RIG_PROTOCOL_T0      0x1u
#define RIG_PROTOCOL_T1      0x2u
#define RIG_PROTOCOL_RAW     0x10000u
#define RIG_PROTOCOL_DEFAULT 0x80000000u

enum { RIG_ATR_MAX = 33, RIG_ATTRIBUTE_MAX = 256, RIG_APDU_MAX = 65544, RIG_REPLY_MAX = 65538 };

nt_status rig_slot_state(nt_file *file, enum rig_state *state);
// `*length`: bytes of the ATR, 0 after a power-down or when the card vanished meanwhile.
nt_status rig_slot_power(nt_file *file, enum rig_power action, uint8_t atr[RIG_ATR_MAX], size_t *length);
nt_status rig_slot_set_protocol(nt_file *file, uint32_t mask, uint32_t *selected);
// One APDU (T=0: TPDU); `*reply_length`: the buffer's size going in, the reply's length coming out, 0 on
// failure. Copies made on the way are zeroed.
nt_status rig_slot_transmit(nt_file *file, uint32_t protocol, const uint8_t *command, size_t length,
                            uint8_t *reply, size_t *reply_length);
// `*length`: the buffer's size going in, the value's length coming out, 0 on failure.
nt_status rig_slot_attribute(nt_file *file, uint32_t tag, void *value, size_t *length);
nt_status rig_slot_set_attribute(nt_file *file, uint32_t tag, const void *value, size_t length);
