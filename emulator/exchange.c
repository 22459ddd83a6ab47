// SPDX-License-Identifier: MIT
// PC_to_RDR_XfrBlock at the four exchange levels, and what happens until its reply.
#include "emulator/reader.h"

#include <string.h>

enum { // wLevelParameter and bChainParameter of extended APDU, CCID 1.1 6.1.4 and 6.2.1
    CHAIN_WHOLE = 0x00,
    CHAIN_BEGIN = 0x01,
    CHAIN_END = 0x02,
    CHAIN_MIDDLE = 0x03,
    CHAIN_CONTINUE = 0x10,
    APDU_MIN = 4,
    SHORT_MAX = 261,
    TPDU_MAX = 260,
};

static bool is_pps(const struct slot *slot, const struct request *request)
{
    return slot->card.fresh && request->length >= 3 && request->data[0] == 0xFF;
}

static void characters(struct slot *slot, uint64_t now, const struct request *request, uint16_t wanted)
{
    if (wanted == 0) {
        emu_line_send(slot, now, request->data, request->length);
        emu_answer(slot, 0, NULL, 0);
        return;
    }
    emu_terminal_characters(slot, now, request->data, request->length, wanted);
}

static void tpdu(struct slot *slot, uint64_t now, const struct request *request)
{
    const uint8_t *data = request->data;
    uint32_t length = request->length;
    if (slot->reader->flaws[EMU_FLAW_IFS] != 0 && length > 1 && data[1] == 0xC1 &&
        slot->parameters.protocol == 1) {
        slot->hangs = true;
    }
    if (is_pps(slot, request)) {
        emu_terminal_pps(slot, now, data, length);
        return;
    }
    if (length < APDU_MIN || length > TPDU_MAX) {
        emu_fail(slot, ERR_LENGTH);
        return;
    }
    if (slot->parameters.protocol == 1) {
        if ((slot->reader->features & FEATURE_AUTO_IFSD) != 0) {
            emu_t1_announce_ifsd(slot, now);
        }
        emu_terminal_block(slot, now, data, length, request->header[7]);
        return;
    }
    if (length > 5 && length != 5u + data[4]) {
        emu_fail(slot, ERR_LENGTH);
        return;
    }
    memcpy(slot->command_data, data, length); // the TPDU outlives the message
    slot->command_length = length;
    emu_t0_tpdu(slot, now, slot->command_data, length);
}

static void apdu(struct slot *slot, uint64_t now)
{
    bool begun = slot->command_length >= APDU_MIN;
    if (begun && slot->parameters.protocol == 1) {
        emu_t1_apdu_begin(slot, now);
    } else if (begun) {
        begun = emu_t0_apdu_begin(slot, now);
    }
    if (!begun) {
        emu_fail(slot, ERR_LENGTH);
    }
}

static void short_apdu(struct slot *slot, uint64_t now, const struct request *request)
{
    if (request->length > SHORT_MAX) {
        emu_fail(slot, ERR_LENGTH);
        return;
    }
    memcpy(slot->command_data, request->data, request->length);
    slot->command_length = request->length;
    apdu(slot, now);
}

static uint32_t part_max(const struct slot *slot)
{
    return slot->reader->message_max - HEADER_LENGTH;
}

static void send_part(struct slot *slot)
{
    uint32_t left = slot->response_length - slot->response_sent;
    uint32_t part = left < part_max(slot) ? left : part_max(slot);
    bool first = slot->response_sent == 0, last = part == left;
    const uint8_t *data = slot->response_data + slot->response_sent;
    slot->response_sent += part;
    slot->chain_out = !last;
    if (first) {
        emu_answer(slot, last ? CHAIN_WHOLE : CHAIN_BEGIN, data, part);
    } else {
        emu_answer(slot, last ? CHAIN_END : CHAIN_MIDDLE, data, part);
    }
}

static bool chain_valid(const struct slot *slot, uint16_t chain, uint32_t length)
{
    switch (chain) {
    case CHAIN_WHOLE:
    case CHAIN_BEGIN:
        return true;
    case CHAIN_END:
    case CHAIN_MIDDLE:
        return slot->chain_in;
    case CHAIN_CONTINUE:
        return slot->chain_out && length == 0;
    default:
        return false;
    }
}

