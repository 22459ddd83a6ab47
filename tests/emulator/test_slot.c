// SPDX-License-Identifier: MIT
// Bulk messages that do not reach a card's application: status, power, parameters, clock, abort, and
// nonsense.
#include "tests/emulator/harness.h"

enum { TPDU = 0x00010030, CLOCK_STOP = 0x100, EXTENDED = 0x000404BA };

static struct bench *bench;

static int teardown(void **state)
{
    (void)state;
    bench_free(bench);
    return 0;
}

static void status(void **state)
{
    (void)state;
    bench = bench_with(TPDU, NULL);
    say(bench, "65 00000000 00 2A 000000");
    hear(bench, "81 00000000 00 2A 02 00 00");
    hear_nothing(bench);
    emu_insert(bench->reader, 0, 0, "t0");
    say(bench, "65 00000000 00 2B 000000");
    hear(bench, "81 00000000 00 2B 01 00 00");
    say(bench, "62 00000000 00 2C 010000");
    hear(bench, "80 09000000 00 2C 00 00 00 3B6500008073FC2100");
    say(bench, "65 00000000 00 2D 000000");
    hear(bench, "81 00000000 00 2D 00 00 00");
    say(bench, "63 00000000 00 2E 000000");
    hear(bench, "81 00000000 00 2E 01 00 00");
}

static void malformed(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    say(bench, "65 00000000 01 10 000000"); // no such slot
    hear(bench, "81 00000000 01 10 42 05 00");
    say(bench, "6F 05000000 00 11 000000 00"); // shorter than it says
    hear(bench, "80 00000000 00 11 41 01 00");
    say(bench, "6F 00000000 00 12 000000 00"); // longer
    hear(bench, "80 00000000 00 12 41 01 00");
    say(bench, "65 01000000 00 13 000000 00"); // no data are due
    hear(bench, "81 00000000 00 13 41 01 00");
    say(bench, "6F FFFFFFFF 00 14 000000"); // beyond dwMaxCCIDMessageLength
    hear(bench, "80 00000000 00 14 41 01 00");
    say(bench, "60 00000000 00 15 000000"); // no such message
    hear(bench, "81 00000000 00 15 41 00 00");
    say(bench, "69 00000000 00 16 000000"); // no PIN pad
    hear(bench, "80 00000000 00 16 41 00 00");
}

static void short_header_halts(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    assert_int_equal(emu_out(bench->reader, 0, EMU_EP_OUT, (const uint8_t *)"\x65", 1), EMU_STALL);
    assert_int_equal(emu_out(bench->reader, 0, EMU_EP_OUT, (const uint8_t *)"\x65", 1), EMU_STALL);
    size_t none = 0;
    assert_int_equal(control(bench, 0x02, 1, 0, EMU_EP_OUT, NULL, &none), EMU_OK);
    say(bench, "65 00000000 00 01 000000");
    hear(bench, "81 00000000 00 01 01 00 00");
}

static void empty_packet_is_nothing(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    assert_int_equal(emu_out(bench->reader, 0, EMU_EP_OUT, NULL, 0), EMU_OK);
    hear_nothing(bench);
}

static void message_in_packets(void **state)
{
    (void)state;
    uint8_t message[10 + 118] = {0x6B, 118, 0, 0, 0, 0, 7};
    bench = bench_with(TPDU, "t0");
    for (unsigned i = 10; i < sizeof message; i++) {
        message[i] = (uint8_t)i;
    }
    assert_int_equal(emu_out(bench->reader, 0, EMU_EP_OUT, message, 64), EMU_OK);
    hear_nothing(bench);
    assert_int_equal(emu_out(bench->reader, 0, EMU_EP_OUT, message + 64, 64), EMU_OK);
    // The answer, an echo, in pieces as well.
    size_t length = 100;
    assert_int_equal(emu_in(bench->reader, 0, EMU_EP_IN, bench->heard, &length), EMU_OK);
    assert_int_equal(length, 100);
    assert_int_equal(emu_in(bench->reader, 0, EMU_EP_IN, bench->heard + 100, &length), EMU_OK);
    assert_int_equal(length, 28);
    assert_int_equal(bench->heard[0], 0x83);
    assert_memory_equal(bench->heard + 10, message + 10, 118);
    hear_nothing(bench);
}

