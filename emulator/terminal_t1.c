// SPDX-License-Identifier: MIT
// The reader's T=1 at APDU level, ISO 7816-3:2006 11.6.
#include "emulator/reader.h"

#include <string.h>

enum {
    STATE_IFS,     // waits for S(IFS response)
    STATE_SENDING, // waits for the answer to an I-block
    STATE_READING, // has acknowledged part of a chain
    STATE_RESYNCH, // waits for S(RESYNCH response)
    RETRIES_MAX = 3,
    RESYNCS_MAX = 1,
    PCB_R = 0x80,
    PCB_MORE = 0x20,
    PCB_RESYNCH = 0xC0,
    PCB_IFS = 0xC1,
    PCB_ABORT = 0xC2,
    PCB_WTX = 0xC3,
    PCB_RESPONSE = 0x20,
    ERROR_EDC = 1,
    ERROR_OTHER = 2,
    IFS_DEFAULT = 32,
    IFS_MAX = 254,
};

static bool uses_crc(const struct slot *slot)
{
    return (slot->parameters.tccks & 1) != 0;
}

size_t emu_t1_append_edc(const struct slot *slot, uint8_t *block, size_t length)
{
    uint8_t lrc = 0;
    uint16_t crc = 0xFFFF; // x^16 + x^12 + x^5 + 1 reflected, no final complement
    for (size_t i = 0; i < length; i++) {
        lrc ^= block[i];
        crc ^= block[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (uint16_t)((crc & 1) != 0 ? crc >> 1 ^ 0x8408 : crc >> 1);
        }
    }
    if (!uses_crc(slot)) {
        block[length] = lrc;
        return length + 1;
    }
    block[length] = (uint8_t)(crc >> 8);
    block[length + 1] = (uint8_t)crc;
    return length + 2;
}

static void transmit(struct slot *slot, uint64_t now)
{
    slot->terminal.in_length = 0;
    slot->terminal.patience = emu_terminal_waiting(slot, 1);
    slot->deadline = now + slot->terminal.patience;
    emu_line_send(slot, now, slot->terminal.t1.last, slot->terminal.t1.last_length);
}

static void send_block(struct slot *slot, uint64_t now, uint8_t pcb, const uint8_t *inf, size_t length)
{
    struct terminal_t1 *t1 = &slot->terminal.t1;
    t1->last[0] = slot->parameters.nad;
    t1->last[1] = pcb;
    t1->last[2] = (uint8_t)length;
    if (length != 0) {
        memcpy(t1->last + 3, inf, length);
    }
    t1->last_length = (uint16_t)emu_t1_append_edc(slot, t1->last, 3 + length);
    transmit(slot, now);
}

// A question about the last block is no new block: what it asks to be repeated stays in `last`.
static void ask_again(struct slot *slot, uint64_t now, uint8_t error)
{
    uint8_t block[5] = {slot->parameters.nad, (uint8_t)(PCB_R | slot->terminal.t1.nr << 4 | error), 0};
    size_t length = emu_t1_append_edc(slot, block, 3);
    slot->terminal.in_length = 0;
    slot->deadline = now + slot->terminal.patience;
    emu_line_send(slot, now, block, length);
}

static void send_chunk(struct slot *slot, uint64_t now)
{
    struct terminal_t1 *t1 = &slot->terminal.t1;
    uint32_t rest = slot->command_length - t1->sent;
    t1->chunk = rest < t1->ifsc ? rest : t1->ifsc;
    uint8_t pcb = (uint8_t)(t1->ns << 6 | (t1->chunk < rest ? PCB_MORE : 0));
    t1->ns ^= 1;
    t1->state = STATE_SENDING;
    send_block(slot, now, pcb, slot->command_data + t1->sent, t1->chunk);
}

static uint8_t own_ifs(const struct slot *slot)
{
    uint32_t most = emu_dword(slot->reader->model.ccid + 28);
    return (uint8_t)(most < IFS_DEFAULT ? IFS_DEFAULT : most > IFS_MAX ? IFS_MAX : most);
}

