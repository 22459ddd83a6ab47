// SPDX-License-Identifier: MIT
// One row of readers.tsv: reader, block, vid, pid, bcdDevice, interface, interfaceClass, interfaceProtocol,
// endpoints, manufacturer, product, ccid, clocksKHz, dataRatesBps.
#include "emulator/emulator.h"

#include <string.h>

enum {
    FIELD_READER,
    FIELD_BLOCK,
    FIELD_VID,
    FIELD_PID,
    FIELD_RELEASE,
    FIELD_INTERFACE,
    FIELD_CLASS,
    FIELD_PROTOCOL,
    FIELD_ENDPOINTS,
    FIELD_MANUFACTURER,
    FIELD_PRODUCT,
    FIELD_CCID,
    FIELD_CLOCKS,
    FIELD_RATES,
    FIELDS,
};

struct text {
    const char *at;
    size_t length;
};

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool number(struct text text, uint32_t max, uint32_t *value)
{
    uint32_t base = 10;
    uint64_t sum = 0;
    if (text.length > 2 && text.at[0] == '0' && (text.at[1] == 'x' || text.at[1] == 'X')) {
        base = 16;
        text.at += 2;
        text.length -= 2;
    }
    for (size_t i = 0; i < text.length; i++) {
        int d = digit(text.at[i]);
        if (d < 0 || (uint32_t)d >= base) {
            return false;
        }
        sum = sum * base + (uint32_t)d;
        if (sum > max) {
            return false;
        }
    }
    *value = (uint32_t)sum;
    return text.length != 0;
}

static bool number8(struct text text, uint8_t *value)
{
    uint32_t wide;
    if (!number(text, UINT8_MAX, &wide)) {
        return false;
    }
    *value = (uint8_t)wide;
    return true;
}

static bool number16(struct text text, uint16_t *value)
{
    uint32_t wide;
    if (!number(text, UINT16_MAX, &wide)) {
        return false;
    }
    *value = (uint16_t)wide;
    return true;
}

static bool numbers(struct text text, uint32_t *values, size_t max, uint32_t *count)
{
    *count = 0;
    size_t at = 0;
    while (at < text.length) {
        struct text word = {text.at + at, 0};
        while (at + word.length < text.length && word.at[word.length] != ' ') {
            word.length++;
        }
        at += word.length + 1;
        if (word.length == 0) {
            continue;
        }
        if (*count == max || !number(word, UINT32_MAX, &values[*count])) {
            return false;
        }
        (*count)++;
    }
    return true;
}

static bool string(struct text text, char *out)
{
    if (text.length >= EMU_NAME_MAX) {
        return false;
    }
    memcpy(out, text.at, text.length);
    out[text.length] = '\0';
    return true;
}

static bool name(struct text reader, struct text block, char *out)
{
    uint32_t value;
    if (reader.length == 0 || !number(block, 9, &value) || !string(reader, out)) {
        return false;
    }
    if (value == 0) {
        return true;
    }
    if (reader.length + 2 >= EMU_NAME_MAX) {
        return false;
    }
    out[reader.length] = '#';
    out[reader.length + 1] = (char)('0' + value);
    out[reader.length + 2] = '\0';
    return true;
}

static bool descriptor(struct text text, uint8_t *bytes)
{
    if (text.length != (size_t)2 * EMU_CCID_DESCRIPTOR) {
        return false;
    }
    for (size_t i = 0; i < EMU_CCID_DESCRIPTOR; i++) {
        int high = digit(text.at[2 * i]), low = digit(text.at[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return bytes[0] == EMU_CCID_DESCRIPTOR && bytes[4] < EMU_SLOTS_MAX;
}

static bool split(const char *line, size_t length, struct text fields[FIELDS])
{
    while (length != 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) {
        length--;
    }
    size_t field = 0;
    fields[0] = (struct text){line, 0};
    for (size_t i = 0; i < length; i++) {
        if (line[i] != '\t') {
            fields[field].length++;
        } else if (++field < FIELDS) {
            fields[field] = (struct text){line + i + 1, 0};
        } else {
            return false;
        }
    }
    return field == FIELDS - 1;
}

static bool interface(const struct text fields[FIELDS], struct emu_model *model)
{
    return number8(fields[FIELD_INTERFACE], &model->interface_number) &&
           number8(fields[FIELD_CLASS], &model->interface_class) &&
           number8(fields[FIELD_PROTOCOL], &model->interface_protocol) &&
           number8(fields[FIELD_ENDPOINTS], &model->endpoints) && model->endpoints <= 3;
}

const char *emu_model_parse(const char *line, size_t length, struct emu_model *model)
{
    struct text fields[FIELDS];
    memset(model, 0, sizeof *model);
    if (!split(line, length, fields)) {
        return "not 14 fields";
    }
    if (!name(fields[FIELD_READER], fields[FIELD_BLOCK], model->name)) {
        return "reader or block";
    }
    if (!number16(fields[FIELD_VID], &model->vendor_id) || !number16(fields[FIELD_PID], &model->product_id) ||
        !number16(fields[FIELD_RELEASE], &model->release)) {
        return "vid, pid or bcdDevice";
    }
    if (!interface(fields, model)) {
        return "interface, its class, protocol or endpoints";
    }
    if (!string(fields[FIELD_MANUFACTURER], model->manufacturer) ||
        !string(fields[FIELD_PRODUCT], model->product)) {
        return "manufacturer or product";
    }
    if (!descriptor(fields[FIELD_CCID], model->ccid)) {
        return "ccid";
    }
    if (!numbers(fields[FIELD_CLOCKS], model->clocks_khz, EMU_RATES_MAX, &model->clock_count) ||
        !numbers(fields[FIELD_RATES], model->rates_bps, EMU_RATES_MAX, &model->rate_count)) {
        return "clocksKHz or dataRatesBps";
    }
    return NULL;
}
