// SPDX-License-Identifier: MIT
// The state of the ISO 7816-4 application and its commands that do not concern files.
#pragma once
#include "emulator/card/application.h"
#include "emulator/card/files.h"

enum { PIN_LENGTH = 8, PIN_TRIES = 3 };

struct state {
    uint16_t df;           // current DF
    const struct file *ef; // current EF, NULL: none
    uint8_t record;        // current record, 0: none
    uint8_t tries;
    bool verified;
    uint32_t random;
    uint8_t pin[PIN_LENGTH];
    uint8_t storage[FILE_STORAGE];
};

_Static_assert(sizeof(struct state) <= CARD_STATE_MAX, "a card's state is too large");

// Return the status word; the response data go to `response`.
typedef uint16_t card_handler(struct state *state, const struct card_command *command,
                              struct card_response *response);

void card_pin_insert(struct state *state);
card_handler card_verify, card_change_pin, card_get_challenge, card_work, card_echo;
