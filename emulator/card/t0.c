// SPDX-License-Identifier: MIT
// The card's side of T=0, ISO 7816-3:2006 10.
#include "emulator/card/engine.h"

#include <string.h>

enum { NULL_BYTE = 0x60, INS_GET_RESPONSE = 0xC0, INS_ENVELOPE = 0xC2, HEADER = 5 };

void card_t0_reset(struct card *card)
{
    memset(&card->t0, 0, sizeof card->t0);
}

static void emit_status(struct card *card, uint16_t sw)
{
    uint8_t bytes[2] = {(uint8_t)(sw >> 8), (uint8_t)sw};
    card_emit(card, bytes, sizeof bytes);
}

static bool single_bytes(const struct card *card)
{
    return (card->type->flags & CARD_SINGLE_BYTES) != 0;
}

static void acknowledge(struct card *card)
{
    uint8_t ins = single_bytes(card) ? (uint8_t)~card->t0.header[1] : card->t0.header[1];
    card_emit(card, &ins, 1);
}

static size_t remaining(const struct card *card)
{
    return card->response_length - card->t0.response_sent;
}

static uint16_t more(size_t length)
{
    return (uint16_t)(0x6100 | (length > 255 ? 0 : length));
}

static void emit_data(struct card *card, size_t length)
{
    const uint8_t *data = card->response + card->t0.response_sent;
    card->t0.response_sent += (uint32_t)length;
    if (!single_bytes(card)) {
        acknowledge(card);
        card_emit(card, data, length);
        return;
    }
    for (size_t i = 0; i < length; i++) {
        acknowledge(card);
        card_emit(card, data + i, 1);
    }
}

// Response data to an outgoing header with P3; after 6Cxx the terminal repeats the header.
static void deliver(struct card *card)
{
    struct card_t0 *t0 = &card->t0;
    size_t wanted = t0->header[4] == 0 ? 256 : t0->header[4], there = remaining(card);
    if (there < wanted) {
        emit_status(card, (uint16_t)(0x6C00 | there));
        return;
    }
    emit_data(card, wanted);
    there = remaining(card);
    emit_status(card, there != 0 ? more(there) : card->sw);
}

void card_t0_finish(struct card *card)
{
    struct card_t0 *t0 = &card->t0;
    bool incoming = t0->receiving;
    t0->receiving = false;
    t0->response_sent = 0;
    if (remaining(card) == 0) {
        emit_status(card, card->sw);
    } else if (incoming) {
        emit_status(card, more(remaining(card)));
    } else {
        deliver(card);
    }
}

void card_t0_hold(struct card *card, uint64_t now)
{
    uint8_t null = NULL_BYTE;
    card_emit(card, &null, 1);
    card->hold_at = now + card_patience(card) * 3 / 4;
}

static void get_response(struct card *card)
{
    if (remaining(card) == 0) {
        emit_status(card, 0x6985);
    } else {
        deliver(card);
    }
}

// ENVELOPE carries an extended APDU in pieces; a piece of less than 255 bytes is the last, ISO
// 7816-3:2006 12.2.
static void envelope(struct card *card, uint64_t now)
{
    struct card_t0 *t0 = &card->t0;
    size_t length = t0->header[4];
    size_t room = sizeof card->command - card->command_length;
    if (length > room) {
        card->command_length = 0;
        t0->envelope = t0->receiving = false;
        emit_status(card, 0x6700);
        return;
    }
    memcpy(card->command + card->command_length, card->in, length);
    card->command_length += (uint32_t)length;
    t0->envelope = true;
    if (length == 255) {
        t0->receiving = false;
        emit_status(card, 0x9000);
        return;
    }
    t0->envelope = false;
    t0->receiving = true;
    card_execute(card, now);
}

static void execute(struct card *card, uint64_t now, size_t nc)
{
    struct card_t0 *t0 = &card->t0;
    const uint8_t *h = t0->header;
    if (h[1] == INS_ENVELOPE && (card->type->flags & CARD_EXTENDED) != 0) {
        envelope(card, now);
        return;
    }
    memcpy(card->command, h, HEADER);
    memcpy(card->command + HEADER, card->in, nc);
    card->command_length = (uint32_t)(HEADER + nc);
    // Data in: Le is not known, the terminal asks with GET RESPONSE. None: P3 is Le, or there is none (case
    // 1).
    struct card_command command = {.cla = h[0], .ins = h[1], .p1 = h[2], .p2 = h[3]};
    command.data = nc != 0 ? card->command + HEADER : NULL;
    command.nc = nc;
    command.ne_any = nc != 0 || h[4] == 0;
    command.ne = command.ne_any ? 256 : h[4];
    if ((card->type->flags & CARD_EXTENDED) != 0 && nc != 0) {
        command.ne = CARD_RESPONSE_MAX;
    }
    card_run(card, now, &command);
}

static bool takes_data(const struct card *card)
{
    const uint8_t *h = card->t0.header;
    bool enveloped = h[1] == INS_ENVELOPE && (card->type->flags & CARD_EXTENDED) != 0;
    return h[4] != 0 && (enveloped || card->type->application->takes_data(card->state, h));
}

static void header(struct card *card, uint64_t now)
{
    struct card_t0 *t0 = &card->t0;
    const uint8_t *h = t0->header;
    if ((h[1] & 0xF0) == 0x60 || (h[1] & 0xF0) == 0x90) {
        emit_status(card, 0x6D00); // would be mistaken for a status byte
        return;
    }
    if (h[1] == INS_GET_RESPONSE) {
        get_response(card);
        return;
    }
    t0->response_sent = card->response_length = 0;
    if (!t0->envelope || h[1] != INS_ENVELOPE) {
        card->command_length = 0;
        t0->envelope = false;
    }
    if (!takes_data(card)) {
        execute(card, now, 0);
        return;
    }
    t0->receiving = true;
    t0->acknowledged = 1;
    acknowledge(card);
}

static void shift_input(struct card *card, size_t length)
{
    card->in_length = (uint16_t)(card->in_length - length);
    memmove(card->in, card->in + length, card->in_length);
}

void card_t0_input(struct card *card, uint64_t now)
{
    struct card_t0 *t0 = &card->t0;
    if (card->running) {
        card->in_length = 0; // characters sent while the card works collide with its own
        return;
    }
    if (!t0->receiving) {
        if (card->in_length < HEADER) {
            return;
        }
        memcpy(t0->header, card->in, HEADER);
        shift_input(card, HEADER);
        header(card, now);
    }
    if (!t0->receiving || card->running) {
        return;
    }
    while (single_bytes(card) && t0->acknowledged <= card->in_length && t0->acknowledged < t0->header[4]) {
        acknowledge(card);
        t0->acknowledged++;
    }
    if (card->in_length >= t0->header[4]) {
        execute(card, now, t0->header[4]);
        card->in_length = 0;
    }
}
