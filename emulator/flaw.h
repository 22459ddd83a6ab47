// SPDX-License-Identifier: MIT
// What real readers do wrong for good, whatever their descriptors say. A model of such an identity does it,
// too, unless it is marked flawless.
#pragma once
#include "emulator/emulator.h"

enum emu_flaw {
    EMU_FLAW_KEYSTROKES,      // a PIN typed at its pad reaches the host as key strokes
    EMU_FLAW_NO_KEYPAD,       // bPINSupport without a pad
    EMU_FLAW_SHORT,           // claims extended APDUs, takes short ones
    EMU_FLAW_CHAINS,          // claims short APDUs, works at the extended level
    EMU_FLAW_IFS,             // an S(IFS) of the host hangs it until the card is powered anew
    EMU_FLAW_RATE,            // bit/s above which it hears nothing
    EMU_FLAW_SLOT_RATE,       // the same in all slots but the first
    EMU_FLAW_TWO_RESETS,      // T=1 parameters fail off the default rate, and from then on until two resets
    EMU_FLAW_EMV,             // starts in EMV mode, where power on fails with `argument`, until escape 1F 01
    EMU_FLAW_OFF_FIRST,       // no power on that does not follow a power off
    EMU_FLAW_PRESENT,         // says that a card is there when there is none, and tells of no change
    EMU_FLAW_SLOW_POWER,      // ms that power on takes, without a time extension
    EMU_FLAW_SLOW_GENERATION, // ms that GENERATE ASYMMETRIC KEY PAIR takes, likewise
    EMU_FLAW_WHOLE_PACKETS,   // at character level a reply of whole packets is never sent
    EMU_FLAW_PIN_VERIFY_MESSAGES, // EMU_FLAW_PIN_MESSAGES: the only bNumberMessage that works
    EMU_FLAW_PIN_MODIFY_MESSAGES, // bit n: n messages work, bit 7: FFh does
    EMU_FLAW_PIN_KEY_ONLY,        // the validation key is the only condition
    EMU_FLAW_PIN_INDEXES,         // a modification has three message indexes, always
    EMU_FLAW_PIN_SWAPPED,         // wPINMaxExtraDigit of a verification is big-endian
    EMU_FLAW_PIN_ENTER,           // ms after the last command in which the user's Enter key ends a PIN
    EMU_FLAW_PIN_NO_DATA,         // a template of a header alone needs escape 80 02 00 before
    EMU_FLAW_SLOW_STATUS,         // ms that GetSlotStatus takes
    EMU_FLAW_EMPTY_PACKETS,       // an empty packet before each reply
    EMU_FLAW_CLASS_LAST,          // the class descriptor follows the endpoints
    EMU_FLAW_OUTDATED,            // its maker has replaced this firmware by version `argument`
    EMU_FLAWS
};

#define EMU_FLAW_PIN_MESSAGES(count) (0x100u | (count)) // never 0

struct emu_fact {
    uint16_t vendor, product, first, last; // bcdDevice
    enum emu_flaw flaw;
    uint32_t argument;
};

const struct emu_fact *emu_fact_at(size_t index); // NULL at the end
// The argument, 0: it does not have this flaw.
uint32_t emu_flaw(const struct emu_model *model, enum emu_flaw flaw);
