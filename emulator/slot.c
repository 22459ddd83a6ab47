// SPDX-License-Identifier: MIT
// A slot's contacts: activation, deactivation, characters.
#include "emulator/reader.h"

#include <string.h>

uint8_t emu_slot_status(const struct slot *slot)
{
    if (slot->card.type == NULL) {
        return slot->reader->flaws[EMU_FLAW_PRESENT] != 0 ? 1 : 2;
    }
    return slot->active ? 0 : 1;
}

// Firmware that counts in Hz exists; the emulated line must work whatever the descriptor says.
static uint32_t sane_clock(uint32_t khz)
{
    khz = khz > 100000 ? khz / 1000 : khz;
    return khz < 500 || khz > 100000 ? 4000 : khz;
}

void emu_slot_power_off(struct slot *slot)
{
    slot->active = slot->clock_stopped = slot->hangs = false;
    slot->auto_until = 0;
    slot->chain_in = slot->chain_out = slot->typing = false;
    slot->token = (struct token){0};
    slot->class_get_response = slot->reader->model.ccid[48];
    slot->class_envelope = slot->reader->model.ccid[49];
    slot->clock_khz = sane_clock(emu_dword(slot->reader->model.ccid + 10));
    slot->rate_bps = card_line_rate(slot->clock_khz, LINE_DEFAULT_FIDI);
    emu_parameters_default(slot);
    if (slot->card.type != NULL) {
        card_deactivate(&slot->card);
    }
}

void emu_slot_overcurrent(struct slot *slot)
{
    const uint8_t message[4] = {0x51, slot->number, slot->sequence, 0x01}; // CCID 1.1 6.3.2
    memcpy(slot->reader->hardware_error, message, sizeof message);
    slot->reader->hardware_error_pending = true;
    emu_slot_power_off(slot);
}

// The ATR, or nothing from a card that does not answer at this voltage.
static size_t activate(struct slot *slot, uint64_t now, uint8_t operating_class)
{
    card_activate(&slot->card, slot->clock_khz, operating_class);
    return card_receive(&slot->card, now, slot->response_data, ATR_MAX);
}

static uint8_t check_atr(struct slot *slot, size_t length)
{
    struct atr atr;
    switch (card_atr_parse(slot->response_data, length, &atr)) {
    case ATR_OK:
        return 0;
    case ATR_BAD_TS:
        return ERR_ATR_TS;
    case ATR_BAD_TCK:
        return ERR_ATR_TCK;
    default:
        return ERR_MUTE;
    }
}

// 0, or the failure; the ATR is in response_data. `classes`: to be tried, lowest voltage first.
static uint8_t power_on(struct slot *slot, uint64_t now, uint8_t classes, uint32_t *length)
{
    emu_slot_power_off(slot);
    *length = 0;
    for (unsigned i = CARD_CLASS_C; i != 0 && *length == 0; i >>= 1) {
        *length = (classes & i) != 0 ? (uint32_t)activate(slot, now, (uint8_t)i) : 0;
    }
    uint8_t error = *length == 0 ? ERR_MUTE : check_atr(slot, *length);
    if (error == 0) {
        slot->active = true;
        emu_terminal_reset(slot);
        error = emu_parameters_from_atr(slot, now);
    }
    if (error != 0) {
        emu_slot_power_off(slot);
    }
    return error;
}

static uint8_t supported_classes(const struct slot *slot)
{
    uint8_t classes = slot->reader->model.ccid[5] & 7;
    return classes != 0 ? classes : 7; // two readers in the field claim none and work
}

uint8_t emu_slot_power_on(struct slot *slot, uint64_t now, uint32_t *atr_length)
{
    return power_on(slot, now, supported_classes(slot), atr_length);
}

void emu_slot_auto_activate(struct slot *slot, uint64_t now)
{
    uint32_t length;
    if ((slot->reader->features & FEATURE_AUTO_ACTIVATION) == 0 || slot->card.type == NULL) {
        return;
    }
    (void)power_on(slot, now, supported_classes(slot), &length); // a failure shows when the host powers on
    slot->auto_until = now + AUTO_SEQUENCE_US;
}

void emu_power_on(struct slot *slot, uint64_t now, const struct request *request)
{
    uint8_t select = request->header[7], classes = supported_classes(slot);
    uint32_t length;
    bool automatic = (slot->reader->features & (FEATURE_AUTO_VOLTAGE | FEATURE_AUTO_ACTIVATION)) != 0;
    if (slot->card.type == NULL) {
        emu_fail(slot, ERR_MUTE);
        return;
    }
    if (select > 3 || (!automatic && (select == 0 || (classes & 1u << (select - 1)) == 0))) {
        emu_fail(slot, ERR_BYTE7);
        return;
    }
    uint8_t error = emu_flawed_power_on(slot);
    if (error != 0) {
        emu_fail(slot, error);
        return;
    }
    error = power_on(slot, now, automatic ? classes : (uint8_t)(1u << (select - 1)), &length);
    if (error != 0) {
        emu_fail(slot, error);
    } else {
        emu_answer(slot, 0, slot->response_data, length);
    }
}

void emu_power_off(struct slot *slot, uint64_t now, const struct request *request)
{
    (void)now;
    (void)request;
    emu_slot_power_off(slot);
    slot->was_off = true;
    emu_answer(slot, 0, NULL, 0);
}

// A UART tolerates a few percent, ISO 7816-3:2006 7.1; further off the card sees nothing it could answer.
static bool line_agrees(const struct slot *slot)
{
    uint64_t card = card_line_rate(slot->clock_khz, slot->card.fidi), reader = slot->rate_bps;
    return card * 97 <= reader * 100 && reader * 100 <= card * 103;
}

void emu_line_send(struct slot *slot, uint64_t now, const uint8_t *bytes, size_t length)
{
    slot->clock_stopped = false;
    if (line_agrees(slot) && !emu_flawed_line(slot)) {
        card_send(&slot->card, now, bytes, length);
    }
}
