// SPDX-License-Identifier: MIT
// Source of every row: the facts of libccid's ccid.c, commands.c and ifdhandler.c and, for firmware and
// rates, its ccid_usb.c.
#include "reader/quirks.h"

#define RELEASE_ANY 0xFFFF

const QUIRK_ROW QuirkRows[] = {
    // Keyboards that send the PIN to the host as key strokes, too
    {0x03F0, 0x1024, 0, RELEASE_ANY, QuirkNoPin, 1}, // HP USB Smart Card Keyboard
    {0x03F0, 0x0036, 0, RELEASE_ANY, QuirkNoPin, 1}, // HP USB CCID SmartCard Keyboard
    {0x0BF8, 0x1017, 0, RELEASE_ANY, QuirkNoPin, 1}, // Fujitsu Smart Keyboard
    {0x04F2, 0x1469, 0, RELEASE_ANY, QuirkNoPin, 1}, // Chicony HP Skylab keyboard
    // Readers that claim a keypad and have none
    {0x0783, 0x0006, 0, RELEASE_ANY, QuirkNoPin, 1}, // C3PO LTC31 v2
    {0x25DD, 0x3111, 0, RELEASE_ANY, QuirkNoPin, 1}, // Bit4id miniLector
    {0x076B, 0x3A21, 0, RELEASE_ANY, QuirkNoPin, 1}, // OMNIKEY Smart Card Reader USB
    {0x076B, 0x3031, 0, RELEASE_ANY, QuirkNoPin, 1}, // OMNIKEY 3x21, 1021
    {0x076B, 0x6632, 0, RELEASE_ANY, QuirkNoPin, 1}, // OMNIKEY 6121
    {0x046A, 0x00A7, 0, RELEASE_ANY, QuirkNoPin, 1}, // Cherry xx44
    {0x0BF8, 0x1024, 0, RELEASE_ANY, QuirkNoPin, 1}, // Fujitsu Keyboard KB SCR2
    // Wrong exchange level
    {0x0D46, 0x3010, 0, RELEASE_ANY, QuirkShort, 1},    // Kobil TriBank
    {0x076B, 0x3A21, 0, RELEASE_ANY, QuirkExtended, 1}, // OMNIKEY Aviator
    {0x076B, 0x3031, 0, RELEASE_ANY, QuirkExtended, 1}, // OMNIKEY 3x21, 1021
    {0x076B, 0x6632, 0, RELEASE_ANY, QuirkExtended, 1}, // OMNIKEY 6121
    {0x046A, 0x00A7, 0, RELEASE_ANY, QuirkExtended, 1}, // Cherry xx44
    {0x0BF8, 0x1024, 0, RELEASE_ANY, QuirkExtended, 1}, // Fujitsu Keyboard KB SCR2
    {0x2F7C, 0x6007, 0, RELEASE_ANY, QuirkExtended, 1}, // Diebold Nixdorf PN7362AU
    {0x046A, 0x00A1, 0x0100, 0x0100, QuirkExtended, 1}, // Cherry KC 1000 SC
    // Block sizes and rates
    {0x0529, 0x0620, 0x0012, 0x0013, QuirkAutoIfsd, 1},      // SafeNet eToken 5100, 5110
    {0x058F, 0x9540, 0, RELEASE_ANY, QuirkRate, 200000},     // Alcor AU9540
    {0x0B97, 0x7762, 0, RELEASE_ANY, QuirkRate, 9600},       // O2Micro Oz776
    {0x0B97, 0x7772, 0, RELEASE_ANY, QuirkRate, 9600},       // O2Micro Oz776
    {0x08E6, 0x3479, 0, RELEASE_ANY, QuirkSlotRate, 125000}, // GemCore POS Pro
    {0x08E6, 0x3480, 0, 0x01FF, QuirkSlotRate, 125000},      // GemCore SIM Pro
    {0x058F, 0x9540, 0, RELEASE_ANY, QuirkResets, 1},        // Alcor AU9540
    {0x0B97, 0x7762, 0, RELEASE_ANY, QuirkPackets, 1},       // O2Micro Oz776
    {0x0B97, 0x7772, 0, RELEASE_ANY, QuirkPackets, 1},       // O2Micro Oz776
    // Activation and time
    {0x08E6, 0x4433, 0, RELEASE_ANY, QuirkIsoMode, 1},       // GemPC 433
    {0x046A, 0x0005, 0, RELEASE_ANY, QuirkIsoMode, 1},       // Cherry xx33
    {0x0D46, 0x301D, 0, RELEASE_ANY, QuirkPowerOff, 1},      // Kobil IDToken
    {0x0424, 0x1202, 0, RELEASE_ANY, QuirkPowerOff, 1},      // Microchip SEC1210
    {0x08E6, 0x3480, 0, 0x01FF, QuirkPresence, 1},           // GemCore SIM Pro
    {0x0B81, 0x0200, 0, RELEASE_ANY, QuirkPatience, 60000},  // CL1356D
    {0x08E6, 0x34D2, 0, RELEASE_ANY, QuirkPatience, 300000}, // SafeNet Fusion, while it generates keys
    {0x0D46, 0x301D, 0, RELEASE_ANY, QuirkLocalAnswers, 1},  // Kobil IDToken
    // PIN pads
    {0x08E6, 0x3478, 0, RELEASE_ANY, QuirkPinVerifyMessages, QUIRK_MESSAGES(QUIRK_ALWAYS, 1)}, // GemPC PinPad
    {0x0982, 0x0008, 0, RELEASE_ANY, QuirkPinVerifyMessages, QUIRK_MESSAGES(QUIRK_ALWAYS, 1)}, // Vega-Alpha
    {0x413C, 0x2101, 0, RELEASE_ANY, QuirkPinVerifyMessages, QUIRK_MESSAGES(QUIRK_ALWAYS, 0)}, // Dell SCRK
    {0x413C, 0x2100, 0, RELEASE_ANY, QuirkPinVerifyMessages, QUIRK_MESSAGES(QUIRK_ALWAYS, 0)}, // Dell SK-3106
    {0x413C, 0x2101, 0, RELEASE_ANY, QuirkPinModifyMessages, QUIRK_MESSAGES(QUIRK_ALWAYS, 0)}, // Dell SCRK
    {0x413C, 0x2100, 0, RELEASE_ANY, QuirkPinModifyMessages, QUIRK_MESSAGES(QUIRK_ALWAYS, 0)}, // Dell SK-3106
    {0x046A, 0x0010, 0, RELEASE_ANY, QuirkPinModifyMessages, QUIRK_MESSAGES(3, 3)},            // Cherry xx44
    {0x046A, 0x00A1, 0, RELEASE_ANY, QuirkPinModifyMessages, QUIRK_MESSAGES(1, 0xFF)}, // Cherry KC 1000 SC
    {0x08E6, 0x3478, 0, RELEASE_ANY, QuirkPinKeyOnly, 1},                              // GemPC PinPad
    {0x0982, 0x0008, 0, RELEASE_ANY, QuirkPinKeyOnly, 1},                              // Vega-Alpha
    {0x08E6, 0x3478, 0, RELEASE_ANY, QuirkPinIndexes, 1},                              // GemPC PinPad
    {0x0982, 0x0008, 0, RELEASE_ANY, QuirkPinIndexes, 1},                              // Vega-Alpha
    {0x04E6, 0xE003, 0, RELEASE_ANY, QuirkPinIndexes, 1},                              // SPR 532
    {0x046A, 0x003E, 0, RELEASE_ANY, QuirkPinIndexes, 1},                              // Cherry ST-2000
    {0x413C, 0x2100, 0, RELEASE_ANY, QuirkPinSwap, 1},                                 // Dell SK-3106
    {0x413C, 0x2101, 0, RELEASE_ANY, QuirkPinPause, 250},                              // Dell SCRK
    {0x413C, 0x2100, 0, RELEASE_ANY, QuirkPinPause, 250},                              // Dell SK-3106
    {0x04E6, 0xE003, 0, RELEASE_ANY, QuirkPinNoData, 1},                               // SPR 532
    // Firmware that is known to fail
    {0x04E6, 0xE001, 0, 0x0515, QuirkFirmware, 1}, // SCR 331
    {0x04E6, 0x5111, 0, 0x061F, QuirkFirmware, 1}, // SCR 331-DI
    {0x04E6, 0xE003, 0, 0x050F, QuirkFirmware, 1}, // SPR 532
    {0x04E6, 0x5291, 0, 0x0111, QuirkFirmware, 1}, // SCL010
    {0x0D46, 0x3001, 0, 0x0036, QuirkFirmware, 1}, // KAAN Base
    {0x0D46, 0x3002, 0, 0x0036, QuirkFirmware, 1}, // KAAN Advanced
    {0x09C3, 0x0008, 0, 0x0202, QuirkFirmware, 1}, // ActivCard V2
    {0x0DC3, 0x1004, 0, 0x0501, QuirkFirmware, 1}, // ASE IIIe USBv2
    {0x0DC3, 0x1102, 0, 0x0606, QuirkFirmware, 1}, // ASE IIIe KB
    {0x0DC3, 0x0900, 0, 0x01FF, QuirkFirmware, 1}, // Athena IDProtect Key v2
    {0x058F, 0x9520, 0, 0x0101, QuirkFirmware, 1}, // Alcor AU9520-G
    {0x08C3, 0x0402, 0, 0x4FFF, QuirkFirmware, 1}, // Precise 200 MC
    {0x08C3, 0x0401, 0, 0x4FFF, QuirkFirmware, 1}, // Precise 250 MC
    {0x0B0C, 0x0050, 0, 0x0100, QuirkFirmware, 1}, // Todos Argos Mini II
    {0x03F0, 0x0036, 0, 0x0123, QuirkFirmware, 1}, // HP CCID keyboard
    {0x062D, 0x0001, 0, 0x0101, QuirkFirmware, 1}, // THRC reader
    {0x072F, 0x2200, 0, 0x0205, QuirkFirmware, 1}, // ACR122U-WB-R
};

const unsigned QuirkRowCount = RTL_NUMBER_OF(QuirkRows);

VOID QuirksFind(USHORT Vendor, USHORT Product, USHORT Release, ULONG Disabled, PQUIRKS Quirks)
{
    RtlZeroMemory(Quirks, sizeof(*Quirks));
    for (ULONG i = 0; i < QuirkRowCount; i++) {
        const QUIRK_ROW *row = &QuirkRows[i];
        if (row->Vendor == Vendor && row->Product == Product && Release >= row->First &&
            Release <= row->Last && (Disabled & 1u << row->Kind) == 0) {
            Quirks->Values[row->Kind] = row->Value;
        }
    }
}
