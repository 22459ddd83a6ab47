// SPDX-License-Identifier: MIT
// What all exchanges share, and the plain ones: a number of characters, a PPS response, one block.
#include "emulator/reader.h"

#include <string.h>

void emu_terminal_reset(struct slot *slot)
{
    memset(&slot->terminal, 0, sizeof slot->terminal);
    slot->response_length = 0;
}

// Waiting time by the parameters in force, with a margin: firmware timers are coarse.
uint64_t emu_terminal_waiting(const struct slot *slot, uint8_t multiplier)
{
    const struct parameters *p = &slot->parameters;
    uint64_t once = p->protocol == 1 ? card_line_block_waiting_us(slot->clock_khz, p->fidi, p->waiting >> 4)
                                     : card_line_work_waiting_us(slot->clock_khz, p->fidi, p->waiting);
    return once * (multiplier == 0 ? 1 : multiplier) + 10000;
}

static void begin(struct slot *slot, uint64_t now, enum terminal_kind kind, uint8_t multiplier)
{
    slot->terminal.kind = kind;
    slot->terminal.in_length = 0;
    slot->response_length = 0;
    slot->terminal.patience = emu_terminal_waiting(slot, multiplier);
    slot->deadline = now + slot->terminal.patience;
}

void emu_terminal_characters(struct slot *slot, uint64_t now, const uint8_t *data, size_t length,
                             uint32_t wanted)
{
    begin(slot, now, TERMINAL_CHARACTERS, 1);
    slot->terminal.wanted = wanted;
    emu_line_send(slot, now, data, length);
}

void emu_terminal_pps(struct slot *slot, uint64_t now, const uint8_t *data, size_t length)
{
    begin(slot, now, TERMINAL_PPS, 1);
    emu_line_send(slot, now, data, length);
}

void emu_terminal_block(struct slot *slot, uint64_t now, const uint8_t *data, size_t length,
                        uint8_t multiplier)
{
    begin(slot, now, TERMINAL_BLOCK, multiplier);
    emu_line_send(slot, now, data, length);
}

// Takes characters until there are `wanted`; false: not yet.
static bool gather(struct slot *slot, uint64_t now, size_t wanted)
{
    while (slot->response_length < wanted) {
        size_t got = card_receive(&slot->card, now, slot->response_data + slot->response_length,
                                  wanted - slot->response_length);
        if (got == 0) {
            return false;
        }
        slot->response_length += (uint32_t)got;
    }
    return true;
}

static enum terminal_result characters(struct slot *slot, uint64_t now)
{
    return gather(slot, now, slot->terminal.wanted) ? TERMINAL_DONE : TERMINAL_BUSY;
}

static enum terminal_result pps(struct slot *slot, uint64_t now)
{
    if (!gather(slot, now, 2)) {
        return TERMINAL_BUSY;
    }
    uint8_t pps0 = slot->response_data[1];
    size_t wanted = 3u + (pps0 >> 4 & 1) + (pps0 >> 5 & 1) + (pps0 >> 6 & 1);
    return gather(slot, now, wanted) ? TERMINAL_DONE : TERMINAL_BUSY;
}

static enum terminal_result block(struct slot *slot, uint64_t now)
{
    size_t edc = (slot->parameters.tccks & 1) != 0 ? 2 : 1;
    if (!gather(slot, now, 3)) {
        return TERMINAL_BUSY;
    }
    return gather(slot, now, 3 + slot->response_data[2] + edc) ? TERMINAL_DONE : TERMINAL_BUSY;
}

enum terminal_result emu_terminal_advance(struct slot *slot, uint64_t now)
{
    switch (slot->terminal.kind) {
    case TERMINAL_CHARACTERS:
        return characters(slot, now);
    case TERMINAL_PPS:
        return pps(slot, now);
    case TERMINAL_BLOCK:
        return block(slot, now);
    case TERMINAL_TPDU:
    case TERMINAL_APDU_T0:
        return emu_t0_advance(slot, now);
    default:
        return emu_t1_advance(slot, now);
    }
}

enum terminal_result emu_terminal_timeout(struct slot *slot, uint64_t now)
{
    if (slot->terminal.kind == TERMINAL_APDU_T1) {
        return emu_t1_timeout(slot, now);
    }
    slot->terminal.error = ERR_MUTE;
    return TERMINAL_FAILED;
}
