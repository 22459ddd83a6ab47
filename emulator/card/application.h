// SPDX-License-Identifier: MIT
// What stands behind a card's protocol engine: to emulate another application, fill a struct card_application
// and list it in a card type (types.c).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CARD_COMMAND_MAX = 65544, CARD_RESPONSE_MAX = 65536, CARD_STATE_MAX = 4096 };

struct card_command {
    uint8_t cla, ins, p1, p2;
    const uint8_t *data;
    size_t nc;   // data bytes
    size_t ne;   // response bytes wanted, 0: none
    bool ne_any; // Le was zero: whatever there is, up to `ne`
};

struct card_response {
    uint8_t *data; // CARD_RESPONSE_MAX bytes
    size_t length; // at most command->ne
    uint16_t sw;
    uint32_t delay_us; // how long the card works on it
    bool pending;      // what it comes to is not known yet: see `finished`
};

struct card_type;

struct card_application {
    size_t state_size;                                         // at most CARD_STATE_MAX; zero before insert
    void (*insert)(void *state, const struct card_type *type); // a new card, once
    void (*reset)(void *state);
    // T=0 only learns from INS which way the data go; `header`: CLA INS P1 P2.
    bool (*takes_data)(const void *state, const uint8_t *header);
    void (*execute)(void *state, const struct card_command *command, struct card_response *response);
    // After a pending execute(), called every now and then until it is true and has filled the response; not
    // any more after reset(). NULL: nothing is ever pending.
    bool (*finished)(void *state, struct card_response *response);
};

extern const struct card_application card_filesystem;
