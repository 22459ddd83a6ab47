// SPDX-License-Identifier: MIT
// Tokens without bulk endpoints: the card is the USB device and is spoken to by control requests, ICCD 1.0.
// Version A carries the bytes of T=0, version B the same exchanges as XfrBlock.
#include "emulator/reader.h"

#include <string.h>

enum {
    POWER_ON = 0x62,
    POWER_OFF = 0x63,
    XFR_BLOCK = 0x65,
    DATA_BLOCK = 0x6F,
    SLOT_STATUS = 0x81,
    ICC_STATUS = 0xA0,
    STATUS_READY = 0x00,
    STATUS_DATA = 0x10,
    STATUS_SW = 0x20,
    STATUS_BUSY = 0x40,
    STATUS_MUTE = 0x80,
    RESPONSE_STATUS = 0x40,
    RESPONSE_POLLING = 0x80,
    NULL_BYTE = 0x60,
    HEADER = 5,
};

// ---- version B ----

static void start(struct slot *slot, uint64_t now, uint8_t type, const struct emu_setup *setup,
                  const uint8_t *data, size_t length)
{
    uint8_t header[HEADER_LENGTH] = {type};
    const struct request request = {type, 0, header, data, (uint32_t)length};
    header[7] = type == MSG_POWER_ON ? (uint8_t)setup->value : 0;
    header[8] = type == MSG_XFR_BLOCK ? (uint8_t)(setup->value >> 8) : 0;
    emu_drop_replies(slot->reader); // one that was not fetched is out of date
    emu_run(slot, now, &request);
}

// How long to wait before asking again, in units of 10 ms; 0: the host chooses.
static size_t polling(const struct slot *slot, uint64_t now, uint8_t *block)
{
    uint64_t next = emu_exchange_next(slot);
    uint64_t delay = next == EMU_NEVER || next <= now ? 0 : (next - now + 9999) / 10000;
    delay = delay > 0xFFFF ? 0xFFFF : delay;
    block[0] = RESPONSE_POLLING;
    block[1] = (uint8_t)delay;
    block[2] = (uint8_t)(delay >> 8);
    return 3;
}

static size_t data_block(struct slot *slot, uint64_t now, uint8_t *block, size_t room)
{
    struct emu_reader *reader = slot->reader;
    const struct reply *reply = &reader->replies[reader->reply_first];
    while (reader->reply_count != 0 && reply->extension) {
        emu_drop_reply(reader); // a token asks for time by polling
        reply = &reader->replies[reader->reply_first];
    }
    if (reader->reply_count == 0) {
        return polling(slot, now, block);
    }
    size_t length = 3;
    if ((reply->header[7] & 0xC0) != 0) {
        block[0] = RESPONSE_STATUS;
        block[1] = reply->header[7];
        block[2] = reply->header[8];
    } else {
        block[0] = reply->header[9];
        length = 1 + (reply->length < room - 1 ? reply->length : room - 1);
        if (length > 1) {
            memcpy(block + 1, reply->data, length - 1);
        }
    }
    emu_drop_reply(reader);
    return length;
}

static enum emu_status version_b(struct slot *slot, uint64_t now, const struct emu_setup *setup,
                                 uint8_t *data, size_t *length)
{
    bool in = (setup->request_type & 0x80) != 0;
    if (!in && (setup->request == POWER_ON || setup->request == POWER_OFF)) {
        start(slot, now, setup->request, setup, NULL, 0);
        return EMU_OK;
    }
    if (!in && setup->request == XFR_BLOCK && slot->command == 0) {
        start(slot, now, MSG_XFR_BLOCK, setup, data, *length);
        return EMU_OK;
    }
    if (in && setup->request == DATA_BLOCK && *length >= 4) {
        *length = data_block(slot, now, data, *length);
        return EMU_OK;
    }
    if (in && setup->request == SLOT_STATUS && *length >= 3) {
        emu_drop_replies(slot->reader);
        data[0] = RESPONSE_STATUS;
        data[1] = emu_slot_status(slot);
        data[2] = 0;
        *length = 3;
        return EMU_OK;
    }
    return EMU_STALL;
}

// ---- version A ----

