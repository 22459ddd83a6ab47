// SPDX-License-Identifier: MIT
// Answer to reset, ISO 7816-3:2006 8.2.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ATR_MAX = 33 };

struct atr {
    uint16_t protocols;            // bit T for each protocol offered
    uint8_t first;                 // first offered, or the one of specific mode
    bool specific;                 // TA2 present: no PPS
    bool implicit;                 // TA2 bit 5: Fi and Di are not those of TA1
    uint8_t fidi;                  // TA1, or the default
    uint8_t guard;                 // TC1
    uint8_t waiting_t0;            // TC2
    uint8_t ifsc, waiting_t1, crc; // first TA, TB, TC for T=1
    uint8_t clock_stop;            // bits 8-7 of the first TA for T=15
};

enum atr_status { ATR_OK, ATR_BAD_TS, ATR_BAD_LENGTH, ATR_BAD_TCK };

enum atr_status card_atr_parse(const uint8_t *bytes, size_t length, struct atr *atr);
