// SPDX-License-Identifier: MIT
#include "emulator/card/engine.h"

#include <string.h>

void card_insert(struct card *card, const struct card_type *type)
{
    card->type = type;
    card->commands = 0;
    memset(card->state, 0, type->application->state_size);
    (void)card_atr_parse(type->atr, type->atr_length,
                         &card->atr); // a bad ATR leaves defaults: nobody gets past it
    type->application->insert(card->state, type);
    card_deactivate(card);
}

static void forget(struct card *card)
{
    card->in_length = card->out_length = card->out_taken = 0;
    card->running = false;
    card->hold_at = CARD_NEVER;
    memset(card->in, 0, sizeof card->in);
    memset(card->command, 0, card->command_length);
    card->command_length = card->response_length = 0;
    card_t0_reset(card);
    card_t1_reset(card);
}

void card_deactivate(struct card *card)
{
    card->powered = false;
    forget(card);
}

void card_activate(struct card *card, uint32_t clock_khz, uint8_t operating_class)
{
    forget(card);
    card->clock_khz = clock_khz;
    card->powered = (card->type->classes & operating_class) != 0 && (card->type->flags & CARD_MUTE) == 0;
    card->fresh = true;
    card->since_reset = 0;
    card->protocol = card->atr.first;
    card->fidi = card->atr.specific && !card->atr.implicit ? card->atr.fidi : LINE_DEFAULT_FIDI;
    card->type->application->reset(card->state);
    if (card->powered) {
        card_emit(card, card->type->atr, card->type->atr_length);
    }
}

void card_emit(struct card *card, const uint8_t *bytes, size_t length)
{
    if (card->out_taken == card->out_length) {
        card->out_taken = card->out_length = 0;
    }
    size_t room = sizeof card->out - card->out_length;
    size_t moved = length < room ? length : room; // a terminal that never reads loses characters
    memcpy(card->out + card->out_length, bytes, moved);
    card->out_length = (uint16_t)(card->out_length + moved);
}

// 0: not complete yet. ISO 7816-3:2006 9.2.
static size_t pps_length(const uint8_t *bytes, size_t length)
{
    if (length < 2) {
        return 0;
    }
    size_t whole = 3u + (bytes[1] >> 4 & 1) + (bytes[1] >> 5 & 1) + (bytes[1] >> 6 & 1);
    return length < whole ? 0 : whole;
}

static void pps_answer(struct card *card, size_t length)
{
    uint8_t sum = 0, protocol = card->in[1] & 0x0F;
    for (size_t i = 0; i < length; i++) {
        sum ^= card->in[i];
    }
    if (sum != 0 || (card->atr.protocols >> protocol & 1) == 0) {
        return; // mute until the next reset, ISO 7816-3:2006 9.3
    }
    bool fast = (card->in[1] & 0x10) != 0 && (card->type->flags & CARD_PPS_REFUSED) == 0;
    uint32_t wanted = fast ? card_line_rate(card->clock_khz, card->in[2]) : 0;
    fast = wanted != 0 && wanted <= card_line_rate(card->clock_khz, card->atr.fidi);
    card->fidi = fast ? card->in[2] : LINE_DEFAULT_FIDI;
    card->protocol = protocol;
    uint8_t answer[4] = {0xFF, (uint8_t)(protocol | (fast ? 0x10 : 0)), card->fidi};
    size_t last = fast ? 3 : 2;
    answer[last] = (uint8_t)(0xFF ^ answer[1] ^ (fast ? answer[2] : 0));
    card_emit(card, answer, last + 1);
}

static void pps_input(struct card *card)
{
    size_t length = pps_length(card->in, card->in_length);
    if (length == 0) {
        return;
    }
    card->fresh = false;
    pps_answer(card, length);
    card->in_length = 0;
}

void card_send(struct card *card, uint64_t now, const uint8_t *bytes, size_t length)
{
    if (!card->powered || length == 0) {
        return;
    }
    if ((card->type->flags & CARD_DIES) != 0 && card->since_reset >= CARD_LIFE) {
        return;
    }
    size_t room = sizeof card->in - card->in_length;
    size_t moved = length < room ? length : room;
    memcpy(card->in + card->in_length, bytes, moved);
    card->in_length = (uint16_t)(card->in_length + moved);
    if (card->fresh && card->in[0] == 0xFF && !card->atr.specific) {
        pps_input(card);
        return;
    }
    card->fresh = false;
    if (card->protocol == 1) {
        card_t1_input(card, now);
    } else {
        card_t0_input(card, now);
    }
}

static void note_response(struct card *card, uint64_t now, const struct card_response *response)
{
    card->pending = response->pending;
    card->response_length = (uint32_t)response->length;
    card->sw = response->sw;
    card->ready_at = now + (response->pending ? CARD_ASK_US : response->delay_us);
}

