// SPDX-License-Identifier: MIT
// A reader with its flaws, see flaw.h: one function for each place where they show.
#include "emulator/reader.h"

#include <string.h>

enum {
    SHORT_LEVEL = 0x20000,
    EXTENDED_LEVEL = 0x40000,
    GENERATE_KEY_PAIR = 0x46, // and 47h, ISO 7816-8
    ERR_PARAMETER_FIDI = 0x0A,
    PIN_VERIFY_MESSAGES = 8, // offsets in abData
    PIN_MODIFY_MESSAGES = 11,
    PIN_THREE_INDEXES = 20, // where the template follows them
    PIN_VERIFY_TEMPLATE = 15,
    PIN_APDU_HEADER = 4,
    PIN_KEY = 2,
};

static void correct_level(struct emu_reader *reader)
{
    if (reader->flaws[EMU_FLAW_SHORT] != 0 && (reader->features & EXTENDED_LEVEL) != 0) {
        reader->features ^= EXTENDED_LEVEL | SHORT_LEVEL;
    }
    if (reader->flaws[EMU_FLAW_CHAINS] != 0 && (reader->features & SHORT_LEVEL) != 0) {
        reader->features ^= EXTENDED_LEVEL | SHORT_LEVEL;
    }
}

void emu_flawed_begin(struct emu_reader *reader)
{
    for (unsigned i = 0; i < EMU_FLAWS; i++) {
        reader->flaws[i] = emu_flaw(&reader->model, (enum emu_flaw)i);
    }
    correct_level(reader);
}

static bool generates(const struct emu_reader *reader, const struct request *request)
{
    return request->type == MSG_XFR_BLOCK && reader->level >= LEVEL_SHORT && request->length > 1 &&
           (request->data[1] & 0xFE) == GENERATE_KEY_PAIR;
}

static uint32_t delay_ms(const struct emu_reader *reader, const struct request *request)
{
    if (request->type == MSG_POWER_ON) {
        return reader->flaws[EMU_FLAW_SLOW_POWER];
    }
    if (request->type == MSG_GET_SLOT_STATUS) {
        return reader->flaws[EMU_FLAW_SLOW_STATUS];
    }
    return generates(reader, request) ? reader->flaws[EMU_FLAW_SLOW_GENERATION] : 0;
}

static bool is_escape(const struct request *request, const uint8_t *data, uint32_t length)
{
    return request->type == MSG_ESCAPE && request->length == length &&
           memcmp(request->data, data, length) == 0;
}

// At character level the host says how long the reply will be.
static bool never_replies(const struct emu_reader *reader, const struct request *request)
{
    uint32_t packet = reader->flaws[EMU_FLAW_WHOLE_PACKETS];
    unsigned wanted = request->header[8] | (unsigned)request->header[9] << 8;
    return packet != 0 && request->type == MSG_XFR_BLOCK && reader->level == LEVEL_CHARACTER &&
           (HEADER_LENGTH + wanted) % packet == 0;
}

void emu_flawed_command(struct slot *slot, uint64_t now, const struct request *request)
{
    static const uint8_t iso_mode[] = {0x1F, 0x01}, no_data[] = {0x80, 0x02, 0x00};
    struct emu_reader *reader = slot->reader;
    uint32_t delay = delay_ms(reader, request);
    reader->flaw_until = delay != 0 ? now + (uint64_t)delay * 1000 : 0;
    if (never_replies(reader, request)) {
        reader->flaw_until = EMU_NEVER;
    }
    reader->iso_mode |= is_escape(request, iso_mode, sizeof iso_mode);
    if (request->type != MSG_SECURE) { // which looks at both
        reader->enabled_no_data = is_escape(request, no_data, sizeof no_data);
        reader->quiet_since = now;
    }
}

