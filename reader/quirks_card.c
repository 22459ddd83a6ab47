// SPDX-License-Identifier: MIT
// Cards whose ATR promises more than they hold. Source: the facts of libccid's ifdhandler.c.
#include "reader/slot.h"

typedef struct _CARD_ROW {
    UCHAR Atr[SCARD_ATR_LENGTH];
    UCHAR Length;
    UCHAR Bwi; // instead of the ATR's
} CARD_ROW;

static const CARD_ROW Cards[] = {
    // OpenPGP version 1
    {{0x3B, 0xFA, 0x13, 0x00, 0xFF, 0x81, 0x31, 0x80, 0x45, 0x00,
      0x31, 0xC1, 0x73, 0xC0, 0x01, 0x00, 0x00, 0x90, 0x00, 0xB1},
     20,
     7},
};

static BOOLEAN CardIs(const SCARD_CARD_CAPABILITIES *Card, const CARD_ROW *Row)
{
    ULONG same = 0;

    while (same < Row->Length && same < Card->ATR.Length && Card->ATR.Buffer[same] == Row->Atr[same]) {
        same++;
    }
    return same == Row->Length && Card->ATR.Length == Row->Length;
}

VOID QuirksCardRepair(PSLOT Slot)
{
    PSCARD_CARD_CAPABILITIES card = &Slot->Smartcard.CardCapabilities;

    if ((Slot->Reader->QuirksDisabled & 1u << QuirkCard) != 0) {
        return;
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(Cards); i++) {
        if (CardIs(card, &Cards[i]) && card->T1.BWI < Cards[i].Bwi) {
            card->T1.BWT <<= Cards[i].Bwi - card->T1.BWI; // 11 etu more or less do not matter
            card->T1.BWI = Cards[i].Bwi;
        }
    }
}
