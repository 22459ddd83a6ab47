// SPDX-License-Identifier: MIT
// Source of every row: the facts of libccid's ccid.c and, for firmware, its ccid_usb.c.
#include "reader/quirks.h"

#define RELEASE_ANY 0xFFFF

typedef struct _QUIRK {
    USHORT Vendor;
    USHORT Product;
    USHORT First; // firmware range, bcdDevice
    USHORT Last;
    ULONG Flags;
} QUIRK;

static const QUIRK Quirks[] = {
    // Keyboards that send the PIN to the host as key strokes, too
    {0x03F0, 0x1024, 0, RELEASE_ANY, QUIRK_NO_PIN}, // HP USB Smart Card Keyboard
    {0x03F0, 0x0036, 0, RELEASE_ANY, QUIRK_NO_PIN}, // HP USB CCID SmartCard Keyboard
    {0x0BF8, 0x1017, 0, RELEASE_ANY, QUIRK_NO_PIN}, // Fujitsu Smart Keyboard
    {0x04F2, 0x1469, 0, RELEASE_ANY, QUIRK_NO_PIN}, // Chicony HP Skylab keyboard
    // Readers that claim a keypad and have none
    {0x0783, 0x0006, 0, RELEASE_ANY, QUIRK_NO_PIN}, // C3PO LTC31 v2
    {0x25DD, 0x3111, 0, RELEASE_ANY, QUIRK_NO_PIN}, // Bit4id miniLector
    {0x076B, 0x3A21, 0, RELEASE_ANY, QUIRK_NO_PIN}, // OMNIKEY Smart Card Reader USB
    {0x076B, 0x3031, 0, RELEASE_ANY, QUIRK_NO_PIN}, // OMNIKEY 3x21, 1021
    {0x076B, 0x6632, 0, RELEASE_ANY, QUIRK_NO_PIN}, // OMNIKEY 6121
    {0x046A, 0x00A7, 0, RELEASE_ANY, QUIRK_NO_PIN}, // Cherry xx44
    {0x0BF8, 0x1024, 0, RELEASE_ANY, QUIRK_NO_PIN}, // Fujitsu Keyboard KB SCR2
    // Wrong exchange level
    {0x0D46, 0x3010, 0, RELEASE_ANY, QUIRK_SHORT},    // Kobil TriBank
    {0x076B, 0x3A21, 0, RELEASE_ANY, QUIRK_EXTENDED}, // OMNIKEY Aviator
    {0x076B, 0x3031, 0, RELEASE_ANY, QUIRK_EXTENDED}, // OMNIKEY 3x21, 1021
    {0x076B, 0x6632, 0, RELEASE_ANY, QUIRK_EXTENDED}, // OMNIKEY 6121
    {0x046A, 0x00A7, 0, RELEASE_ANY, QUIRK_EXTENDED}, // Cherry xx44
    {0x0BF8, 0x1024, 0, RELEASE_ANY, QUIRK_EXTENDED}, // Fujitsu Keyboard KB SCR2
    {0x2F7C, 0x6007, 0, RELEASE_ANY, QUIRK_EXTENDED}, // Diebold Nixdorf PN7362AU
    {0x046A, 0x00A1, 0x0100, 0x0100, QUIRK_EXTENDED}, // Cherry KC 1000 SC
    // Block sizes and rates
    {0x0529, 0x0620, 0x0012, 0x0013, QUIRK_AUTO_IFSD}, // SafeNet eToken 5100, 5110
    {0x09BE, 0x0002, 0, RELEASE_ANY, QUIRK_IFSD},      // MySmartPad
    {0x058F, 0x9540, 0, RELEASE_ANY, QUIRK_200K},      // Alcor AU9540
    {0x0B97, 0x7762, 0, RELEASE_ANY, QUIRK_9600},      // O2Micro Oz776
    {0x0B97, 0x7772, 0, RELEASE_ANY, QUIRK_9600},      // O2Micro Oz776
    // Firmware that is known to fail
    {0x04E6, 0xE001, 0, 0x0515, QUIRK_OLD}, // SCR 331
    {0x04E6, 0x5111, 0, 0x061F, QUIRK_OLD}, // SCR 331-DI
    {0x04E6, 0xE003, 0, 0x050F, QUIRK_OLD}, // SPR 532
    {0x04E6, 0x5291, 0, 0x0111, QUIRK_OLD}, // SCL010
    {0x0D46, 0x3001, 0, 0x0036, QUIRK_OLD}, // KAAN Base
    {0x0D46, 0x3002, 0, 0x0036, QUIRK_OLD}, // KAAN Advanced
    {0x09C3, 0x0008, 0, 0x0202, QUIRK_OLD}, // ActivCard V2
    {0x0DC3, 0x1004, 0, 0x0501, QUIRK_OLD}, // ASE IIIe USBv2
    {0x0DC3, 0x1102, 0, 0x0606, QUIRK_OLD}, // ASE IIIe KB
    {0x0DC3, 0x0900, 0, 0x01FF, QUIRK_OLD}, // Athena IDProtect Key v2
    {0x058F, 0x9520, 0, 0x0101, QUIRK_OLD}, // Alcor AU9520-G
    {0x08C3, 0x0402, 0, 0x4FFF, QUIRK_OLD}, // Precise 200 MC
    {0x08C3, 0x0401, 0, 0x4FFF, QUIRK_OLD}, // Precise 250 MC
    {0x0B0C, 0x0050, 0, 0x0100, QUIRK_OLD}, // Todos Argos Mini II
    {0x03F0, 0x0036, 0, 0x0123, QUIRK_OLD}, // HP CCID keyboard
    {0x062D, 0x0001, 0, 0x0101, QUIRK_OLD}, // THRC reader
    {0x072F, 0x2200, 0, 0x0205, QUIRK_OLD}, // ACR122U-WB-R
};

ULONG QuirksFind(USHORT Vendor, USHORT Product, USHORT Release)
{
    ULONG flags = 0;

    for (ULONG i = 0; i < RTL_NUMBER_OF(Quirks); i++) {
        const QUIRK *quirk = &Quirks[i];
        if (quirk->Vendor == Vendor && quirk->Product == Product && Release >= quirk->First &&
            Release <= quirk->Last) {
            flags |= quirk->Flags;
        }
    }
    return flags;
}
