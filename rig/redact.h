// SPDX-License-Identifier: MIT
// Takes what may be a PIN out of what is shown of a reader, at any exchange level: rather too much than too
// little.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REDACT_SLOTS = 16 };

struct redactor {              // of a reader
    bool secret[REDACT_SLOTS]; // until its answer comes what goes to this slot's card belongs to a PIN
};

// Zeroes them in a CCID message to the reader, or in what a reader without bulk pipes is sent as
// PC_to_RDR_XfrBlock.
void redact_command(struct redactor *redactor, uint8_t *message, size_t length);
void redact_block(struct redactor *redactor, unsigned slot, uint8_t *data, size_t length);
// A CCID message from the reader: is the command over?
void redact_response(struct redactor *redactor, const uint8_t *message, size_t length);
void redact_answer(struct redactor *redactor, unsigned slot, const uint8_t *data,
                   size_t length); // its data alone
void redact_apdu(uint8_t *apdu, size_t length);
