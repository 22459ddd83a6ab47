// SPDX-License-Identifier: MIT
#include "rig/redact.h"

#include <string.h>

enum {
    CCID_HEADER = 10,
    CCID_SLOT = 5,
    CCID_POWER_ON = 0x62,
    CCID_XFR_BLOCK = 0x6F,
    CCID_ESCAPE = 0x6B,
    CCID_SECURE = 0x69,
    CCID_DATA_BLOCK = 0x80,
    APDU_HEADER = 5,
    T1_PROLOGUE = 3,
    T1_MORE = 0x20,
    T1_SUPERVISORY = 0x80,
};

// ISO 7816-4:2013 table 4.2: VERIFY, CHANGE REFERENCE DATA, DISABLE and ENABLE VERIFICATION REQUIREMENT,
// RESET RETRY COUNTER; ENVELOPE, which may carry any of them.
static bool is_secret(uint8_t instruction)
{
    switch (instruction & 0xFEu) {
    case 0x20:
    case 0x24:
    case 0x26:
    case 0x28:
    case 0x2C:
    case 0xC2:
        return true;
    default:
        return false;
    }
}

static void erase(uint8_t *data, size_t length, size_t from)
{
    if (from < length) {
        memset(data + from, 0, length - from);
    }
}

static bool is_apdu(const uint8_t *data, size_t length)
{
    return length >= 2 && is_secret(data[1]);
}

// As a block of T=1, ISO 7816-3:2006 11.3: the instruction, or the beginning of a chain too short to have it.
static bool is_block(const uint8_t *data, size_t length)
{
    if (length < T1_PROLOGUE || (data[1] & T1_SUPERVISORY) != 0) {
        return false;
    }
    bool chained = (data[1] & T1_MORE) != 0;
    return length >= T1_PROLOGUE + 2 && data[2] >= 2 ? is_secret(data[T1_PROLOGUE + 1]) : chained;
}

void redact_apdu(uint8_t *apdu, size_t length)
{
    if (is_apdu(apdu, length)) {
        erase(apdu, length, APDU_HEADER);
    }
}

void redact_block(struct redactor *redactor, unsigned slot, uint8_t *data, size_t length)
{
    bool *secret = &redactor->secret[slot % REDACT_SLOTS];
    bool apdu = is_apdu(data, length), block = is_block(data, length);
    // At the character level a command comes in pieces, and the piece with the instruction may be a short
    // one.
    bool piece = length > 0 && length < APDU_HEADER - 1 && !(length >= T1_PROLOGUE && data[1] == 0xC1);
    if (*secret) {
        // Acknowledging and supervisory blocks of T=1 carry nothing of the command.
        bool harmless = length >= T1_PROLOGUE + 1 && length <= T1_PROLOGUE + 3 &&
                        (data[1] & T1_SUPERVISORY) != 0 && data[2] <= 1;
        erase(data, length, harmless ? length : 0);
    } else if (apdu || block) {
        // A chain's first block reads as a VERIFY, so the shorter of the two.
        erase(data, length, apdu ? APDU_HEADER : T1_PROLOGUE + APDU_HEADER);
    }
    *secret = *secret || apdu || block || piece;
}

void redact_command(struct redactor *redactor, uint8_t *message, size_t length)
{
    if (length < CCID_HEADER) {
        return;
    }
    unsigned slot = message[CCID_SLOT];
    switch (message[0]) {
    case CCID_XFR_BLOCK:
        redact_block(redactor, slot, message + CCID_HEADER, length - CCID_HEADER);
        break;
    case CCID_SECURE: // bPINOperation stays
        erase(message, length, CCID_HEADER + 1);
        break;
    case CCID_ESCAPE:
        erase(message, length, CCID_HEADER);
        break;
    case CCID_POWER_ON:
        redactor->secret[slot % REDACT_SLOTS] = false;
        break;
    default:
        break;
    }
}

// SW1 of ISO 7816-3:2006 10.3.3; 60 is a procedure byte.
static bool is_status(uint8_t byte)
{
    return (byte > 0x60 && byte < 0x70) || byte >> 4 == 9;
}

static bool is_answer(const uint8_t *data, size_t length)
{
    if (length >= T1_PROLOGUE + 3 && (data[1] & T1_SUPERVISORY) == 0 && data[2] >= 2 &&
        (data[2] + 4u == length || data[2] + 5u == length)) {
        return (data[1] & T1_MORE) == 0;
    }
    return length >= 2 && is_status(data[length - 2]);
}

void redact_answer(struct redactor *redactor, unsigned slot, const uint8_t *data, size_t length)
{
    if (is_answer(data, length)) {
        redactor->secret[slot % REDACT_SLOTS] = false;
    }
}

void redact_response(struct redactor *redactor, const uint8_t *message, size_t length)
{
    if (length >= CCID_HEADER && message[0] == CCID_DATA_BLOCK) {
        redact_answer(redactor, message[CCID_SLOT], message + CCID_HEADER, length - CCID_HEADER);
    }
}
