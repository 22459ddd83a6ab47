// SPDX-License-Identifier: MIT
// Protocol parameters, PPS by the reader, clock and data rate.
#include "tests/emulator/harness.h"

enum { TPDU = 0x00010030, CLOCK_STOP = 0x100, EXTENDED = 0x000404BA };

static struct bench *bench;

static int teardown(void **state)
{
    (void)state;
    bench_free(bench);
    return 0;
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

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
