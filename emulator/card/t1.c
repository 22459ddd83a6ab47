// SPDX-License-Identifier: MIT
// The card's side of T=1, ISO 7816-3:2006 11.
#include "emulator/card/engine.h"

#include <string.h>

enum {
    PCB_R = 0x80,
    PCB_MORE = 0x20,
    PCB_RESYNCH = 0xC0,
    PCB_IFS = 0xC1,
    PCB_ABORT = 0xC2,
    PCB_WTX = 0xC3,
    PCB_RESPONSE = 0x20,
    ERROR_EDC = 1,
    ERROR_OTHER = 2,
    WTX_MAX = 4, // multiplier asked for at once
    IFS_WANTED = 0xFE,
};

struct block {
    uint8_t nad, pcb, length;
    const uint8_t *inf;
};

void card_t1_reset(struct card *card)
{
    memset(&card->t1, 0, sizeof card->t1);
    card->t1.ifs = 32;
}

static size_t edc_length(const struct card *card)
{
    return card->atr.crc != 0 ? 2 : 1;
}

// The polynomial of ISO/IEC 13239 without its final complement, high byte first: as cards and readers do it.
static uint16_t crc16(const uint8_t *bytes, size_t length)
{
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (uint16_t)((crc & 1) != 0 ? crc >> 1 ^ 0x8408 : crc >> 1);
        }
    }
    return crc;
}

static void make_edc(const struct card *card, const uint8_t *bytes, size_t length, uint8_t *edc)
{
    if (card->atr.crc != 0) {
        uint16_t crc = crc16(bytes, length);
        edc[0] = (uint8_t)(crc >> 8);
        edc[1] = (uint8_t)crc;
        return;
    }
    edc[0] = 0;
    for (size_t i = 0; i < length; i++) {
        edc[0] ^= bytes[i];
    }
}

static void transmit(struct card *card)
{
    struct card_t1 *t1 = &card->t1;
    uint8_t block[CARD_BLOCK_MAX];
    memcpy(block, t1->last, t1->last_length);
    t1->blocks++;
    if ((card->type->flags & CARD_LOSES_BLOCKS) != 0 && t1->blocks % 4 == 0) {
        return;
    }
    if ((card->type->flags & CARD_NOISY) != 0 && t1->blocks % 3 == 0) {
        block[t1->last_length - 1] ^= 0x5A;
    }
    card_emit(card, block, t1->last_length);
}

static void send_block(struct card *card, uint8_t pcb, const uint8_t *inf, size_t length)
{
    struct card_t1 *t1 = &card->t1;
    uint8_t *block = t1->last;
    block[0] = (uint8_t)(t1->nad << 4 | t1->nad >> 4);
    block[1] = pcb;
    block[2] = (uint8_t)length;
    if (length != 0) {
        memcpy(block + 3, inf, length);
    }
    make_edc(card, block, 3 + length, block + 3 + length);
    t1->last_length = (uint16_t)(3 + length + edc_length(card));
    transmit(card);
}

static void send_r(struct card *card, uint8_t error)
{
    send_block(card, (uint8_t)(PCB_R | card->t1.nr << 4 | error), NULL, 0);
}

static void send_chunk(struct card *card)
{
    struct card_t1 *t1 = &card->t1;
    uint32_t rest = card->response_length - t1->sent;
    t1->chunk = rest < t1->ifs ? rest : t1->ifs;
    bool more = t1->chunk < rest;
    uint8_t pcb = (uint8_t)(t1->ns << 6 | (more ? PCB_MORE : 0));
    t1->ns ^= 1;
    t1->sending = true;
    send_block(card, pcb, card->response + t1->sent, t1->chunk);
}

void card_t1_finish(struct card *card)
{
    struct card_t1 *t1 = &card->t1;
    card->response[card->response_length++] = (uint8_t)(card->sw >> 8);
    card->response[card->response_length++] = (uint8_t)card->sw;
    t1->sent = 0;
    if ((card->type->flags & CARD_WANTS_IFS) != 0 && !t1->ifs_asked) {
        uint8_t wanted = IFS_WANTED;
        t1->ifs_asked = t1->ifs_sent = true;
        send_block(card, PCB_IFS, &wanted, 1);
        return;
    }
    send_chunk(card);
}

void card_t1_hold(struct card *card, uint64_t now)
{
    uint64_t missing = (card->ready_at - now) / card_patience(card) + 1;
    uint8_t multiplier = missing > WTX_MAX ? WTX_MAX : (uint8_t)missing;
    card->t1.wtx_sent = true;
    card->t1.chunk = multiplier;
    send_block(card, PCB_WTX, &multiplier, 1);
}

