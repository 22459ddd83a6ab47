// SPDX-License-Identifier: MIT
// XfrBlock at the APDU levels: the reader runs the protocol.
#include "tests/emulator/harness.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT = 0x000204BA, EXTENDED = 0x000404BA };

static struct bench *bench;

static int teardown(void **state)
{
    (void)state;
    bench_free(bench);
    return 0;
}

static void wait_for_event(void)
{
    hear_nothing(bench);
    bench->now = emu_next_event(bench->reader);
    assert_true(bench->now != UINT64_MAX);
}

static uint8_t counted(size_t i)
{
    return (uint8_t)(i + (i >> 8));
}

static void short_level(void **state)
{
    (void)state;
    static const char *const cards[] = {"t0", "t1", "t1-crc", "t1-ifs", "bad-noisy", "bad-lossy"};
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        bench = bench_with(SHORT, cards[i]);
        power_on(bench);
        apdu(bench, "00 A4 04 00 09 F0 4C 45 43 54 45 52 4E 01 00",
             "6F 15 82 01 38 83 02 50 00 84 09 F0 4C 45 43 54 45 52 4E 01 8A 01 05 90 00");
        bench_free(bench);
    }
    bench = bench_with(SHORT, "t0");
    power_on(bench);
    command(bench, 0x6F, 0, 1, (const uint8_t *)"\x00\x84\x00\x00\x08", 5);
    answered(bench, 0x80, 0x40, 0x08, 0);
    uint8_t long_apdu[262] = {0};
    struct emu_model model = model_with(SHORT, 1024);
    bench_free(bench);
    bench = bench_of(&model, "t1");
    power_on(bench);
    command(bench, 0x6F, 0, 0, long_apdu, sizeof long_apdu);
    answered(bench, 0x80, 0x40, 0x01, 0);
    command(bench, 0x6F, 0, 0, long_apdu, 3);
    answered(bench, 0x80, 0x40, 0x01, 0);
}

static void short_level_t0_repeats(void **state)
{
    (void)state;
    bench = bench_with(SHORT, "t0");
    power_on(bench);
    apdu(bench, "00 A4 08 0C 04 50 00 50 02", "90 00");
    command(bench, 0x6F, 0, 0, (const uint8_t *)"\x00\xB0\x00\x00\x00", 5); // 6C40 inside
    answered(bench, 0x80, 0, 0, 0);
    assert_int_equal(bench->heard_length, 10 + 64 + 2);
    assert_memory_equal(bench->heard + 74, "\x90\x00", 2);
}

static void extended_in_one(void **state)
{
    (void)state;
    struct emu_model model = model_with(EXTENDED, 65554);
    bench = bench_of(&model, "t1-extended");
    power_on(bench);
    uint8_t *command_apdu = calloc(1, 65544);
    assert_non_null(command_apdu);
    bytes_of("80 E0 C0 00 00 FF FF", command_apdu);
    for (size_t i = 0; i < 65535; i++) {
        command_apdu[7 + i] = counted(i);
    }
    command(bench, 0x6F, 0, 0, command_apdu, 65544); // Le 0000
    answered(bench, 0x80, 0, 0, 0);
    assert_int_equal(bench->heard_length, 10 + 65535 + 2);
    assert_memory_equal(bench->heard + 10, command_apdu + 7, 65535);
    free(command_apdu);
    command(bench, 0x6F, 0, 0, (const uint8_t *)"\x80\xE0\x40\x00\x00\x00\x00", 7);
    answered(bench, 0x80, 0, 0, 0);
    assert_int_equal(bench->heard_length, 10 + 65536 + 2);
    assert_int_equal(bench->heard[10 + 65535], counted(65535));
}

static void extended_command_chain(void **state)
{
    (void)state;
    bench = bench_with(EXTENDED, "t1-extended"); // 261 bytes a message
    power_on(bench);
    apdu(bench, "00 A4 08 0C 04 50 00 50 01", "90 00");
    uint8_t update[307] = {0x00, 0xD6, 0x00, 0x00, 0x00, 0x01, 0x2C};
    memset(update + 7, 0xA5, 300);
    command(bench, 0x6F, 0, 1, update, 261);
    answered(bench, 0x80, 0, 0, 0x10);
    assert_int_equal(bench->heard_length, 10);
    command(bench, 0x6F, 0, 2, update + 261, 46);
    answered(bench, 0x80, 0, 0, 0);
    assert_memory_equal(bench->heard + 10, "\x90\x00", 2);
    apdu(bench, "00 B0 01 2A 04", "A5 A5 6C 6D 90 00");
}

static void extended_response_chain(void **state)
{
    (void)state;
    bench = bench_with(EXTENDED, "t1-extended");
    power_on(bench);
    apdu(bench, "00 A4 08 0C 04 50 00 50 04", "90 00");
    static const struct {
        uint16_t level;
        uint8_t last;
        size_t length;
    } parts[] = {{0, 1, 261}, {0x10, 3, 261}, {0x10, 2, 80}};
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        command(bench, 0x6F, 0, parts[i].level, (const uint8_t *)"\x00\xB0\x00\x00\x00\x02\x58",
                i == 0 ? 7 : 0);
        answered(bench, 0x80, 0, 0, parts[i].last);
        assert_int_equal(bench->heard_length, 10 + parts[i].length);
        for (size_t k = 0; k < parts[i].length && at < 600; k++, at++) {
            assert_int_equal(bench->heard[10 + k], counted(at));
        }
    }
    assert_memory_equal(bench->heard + 88, "\x90\x00", 2);
}

