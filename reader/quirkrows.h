// SPDX-License-Identifier: MIT
// The table of quirks as it is, for the tests as well: plain C.
#pragma once

typedef enum _QUIRK_KIND {
    QuirkNoPin,             // PINs must not be typed there, or cannot
    QuirkFirmware,          // its maker has newer firmware that repairs it
    QuirkShort,             // claims extended APDUs and fails with them
    QuirkExtended,          // chains its answers although it claims short APDUs
    QuirkAutoIfsd,          // S(IFS) from the host breaks it
    QuirkRate,              // fails above so many bit/s
    QuirkSlotRate,          // likewise in all slots but the first
    QuirkResets,            // needs two resets after it has refused parameters
    QuirkPackets,           // replies of whole packets hang at character level
    QuirkIsoMode,           // starts in EMV mode
    QuirkPowerOff,          // powers on only what it has powered off
    QuirkPresence,          // says that a card is there; power on tells
    QuirkPatience,          // ms that it may take at its slowest
    QuirkLocalAnswers,      // its host answers the questions about it
    QuirkCard,              // of cards, by their ATR: quirks_card.c
    QuirkPinVerifyMessages, // QUIRK_MESSAGES: bNumberMessage it takes
    QuirkPinModifyMessages, // likewise
    QuirkPinKeyOnly,        // the validation key is its only condition
    QuirkPinIndexes,        // wants all message indexes in any case
    QuirkPinSwap,           // wPINMaxExtraDigit of a verification is big-endian
    QuirkPinPause,          // ms until the Enter key of the host is up again
    QuirkPinNoData,         // needs an escape before a template that is a header alone
    QuirkCount
} QUIRK_KIND;

// Fewer messages than Below become Count.
#define QUIRK_MESSAGES(Below, Count) ((Below) << 8 | (Count))
#define QUIRK_ALWAYS                 0x100

typedef struct _QUIRK_ROW {
    unsigned short Vendor;
    unsigned short Product;
    unsigned short First; // firmware range, bcdDevice
    unsigned short Last;
    QUIRK_KIND Kind;
    unsigned Value; // never 0
} QUIRK_ROW;

extern const QUIRK_ROW QuirkRows[];
extern const unsigned QuirkRowCount;
