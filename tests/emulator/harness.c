// SPDX-License-Identifier: MIT
#include "tests/emulator/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void set_dword(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

struct emu_model model_with(uint32_t features, uint32_t message_max)
{
    struct emu_model model = {.name = "test",
                              .manufacturer = "Maker",
                              .product = "Pr\xC3\xBC"
                                         "fling",
                              .vendor_id = 0x1234,
                              .product_id = 0xABCD,
                              .release = 0x0102,
                              .interface_class = 0x0B,
                              .endpoints = 3};
    bytes_of("36 21 1001 00 07 03000000 A00F0000 A00F0000 00 002A0000 80841E00 00 FE000000 00000000 00000000"
             "00000000 00000000 FF FF 0000 00 01",
             model.ccid);
    set_dword(model.ccid + 40, features);
    set_dword(model.ccid + 44, message_max);
    return model;
}

struct bench *bench_of(const struct emu_model *model, const char *card)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->model = *model;
    void *memory = malloc(emu_reader_size(model));
    assert_non_null(memory);
    bench->reader = emu_reader_init(memory, model);
    if (card != NULL) {
        assert_int_equal(emu_insert(bench->reader, 0, 0, card), 0);
    }
    size_t none = 0;
    assert_int_equal(control(bench, 0x00, 9, 1, 0, NULL, &none), EMU_OK);
    return bench;
}

struct bench *bench_with(uint32_t features, const char *card)
{
    struct emu_model model = model_with(features, 271);
    return bench_of(&model, card);
}

void bench_free(struct bench *bench)
{
    free(bench->reader);
    free(bench);
}

static int nibble(char c)
{
    return c >= 'A' ? c - 'A' + 10 : c - '0';
}

size_t bytes_of(const char *hex, uint8_t *bytes)
{
    size_t length = 0;
    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        bytes[length++] = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
        hex += 2;
    }
    return length;
}

void say(struct bench *bench, const char *hex)
{
    uint8_t bytes[1024];
    size_t length = bytes_of(hex, bytes);
    assert_int_equal(emu_out(bench->reader, bench->now, EMU_EP_OUT, bytes, length), EMU_OK);
}

static enum emu_status listen(struct bench *bench, uint8_t endpoint)
{
    bench->heard_length = sizeof bench->heard;
    return emu_in(bench->reader, bench->now, endpoint, bench->heard, &bench->heard_length);
}

static void show(const char *what, const uint8_t *bytes, size_t length)
{
    print_error("%s:", what);
    for (size_t i = 0; i < length && i < 64; i++) {
        print_error(" %02X", bytes[i]);
    }
    print_error("\n");
}

static void expect(struct bench *bench, const char *hex)
{
    uint8_t bytes[1024];
    size_t length = bytes_of(hex, bytes);
    if (length != bench->heard_length || memcmp(bytes, bench->heard, length) != 0) {
        show("heard", bench->heard, bench->heard_length);
        show("not", bytes, length);
    }
    assert_int_equal(bench->heard_length, length);
    assert_memory_equal(bench->heard, bytes, length);
}

void hear(struct bench *bench, const char *hex)
{
    assert_int_equal(listen(bench, EMU_EP_IN), EMU_OK);
    expect(bench, hex);
}

void hear_nothing(struct bench *bench)
{
    assert_int_equal(listen(bench, EMU_EP_IN), EMU_NAK);
}

void notified(struct bench *bench, const char *hex)
{
    assert_int_equal(listen(bench, EMU_EP_INTERRUPT), EMU_OK);
    expect(bench, hex);
}

void not_notified(struct bench *bench)
{
    assert_int_equal(listen(bench, EMU_EP_INTERRUPT), EMU_NAK);
}

void command(struct bench *bench, uint8_t type, uint8_t byte7, uint16_t level, const uint8_t *data,
             size_t length)
{
    uint8_t *message = calloc(1, 10 + length);
    assert_non_null(message);
    message[0] = type;
    set_dword(message + 1, (uint32_t)length);
    message[6] = ++bench->sequence;
    message[7] = byte7;
    message[8] = (uint8_t)level;
    message[9] = (uint8_t)(level >> 8);
    if (length != 0) {
        memcpy(message + 10, data, length);
    }
    assert_int_equal(emu_out(bench->reader, bench->now, EMU_EP_OUT, message, 10 + length), EMU_OK);
    free(message);
}

void answered(struct bench *bench, uint8_t type, uint8_t status, uint8_t error, uint8_t last)
{
    assert_int_equal(listen(bench, EMU_EP_IN), EMU_OK);
    uint8_t header[10] = {type, 0, 0, 0, 0, 0, bench->sequence, status, error, last};
    assert_true(bench->heard_length >= 10);
    set_dword(header + 1, (uint32_t)(bench->heard_length - 10));
    if (memcmp(header, bench->heard, 10) != 0) {
        show("heard", bench->heard, bench->heard_length);
        show("not", header, 10);
    }
    assert_memory_equal(bench->heard, header, 10);
}

void apdu(struct bench *bench, const char *command_hex, const char *response_hex)
{
    uint8_t bytes[1024] = {0}, response[1024];
    command(bench, 0x6F, 0, 0, bytes, bytes_of(command_hex, bytes));
    answered(bench, 0x80, 0, 0, 0);
    size_t length = bytes_of(response_hex, response);
    if (bench->heard_length != 10 + length || memcmp(bench->heard + 10, response, length) != 0) {
        show(command_hex, bench->heard + 10, bench->heard_length - 10);
    }
    assert_int_equal(bench->heard_length - 10, length);
    assert_memory_equal(bench->heard + 10, response, length);
}

void power_on(struct bench *bench)
{
    bool automatic = (bench->model.ccid[40] & 0x0C) != 0;
    command(bench, 0x62, automatic ? 0 : 1, 0, NULL, 0);
    answered(bench, 0x80, 0, 0, 0);
}

void set_parameters(struct bench *bench, uint8_t protocol, const char *hex)
{
    uint8_t bytes[16] = {0};
    command(bench, 0x61, protocol, 0, bytes, bytes_of(hex, bytes));
    answered(bench, 0x82, 0, 0, protocol);
}

enum emu_status control(struct bench *bench, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                        void *data, size_t *length)
{
    const struct emu_setup setup = {type, request, value, index, (uint16_t)*length};
    return emu_control(bench->reader, bench->now, &setup, data, length);
}
