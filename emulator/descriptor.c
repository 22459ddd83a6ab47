// SPDX-License-Identifier: MIT
// What a reader tells the USB host about itself.
#include "emulator/reader.h"

#include <string.h>

enum {
    TYPE_DEVICE = 1,
    TYPE_CONFIGURATION = 2,
    TYPE_STRING = 3,
    TYPE_INTERFACE = 4,
    TYPE_ENDPOINT = 5,
    TYPE_CLASS = 0x21,
    STRING_MANUFACTURER = 1,
    STRING_PRODUCT = 2,
    STRING_SERIAL = 3,
    BULK = 2,
    INTERRUPT = 3,
};

static size_t device(const struct emu_model *model, uint8_t *data)
{
    const uint8_t descriptor[18] = {
        18,
        TYPE_DEVICE,
        0x00,
        0x02, // USB 2.0
        0,
        0,
        0, // the interface says
        PACKET_MAX,
        (uint8_t)model->vendor_id,
        (uint8_t)(model->vendor_id >> 8),
        (uint8_t)model->product_id,
        (uint8_t)(model->product_id >> 8),
        (uint8_t)model->release,
        (uint8_t)(model->release >> 8),
        model->manufacturer[0] != '\0' ? STRING_MANUFACTURER : 0,
        model->product[0] != '\0' ? STRING_PRODUCT : 0,
        model->serial[0] != '\0' ? STRING_SERIAL : 0,
        1, // configuration
    };
    memcpy(data, descriptor, sizeof descriptor);
    return sizeof descriptor;
}

static size_t endpoint(uint8_t *data, uint8_t address, uint8_t type, uint8_t packet, uint8_t interval)
{
    const uint8_t descriptor[7] = {7, TYPE_ENDPOINT, address, type, packet, 0, interval};
    memcpy(data, descriptor, sizeof descriptor);
    return sizeof descriptor;
}

static size_t endpoints(const struct emu_model *model, uint8_t *data)
{
    size_t at = 0;
    if (model->endpoints >= 2) {
        at += endpoint(data + at, EMU_EP_OUT, BULK, PACKET_MAX, 0);
        at += endpoint(data + at, EMU_EP_IN, BULK, PACKET_MAX, 0);
    }
    if (model->endpoints == 3 || model->endpoints == 1) {
        at += endpoint(data + at, EMU_EP_INTERRUPT, INTERRUPT, 8, 16);
    }
    return at;
}

static size_t configuration(const struct emu_reader *reader, uint8_t *data)
{
    const struct emu_model *model = &reader->model;
    const uint8_t attributes = (reader->features & FEATURE_WAKE_UP) != 0 ? 0xA0 : 0x80;
    const uint8_t interface[9] = {9,
                                  TYPE_INTERFACE,
                                  model->interface_number,
                                  0,
                                  model->endpoints,
                                  model->interface_class,
                                  0,
                                  model->interface_protocol,
                                  0};
    size_t at = 9;
    memcpy(data + at, interface, sizeof interface);
    at += sizeof interface;
    bool class_last = reader->flaws[EMU_FLAW_CLASS_LAST] != 0;
    at += class_last ? endpoints(model, data + at) : 0;
    memcpy(data + at, model->ccid, sizeof model->ccid);
    at += sizeof model->ccid;
    at += class_last ? 0 : endpoints(model, data + at);
    const uint8_t head[9] = {9, TYPE_CONFIGURATION, (uint8_t)at, (uint8_t)(at >> 8), 1, 1, 0, attributes, 50};
    memcpy(data, head, sizeof head);
    return at;
}

// One code point of UTF-8; malformed: U+FFFD, one byte.
static uint32_t code_point(const char **text)
{
    const uint8_t *at = (const uint8_t *)*text;
    unsigned more = at[0] >= 0xF0 ? 3 : at[0] >= 0xE0 ? 2 : at[0] >= 0xC0 ? 1 : 0;
    uint32_t value = more == 0 ? at[0] : at[0] & (0x3Fu >> more);
    if (more == 0 && at[0] >= 0x80) {
        value = 0xFFFD;
    }
    *text += 1;
    for (unsigned i = 0; i < more; i++) {
        if ((at[i + 1] & 0xC0) != 0x80) {
            return 0xFFFD;
        }
        value = value << 6 | (at[i + 1] & 0x3Fu);
        *text += 1;
    }
    return value;
}

static size_t put_unit(uint8_t *data, uint32_t unit)
{
    data[0] = (uint8_t)unit;
    data[1] = (uint8_t)(unit >> 8);
    return 2;
}

static size_t utf16(const char *text, uint8_t *data)
{
    size_t at = 2;
    while (*text != '\0') {
        uint32_t value = code_point(&text);
        if (value >= 0x10000) {
            at += put_unit(data + at, 0xD800 + ((value - 0x10000) >> 10 & 0x3FF));
            value = 0xDC00 + (value & 0x3FF);
        }
        at += put_unit(data + at, value);
    }
    data[0] = (uint8_t)at;
    data[1] = TYPE_STRING;
    return at;
}

static size_t string(const struct emu_model *model, uint8_t index, uint8_t *data)
{
    static const uint8_t languages[4] = {4, TYPE_STRING, 0x09, 0x04}; // US English
    const char *text = index == STRING_MANUFACTURER ? model->manufacturer
                       : index == STRING_PRODUCT    ? model->product
                       : index == STRING_SERIAL     ? model->serial
                                                    : "";
    if (index == 0) {
        memcpy(data, languages, sizeof languages);
        return sizeof languages;
    }
    return text[0] == '\0' ? 0 : utf16(text, data);
}

size_t emu_descriptor(const struct emu_reader *reader, uint16_t value, uint8_t *data)
{
    uint8_t index = (uint8_t)value;
    switch (value >> 8) {
    case TYPE_DEVICE:
        return index == 0 ? device(&reader->model, data) : 0;
    case TYPE_CONFIGURATION:
        return index == 0 ? configuration(reader, data) : 0;
    case TYPE_STRING:
        return string(&reader->model, index, data);
    case TYPE_CLASS:
        memcpy(data, reader->model.ccid, EMU_CCID_DESCRIPTOR);
        return EMU_CCID_DESCRIPTOR;
    default:
        return 0;
    }
}
