// SPDX-License-Identifier: MIT
// A hostile reader: the emulator's functions that hand bytes to the host are wrapped at link time (--wrap),
// and what they hand out is altered as the fuzzer's input says. Out of input it is the emulator again.
#pragma once
#include "emulator/emulator.h"

struct hostile_input {
    const uint8_t *data;
    size_t left;
};
uint8_t hostile_take(struct hostile_input *input); // zeros behind the end
// At most `room` bytes, as many as the next byte says.
size_t hostile_take_bytes(struct hostile_input *input, uint8_t *data, size_t room);

struct hostile {
    struct hostile_input replies;     // alters every bulk IN transfer; nothing left: no longer
    struct hostile_input descriptors; // stands for the configuration descriptor when not empty
    uint8_t descriptor_flags;
    const uint8_t *interrupt; // the next interrupt message, NULL: the emulator's
    size_t interrupt_length;
    enum emu_status interrupt_status;
};
enum {                   // descriptor_flags
    HOSTILE_TOTAL = 1,   // wTotalLength is what there is
    HOSTILE_DEVICE = 2,  // the device descriptor is overwritten too
    HOSTILE_STRINGS = 4, // and the strings
    HOSTILE_SHORT = 8,   // transfers end early
};
extern struct hostile hostile;
