// SPDX-License-Identifier: MIT
// Protocol parameters: what the host sets, what the ATR says, and PPS where the reader does it.
#include "emulator/reader.h"

#include <string.h>

enum { T0_LENGTH = 5, T1_LENGTH = 7, PPS_LENGTH = 4 };

static void defaults_for(struct parameters *parameters, uint8_t protocol)
{
    *parameters = (struct parameters){.protocol = protocol, .fidi = LINE_DEFAULT_FIDI};
    parameters->waiting = protocol == 0 ? 0x0A : 0x4D;
    if (protocol == 1) {
        parameters->tccks = 0x10;
        parameters->ifsc = 0x20;
    }
}

// A reader in the field claims neither protocol and takes both.
static unsigned protocols_of(const struct slot *slot)
{
    unsigned protocols = slot->reader->model.ccid[6] & 3u;
    return protocols != 0 ? protocols : 3;
}

void emu_parameters_default(struct slot *slot)
{
    uint8_t protocol = (protocols_of(slot) & 1) != 0 ? 0 : 1;
    defaults_for(&slot->parameters, protocol);
}

static void from_atr(struct slot *slot, uint8_t protocol, uint8_t fidi)
{
    const struct atr *atr = &slot->card.atr;
    struct parameters *p = &slot->parameters;
    defaults_for(p, protocol);
    p->fidi = fidi;
    p->guard = atr->guard;
    p->clock_stop = atr->clock_stop;
    p->tccks |= slot->card.type->atr[0] == 0x3F ? 2 : 0;
    if (protocol == 0) {
        p->waiting = atr->waiting_t0;
        return;
    }
    p->tccks |= atr->crc;
    p->waiting = atr->waiting_t1;
    p->ifsc = atr->ifsc;
}

bool emu_rate_supported(const struct slot *slot, uint8_t fidi)
{
    uint64_t rate = card_line_rate(slot->clock_khz, fidi);
    uint64_t most = emu_dword(slot->reader->model.ccid + 23);
    return fidi == LINE_DEFAULT_FIDI || (rate != 0 && rate * 100 <= most * 101);
}

static void follow_rate(struct slot *slot)
{
    if ((slot->reader->features & (FEATURE_AUTO_RATE | FEATURE_NEGOTIATION)) != 0 ||
        slot->reader->level >= LEVEL_SHORT) {
        slot->rate_bps = card_line_rate(slot->clock_khz, slot->parameters.fidi);
    }
}

// ISO 7816-3:2006 9; true: the card agreed to exactly this.
static bool negotiate(struct slot *slot, uint64_t now, uint8_t protocol, uint8_t fidi)
{
    const uint8_t pps[PPS_LENGTH] = {0xFF, (uint8_t)(0x10 | protocol), fidi,
                                     (uint8_t)(0xFF ^ (0x10 | protocol) ^ fidi)};
    uint8_t answer[PPS_LENGTH];
    emu_line_send(slot, now, pps, sizeof pps);
    size_t length = card_receive(&slot->card, now, answer, sizeof answer);
    return length == sizeof answer && memcmp(answer, pps, sizeof pps) == 0;
}

static bool does_pps(const struct slot *slot)
{
    // A reader at APDU level that says nothing of PPS leaves nobody else to do it.
    return (slot->reader->features & (FEATURE_AUTO_PPS | FEATURE_NEGOTIATION)) != 0 ||
           slot->reader->level >= LEVEL_SHORT;
}

static bool sets_parameters(const struct slot *slot)
{
    return (slot->reader->features & (FEATURE_AUTO_PARAMETERS | FEATURE_NEGOTIATION)) != 0 ||
           slot->reader->level >= LEVEL_SHORT;
}

static bool choose_protocol(const struct slot *slot, uint8_t *protocol)
{
    const struct atr *atr = &slot->card.atr;
    unsigned common = atr->protocols & protocols_of(slot);
    *protocol = atr->first;
    if ((common >> atr->first & 1) != 0) {
        return true;
    }
    *protocol = common == 1 ? 0 : 1;
    return common != 0 && !atr->specific && does_pps(slot);
}

uint8_t emu_parameters_from_atr(struct slot *slot, uint64_t now)
{
    const struct atr *atr = &slot->card.atr;
    uint8_t protocol, fidi = slot->card.fidi;
    if (!sets_parameters(slot)) {
        return 0;
    }
    if (!choose_protocol(slot, &protocol)) {
        return ERR_PROTOCOL;
    }
    // With automatic PPS the host's SetParameters decides, unless the first protocol is beyond the reader.
    bool negotiates = (slot->reader->features & FEATURE_NEGOTIATION) != 0 ||
                      (slot->reader->features & FEATURE_AUTO_PPS) == 0 || protocol != atr->first;
    if (!atr->specific && does_pps(slot) && negotiates) {
        uint8_t wanted = emu_rate_supported(slot, atr->fidi) ? atr->fidi : LINE_DEFAULT_FIDI;
        bool needed = wanted != LINE_DEFAULT_FIDI || protocol != atr->first;
        fidi = needed && negotiate(slot, now, protocol, wanted) ? wanted : slot->card.fidi;
    }
    from_atr(slot, protocol, fidi);
    follow_rate(slot);
    return 0;
}

// ---- messages ----

static uint32_t encode(struct slot *slot)
{
    const struct parameters *p = &slot->parameters;
    const uint8_t t0[T0_LENGTH] = {p->fidi, p->tccks, p->guard, p->waiting, p->clock_stop};
    memcpy(slot->small, t0, sizeof t0);
    slot->small[5] = p->ifsc;
    slot->small[6] = p->nad;
    return p->protocol == 0 ? T0_LENGTH : T1_LENGTH;
}

