// SPDX-License-Identifier: MIT
// Power up, negotiate, send: what several commands do with an open slot.
#pragma once
#include "rig/scard.h"
#include "tools/command.h"

struct apdu {
    size_t length;
    uint8_t bytes[RIG_APDU_MAX];
};

// Before anything is started. EXIT_DONE, or after a complaint.
int parse_apdus(const struct command *command, int count, char **words, struct apdu *apdus);
// ATR, protocol and replies go into `object`, NULL: are printed. `mask`: of protocols to offer.
int exchange_apdus(const struct command *command, nt_file *file, uint32_t mask, cJSON *object,
                   const struct apdu *apdus, int count);
