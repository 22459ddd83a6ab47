// SPDX-License-Identifier: MIT
#include "support.h"

#include <string.h>

#include "nthost/loader/decode.h"

struct sample {
    const char *code;
    size_t length;
    struct decoded expected;
};

static const struct sample samples[] = {
    {"\x44\x0f\x20\xc0", 4, {.kind = DECODE_READ_IRQL, .length = 4, .register_ = 0, .opcode = 0x0f}},
    {"\x45\x0f\x20\xc7", 4, {.kind = DECODE_READ_IRQL, .length = 4, .register_ = 15, .opcode = 0x0f}},
    {"\x44\x0f\x22\xc1", 4, {.kind = DECODE_WRITE_IRQL, .length = 4, .register_ = 1, .opcode = 0x0f}},
    {"\x4d\x0f\x22\xc3", 4, {.kind = DECODE_WRITE_IRQL, .length = 4, .register_ = 11, .opcode = 0x0f}},
    {"\x0f\x20\xd8", 3, {.kind = DECODE_PRIVILEGED, .opcode = 0x0f}}, // cr3
    {"\xcd\x29", 2, {.kind = DECODE_FAST_FAIL, .length = 2, .opcode = 0xcd}},
    {"\xcd\x2c", 2, {.kind = DECODE_ASSERTION, .length = 2, .opcode = 0xcd}},
    {"\xcd\x2d", 2, {.kind = DECODE_BREAKPOINT, .length = 2, .opcode = 0xcd}},
    {"\xcd\x80", 2, {.kind = DECODE_OTHER, .length = 2, .opcode = 0xcd}},
    {"\xcd", 1, {.kind = DECODE_OTHER, .opcode = 0xcd}},
    {"\xcc", 1, {.kind = DECODE_BREAKPOINT, .length = 1, .opcode = 0xcc}},
    {"\xe4\x60",
     2,
     {.kind = DECODE_PORT_READ,
      .length = 2,
      .width = 1,
      .immediate_port = true,
      .port = 0x60,
      .opcode = 0xe4}},
    {"\xe4", 1, {.kind = DECODE_OTHER, .opcode = 0xe4}},
    {"\xed", 1, {.kind = DECODE_PORT_READ, .length = 1, .width = 4, .opcode = 0xed}},
    {"\x66\xef", 2, {.kind = DECODE_PORT_WRITE, .length = 2, .width = 2, .opcode = 0xef}},
    {"\xee", 1, {.kind = DECODE_PORT_WRITE, .length = 1, .width = 1, .opcode = 0xee}},
    {"\xf3\x6c", 2, {.kind = DECODE_PRIVILEGED, .length = 1, .opcode = 0x6c}}, // rep ins
    {"\xfb", 1, {.kind = DECODE_PRIVILEGED, .opcode = 0xfb}},
    {"\x0f\x30", 2, {.kind = DECODE_PRIVILEGED, .opcode = 0x0f}}, // wrmsr
    {"\x0f\x0b", 2, {.kind = DECODE_OTHER, .opcode = 0x0f}},      // ud2
    {"\x0f", 1, {.kind = DECODE_OTHER, .opcode = 0x0f}},
    {"\x48\x8b\x01", 3, {.kind = DECODE_OTHER, .length = 1, .opcode = 0x8b}},
    {"\x66\x66\x66", 3, {.kind = DECODE_OTHER, .length = 3}},
    {"", 0, {.kind = DECODE_OTHER}},
};

static void test_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct decoded got;
        decode((const uint8_t *)samples[i].code, samples[i].length, &got);
        const struct decoded *expected = &samples[i].expected;
        if (got.kind != expected->kind || got.length != expected->length || got.opcode != expected->opcode ||
            got.register_ != expected->register_ || got.width != expected->width ||
            got.port != expected->port || got.immediate_port != expected->immediate_port) {
            fail_msg("sample %zu: kind %d length %u opcode %02x", i, (int)got.kind, got.length, got.opcode);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples)};
    return cmocka_run_group_tests_name("loader decode", tests, NULL, NULL);
}
