// SPDX-License-Identifier: MIT
#include "tests/smclib/emucard.h"

#include <stdlib.h>
#include <string.h>

#include "emulator/card/card.h"

enum { CLOCK = 4000, NULL_BYTE = 0x60 };

static struct card card;
static uint64_t now;

// Bytes as the card sends them, until there are enough or it falls silent.
static size_t receive(unsigned char *bytes, size_t wanted)
{
    size_t have = 0;

    while (have < wanted) {
        uint64_t next = card_next(&card);
        if (next == UINT64_MAX) {
            break;
        }
        now = next > now ? next : now;
        have += card_receive(&card, now, bytes + have, wanted - have);
    }
    return have;
}

unsigned emucard_insert(const char *name, unsigned char *atr)
{
    const struct card_type *type = card_type_named(name);

    if (type == NULL) {
        abort();
    }
    memset(&card, 0, sizeof card);
    now = 0;
    card_insert(&card, type);
    card_activate(&card, CLOCK, CARD_CLASS_A);
    return (unsigned)receive(atr, type->atr_length);
}

int emucard_pps(const unsigned char *request, unsigned length)
{
    unsigned char answer[8];

    card_send(&card, now, request, length);
    return receive(answer, length) == length && memcmp(answer, request, length) == 0;
}

unsigned emucard_exchange_t1(const unsigned char *block, unsigned length, int crc, unsigned char *answer)
{
    size_t rest;

    card_send(&card, now, block, length);
    if (receive(answer, 3) < 3) {
        return 0;
    }
    rest = (size_t)answer[2] + (crc ? 2 : 1);
    return 3 + (unsigned)receive(answer + 3, rest);
}

// ISO 7816-3:2006 10.3.3.
unsigned emucard_exchange_t0(const unsigned char *tpdu, unsigned length, unsigned expected,
                             unsigned char *answer)
{
    unsigned char procedure;
    unsigned sent = 5;
    unsigned have = 0;

    card_send(&card, now, tpdu, 5);
    while (receive(&procedure, 1) == 1) {
        unsigned step = procedure == tpdu[1] ? 256 : 1;
        if (procedure == NULL_BYTE) {
            continue;
        }
        if (procedure != tpdu[1] && procedure != (unsigned char)~tpdu[1]) {
            answer[have] = procedure;
            return receive(answer + have + 1, 1) == 1 ? have + 2 : 0;
        }
        if (length > 5) {
            step = step < length - sent ? step : length - sent;
            card_send(&card, now, tpdu + sent, step);
            sent += step;
        } else {
            step = step < expected - have ? step : expected - have;
            have += (unsigned)receive(answer + have, step);
        }
    }
    return 0;
}