static void busy(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    say(bench, "65 00000000 00 01 000000");
    say(bench, "65 00000000 00 02 000000"); // the first answer has not been read
    hear(bench, "81 00000000 00 01 01 00 00");
    hear(bench, "81 00000000 00 02 41 E0 00");
    say(bench, "65 00000000 00 03 000000");
    hear(bench, "81 00000000 00 03 01 00 00");
}

static void busy_slots(void **state)
{
    (void)state;
    struct emu_model model = model_with(EXTENDED, 271);
    model.ccid[4] = 2;
    model.ccid[53] = 2;
    bench = bench_of(&model, NULL);
    say(bench, "65 00000000 00 01 000000");
    say(bench, "65 00000000 01 02 000000");
    say(bench, "65 00000000 02 03 000000"); // two of three at once
    hear(bench, "81 00000000 00 01 02 00 00");
    hear(bench, "81 00000000 01 02 02 00 00");
    hear(bench, "81 00000000 02 03 42 E0 00");
}

static void replies_run_over(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    uint8_t message[10] = {0x65};
    unsigned taken = 0;
    while (emu_out(bench->reader, 0, EMU_EP_OUT, message, sizeof message) == EMU_OK) {
        taken++;
        assert_true(taken < 100);
    }
    assert_true(taken >= 8);
    for (unsigned i = 0; i < taken; i++) {
        size_t length = 64;
        assert_int_equal(emu_in(bench->reader, 0, EMU_EP_IN, bench->heard, &length), EMU_OK);
    }
    hear_nothing(bench);
    assert_int_equal(emu_out(bench->reader, 0, EMU_EP_OUT, message, sizeof message), EMU_OK);
}

static void voltages(void **state)
{
    (void)state;
    struct emu_model model = model_with(TPDU, 271);
    model.ccid[5] = 5; // 5 V and 1.8 V
    bench = bench_of(&model, "class-c");
    say(bench, "62 00000000 00 01 000000"); // no automatic choice
    hear(bench, "80 00000000 00 01 41 07 00");
    say(bench, "62 00000000 00 02 020000"); // 3 V not supported
    hear(bench, "80 00000000 00 02 41 07 00");
    say(bench, "62 00000000 00 03 010000"); // the card does not answer
    hear(bench, "80 00000000 00 03 41 FE 00");
    say(bench, "62 00000000 00 04 040000");
    hear(bench, "80 00000000 00 04 41 07 00");
    say(bench, "62 00000000 00 05 030000");
    hear(bench, "80 0C000000 00 05 00 00 00 3B858131FE458073FC2100A0");
}

static void automatic_voltage(void **state)
{
    (void)state;
    bench = bench_with(TPDU | 8, "class-c");
    say(bench, "62 00000000 00 01 000000");
    hear(bench, "80 0C000000 00 01 00 00 00 3B858131FE458073FC2100A0");
}

static void automatic_activation(void **state)
{
    (void)state;
    bench = bench_with(TPDU | 4, NULL);
    emu_insert(bench->reader, 0, 0, "t0");
    say(bench, "65 00000000 00 01 000000");
    hear(bench, "81 00000000 00 01 00 00 00"); // active already
    say(bench, "62 00000000 00 02 000000");
    hear(bench, "80 00000000 00 02 40 F2 00");
    bench->now = 20000;
    say(bench, "62 00000000 00 03 000000");
    hear(bench, "80 09000000 00 03 00 00 00 3B6500008073FC2100");
}

static void bad_cards(void **state)
{
    (void)state;
    bench = bench_with(TPDU, NULL);
    static const struct {
        const char *card, *reply;
    } cases[] = {
        {"bad-mute", "80 00000000 00 01 41 FE 00"},
        {"bad-tck", "80 00000000 00 01 41 F7 00"},
        {"bad-ts", "80 00000000 00 01 41 F8 00"},
    };
    say(bench, "62 00000000 00 01 010000");
    hear(bench, "80 00000000 00 01 42 FE 00");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(emu_insert(bench->reader, 0, 0, cases[i].card), 0);
        say(bench, "62 00000000 00 01 010000");
        hear(bench, cases[i].reply);
        assert_int_equal(emu_remove(bench->reader, 0, 0), 0);
    }
}