static void i_block(struct card *card, uint64_t now, const struct block *block)
{
    struct card_t1 *t1 = &card->t1;
    bool unfinished = t1->sending && t1->sent + t1->chunk < card->response_length;
    if ((block->pcb >> 6 & 1) != t1->nr || unfinished) {
        send_r(card, ERROR_OTHER);
        return;
    }
    if (!t1->chaining_in) {
        card->command_length = 0;
        t1->sending = false;
    }
    if (block->length > sizeof card->command - card->command_length) {
        send_r(card, ERROR_OTHER);
        return;
    }
    memcpy(card->command + card->command_length, block->inf, block->length);
    card->command_length += block->length;
    t1->nr ^= 1;
    t1->chaining_in = (block->pcb & PCB_MORE) != 0;
    if (t1->chaining_in) {
        send_r(card, 0);
    } else {
        card_execute(card, now);
    }
}

static void r_block(struct card *card, const struct block *block)
{
    struct card_t1 *t1 = &card->t1;
    bool acknowledged = (block->pcb >> 4 & 1) == t1->ns;
    bool chaining = t1->sending && t1->sent + t1->chunk < card->response_length;
    if (!acknowledged || t1->wtx_sent || t1->ifs_sent || !t1->sending) {
        if (t1->last_length != 0) {
            transmit(card);
        } else {
            send_r(card, ERROR_OTHER);
        }
    } else if (chaining) {
        t1->sent += t1->chunk;
        send_chunk(card);
    } else {
        send_r(card, ERROR_OTHER);
    }
}

static void wtx_granted(struct card *card, uint64_t now)
{
    struct card_t1 *t1 = &card->t1;
    uint64_t granted = card_patience(card) * t1->chunk * 3 / 4;
    t1->wtx_sent = false;
    card->hold_at = card->pending || card->ready_at > now + granted ? now + granted : CARD_NEVER;
}

static void s_response(struct card *card, uint64_t now, const struct block *block)
{
    struct card_t1 *t1 = &card->t1;
    uint8_t request = (uint8_t)(block->pcb & ~PCB_RESPONSE);
    if (request == PCB_WTX && t1->wtx_sent && block->length == 1 && block->inf[0] == t1->chunk) {
        wtx_granted(card, now);
    } else if (request == PCB_IFS && t1->ifs_sent) {
        t1->ifs_sent = false;
        send_chunk(card);
    } else {
        send_r(card, ERROR_OTHER);
    }
}

static void drop_chains(struct card *card)
{
    card->t1.sending = card->t1.chaining_in = card->t1.wtx_sent = card->t1.ifs_sent = false;
    card->running = false;
    card->hold_at = CARD_NEVER;
    card->command_length = 0;
}

static void s_block(struct card *card, uint64_t now, const struct block *block)
{
    struct card_t1 *t1 = &card->t1;
    if ((block->pcb & PCB_RESPONSE) != 0) {
        s_response(card, now, block);
        return;
    }
    switch (block->pcb) {
    case PCB_RESYNCH:
        t1->ns = t1->nr = 0;
        drop_chains(card);
        send_block(card, PCB_RESYNCH | PCB_RESPONSE, NULL, 0);
        return;
    case PCB_IFS:
        if (block->length == 1 && block->inf[0] != 0 && block->inf[0] != 0xFF) {
            t1->ifs = block->inf[0];
            send_block(card, PCB_IFS | PCB_RESPONSE, block->inf, 1);
            return;
        }
        break;
    case PCB_ABORT:
        drop_chains(card);
        send_block(card, PCB_ABORT | PCB_RESPONSE, NULL, 0);
        return;
    default:
        break;
    }
    send_r(card, ERROR_OTHER);
}

static bool valid_edc(const struct card *card)
{
    uint8_t edc[2];
    size_t covered = card->in_length - edc_length(card);
    make_edc(card, card->in, covered, edc);
    return memcmp(edc, card->in + covered, edc_length(card)) == 0;
}

// One burst of characters is one block: the interface device leaves no gaps inside a block.
void card_t1_input(struct card *card, uint64_t now)
{
    size_t length = card->in_length;
    struct block block = {card->in[0], card->in[1], card->in[2], card->in + 3};
    if (card->running && !card->t1.wtx_sent) {
        card->in_length = 0; // it is the card's turn
        return;
    }
    if (length < 3 + edc_length(card) || !valid_edc(card)) {
        send_r(card, ERROR_EDC);
    } else if (length != 3u + block.length + edc_length(card) || block.length == 0xFF ||
               (block.nad & 0x88) != 0) {
        send_r(card, ERROR_OTHER);
    } else {
        card->t1.nad = block.nad;
        if ((block.pcb & 0x80) == 0) {
            i_block(card, now, &block);
        } else if ((block.pcb & 0x40) == 0) {
            r_block(card, &block);
        } else {
            s_block(card, now, &block);
        }
    }
    card->in_length = 0;
}
