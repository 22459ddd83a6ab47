// SPDX-License-Identifier: MIT
#include "tests/emulator/storm.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "emulator/emulator.h"

enum { BUFFER = 70000, EVENTS_MAX = 200 };

struct storm {
    const uint8_t *at, *end;
    struct emu_model model;
    struct emu_reader *reader;
    uint64_t now;
    uint8_t *buffer; // exactly as long as needed, for the sanitizer to see
    size_t seen;     // bytes of the current IN message
    bool may_err;    // from the input's first byte
    bool faulty;     // told to err: its messages need not be well formed
    uint8_t header[10];
};

static uint8_t next(struct storm *storm)
{
    return storm->at < storm->end ? *storm->at++ : 0;
}

static void demand(int condition)
{
    if (!condition) {
        abort();
    }
}

static uint32_t dword(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void check_header(const struct storm *storm)
{
    const uint8_t *h = storm->header;
    demand(h[0] >= 0x80 && h[0] <= 0x84);
    demand(dword(h + 1) <= 65554);
    demand((h[7] & 0x3C) == 0 && (h[7] & 3) != 3 && h[7] >> 6 != 3);
    demand(h[7] >> 6 == 0 || dword(h + 1) == 0); // no data with a failure or an extension
}

// Follows messages through transfers of any size.
static void check_in(struct storm *storm, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++, storm->seen++) {
        if (storm->seen < 10) {
            storm->header[storm->seen] = bytes[i];
        }
        if (storm->seen == 9) {
            check_header(storm);
        }
    }
    if (storm->seen >= 10) {
        demand(storm->seen <= 10 + (size_t)dword(storm->header + 1));
        storm->seen = storm->seen == 10 + (size_t)dword(storm->header + 1) ? 0 : storm->seen;
    }
}

static void in(struct storm *storm, uint8_t endpoint, size_t room)
{
    uint8_t *bytes = malloc(room + 1);
    demand(bytes != NULL);
    size_t length = room;
    enum emu_status status = emu_in(storm->reader, storm->now, endpoint, bytes, &length);
    demand(length <= room);
    demand(status == EMU_OK || length == 0);
    if (endpoint == EMU_EP_IN && status == EMU_OK && !storm->faulty) {
        check_in(storm, bytes, length);
    }
    free(bytes);
}

static void out(struct storm *storm, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length + 1);
    demand(copy != NULL);
    memcpy(copy, bytes, length);
    (void)emu_out(storm->reader, storm->now, EMU_EP_OUT, copy, length);
    free(copy);
}

static void raw_out(struct storm *storm)
{
    size_t length = next(storm);
    for (size_t i = 0; i < length; i++) {
        storm->buffer[i] = next(storm);
    }
    out(storm, storm->buffer, length);
}

static void message_out(struct storm *storm, uint8_t type)
{
    uint8_t *m = storm->buffer;
    size_t length = next(storm);
    length = length == 255 ? 65544 : length;
    memset(m, 0, 10 + length);
    m[0] = type;
    for (unsigned i = 0; i < 4; i++) {
        m[1 + i] = (uint8_t)(length >> 8 * i);
    }
    m[5] = next(storm) & 3;
    for (size_t i = 6; i < 10; i++) {
        m[i] = next(storm);
    }
    for (size_t i = 0; i < length && storm->at < storm->end; i++) {
        m[10 + i] = next(storm);
    }
    out(storm, m, 10 + length);
}