static void answer(struct slot *slot)
{
    uint32_t length = encode(slot);
    emu_answer(slot, slot->parameters.protocol, slot->small, length);
}

static bool refuse_inactive(struct slot *slot)
{
    if (!slot->active) {
        emu_fail(slot, ERR_MUTE);
    }
    return !slot->active;
}

void emu_get_parameters(struct slot *slot, uint64_t now, const struct request *request)
{
    (void)now;
    (void)request;
    if (!refuse_inactive(slot)) {
        answer(slot);
    }
}

void emu_reset_parameters(struct slot *slot, uint64_t now, const struct request *request)
{
    (void)now;
    (void)request;
    if (refuse_inactive(slot)) {
        return;
    }
    if ((slot->reader->features & FEATURE_NEGOTIATION) == 0) {
        emu_parameters_default(slot);
        follow_rate(slot);
    }
    answer(slot);
}

// Index of the first byte that cannot be, CCID 1.1 6.1.7; 0: all can.
static uint8_t first_wrong(const struct slot *slot, uint8_t protocol, const uint8_t *data)
{
    uint8_t fixed = protocol == 0 ? 0x00 : 0x10, free = protocol == 0 ? 0x02 : 0x03;
    if (card_line_rate(slot->clock_khz, data[0]) == 0 || !emu_rate_supported(slot, data[0])) {
        return 0x0A;
    }
    if ((data[1] & ~free) != fixed) {
        return 0x0B;
    }
    if (protocol == 0 ? data[3] == 0 : data[3] >> 4 > 9) {
        return 0x0D;
    }
    if (data[4] > 3) {
        return 0x0E;
    }
    if (protocol == 0) {
        return 0;
    }
    if (data[5] == 0 || data[5] == 0xFF) {
        return 0x0F;
    }
    return data[6] != 0 && (slot->reader->features & FEATURE_NAD) == 0 ? 0x10 : 0;
}

static uint8_t check(const struct slot *slot, const struct request *request)
{
    uint8_t protocol = request->header[7];
    bool negotiated = (slot->reader->features & FEATURE_NEGOTIATION) != 0;
    if (protocol > 1 || (protocols_of(slot) >> protocol & 1) == 0 ||
        (negotiated && protocol != slot->parameters.protocol)) {
        return ERR_BYTE7;
    }
    if (request->length != (protocol == 0 ? T0_LENGTH : T1_LENGTH)) {
        return ERR_LENGTH;
    }
    if (negotiated && request->data[0] != slot->parameters.fidi) {
        return 0x0A; // the reader's own choice stands
    }
    return first_wrong(slot, protocol, request->data);
}

static bool agree_with_card(struct slot *slot, uint64_t now, uint8_t protocol, uint8_t fidi)
{
    const struct card *card = &slot->card;
    bool same = card->protocol == protocol && card->fidi == fidi;
    if (same || !does_pps(slot) || card->atr.specific) {
        return true; // the host's business, also if it is wrong
    }
    return card->fresh && negotiate(slot, now, protocol, fidi);
}

void emu_set_parameters(struct slot *slot, uint64_t now, const struct request *request)
{
    const uint8_t *data = request->data;
    uint8_t protocol = request->header[7];
    if (refuse_inactive(slot)) {
        return;
    }
    uint8_t error = check(slot, request);
    if (error == 0 && !agree_with_card(slot, now, protocol, data[0])) {
        error = 0x0A;
    }
    error = error == 0 ? emu_flawed_parameters(slot, protocol, data[0]) : error;
    if (error != 0) {
        emu_fail(slot, error);
        return;
    }
    slot->parameters = (struct parameters){protocol, data[0], data[1], data[2], data[3], data[4], 0, 0};
    if (protocol == 1) {
        slot->parameters.ifsc = data[5];
        slot->parameters.nad = data[6];
    }
    follow_rate(slot);
    answer(slot);
}

static uint32_t nearest(uint32_t wanted, const uint32_t *table, uint32_t count, uint32_t low, uint32_t high)
{
    uint32_t best = low;
    if (count == 0) {
        return wanted < low ? low : wanted > high ? high : wanted;
    }
    for (uint32_t i = 0; i < count; i++) {
        best = table[i] <= wanted && table[i] > best ? table[i] : best;
    }
    return best;
}

static void put_dword(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

void emu_set_rate(struct slot *slot, uint64_t now, const struct request *request)
{
    (void)now;
    const struct emu_model *model = &slot->reader->model;
    const uint32_t both = FEATURE_AUTO_CLOCK | FEATURE_AUTO_RATE;
    if (refuse_inactive(slot)) {
        return;
    }
    if ((slot->reader->features & both) == both) {
        emu_fail(slot, ERR_NOT_SUPPORTED);
        return;
    }
    uint32_t clock = nearest(emu_dword(request->data), model->clocks_khz, model->clock_count,
                             emu_dword(model->ccid + 10), emu_dword(model->ccid + 14));
    uint32_t rate = nearest(emu_dword(request->data + 4), model->rates_bps, model->rate_count,
                            emu_dword(model->ccid + 19), emu_dword(model->ccid + 23));
    if (clock >= 500 && clock <= 100000) {
        slot->clock_khz = clock;
    }
    slot->rate_bps = rate;
    put_dword(slot->small, clock);
    put_dword(slot->small + 4, rate);
    emu_answer(slot, 0, slot->small, 8);
}