static void begin_command(struct slot *slot, uint64_t now)
{
    slot->terminal.t1.sent = 0;
    slot->response_length = 0;
    send_chunk(slot, now);
}

void emu_t1_apdu_begin(struct slot *slot, uint64_t now)
{
    struct terminal_t1 *t1 = &slot->terminal.t1;
    uint8_t ifs = own_ifs(slot);
    slot->terminal.kind = TERMINAL_APDU_T1;
    t1->retries = t1->resyncs = 0;
    if (t1->ifsc == 0) {
        t1->ifsc = slot->parameters.ifsc;
    }
    if (t1->ifs_done || ifs == IFS_DEFAULT) {
        begin_command(slot, now);
        return;
    }
    t1->state = STATE_IFS;
    send_block(slot, now, PCB_IFS, &ifs, 1);
}

void emu_t1_announce_ifsd(struct slot *slot, uint64_t now)
{
    struct terminal_t1 *t1 = &slot->terminal.t1;
    uint8_t ifs = own_ifs(slot), answer[sizeof slot->terminal.in];
    if (t1->ifs_done || ifs == IFS_DEFAULT) {
        return;
    }
    send_block(slot, now, PCB_IFS, &ifs, 1);
    (void)card_receive(&slot->card, now, answer,
                       sizeof answer); // without an answer the IFSD stays 32: no harm
    t1->ifs_done = true;
}

static enum terminal_result fail(struct slot *slot, uint8_t error)
{
    slot->terminal.error = error;
    return TERMINAL_FAILED;
}

// ISO 7816-3:2006 11.6.3.2, rules 6 and 7.
static enum terminal_result recover(struct slot *slot, uint64_t now, uint8_t kind, uint8_t error)
{
    struct terminal_t1 *t1 = &slot->terminal.t1;
    if (t1->retries < RETRIES_MAX && t1->state != STATE_RESYNCH) {
        t1->retries++;
        if (t1->state == STATE_IFS) {
            transmit(slot, now);
        } else {
            ask_again(slot, now, kind);
        }
        return TERMINAL_BUSY;
    }
    if (t1->resyncs++ < RESYNCS_MAX) {
        t1->state = STATE_RESYNCH;
        send_block(slot, now, PCB_RESYNCH, NULL, 0);
        return TERMINAL_BUSY;
    }
    return fail(slot, error);
}

static enum terminal_result i_block(struct slot *slot, uint64_t now, const uint8_t *block)
{
    struct terminal_t1 *t1 = &slot->terminal.t1;
    uint8_t length = block[2];
    bool all_sent = t1->sent + t1->chunk == slot->command_length;
    if (t1->state == STATE_IFS || !all_sent || (block[1] >> 6 & 1) != t1->nr || (block[1] & 0x1F) != 0) {
        return recover(slot, now, ERROR_OTHER, ERR_PARITY);
    }
    if (length > CARD_RESPONSE_MAX + 2 - slot->response_length) {
        return fail(slot, ERR_OVERRUN);
    }
    memcpy(slot->response_data + slot->response_length, block + 3, length);
    slot->response_length += length;
    t1->nr ^= 1;
    t1->retries = 0;
    if ((block[1] & PCB_MORE) == 0) {
        return TERMINAL_DONE;
    }
    t1->state = STATE_READING;
    send_block(slot, now, (uint8_t)(PCB_R | t1->nr << 4), NULL, 0);
    return TERMINAL_BUSY;
}

static enum terminal_result r_block(struct slot *slot, uint64_t now, uint8_t pcb)
{
    struct terminal_t1 *t1 = &slot->terminal.t1;
    bool acknowledged = (pcb >> 4 & 1) == t1->ns;
    bool more = t1->sent + t1->chunk < slot->command_length;
    if (t1->state == STATE_SENDING && acknowledged && more) {
        t1->sent += t1->chunk;
        t1->retries = 0;
        send_chunk(slot, now);
        return TERMINAL_BUSY;
    }
    if (t1->state == STATE_SENDING && acknowledged) {
        return recover(slot, now, ERROR_OTHER, ERR_PARITY);
    }
    if (t1->retries++ < RETRIES_MAX) {
        transmit(slot, now);
        return TERMINAL_BUSY;
    }
    return recover(slot, now, ERROR_OTHER, ERR_PARITY);
}