static bool finished(struct card *card, uint64_t now)
{
    struct card_response response = {.data = card->response, .sw = 0x6F00};
    if (now >= card->ready_at && card->pending) {
        response.pending = !card->type->application->finished(card->state, &response);
        note_response(card, now, &response);
    }
    return now >= card->ready_at;
}

static void advance(struct card *card, uint64_t now)
{
    if (card->running && !card->t1.wtx_sent && finished(card, now)) {
        card->running = false;
        card->hold_at = CARD_NEVER;
        card->protocol == 1 ? card_t1_finish(card) : card_t0_finish(card);
    } else if (card->running && now >= card->hold_at) {
        card->protocol == 1 ? card_t1_hold(card, now) : card_t0_hold(card, now);
    }
}

size_t card_receive(struct card *card, uint64_t now, uint8_t *bytes, size_t size)
{
    if (card->out_taken == card->out_length) {
        advance(card, now);
    }
    size_t there = (size_t)(card->out_length - card->out_taken);
    size_t moved = there < size ? there : size;
    memcpy(bytes, card->out + card->out_taken, moved);
    card->out_taken = (uint16_t)(card->out_taken + moved);
    return moved;
}

uint64_t card_next(const struct card *card)
{
    if (card->out_taken < card->out_length) {
        return 0;
    }
    if (!card->running || card->t1.wtx_sent) {
        return CARD_NEVER;
    }
    return card->ready_at < card->hold_at ? card->ready_at : card->hold_at;
}

uint64_t card_patience(const struct card *card)
{
    if (card->protocol == 1) {
        return card_line_block_waiting_us(card->clock_khz, card->fidi, card->atr.waiting_t1 >> 4);
    }
    return card_line_work_waiting_us(card->clock_khz, card->fidi, card->atr.waiting_t0);
}

// ISO 7816-3:2006 12.1.2; false: no such case.
static bool parse_extended(const uint8_t *apdu, size_t length, struct card_command *command)
{
    size_t field = (size_t)apdu[5] << 8 | apdu[6];
    if (length == 7) {
        command->ne_any = field == 0;
        command->ne = field == 0 ? 65536 : field;
        return true;
    }
    if (field == 0 || (length != 7 + field && length != 9 + field)) {
        return false;
    }
    command->data = apdu + 7;
    command->nc = field;
    if (length == 9 + field) {
        size_t le = (size_t)apdu[length - 2] << 8 | apdu[length - 1];
        command->ne_any = le == 0;
        command->ne = le == 0 ? 65536 : le;
    }
    return true;
}

static bool parse_short(const uint8_t *apdu, size_t length, struct card_command *command)
{
    size_t field = apdu[4];
    if (length == 5 || length == 6 + field) {
        command->ne_any = apdu[length - 1] == 0;
        command->ne = command->ne_any ? 256 : apdu[length - 1];
    } else if (length != 5 + field) {
        return false;
    }
    if (length > 5) {
        command->data = apdu + 5;
        command->nc = field;
    }
    return length == 5 || field != 0;
}

static bool parse(const struct card *card, struct card_command *command)
{
    const uint8_t *apdu = card->command;
    size_t length = card->command_length;
    if (length < 4) {
        return false;
    }
    *command = (struct card_command){.cla = apdu[0], .ins = apdu[1], .p1 = apdu[2], .p2 = apdu[3]};
    if (length == 4) {
        return true;
    }
    if (apdu[4] == 0 && length >= 7) {
        return (card->type->flags & CARD_EXTENDED) != 0 && parse_extended(apdu, length, command);
    }
    return parse_short(apdu, length, command);
}

void card_run(struct card *card, uint64_t now, const struct card_command *command)
{
    struct card_response response = {.data = card->response, .sw = 0x6F00};
    card->type->application->execute(card->state, command, &response);
    card->commands++;
    card->since_reset++;
    card->running = true;
    note_response(card, now, &response);
    uint64_t hold = card_patience(card) * 3 / 4;
    bool asks = (card->type->flags & CARD_HASTY) == 0 && (response.pending || response.delay_us > hold);
    card->hold_at = asks ? now + hold : CARD_NEVER;
    memset(card->command, 0, card->command_length); // it may have held a PIN
    memset(card->in, 0, sizeof card->in);
    card->command_length = 0;
}

void card_execute(struct card *card, uint64_t now)
{
    struct card_command command;
    if (parse(card, &command)) {
        card_run(card, now, &command);
        return;
    }
    card->response_length = 0;
    card->sw = 0x6700;
    card->running = true;
    card->pending = false;
    card->ready_at = now;
    card->command_length = 0;
}
