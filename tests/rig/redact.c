// SPDX-License-Identifier: MIT
// PINs at every exchange level: what is left of them, and that other commands are shown whole.
#include "tests/support/hosttest.h"

#include <string.h>

#include "rig/redact.h"

enum { HEADER = 10, MESSAGE_MAX = 64 };

static const uint8_t pin[] = {0x31, 0x32, 0x33, 0x34};

static size_t message(uint8_t type, const uint8_t *data, size_t length, uint8_t *out)
{
    memset(out, 0, HEADER);
    out[0] = type;
    out[1] = (uint8_t)length;
    memcpy(out + HEADER, data, length);
    return HEADER + length;
}

// What is shown of a PC_to_RDR_XfrBlock with this data.
static const uint8_t *shown(struct redactor *redactor, const uint8_t *data, size_t length)
{
    static uint8_t out[MESSAGE_MAX];
    redact_command(redactor, out, message(0x6F, data, length, out));
    return out + HEADER;
}

static void answer(struct redactor *redactor, const uint8_t *data, size_t length)
{
    uint8_t out[MESSAGE_MAX];
    redact_response(redactor, out, message(0x80, data, length, out));
}

static void assert_hidden(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(data[i], 0);
    }
}

static void test_apdu(void **state)
{
    static const uint8_t instructions[] = {0x20, 0x21, 0x24, 0x25, 0x26, 0x28, 0x2C, 0x2D, 0xC2};
    (void)state;
    for (size_t i = 0; i < sizeof instructions; i++) {
        struct redactor redactor = {{false}};
        const uint8_t verify[] = {0, instructions[i], 0, 1, 4, 0x31, 0x32, 0x33, 0x34};
        const uint8_t *left = shown(&redactor, verify, sizeof verify);
        assert_memory_equal(left, verify, 5);
        assert_hidden(left + 5, sizeof verify - 5);
        answer(&redactor, (const uint8_t[]){0x90, 0x00}, 2);
        const uint8_t select[] = {0, 0xA4, 0, 0, 4, 0x31, 0x32, 0x33, 0x34};
        assert_memory_equal(shown(&redactor, select, sizeof select), select, sizeof select);
    }
}

static void test_t1_chain(void **state)
{
    struct redactor redactor = {{false}};
    const uint8_t first[] = {0, 0x20, 6, 0, 0x20, 0, 1, 4, 0x31, 0x12},
                  more[] = {0, 0x40, 4, 0x31, 0x32, 0x33, 0x34, 0x44};
    const uint8_t received[] = {0, 0x90, 0, 0x90}, done[] = {0, 0, 2, 0x90, 0, 0x92};
    (void)state;
    const uint8_t *left = shown(&redactor, first, sizeof first);
    assert_memory_equal(left, first, 5);
    assert_hidden(left + 5, sizeof first - 5); // the check byte would tell, too
    answer(&redactor, received, sizeof received);
    assert_hidden(shown(&redactor, more, sizeof more), sizeof more);
    assert_memory_equal(shown(&redactor, received, sizeof received), received, sizeof received);
    assert_hidden(shown(&redactor, more, sizeof more), sizeof more); // sent again
    answer(&redactor, done, sizeof done);
    assert_memory_equal(shown(&redactor, more, sizeof more), more, sizeof more);
}

static void test_t1_block(void **state)
{
    struct redactor redactor = {{false}};
    const uint8_t verify[] = {0, 0x40, 9, 0, 0x20, 0, 1, 4, 0x31, 0x32, 0x33, 0x34, 0x48};
    (void)state;
    const uint8_t *left = shown(&redactor, verify, sizeof verify);
    assert_memory_equal(left, verify, 8);
    assert_hidden(left + 8, sizeof verify - 8);
}

// A block of one byte, so that the instruction is in the second.
static void test_t1_short_block(void **state)
{
    struct redactor redactor = {{false}};
    const uint8_t first[] = {0, 0x20, 1, 0, 0x21},
                  rest[] = {0, 0x40, 8, 0x20, 0, 1, 4, 0x31, 0x32, 0x33, 0x34, 0};
    (void)state;
    (void)shown(&redactor, first, sizeof first);
    assert_hidden(shown(&redactor, rest, sizeof rest), sizeof rest);
}

static void test_characters(void **state)
{
    struct redactor redactor = {{false}};
    const uint8_t header[] = {0, 0x20, 0, 1, 4}, procedure[] = {0x20}, done[] = {0x90, 0};
    (void)state;
    assert_memory_equal(shown(&redactor, header, sizeof header), header, sizeof header);
    answer(&redactor, procedure, sizeof procedure);
    assert_hidden(shown(&redactor, pin, sizeof pin), sizeof pin);
    answer(&redactor, done, sizeof done);
    assert_memory_equal(shown(&redactor, pin, sizeof pin), pin, sizeof pin);
}

static void test_chained_apdu(void **state)
{
    struct redactor redactor = {{false}};
    const uint8_t begin[] = {0, 0x2C, 0, 1, 0, 1, 0, 0x31};
    (void)state;
    (void)shown(&redactor, begin, sizeof begin);
    answer(&redactor, begin, 0); // RDR_to_PC_DataBlock without data asks for more
    assert_hidden(shown(&redactor, pin, sizeof pin), sizeof pin);
}

static void test_messages(void **state)
{
    struct redactor redactor = {{false}};
    uint8_t out[MESSAGE_MAX];
    const uint8_t secure[] = {0, 30, 0x82, 4, 4, 0x31, 0x32, 0x33, 0x34};
    (void)state;
    size_t length = message(0x69, secure, sizeof secure, out);
    redact_command(&redactor, out, length);
    assert_hidden(out + HEADER + 1, length - HEADER - 1);
    length = message(0x6B, pin, sizeof pin, out);
    redact_command(&redactor, out, length);
    assert_hidden(out + HEADER, length - HEADER);
    redact_command(&redactor, out, 3); // a short one
    redact_response(&redactor, out, 0);
}

static void test_slots(void **state)
{
    struct redactor redactor = {{false}};
    const uint8_t verify[] = {0, 0x20, 0, 1, 4, 0x31, 0x32, 0x33, 0x34};
    uint8_t out[MESSAGE_MAX];
    (void)state;
    (void)shown(&redactor, verify, sizeof verify);
    size_t length = message(0x6F, pin, sizeof pin, out);
    out[5] = 1;
    redact_command(&redactor, out, length);
    assert_memory_equal(out + HEADER, pin, sizeof pin); // another slot's
    length = message(0x62, pin, 0, out);
    redact_command(&redactor, out, length); // power up: the command is over
    assert_memory_equal(shown(&redactor, pin, sizeof pin), pin, sizeof pin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apdu),           cmocka_unit_test(test_t1_chain),
        cmocka_unit_test(test_t1_short_block), cmocka_unit_test(test_t1_block),
        cmocka_unit_test(test_characters),     cmocka_unit_test(test_chained_apdu),
        cmocka_unit_test(test_messages),       cmocka_unit_test(test_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
