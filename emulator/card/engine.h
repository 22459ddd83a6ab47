// SPDX-License-Identifier: MIT
// Between the line, the two protocol engines and the application; of no interest outside card/.
#pragma once
#include "emulator/card/card.h"
#include "emulator/card/line.h"

#define CARD_NEVER UINT64_MAX

void card_emit(struct card *card, const uint8_t *bytes, size_t length);
// Runs the APDU in card->command; its result is due at card->ready_at.
void card_execute(struct card *card, uint64_t now);
void card_run(struct card *card, uint64_t now, const struct card_command *command);
uint64_t card_patience(const struct card *card); // how long the terminal waits without a sign of life

void card_t0_reset(struct card *card);
void card_t0_input(struct card *card, uint64_t now);
void card_t0_hold(struct card *card, uint64_t now);
void card_t0_finish(struct card *card);

void card_t1_reset(struct card *card);
void card_t1_input(struct card *card, uint64_t now);
void card_t1_hold(struct card *card, uint64_t now);
void card_t1_finish(struct card *card);