// What the card says next decides the phase. The token's chip acknowledges all bytes at once; one that does
// it singly is asked again by token_data.
static void next_phase(struct slot *slot, uint64_t now)
{
    struct token *token = &slot->token;
    uint8_t byte;
    while (token->status == STATUS_BUSY) {
        if (card_receive(&slot->card, now, &byte, 1) == 0) {
            break;
        }
        if (byte == NULL_BYTE) {
            token->deadline = now + emu_terminal_waiting(slot, 1);
        } else if ((byte & 0xF0) == 0x60 || (byte & 0xF0) == 0x90) {
            token->sw[0] = byte;
            token->status = card_receive(&slot->card, now, &token->sw[1], 1) == 1 ? STATUS_SW : STATUS_MUTE;
        } else {
            token->single = byte != token->header[1];
            token->status = STATUS_DATA;
        }
    }
    if (token->status == STATUS_BUSY && now >= token->deadline) {
        token->status = STATUS_MUTE;
    }
}

static void wait_for_card(struct slot *slot, uint64_t now)
{
    slot->token.status = STATUS_BUSY;
    slot->token.deadline = now + emu_terminal_waiting(slot, 1);
    next_phase(slot, now);
}

static bool token_out(struct slot *slot, uint64_t now, const uint8_t *data, size_t length)
{
    struct token *token = &slot->token;
    if (token->status == STATUS_READY && length == HEADER) {
        memcpy(token->header, data, HEADER);
        emu_line_send(slot, now, data, length);
        wait_for_card(slot, now);
        return true;
    }
    for (size_t at = 0; token->status == STATUS_DATA && at < length;) {
        size_t piece = token->single ? 1 : length - at;
        emu_line_send(slot, now, data + at, piece);
        at += piece;
        wait_for_card(slot, now);
        if (at == length) {
            return true;
        }
    }
    return false;
}

static size_t token_data(struct slot *slot, uint64_t now, uint8_t *data, size_t room)
{
    struct token *token = &slot->token;
    size_t wanted = token->header[4] == 0 ? 256 : token->header[4], at = 0;
    wanted = wanted < room ? wanted : room;
    while (token->status == STATUS_DATA && at < wanted) {
        size_t got = card_receive(&slot->card, now, data + at, token->single ? 1 : wanted - at);
        at += got;
        if (got == 0) {
            token->status = STATUS_MUTE;
        } else if (token->single || at == wanted) {
            wait_for_card(slot, now);
        }
    }
    return at;
}

static enum emu_status token_in(struct slot *slot, uint64_t now, uint8_t *data, size_t *length)
{
    struct token *token = &slot->token;
    if (token->status == STATUS_DATA) {
        *length = token_data(slot, now, data, *length);
        return EMU_OK;
    }
    if (token->status != STATUS_SW || *length < 2) {
        return EMU_STALL;
    }
    memcpy(data, token->sw, 2);
    *length = 2;
    token->status = STATUS_READY;
    return EMU_OK;
}

static enum emu_status token_power_on(struct slot *slot, uint64_t now, uint8_t *data, size_t *length)
{
    uint32_t atr;
    if (slot->card.type == NULL || emu_slot_power_on(slot, now, &atr) != 0) {
        slot->token.status = STATUS_MUTE;
        return EMU_STALL;
    }
    slot->token.status = STATUS_READY;
    *length = atr < *length ? atr : *length;
    memcpy(data, slot->response_data, *length);
    return EMU_OK;
}

static enum emu_status version_a(struct slot *slot, uint64_t now, const struct emu_setup *setup,
                                 uint8_t *data, size_t *length)
{
    struct token *token = &slot->token;
    bool in = (setup->request_type & 0x80) != 0;
    if (slot->active && token->status == STATUS_BUSY) {
        next_phase(slot, now);
    }
    if (in && setup->request == POWER_ON) {
        return token_power_on(slot, now, data, length);
    }
    if (!in && setup->request == POWER_OFF) {
        emu_slot_power_off(slot);
        return EMU_OK;
    }
    if (in && setup->request == ICC_STATUS && *length >= 1) {
        data[0] = slot->card.type == NULL ? STATUS_MUTE : token->status;
        *length = 1;
        return EMU_OK;
    }
    if (slot->active && !in && setup->request == XFR_BLOCK) {
        return token_out(slot, now, data, *length) ? EMU_OK : EMU_STALL;
    }
    return slot->active && in && setup->request == DATA_BLOCK ? token_in(slot, now, data, length) : EMU_STALL;
}

enum emu_status emu_iccd_request(struct emu_reader *reader, uint64_t now, const struct emu_setup *setup,
                                 uint8_t *data, size_t *length)
{
    struct slot *slot = &reader->slots[0];
    return reader->transport == TRANSPORT_ICCD_A ? version_a(slot, now, setup, data, length)
                                                 : version_b(slot, now, setup, data, length);
}
