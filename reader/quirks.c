// SPDX-License-Identifier: MIT
// Source of every row: libccid's ccid.c, the facts of it.
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