static void extended_chain_errors(void **state)
{
    (void)state;
    bench = bench_with(EXTENDED, "t1-extended");
    power_on(bench);
    static const uint8_t data[300] = {0x00, 0xB0, 0x84, 0x00, 0x00, 0x02, 0x00};
    static const uint16_t wrong[] = {2, 3, 0x10, 4, 0x100};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        command(bench, 0x6F, 0, wrong[i], data, wrong[i] == 0x10 ? 0 : 5);
        answered(bench, 0x80, 0x40, 0x08, 0);
    }
    command(bench, 0x6F, 0, 1, data, 261);
    answered(bench, 0x80, 0, 0, 0x10);
    apdu(bench, "00 A4 00 0C 02 50 00", "90 00"); // a new beginning drops the chain
    command(bench, 0x6F, 0, 2, data, 5);
    answered(bench, 0x80, 0x40, 0x08, 0);
    command(bench, 0x6F, 0, 0, data, 7);
    answered(bench, 0x80, 0, 0, 1);
    apdu(bench, "00 A4 00 0C 02 50 00", "90 00");
    command(bench, 0x6F, 0, 0x10, NULL, 0); // the rest is gone
    answered(bench, 0x80, 0x40, 0x08, 0);
}

static void extended_endless_chain(void **state)
{
    (void)state;
    bench = bench_with(EXTENDED, "t1-extended");
    power_on(bench);
    static const uint8_t data[261];
    command(bench, 0x6F, 0, 1, data, sizeof data);
    answered(bench, 0x80, 0, 0, 0x10);
    for (unsigned i = 0; i < 65544 / 261; i++) {
        command(bench, 0x6F, 0, 3, data, sizeof data);
        if (i + 1 < 65544 / 261) {
            answered(bench, 0x80, 0, 0, 0x10);
        }
    }
    answered(bench, 0x80, 0x40, 0x01, 0); // more than the longest APDU
}

static void extended_over_t0(void **state)
{
    (void)state;
    struct emu_model model = model_with(EXTENDED, 2048);
    bench = bench_of(&model, "t0-extended");
    power_on(bench);
    uint8_t echo[1000] = {0x80, 0xE0, 0xC0, 0x00, 0x00, 0x03, 0xDF}; // 991 bytes, then Le 0000
    for (size_t i = 0; i < 991; i++) {
        echo[7 + i] = counted(i);
    }
    command(bench, 0x6F, 0, 0, echo, sizeof echo);
    answered(bench, 0x80, 0, 0, 0);
    assert_int_equal(bench->heard_length, 10 + 991 + 2);
    assert_memory_equal(bench->heard + 10, echo + 7, 991);
    echo[6] = 0xFD - 7; // 765 bytes in all are three full envelopes and an empty one
    echo[5] = 0x02;
    command(bench, 0x6F, 0, 0, echo, 765);
    answered(bench, 0x80, 0, 0, 0);
    command(bench, 0x6F, 0, 0, (const uint8_t *)"\x00\xB0\x84\x00\x00\x00", 6); // no such APDU
    answered(bench, 0x80, 0x40, 0x01, 0);
}

static void apdu_time_extensions(void **state)
{
    (void)state;
    static const char *const cards[] = {"t0", "t1"};
    for (size_t i = 0; i < 2; i++) {
        bench = bench_with(EXTENDED, cards[i]);
        power_on(bench);
        command(bench, 0x6F, 0, 0, (const uint8_t *)"\x80\x10\x00\x32", 4); // five seconds
        unsigned extensions = 0;
        for (;;) {
            wait_for_event();
            size_t length = 64;
            assert_int_equal(emu_in(bench->reader, bench->now, EMU_EP_IN, bench->heard, &length), EMU_OK);
            if (bench->heard[7] != 0x80) {
                break;
            }
            assert_int_equal(length, 10);
            assert_true(bench->heard[8] >= 1);
            extensions++;
        }
        assert_memory_equal(bench->heard + 10, "\x90\x00", 2);
        assert_true(extensions >= 2);
        assert_true(bench->now == 5000000);
        struct emu_statistics statistics;
        emu_reader_statistics(bench->reader, &statistics);
        assert_true(statistics.time_extensions == extensions);
        assert_true(statistics.card_commands == 1);
        bench_free(bench);
    }
    bench = bench_with(EXTENDED, "t0");
}

static void apdu_card_dies(void **state)
{
    (void)state;
    static const char *const cards[] = {"bad-dying-t0", "bad-dying-t1"};
    for (size_t i = 0; i < 2; i++) {
        bench = bench_with(EXTENDED, cards[i]);
        power_on(bench);
        for (unsigned k = 0; k < 3; k++) {
            apdu(bench, "00 A4 00 0C 02 3F 00", "90 00");
        }
        command(bench, 0x6F, 0, 0, (const uint8_t *)"\x00\xA4\x00\x0C\x02\x3F\x00", 7);
        size_t length = 0;
        do {
            wait_for_event();
            length = 64;
            assert_int_equal(emu_in(bench->reader, bench->now, EMU_EP_IN, bench->heard, &length), EMU_OK);
        } while (bench->heard[7] == 0x80);
        assert_int_equal(bench->heard[7], 0x40);
        assert_int_equal(bench->heard[8], 0xFE);
        power_on(bench);
        apdu(bench, "00 A4 00 0C 02 3F 00", "90 00");
        bench_free(bench);
    }
    bench = bench_with(EXTENDED, "t0");
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(short_level),
        TEST(short_level_t0_repeats),
        TEST(extended_in_one),
        TEST(extended_command_chain),
        TEST(extended_response_chain),
        TEST(extended_chain_errors),
        TEST(extended_endless_chain),
        TEST(extended_over_t0),
        TEST(apdu_time_extensions),
        TEST(apdu_card_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
