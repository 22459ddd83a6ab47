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

static void parameters(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "dual");
    power_on(bench);
    say(bench, "6C 00000000 00 01 000000");
    hear(bench, "82 05000000 00 01 00 00 00 11 00 00 0A 00");
    say(bench, "61 07000000 00 02 010000 18 10 FF 75 03 FE 00");
    hear(bench, "82 07000000 00 02 00 00 01 18 10 FF 75 03 FE 00");
    say(bench, "6C 00000000 00 03 000000");
    hear(bench, "82 07000000 00 03 00 00 01 18 10 FF 75 03 FE 00");
    say(bench, "6D 00000000 00 04 000000");
    hear(bench, "82 05000000 00 04 00 00 00 11 00 00 0A 00");
}

static void parameter_errors(void **state)
{
    (void)state;
    static const struct {
        const char *request, *reply;
    } cases[] = {
        {"61 05000000 00 01 800000 1100000A00", "82 00000000 00 01 40 07 00"},     // 2-wire
        {"61 07000000 00 01 000000 1100000A000000", "82 00000000 00 01 40 01 00"}, // T=0 is 5 bytes
        {"61 05000000 00 01 000000 7100000A00", "82 00000000 00 01 40 0A 00"},     // Fi reserved
        {"61 05000000 00 01 000000 1101000A00", "82 00000000 00 01 40 0B 00"},
        {"61 05000000 00 01 000000 1100000000", "82 00000000 00 01 40 0D 00"},
        {"61 05000000 00 01 000000 1100000A04", "82 00000000 00 01 40 0E 00"},
        {"61 07000000 00 01 010000 1100004D002000", "82 00000000 00 01 40 0B 00"},
        {"61 07000000 00 01 010000 111000AD002000", "82 00000000 00 01 40 0D 00"},
        {"61 07000000 00 01 010000 1110004D00FF00", "82 00000000 00 01 40 0F 00"},
        {"61 07000000 00 01 010000 1110004D002021", "82 00000000 00 01 40 10 00"}, // NAD without feature 200
    };
    bench = bench_with(TPDU, "dual");
    power_on(bench);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        say(bench, cases[i].request);
        hear(bench, cases[i].reply);
    }
}

static void parameters_from_atr(void **state)
{
    (void)state;
    bench = bench_with(TPDU | 2, "t1-crc");
    power_on(bench);
    say(bench, "6C 00000000 00 01 000000");
    hear(bench, "82 07000000 00 01 00 00 01 11 11 00 45 00 20 00");
}

static void negotiated_by_reader(void **state)
{
    (void)state;
    bench = bench_with(0x0004047A, "dual"); // feature 40
    power_on(bench);
    say(bench, "6C 00000000 00 01 000000");
    hear(bench, "82 05000000 00 01 00 00 00 18 00 00 0A 00");
    say(bench, "61 07000000 00 02 010000 18 10 00 4D 00 20 00"); // its choice of protocol stands
    hear(bench, "82 00000000 00 02 40 07 00");
    say(bench, "61 05000000 00 03 000000 11 00 00 0A 00");
    hear(bench, "82 00000000 00 03 40 0A 00");
    say(bench, "61 05000000 00 04 000000 18 00 01 0A 00");
    hear(bench, "82 05000000 00 04 00 00 00 18 00 01 0A 00");
}

static void pps_by_set_parameters(void **state)
{
    (void)state;
    bench = bench_with(EXTENDED, "dual"); // feature 80
    power_on(bench);
    set_parameters(bench, 1, "18 10 00 55 00 FE 00");
    apdu(bench, "00 A4 00 0C 02 3F 00", "90 00");
    command(bench, 0x61, 1, 0, (const uint8_t *)"\x11\x10\x00\x55\x00\xFE\x00",
            7); // too late for another PPS
    answered(bench, 0x82, 0x40, 0x0A, 0);
}

static void pps_refused(void **state)
{
    (void)state;
    bench = bench_with(EXTENDED, "bad-pps");
    power_on(bench);
    command(bench, 0x61, 0, 0, (const uint8_t *)"\x18\x00\x00\x0A\x00", 5);
    answered(bench, 0x82, 0x40, 0x0A, 0);
    apdu(bench, "00 A4 00 0C 02 3F 00", "90 00"); // at the default rate
}

static void clock(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0-single");
    power_on(bench);
    say(bench, "6E 00000000 00 01 010000");
    hear(bench, "81 00000000 00 01 40 00 00");
    bench_free(bench);
    bench = bench_with(TPDU | CLOCK_STOP | 2, "t0-single");
    power_on(bench);
    say(bench, "6E 00000000 00 02 010000");
    hear(bench, "81 00000000 00 02 00 00 01");
    say(bench, "65 00000000 00 03 000000");
    hear(bench, "81 00000000 00 03 00 00 01");
    say(bench, "6E 00000000 00 04 000000");
    hear(bench, "81 00000000 00 04 00 00 00");
    say(bench, "6E 00000000 00 05 020000");
    hear(bench, "81 00000000 00 05 40 07 00");
}

static void rate(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    power_on(bench);
    say(bench, "73 08000000 00 01 000000 A00F0000 002A0000");
    hear(bench, "84 00000000 00 01 40 00 00"); // both automatic
    bench_free(bench);
    bench = bench_with(0x00010000, "t0");
    power_on(bench);
    say(bench, "73 08000000 00 02 000000 401F0000 FFFFFF00");
    hear(bench, "84 08000000 00 02 00 00 00 A00F0000 80841E00"); // what it can do at most
    say(bench, "73 04000000 00 03 000000 401F0000");
    hear(bench, "84 00000000 00 03 40 01 00");
}

static void rate_must_fit(void **state)
{
    (void)state;
    bench = bench_with(0x00010000, "t0"); // neither clock nor rate follow the parameters
    power_on(bench);
    apdu(bench, "00 A4 00 00 02 3F 00", "61 0C");
    say(bench, "73 08000000 00 02 000000 A00F0000 00840300");
    hear(bench, "84 08000000 00 02 00 00 00 A00F0000 00840300");
    say(bench, "6F 07000000 00 03 000000 00A40000023F00");
    hear_nothing(bench);
    bench->now = emu_next_event(bench->reader);
    hear(bench, "80 00000000 00 03 40 FE 00");
}

static void t0_apdu(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    say(bench, "6A 00000000 00 01 030000");
    hear(bench, "81 00000000 00 01 41 00 00");
    bench_free(bench);
    bench = bench_with(EXTENDED, "t0");
    say(bench, "6A 00000000 00 02 040000");
    hear(bench, "81 00000000 00 02 41 07 00");
    power_on(bench);
    say(bench, "6A 00000000 00 03 018000"); // GET RESPONSE with CLA 80: the card does not mind
    hear(bench, "81 00000000 00 03 00 00 00");
    apdu(bench, "00 A4 00 0C 02 3F 00", "90 00");
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
        TEST(parameters),
        TEST(parameter_errors),
        TEST(parameters_from_atr),
        TEST(negotiated_by_reader),
        TEST(pps_by_set_parameters),
        TEST(pps_refused),
        TEST(clock),
        TEST(rate),
        TEST(rate_must_fit),
        TEST(t0_apdu),
        TEST(mechanical),
        TEST(abort_control_first),
        TEST(abort_bulk_first),
        TEST(abort_of_another),
        TEST(removal_ends_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
