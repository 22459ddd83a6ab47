// SPDX-License-Identifier: MIT
#include "emulator/card/atr.h"
#include "emulator/card/line.h"

struct group {
    unsigned number;  // i of TAi..TDi
    uint8_t protocol; // T of TD(i-1)
    uint8_t present;  // bits 0-3: TA TB TC TD
    uint8_t value[4];
};

enum { TA = 0, TB = 1, TC = 2, TD = 3 };

static bool has(const struct group *group, unsigned which)
{
    return (group->present >> which & 1) != 0;
}

static void global_bytes(const struct group *group, struct atr *atr)
{
    if (group->number == 1) {
        atr->fidi = has(group, TA) ? group->value[TA] : LINE_DEFAULT_FIDI;
        atr->guard = has(group, TC) ? group->value[TC] : 0;
        return;
    }
    if (has(group, TA)) {
        atr->specific = true;
        atr->first = group->value[TA] & 0x0F;
        atr->implicit = (group->value[TA] & 0x10) != 0;
    }
    if (has(group, TC)) {
        atr->waiting_t0 = group->value[TC];
    }
}

static void t1_bytes(const struct group *group, struct atr *atr)
{
    if (has(group, TA)) {
        atr->ifsc = group->value[TA] == 0xFF ? 0xFE : group->value[TA];
    }
    if (has(group, TB)) {
        atr->waiting_t1 = group->value[TB];
    }
    if (has(group, TC)) {
        atr->crc = group->value[TC] & 1;
    }
}

static void interpret(const struct group *group, struct atr *atr, uint16_t *seen)
{
    uint16_t bit = (uint16_t)(1u << group->protocol);
    if (group->number < 3) {
        global_bytes(group, atr);
        return;
    }
    if ((*seen & bit) != 0) {
        return; // only the first group of a protocol counts, ISO 7816-3:2006 11.4
    }
    *seen |= bit;
    if (group->protocol == 1) {
        t1_bytes(group, atr);
    } else if (group->protocol == 15 && has(group, TA)) {
        atr->clock_stop = group->value[TA] >> 6;
    }
}

static bool read_group(const uint8_t *bytes, size_t length, size_t *at, struct group *group)
{
    for (unsigned i = TA; i <= TD; i++) {
        if (!has(group, i)) {
            continue;
        }
        if (*at >= length) {
            return false;
        }
        group->value[i] = bytes[(*at)++];
    }
    return true;
}

static bool check_sum(const uint8_t *bytes, size_t length)
{
    uint8_t sum = 0;
    for (size_t i = 1; i < length; i++) {
        sum ^= bytes[i];
    }
    return sum == 0;
}

enum atr_status card_atr_parse(const uint8_t *bytes, size_t length, struct atr *atr)
{
    *atr = (struct atr){.fidi = LINE_DEFAULT_FIDI, .waiting_t0 = 10, .ifsc = 32, .waiting_t1 = 0x4D};
    if (length < 2 || length > ATR_MAX) {
        return ATR_BAD_LENGTH;
    }
    if (bytes[0] != 0x3B && bytes[0] != 0x3F) {
        return ATR_BAD_TS;
    }
    size_t at = 2;
    uint16_t seen = 0;
    struct group group = {.number = 1, .present = bytes[1] >> 4};
    for (; group.present != 0; group.number++) {
        if (!read_group(bytes, length, &at, &group)) {
            return ATR_BAD_LENGTH;
        }
        interpret(&group, atr, &seen);
        if (!has(&group, TD)) {
            break;
        }
        group.protocol = group.value[TD] & 0x0F;
        group.present = group.value[TD] >> 4;
        if (group.number == 1) {
            atr->first = group.protocol;
        }
        atr->protocols |= (uint16_t)(1u << group.protocol);
    }
    if (atr->protocols == 0) {
        atr->protocols = 1;
    }
    bool tck = (atr->protocols & 0xFFFE) != 0; // absent if only T=0 is offered, ISO 7816-3:2006 8.2.5
    if (at + (bytes[1] & 0x0F) + (tck ? 1u : 0u) != length) {
        return ATR_BAD_LENGTH;
    }
    return tck && !check_sum(bytes, length) ? ATR_BAD_TCK : ATR_OK;
}