static void extended_apdu(struct slot *slot, uint64_t now, const struct request *request, uint16_t chain)
{
    if (!chain_valid(slot, chain, request->length)) {
        slot->chain_in = slot->chain_out = false;
        emu_fail(slot, ERR_LEVEL);
        return;
    }
    if (chain == CHAIN_CONTINUE) {
        send_part(slot);
        return;
    }
    slot->chain_out = false;
    if (chain == CHAIN_WHOLE || chain == CHAIN_BEGIN) {
        slot->command_length = 0;
    }
    slot->chain_in = chain == CHAIN_BEGIN || chain == CHAIN_MIDDLE;
    if (request->length > sizeof slot->command_data - slot->command_length) {
        slot->chain_in = false;
        emu_fail(slot, ERR_LENGTH);
        return;
    }
    memcpy(slot->command_data + slot->command_length, request->data, request->length);
    slot->command_length += request->length;
    if (slot->chain_in) {
        emu_answer(slot, CHAIN_CONTINUE, NULL, 0);
    } else {
        apdu(slot, now);
    }
}

void emu_exchange_apdu(struct slot *slot, uint64_t now, const uint8_t *prologue)
{
    uint8_t block[CARD_BLOCK_MAX + 5];
    if (slot->reader->level >= LEVEL_SHORT) {
        apdu(slot, now);
    } else if (slot->parameters.protocol == 0) {
        emu_t0_tpdu(slot, now, slot->command_data, slot->command_length);
    } else if (slot->command_length > CARD_BLOCK_MAX - 5) {
        emu_fail(slot, ERR_LENGTH);
    } else {
        memcpy(block, prologue, 3);
        memcpy(block + 3, slot->command_data, slot->command_length);
        size_t length = emu_t1_append_edc(slot, block, 3 + slot->command_length);
        emu_terminal_block(slot, now, block, length, 0);
        memset(block, 0, sizeof block); // it holds a PIN
    }
}

static void begin(struct slot *slot, uint64_t now, const struct request *request)
{
    uint16_t parameter = (uint16_t)(request->header[8] | request->header[9] << 8);
    enum level level = slot->reader->level;
    if ((level == LEVEL_TPDU || level == LEVEL_SHORT) && parameter != 0) {
        emu_fail(slot, ERR_LEVEL);
        return;
    }
    switch (level) {
    case LEVEL_CHARACTER:
        characters(slot, now, request, parameter);
        break;
    case LEVEL_TPDU:
        tpdu(slot, now, request);
        break;
    case LEVEL_SHORT:
        short_apdu(slot, now, request);
        break;
    case LEVEL_EXTENDED:
        extended_apdu(slot, now, request, parameter);
        break;
    }
}

void emu_xfr_block(struct slot *slot, uint64_t now, const struct request *request)
{
    if (!slot->active) {
        emu_fail(slot, ERR_MUTE);
        return;
    }
    if ((slot->card.type->flags & CARD_SHORTS) != 0) {
        emu_slot_overcurrent(slot);
        emu_fail(slot, ERR_HARDWARE);
        return;
    }
    begin(slot, now, request);
    emu_exchange_pump(slot, now);
}

static bool waiting(const struct slot *slot)
{
    return (slot->command == MSG_XFR_BLOCK || slot->command == MSG_SECURE) && !slot->answered;
}

static void forget_command(struct slot *slot)
{
    memset(slot->command_data, 0, slot->command_length); // it may have held a PIN
    slot->command_length = 0;
}

static void conclude(struct slot *slot, enum terminal_result result, uint64_t now)
{
    switch (result) {
    case TERMINAL_BUSY:
        return;
    case TERMINAL_EXTEND:
        slot->deadline = now + slot->terminal.patience;
        emu_extend(slot, slot->terminal.extension);
        return;
    case TERMINAL_FAILED:
        forget_command(slot);
        emu_fail(slot, slot->terminal.error);
        return;
    case TERMINAL_DONE:
        forget_command(slot);
        if (slot->reader->level == LEVEL_EXTENDED) {
            slot->response_sent = 0;
            send_part(slot);
        } else {
            emu_answer(slot, 0, slot->response_data, slot->response_length);
        }
        return;
    }
}

// Plays everything that is due, each event at its own time.
void emu_exchange_pump(struct slot *slot, uint64_t now)
{
    while (waiting(slot) && slot->typing) {
        uint64_t at = emu_secure_next(slot);
        if (at > now) {
            return;
        }
        emu_secure_event(slot, at);
    }
    while (waiting(slot)) {
        uint64_t card = card_next(&slot->card);
        if (card <= now && card <= slot->deadline) {
            conclude(slot, emu_terminal_advance(slot, card == 0 ? now : card), card == 0 ? now : card);
        } else if (slot->deadline <= now) {
            conclude(slot, emu_terminal_timeout(slot, slot->deadline), slot->deadline);
        } else {
            return;
        }
    }
}

uint64_t emu_exchange_next(const struct slot *slot)
{
    if (!waiting(slot)) {
        return EMU_NEVER;
    }
    if (slot->typing) {
        return emu_secure_next(slot);
    }
    uint64_t card = card_next(&slot->card);
    return card < slot->deadline ? card : slot->deadline;
}
