// SPDX-License-Identifier: MIT
// What is wrong with real readers for good, by identity: facts of libccid's ccid.c, ccid_usb.c, commands.c
// and ifdhandler.c, read anew here and not taken from the driver. Arguments that no source states are marked.
#include "emulator/flaw.h"

#include <string.h>

#define ANY 0, 0xFFFF

static const struct emu_fact facts[] = {
    {0x03F0, 0x0036, ANY, EMU_FLAW_KEYSTROKES, 1}, // HP keyboards
    {0x03F0, 0x1024, ANY, EMU_FLAW_KEYSTROKES, 1},
    {0x04F2, 0x1469, ANY, EMU_FLAW_KEYSTROKES, 1}, // Chicony
    {0x0BF8, 0x1017, ANY, EMU_FLAW_KEYSTROKES, 1}, // Fujitsu
    {0x046A, 0x00A7, ANY, EMU_FLAW_NO_KEYPAD, 1},  // Cherry xx44
    {0x076B, 0x3031, ANY, EMU_FLAW_NO_KEYPAD, 1},  // OMNIKEY
    {0x076B, 0x3A21, ANY, EMU_FLAW_NO_KEYPAD, 1},
    {0x076B, 0x6632, ANY, EMU_FLAW_NO_KEYPAD, 1},
    {0x0783, 0x0006, ANY, EMU_FLAW_NO_KEYPAD, 1}, // C3PO
    {0x0BF8, 0x1024, ANY, EMU_FLAW_NO_KEYPAD, 1}, // Fujitsu D323
    {0x25DD, 0x3111, ANY, EMU_FLAW_NO_KEYPAD, 1}, // Bit4id

    {0x0D46, 0x3010, ANY, EMU_FLAW_SHORT, 1}, // Kobil TriBank
    {0x046A, 0x00A1, 0x0100, 0x0100, EMU_FLAW_CHAINS, 1},
    {0x046A, 0x00A7, ANY, EMU_FLAW_CHAINS, 1},
    {0x076B, 0x3031, ANY, EMU_FLAW_CHAINS, 1},
    {0x076B, 0x3A21, ANY, EMU_FLAW_CHAINS, 1},
    {0x076B, 0x6632, ANY, EMU_FLAW_CHAINS, 1},
    {0x0BF8, 0x1024, ANY, EMU_FLAW_CHAINS, 1},
    {0x2F7C, 0x6007, ANY, EMU_FLAW_CHAINS, 1}, // Diebold Nixdorf

    {0x0529, 0x0620, 0x0012, 0x0013, EMU_FLAW_IFS, 1}, // SafeNet eToken 5110
    {0x058F, 0x9540, ANY, EMU_FLAW_RATE, 200000},      // Alcor AU9540
    {0x0B97, 0x7762, ANY, EMU_FLAW_RATE, 9600},        // O2Micro Oz776
    {0x0B97, 0x7772, ANY, EMU_FLAW_RATE, 9600},
    {0x08E6, 0x3479, ANY, EMU_FLAW_SLOT_RATE, 125000}, // GemCore POS Pro
    {0x08E6, 0x3480, 0, 0x01FF, EMU_FLAW_SLOT_RATE, 125000},
    {0x058F, 0x9540, ANY, EMU_FLAW_TWO_RESETS, 2},

    {0x0B97, 0x7762, ANY, EMU_FLAW_WHOLE_PACKETS, 64},
    {0x0B97, 0x7772, ANY, EMU_FLAW_WHOLE_PACKETS, 64},

    {0x046A, 0x0005, ANY, EMU_FLAW_EMV, 0xBB}, // Cherry xx33
    {0x08E6, 0x4433, ANY, EMU_FLAW_EMV, 0xBB}, // GemPC 433
    {0x0D46, 0x301D, ANY, EMU_FLAW_OFF_FIRST, 1},
    {0x0424, 0x1202, ANY, EMU_FLAW_OFF_FIRST, 1}, // Microchip SEC1210
    {0x08E6, 0x3480, 0, 0x01FF, EMU_FLAW_PRESENT, 1},
    {0x0B81, 0x0200, ANY, EMU_FLAW_SLOW_POWER, 20000},       // CL1356D; longer than usual, below 60 s: ours
    {0x08E6, 0x34D2, ANY, EMU_FLAW_SLOW_GENERATION, 240000}, // SafeNet Fusion; below 300 s: ours

    {0x08E6, 0x3478, ANY, EMU_FLAW_PIN_VERIFY_MESSAGES, EMU_FLAW_PIN_MESSAGES(1)}, // GemPC PinPad
    {0x0982, 0x0008, ANY, EMU_FLAW_PIN_VERIFY_MESSAGES, EMU_FLAW_PIN_MESSAGES(1)}, // Vega-Alpha
    {0x413C, 0x2100, ANY, EMU_FLAW_PIN_VERIFY_MESSAGES, EMU_FLAW_PIN_MESSAGES(0)}, // Dell keyboards
    {0x413C, 0x2101, ANY, EMU_FLAW_PIN_VERIFY_MESSAGES, EMU_FLAW_PIN_MESSAGES(0)},
    {0x413C, 0x2100, ANY, EMU_FLAW_PIN_MODIFY_MESSAGES, 0x01},
    {0x413C, 0x2101, ANY, EMU_FLAW_PIN_MODIFY_MESSAGES, 0x01},
    {0x046A, 0x0010, ANY, EMU_FLAW_PIN_MODIFY_MESSAGES, 0x88}, // Cherry xx44: not fewer than three
    {0x046A, 0x00A1, ANY, EMU_FLAW_PIN_MODIFY_MESSAGES, 0xFE}, // Cherry KC 1000 SC: not none
    {0x08E6, 0x3478, ANY, EMU_FLAW_PIN_KEY_ONLY, 1},
    {0x0982, 0x0008, ANY, EMU_FLAW_PIN_KEY_ONLY, 1},
    {0x046A, 0x003E, ANY, EMU_FLAW_PIN_INDEXES, 1}, // Cherry ST-2000
    {0x04E6, 0xE003, ANY, EMU_FLAW_PIN_INDEXES, 1}, // SPR 532
    {0x08E6, 0x3478, ANY, EMU_FLAW_PIN_INDEXES, 1},
    {0x0982, 0x0008, ANY, EMU_FLAW_PIN_INDEXES, 1},
    {0x413C, 0x2100, ANY, EMU_FLAW_PIN_SWAPPED, 1},
    {0x413C, 0x2100, ANY, EMU_FLAW_PIN_ENTER, 200}, // below 250 ms: ours
    {0x413C, 0x2101, ANY, EMU_FLAW_PIN_ENTER, 200},
    {0x04E6, 0xE003, ANY, EMU_FLAW_PIN_NO_DATA, 1},

    // Nothing that a driver must know beforehand.
    {0x072F, 0x2200, ANY, EMU_FLAW_SLOW_STATUS, 1000}, // ACR122U
    {0x09D8, 0x0427, ANY, EMU_FLAW_SLOW_STATUS, 1000}, // Elatec TWN4
    {0x09D8, 0x0428, ANY, EMU_FLAW_SLOW_STATUS, 1000},
    {0x04E6, 0x5293, ANY, EMU_FLAW_SLOW_STATUS, 350}, // SCL011, uTrust 3700F, 3701F, 4701F
    {0x04E6, 0x5724, ANY, EMU_FLAW_SLOW_STATUS, 350},
    {0x04E6, 0x5790, ANY, EMU_FLAW_SLOW_STATUS, 350},
    {0x04E6, 0x5791, ANY, EMU_FLAW_SLOW_STATUS, 350},
    {0x08E6, 0x3437, 0x0200, 0x0200, EMU_FLAW_EMPTY_PACKETS, 1}, // GemPC Twin, Key, Dell SCRK
    {0x08E6, 0x3438, 0x0200, 0x0200, EMU_FLAW_EMPTY_PACKETS, 1},
    {0x413C, 0x2101, 0x0200, 0x0200, EMU_FLAW_EMPTY_PACKETS, 1},
    {0x1B0E, 0x1078, ANY, EMU_FLAW_CLASS_LAST, 1}, // bludrive II, Reiner SCT, Oz776
    {0x0B97, 0x7762, ANY, EMU_FLAW_CLASS_LAST, 1},
    {0x0B97, 0x7772, ANY, EMU_FLAW_CLASS_LAST, 1},
    {0x0C4B, 0x0300, ANY, EMU_FLAW_CLASS_LAST, 1},

    // Versions below which libccid takes no reader, without saying why; they work here.
    {0x03F0, 0x0036, 0, 0x0123, EMU_FLAW_OUTDATED, 0x0124},
    {0x04E6, 0x5111, 0, 0x061F, EMU_FLAW_OUTDATED, 0x0620},
    {0x04E6, 0x5291, 0, 0x0111, EMU_FLAW_OUTDATED, 0x0112},
    {0x04E6, 0xE001, 0, 0x0515, EMU_FLAW_OUTDATED, 0x0516},
    {0x04E6, 0xE003, 0, 0x050F, EMU_FLAW_OUTDATED, 0x0510},
    {0x058F, 0x9520, 0, 0x0101, EMU_FLAW_OUTDATED, 0x0102},
    {0x062D, 0x0001, 0, 0x0101, EMU_FLAW_OUTDATED, 0x0102},
    {0x072F, 0x2200, 0, 0x0205, EMU_FLAW_OUTDATED, 0x0206},
    {0x08C3, 0x0401, 0, 0x4FFF, EMU_FLAW_OUTDATED, 0x5000},
    {0x08C3, 0x0402, 0, 0x4FFF, EMU_FLAW_OUTDATED, 0x5000},
    {0x09C3, 0x0008, 0, 0x0202, EMU_FLAW_OUTDATED, 0x0203},
    {0x0B0C, 0x0050, 0, 0x0100, EMU_FLAW_OUTDATED, 0x0101},
    {0x0D46, 0x3001, 0, 0x0036, EMU_FLAW_OUTDATED, 0x0037},
    {0x0D46, 0x3002, 0, 0x0036, EMU_FLAW_OUTDATED, 0x0037},
    {0x0DC3, 0x0900, 0, 0x01FF, EMU_FLAW_OUTDATED, 0x0200},
    {0x0DC3, 0x1004, 0, 0x0501, EMU_FLAW_OUTDATED, 0x0502},
    {0x0DC3, 0x1102, 0, 0x0606, EMU_FLAW_OUTDATED, 0x0607},
};

const struct emu_fact *emu_fact_at(size_t index)
{
    return index < sizeof facts / sizeof facts[0] ? &facts[index] : NULL;
}

static bool is_about(const struct emu_fact *fact, const struct emu_model *model)
{
    return fact->vendor == model->vendor_id && fact->product == model->product_id &&
           model->release >= fact->first && model->release <= fact->last;
}

uint32_t emu_flaw(const struct emu_model *model, enum emu_flaw flaw)
{
    for (size_t i = 0; model->flawless == 0 && i < sizeof facts / sizeof facts[0]; i++) {
        if (facts[i].flaw == flaw && is_about(&facts[i], model)) {
            return facts[i].argument;
        }
    }
    return 0;
}