uint8_t emu_flawed_power_on(struct slot *slot)
{
    const uint32_t *flaws = slot->reader->flaws;
    bool was_off = slot->was_off;
    slot->was_off = false;
    slot->unsettled -= slot->unsettled != 0 ? 1 : 0;
    if (flaws[EMU_FLAW_EMV] != 0 && !slot->reader->iso_mode) {
        return (uint8_t)flaws[EMU_FLAW_EMV];
    }
    return flaws[EMU_FLAW_OFF_FIRST] != 0 && !was_off ? ERR_MUTE : 0;
}

bool emu_flawed_line(const struct slot *slot)
{
    const uint32_t *flaws = slot->reader->flaws;
    uint32_t most = slot->number != 0 && flaws[EMU_FLAW_SLOT_RATE] != 0 ? flaws[EMU_FLAW_SLOT_RATE]
                                                                        : flaws[EMU_FLAW_RATE];
    bool usual = slot->rate_bps <= card_line_rate(slot->clock_khz, LINE_DEFAULT_FIDI);
    return slot->hangs || (most != 0 && !usual && (uint64_t)slot->rate_bps * 100 > (uint64_t)most * 101);
}

uint8_t emu_flawed_parameters(struct slot *slot, uint8_t protocol, uint8_t fidi)
{
    uint32_t resets = slot->reader->flaws[EMU_FLAW_TWO_RESETS];
    if (resets == 0 || protocol != 1 || (fidi == LINE_DEFAULT_FIDI && slot->unsettled == 0)) {
        return 0;
    }
    slot->unsettled = slot->unsettled != 0 ? slot->unsettled : (uint8_t)resets;
    return ERR_PARAMETER_FIDI;
}

bool emu_flawed_reply(struct emu_reader *reader, uint64_t now, size_t *length, enum emu_status *status)
{
    *status = EMU_NAK;
    if (reader->flaw_until > now) {
        *length = 0;
        return true;
    }
    reader->flaw_until = 0;
    if (reader->reply_count == 0 || reader->flaws[EMU_FLAW_EMPTY_PACKETS] == 0) {
        return false;
    }
    reader->emptied = !reader->emptied;
    if (reader->emptied) {
        *length = 0;
        *status = EMU_OK;
    }
    return reader->emptied;
}

static bool messages_wrong(const uint32_t *flaws, const uint8_t *data, bool modify)
{
    if (!modify) {
        uint32_t only = flaws[EMU_FLAW_PIN_VERIFY_MESSAGES];
        return only != 0 && EMU_FLAW_PIN_MESSAGES(data[PIN_VERIFY_MESSAGES]) != only;
    }
    uint32_t allowed = flaws[EMU_FLAW_PIN_MODIFY_MESSAGES];
    return allowed != 0 && (allowed >> (data[PIN_MODIFY_MESSAGES] & 7u) & 1) == 0;
}

bool emu_flawed_secure(struct slot *slot, const uint8_t *data, size_t length, size_t apdu)
{
    const uint32_t *flaws = slot->reader->flaws;
    bool modify = data[0] != 0;
    bool no_data = !modify && length == PIN_VERIFY_TEMPLATE + PIN_APDU_HEADER;
    return flaws[EMU_FLAW_NO_KEYPAD] != 0 || messages_wrong(flaws, data, modify) ||
           (flaws[EMU_FLAW_PIN_KEY_ONLY] != 0 && data[modify ? 10 : 7] != PIN_KEY) ||
           (flaws[EMU_FLAW_PIN_INDEXES] != 0 && modify && apdu != PIN_THREE_INDEXES) ||
           (flaws[EMU_FLAW_PIN_NO_DATA] != 0 && no_data && !slot->reader->enabled_no_data);
}

bool emu_flawed_entry(struct slot *slot, uint64_t now)
{
    uint64_t pause = (uint64_t)slot->reader->flaws[EMU_FLAW_PIN_ENTER] * 1000;
    return now < slot->reader->quiet_since + pause;
}
