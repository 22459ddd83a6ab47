// SPDX-License-Identifier: MIT
// A card of the emulator at its contacts, for tests in WDM code: what a reader's own logic would do between
// them.
#pragma once

enum { EMUCARD_ANSWER = 600 };

// Powers a card up; returns the length of its ATR.
unsigned emucard_insert(const char *name, unsigned char *atr);
// One T=1 block out, one back; 0: silence.
unsigned emucard_exchange_t1(const unsigned char *block, unsigned length, int crc, unsigned char *answer);
// One T=0 TPDU, procedure bytes and all; returns the length of data and status, 0: silence.
unsigned emucard_exchange_t0(const unsigned char *tpdu, unsigned length, unsigned expected,
                             unsigned char *answer);
// Sends a PPS request; whether the card echoes it.
int emucard_pps(const unsigned char *request, unsigned length);