static enum terminal_result s_response(struct slot *slot, uint64_t now, const uint8_t *block)
{
    struct terminal_t1 *t1 = &slot->terminal.t1;
    if (block[1] == (PCB_IFS | PCB_RESPONSE) && t1->state == STATE_IFS) {
        t1->ifs_done = true;
        t1->retries = 0;
        begin_command(slot, now);
        return TERMINAL_BUSY;
    }
    if (block[1] == (PCB_RESYNCH | PCB_RESPONSE) && t1->state == STATE_RESYNCH) {
        t1->ns = t1->nr = t1->retries = 0;
        begin_command(slot, now);
        return TERMINAL_BUSY;
    }
    return recover(slot, now, ERROR_OTHER, ERR_PARITY);
}

static enum terminal_result s_block(struct slot *slot, uint64_t now, const uint8_t *block)
{
    uint8_t pcb = block[1], value = block[3];
    if ((pcb & PCB_RESPONSE) != 0) {
        return s_response(slot, now, block);
    }
    if (pcb == PCB_WTX && block[2] == 1 && value != 0) {
        send_block(slot, now, PCB_WTX | PCB_RESPONSE, &value, 1);
        slot->terminal.patience = emu_terminal_waiting(slot, value);
        slot->terminal.extension = value;
        return TERMINAL_EXTEND;
    }
    if (pcb == PCB_IFS && block[2] == 1 && value != 0 && value != 0xFF) {
        slot->terminal.t1.ifsc = value;
        send_block(slot, now, PCB_IFS | PCB_RESPONSE, &value, 1);
        return TERMINAL_BUSY;
    }
    if (pcb == PCB_ABORT) {
        return fail(slot, ERR_PARITY); // the card has given up on the chain
    }
    return recover(slot, now, ERROR_OTHER, ERR_PARITY);
}

static bool valid_edc(const struct slot *slot, size_t covered)
{
    uint8_t copy[sizeof slot->terminal.in];
    memcpy(copy, slot->terminal.in, covered);
    size_t length = emu_t1_append_edc(slot, copy, covered);
    return memcmp(copy + covered, slot->terminal.in + covered, length - covered) == 0;
}

static bool gather(struct slot *slot, uint64_t now, size_t wanted)
{
    struct terminal *terminal = &slot->terminal;
    while (terminal->in_length < wanted) {
        size_t got =
            card_receive(&slot->card, now, terminal->in + terminal->in_length, wanted - terminal->in_length);
        if (got == 0) {
            return false;
        }
        terminal->in_length = (uint16_t)(terminal->in_length + got);
    }
    return true;
}

static enum terminal_result block_came(struct slot *slot, uint64_t now)
{
    const uint8_t *block = slot->terminal.in;
    size_t covered = 3u + block[2];
    if (!valid_edc(slot, covered)) {
        return recover(slot, now, ERROR_EDC, ERR_PARITY);
    }
    if ((block[1] & 0x80) == 0) {
        return i_block(slot, now, block);
    }
    return (block[1] & 0x40) == 0 ? r_block(slot, now, block[1]) : s_block(slot, now, block);
}

enum terminal_result emu_t1_advance(struct slot *slot, uint64_t now)
{
    size_t edc = uses_crc(slot) ? 2 : 1;
    enum terminal_result result = TERMINAL_BUSY;
    while (result == TERMINAL_BUSY) {
        if (!gather(slot, now, 3) || !gather(slot, now, 3 + slot->terminal.in[2] + edc)) {
            return TERMINAL_BUSY;
        }
        result = block_came(slot, now);
        slot->terminal.in_length = 0;
    }
    return result;
}

enum terminal_result emu_t1_timeout(struct slot *slot, uint64_t now)
{
    slot->terminal.extension = 1;
    enum terminal_result result = recover(slot, now, ERROR_OTHER, ERR_MUTE);
    return result == TERMINAL_BUSY ? TERMINAL_EXTEND : result; // the host waits meanwhile
}