static void common_message(struct storm *storm)
{
    static const uint8_t messages[][40] = {
        {10, 0x62, 0, 0, 0, 0, 0, 1, 1},
        {10, 0x63, 0, 0, 0, 0, 0, 1},
        {15, 0x6F, 5, 0, 0, 0, 0, 2, 0, 0, 0, 0x00, 0xB0, 0x84, 0x00, 0x00},
        {17, 0x6F, 7, 0, 0, 0, 0, 2, 0, 0, 0, 0x00, 0xB0, 0x84, 0x00, 0x00, 0xF0, 0x00},
        {17, 0x6F, 7, 0, 0, 0, 0, 2, 0, 0, 0, 0x00, 0xA4, 0x00, 0x00, 0x02, 0x50, 0x00},
        {14, 0x6F, 4, 0, 0, 0, 0, 2, 0, 0, 0, 0x80, 0x10, 0x00, 0x14},
        {14, 0x6F, 4, 0, 0, 0, 0, 2, 0, 0, 0, 0xFF, 0x10, 0x18, 0xF7},
        {15, 0x61, 5, 0, 0, 0, 0, 3, 0, 0, 0, 0x11, 0x00, 0x00, 0x0A, 0x00},
        {17, 0x61, 7, 0, 0, 0, 0, 3, 1, 0, 0, 0x11, 0x10, 0x00, 0x45, 0x00, 0x20, 0x00},
        {38, 0x69, 28, 0, 0, 0, 0, 3, 0,    0,    0,    0x00, 0x1E, 0x82, 0x08, 0x00, 0x08, 0x04, 0x02, 0xFF,
         9,  4,    0,  0, 0, 0, 0, 0, 0x20, 0x00, 0x01, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
        {10, 0x72, 0, 0, 0, 0, 0, 9},
    };
    uint8_t which = next(storm);
    const uint8_t *message = messages[which % (sizeof messages / sizeof *messages)];
    out(storm, message + 1, message[0]);
}

static void control(struct storm *storm)
{
    static const uint8_t types[] = {0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x21, 0xA1, 0xC0};
    static const uint8_t requests[] = {0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 0x62, 0x63, 0x65, 0x6F, 0x81, 0xA0};
    uint8_t type = types[next(storm) % sizeof types], request = requests[next(storm) % sizeof requests];
    uint16_t value = (uint16_t)(next(storm) << 8);
    value = (uint16_t)(value | next(storm));
    uint8_t index = next(storm);
    const struct emu_setup setup = {type, request, value, index & 0x8F, next(storm)};
    uint8_t *data = malloc(256);
    demand(data != NULL);
    memset(data, 0, 256);
    for (size_t i = 0; i < setup.length && (type & 0x80) == 0; i++) {
        data[i] = next(storm);
    }
    size_t length = setup.length;
    (void)emu_control(storm->reader, storm->now, &setup, data, &length);
    demand(length <= setup.length);
    free(data);
    if (setup.request_type == 0 && setup.request == 9) {
        storm->seen = 0; // half a message may just have been dropped
    }
}

static void configure(struct storm *storm)
{
    const struct emu_setup setup = {0x00, 9, 1, 0, 0};
    size_t none = 0;
    (void)emu_control(storm->reader, storm->now, &setup, NULL, &none);
    storm->seen = 0;
}

static void pass_time(struct storm *storm)
{
    for (unsigned i = 0; i < EVENTS_MAX; i++) {
        uint64_t event = emu_next_event(storm->reader);
        if (event == UINT64_MAX) {
            return;
        }
        storm->now = event > storm->now ? event : storm->now;
        in(storm, EMU_EP_IN, 512);
    }
}

static void move_card(struct storm *storm)
{
    uint8_t which = next(storm);
    unsigned cards = 0;
    while (emu_card_name(cards) != NULL) {
        cards++;
    }
    demand(cards != 0);
    if (emu_insert(storm->reader, storm->now, which & 1, emu_card_name(which % cards)) == -3) {
        (void)emu_remove(storm->reader, storm->now, which & 1);
    }
}

static void err(struct storm *storm)
{
    const struct emu_fault fault = {.kind = next(storm) % 20,
                                    .command = next(storm),
                                    .skip = next(storm) & 3,
                                    .count = next(storm) & 3,
                                    .argument = next(storm)};
    storm->faulty = true;
    emu_fault(storm->reader, &fault);
}

static void bus_event(struct storm *storm)
{
    uint8_t which = next(storm);
    if ((which & 1) != 0) {
        emu_reader_reset(storm->reader, storm->now);
    } else {
        emu_suspend(storm->reader, storm->now, true);
        emu_suspend(storm->reader, storm->now, false);
    }
    storm->seen = 0;
    configure(storm);
}

static void step(struct storm *storm)
{
    static const uint8_t types[] = {0x61, 0x62, 0x63, 0x65, 0x69, 0x6A, 0x6B, 0x6C,
                                    0x6D, 0x6E, 0x6F, 0x71, 0x72, 0x73, 0x6F, 0x6F};
    uint8_t op = next(storm);
    switch (op & 15) {
    case 0:
        raw_out(storm);
        break;
    case 1:
        control(storm);
        break;
    case 2:
        move_card(storm);
        break;
    case 3:
        pass_time(storm);
        break;
    case 4:
        in(storm, EMU_EP_INTERRUPT, next(storm) & 15);
        break;
    case 5:
        in(storm, EMU_EP_IN, next(storm));
        break;
    case 6:
        if (op >> 4 == 0) {
            bus_event(storm);
        } else if (op >> 4 == 1 && storm->may_err) {
            err(storm);
        } else {
            in(storm, EMU_EP_IN, 65554);
        }
        break;
    case 7:
    case 8:
        message_out(storm, types[op >> 4]);
        break;
    default:
        common_message(storm);
        in(storm, EMU_EP_IN, 65554);
        break;
    }
}

static void build_model(struct storm *storm)
{
    static const uint32_t features[] = {0x30,       0x00010030, 0x000104BA, 0x00010630,
                                        0x000204BA, 0x000404BA, 0x0004047E, 0x001006B6};
    static const uint8_t ccid[54] = {0x36, 0x21, 0x10, 1,    1,    7, 3,    0, 0, 0,    0xA0,
                                     0x0F, 0,    0,    0xA0, 0x0F, 0, 0,    0, 0, 0x2A, 0,
                                     0,    0x80, 0x84, 0x1E, 0,    0, 0xFE, 0, 0, 0};
    struct emu_model *model = &storm->model;
    uint8_t choice = next(storm);
    uint32_t chosen = features[choice % 8];
    storm->may_err = (choice & 8) != 0;
    uint8_t shape = next(storm);
    memcpy(model->ccid, ccid, sizeof ccid);
    for (unsigned i = 0; i < 4; i++) {
        model->ccid[40 + i] = (uint8_t)(chosen >> 8 * i);
    }
    model->ccid[44] = 0x12;
    model->ccid[46] = (shape & 1) != 0 ? 1 : 0; // 65,554 or 271 bytes
    model->ccid[45] = (shape & 1) != 0 ? 0 : 1;
    model->ccid[48] = model->ccid[49] = (shape & 2) != 0 ? 0xFF : 0;
    model->ccid[52] = (shape & 4) != 0 ? 3 : 0;
    model->ccid[53] = shape >> 3 & 3;
    static const uint8_t endpoints[] = {3, 3, 2, 3, 0, 1, 3, 3};
    model->endpoints = endpoints[shape >> 5];
    model->interface_protocol = shape >> 4 & 3;
    model->interface_class = 0x0B;
}

void storm(const uint8_t *input, size_t length)
{
    struct storm run = {.at = input, .end = input + length};
    build_model(&run);
    void *memory = malloc(emu_reader_size(&run.model));
    run.buffer = malloc(BUFFER);
    demand(memory != NULL && run.buffer != NULL);
    run.reader = emu_reader_init(memory, &run.model);
    move_card(&run);
    configure(&run);
    while (run.at < run.end) {
        step(&run);
    }
    struct emu_statistics statistics;
    emu_reader_statistics(run.reader, &statistics);
    demand(statistics.responses <= statistics.commands + statistics.time_extensions);
    free(run.buffer);
    free(memory);
}
