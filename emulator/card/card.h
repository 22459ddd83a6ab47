// SPDX-License-Identifier: MIT
// A card as seen at its contacts: reset, characters in, characters out, each at its time.
#pragma once
#include "emulator/card/application.h"
#include "emulator/card/atr.h"

enum { CARD_CLASS_A = 1, CARD_CLASS_B = 2, CARD_CLASS_C = 4 }; // 5 V, 3 V, 1.8 V

enum card_flag {
    CARD_EXTENDED = 1 << 0,     // takes extended length fields
    CARD_SINGLE_BYTES = 1 << 1, // T=0: acknowledges every byte by itself
    CARD_PPS_REFUSED = 1 << 2,  // answers PPS without PPS1
    CARD_MUTE = 1 << 3,         // no answer to reset
    CARD_DIES = 1 << 4,         // mute after a few commands
    CARD_NOISY = 1 << 5,        // T=1: every third block has a wrong EDC
    CARD_WANTS_IFS = 1 << 6,    // T=1: asks for a larger IFSC before its first answer
    CARD_SHORTS = 1 << 8,       // draws too much current as soon as it is spoken to
    CARD_HASTY = 1 << 9,        // T=1: asks for no time beyond the BWT it promises
    CARD_LOSES_BLOCKS = 1 << 7, // T=1: every fourth block is not answered
};

struct card_type {
    const char *name, *description;
    uint8_t atr_length, classes;
    uint16_t flags;
    uint8_t atr[ATR_MAX];
    const struct card_application *application;
};

enum {
    CARD_FRAME_MAX = 520, // longest burst: T=0, 256 bytes each with its own procedure byte
    CARD_BLOCK_MAX = 260,
    CARD_LIFE = 3, // commands before CARD_DIES strikes
    CARD_ASK_US = 200,
};

struct card_t0 {
    uint8_t header[5];
    bool receiving;
    uint16_t taken, acknowledged;
    uint32_t response_sent;
    bool envelope;
};

struct card_t1 {
    uint8_t ns, nr, ifs, nad;
    bool sending, chaining_in, wtx_sent, ifs_sent, ifs_asked;
    uint32_t sent, chunk;
    uint32_t blocks; // for the flags that spoil every nth
    uint8_t last[CARD_BLOCK_MAX];
    uint16_t last_length;
};

struct card {
    const struct card_type *type; // NULL: none
    struct atr atr;
    uint32_t clock_khz;
    bool powered, fresh;    // fresh: nothing received since the ATR
    uint8_t protocol, fidi; // in force
    uint64_t commands;      // that reached the application
    uint32_t since_reset;
    // characters
    uint8_t in[CARD_FRAME_MAX], out[CARD_FRAME_MAX];
    uint16_t in_length, out_length, out_taken;
    // the command being worked on
    bool running, pending;      // pending: the application is asked again at ready_at
    uint64_t ready_at, hold_at; // hold_at: next sign of life, UINT64_MAX: none due
    uint32_t command_length, response_length;
    uint16_t sw;
    struct card_t0 t0;
    struct card_t1 t1;
    uint64_t state[CARD_STATE_MAX / sizeof(uint64_t)];
    uint8_t command[CARD_COMMAND_MAX];
    uint8_t response[CARD_RESPONSE_MAX + 2];
};

const struct card_type *card_type_at(size_t index); // NULL at the end
const struct card_type *card_type_named(const char *name);

void card_insert(struct card *card, const struct card_type *type);
void card_activate(struct card *card, uint32_t clock_khz,
                   uint8_t operating_class); // cold or warm: the ATR follows
void card_deactivate(struct card *card);
void card_send(struct card *card, uint64_t now, const uint8_t *bytes, size_t length);
// Takes what the card has sent by now, at most `size` bytes.
size_t card_receive(struct card *card, uint64_t now, uint8_t *bytes, size_t size);
uint64_t card_next(const struct card *card); // when there will be something to take; UINT64_MAX: never