static void commands_without_power(void **state)
{
    (void)state;
    bench = bench_with(TPDU | CLOCK_STOP, "t0");
    say(bench, "6F 05000000 00 01 000000 0084000008");
    hear(bench, "80 00000000 00 01 41 FE 00");
    say(bench, "6C 00000000 00 02 000000");
    hear(bench, "82 00000000 00 02 41 FE 00");
    say(bench, "6E 00000000 00 03 010000");
    hear(bench, "81 00000000 00 03 41 FE 00");
    emu_remove(bench->reader, 0, 0);
    say(bench, "61 05000000 00 04 000000 1100000A00");
    hear(bench, "82 00000000 00 04 42 FE 00");
}

static void mechanical(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    say(bench, "71 00000000 00 01 040000");
    hear(bench, "81 00000000 00 01 41 00 00");
    struct emu_model model = bench->model;
    model.ccid[36] = 2;
    bench_free(bench);
    bench = bench_of(&model, "t0");
    say(bench, "71 00000000 00 02 040000");
    hear(bench, "81 00000000 00 02 41 07 00");
    say(bench, "71 00000000 00 03 020000");
    hear(bench, "81 00000000 00 03 01 00 00");
    notified(bench, "50 02");
}

static void abort_control(uint8_t sequence, uint8_t slot)
{
    size_t none = 0;
    assert_int_equal(control(bench, 0x21, 1, (uint16_t)(sequence << 8 | slot), 0, NULL, &none), EMU_OK);
}

static void begin_work(void)
{
    bench = bench_with(EXTENDED, "t1");
    power_on(bench);
    say(bench, "6F 04000000 00 50 000000 80100064"); // ten seconds
}

static void abort_control_first(void **state)
{
    (void)state;
    begin_work();
    abort_control(0x51, 0);
    hear(bench, "80 00000000 00 50 40 FF 00");
    say(bench, "65 00000000 00 52 000000");
    hear(bench, "81 00000000 00 52 40 FF 00");
    say(bench, "72 00000000 00 51 000000");
    hear(bench, "81 00000000 00 51 00 00 00");
    say(bench, "65 00000000 00 53 000000");
    hear(bench, "81 00000000 00 53 00 00 00");
}

static void abort_bulk_first(void **state)
{
    (void)state;
    begin_work();
    say(bench, "72 00000000 00 51 000000");
    hear(bench, "80 00000000 00 50 40 FF 00");
    hear_nothing(bench);
    abort_control(0x51, 0);
    hear(bench, "81 00000000 00 51 00 00 00");
}

static void abort_of_another(void **state)
{
    (void)state;
    begin_work();
    abort_control(0x60, 0);
    hear(bench, "80 00000000 00 50 40 FF 00");
    say(bench, "72 00000000 00 51 000000"); // not the pair
    hear_nothing(bench);
    abort_control(0x51, 0);
    hear(bench, "81 00000000 00 51 00 00 00");
    size_t none = 0;
    assert_int_equal(control(bench, 0x21, 1, 0x5101, 0, NULL, &none), EMU_STALL); // no such slot
}

static void overcurrent(void **state)
{
    (void)state;
    bench = bench_with(EXTENDED, "bad-short");
    notified(bench, "50 03");
    power_on(bench);
    say(bench, "6F 05000000 00 33 000000 0084000008");
    hear(bench, "80 00000000 00 33 41 FB 00");
    notified(bench, "51 00 33 01");
    not_notified(bench);
    say(bench, "65 00000000 00 34 000000");
    hear(bench, "81 00000000 00 34 01 00 00");
}

static void removal_ends_command(void **state)
{
    (void)state;
    begin_work();
    hear_nothing(bench);
    assert_int_equal(emu_remove(bench->reader, 0, 0), 0);
    hear(bench, "80 00000000 00 50 42 FE 00");
    assert_true(emu_next_event(bench->reader) == UINT64_MAX);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status),
        TEST(malformed),
        TEST(short_header_halts),
        TEST(empty_packet_is_nothing),
        TEST(message_in_packets),
        TEST(busy),
        TEST(busy_slots),
        TEST(replies_run_over),
        TEST(voltages),
        TEST(automatic_voltage),
        TEST(automatic_activation),
        TEST(bad_cards),
        TEST(commands_without_power),
        TEST(mechanical),
        TEST(abort_control_first),
        TEST(abort_bulk_first),
        TEST(abort_of_another),
        TEST(overcurrent),
        TEST(removal_ends_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
