// SPDX-License-Identifier: MIT
// XfrBlock at TPDU and character level: the bytes on the line are the host's.
#include "tests/emulator/harness.h"

enum { CHARACTER = 0x00000030, TPDU = 0x00010030 };

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

// ---- TPDU ----

static void tpdu_t0(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    power_on(bench);
    apdu(bench, "00 A4 00 0C 02 50 00", "90 00");
    apdu(bench, "00 A4 02 04 02 50 01", "61 13");
    apdu(bench, "00 C0 00 00 05", "62 11 80 02 01 61 0E");
    apdu(bench, "00 C0 00 00 0E", "90 82 01 01 83 02 50 01 88 01 08 8A 01 05 90 00");
    apdu(bench, "00 C0 00 00 01", "69 85");
    apdu(bench, "00 B0 00 00 04", "40 41 42 43 90 00");
    apdu(bench, "00 B0 01 7F 20", "6C 11");
    apdu(bench, "00 B0 01 7F 11", "BF C0 C1 C2 C3 C4 C5 C6 C7 C8 C9 CA CB CC CD CE CF 90 00");
    apdu(bench, "80 E0 00 00", "90 00"); // case 1
    apdu(bench, "00 61 00 00 00", "6D 00");
    apdu(bench, "00 FF 00 00 00", "6D 00");
}

static void tpdu_t0_lengths(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    power_on(bench);
    command(bench, 0x6F, 0, 0, (const uint8_t *)"\x00\x84\x00", 3);
    answered(bench, 0x80, 0x40, 0x01, 0);
    command(bench, 0x6F, 0, 0, (const uint8_t *)"\x00\xA4\x00\x00\x02\x3F\x00\x00", 8); // a case 4 APDU
    answered(bench, 0x80, 0x40, 0x01, 0);
    command(bench, 0x6F, 0, 1, (const uint8_t *)"\x00\x84\x00\x00\x08", 5); // wLevelParameter is RFU
    answered(bench, 0x80, 0x40, 0x08, 0);
}

static void tpdu_t0_single_bytes(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0-single");
    power_on(bench);
    apdu(bench, "00 A4 08 0C 04 50 00 50 01", "90 00");
    apdu(bench, "00 B0 00 00 03", "40 41 42 90 00");
    apdu(bench, "00 D6 00 00 03 11 22 33", "90 00");
    apdu(bench, "00 B0 00 00 04", "11 22 33 43 90 00");
}

static void tpdu_t0_pps(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "dual");
    power_on(bench);
    apdu(bench, "FF 10 18 F7", "FF 10 18 F7");
    set_parameters(bench, 0, "18 00 00 0A 00");
    apdu(bench, "00 A4 00 0C 02 3F 00", "90 00");
}

static void tpdu_pps_to_t1(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "dual");
    power_on(bench);
    apdu(bench, "FF 11 18 F6", "FF 11 18 F6");
    set_parameters(bench, 1, "18 10 00 55 00 FE 00");
    apdu(bench, "00 00 07 00 A4 00 0C 02 3F 00 92", "00 00 02 90 00 92");
}

static void tpdu_pps_refused(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "bad-pps");
    power_on(bench);
    apdu(bench, "FF 10 18 F7", "FF 00 FF");
    apdu(bench, "00 A4 00 0C 02 3F 00", "90 00");
}

static void tpdu_pps_wrong(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "dual");
    power_on(bench);
    say(bench, "6F 04000000 00 01 000000 FF1018F8"); // wrong PCK: the card stays mute
    wait_for_event();
    hear(bench, "80 00000000 00 01 40 FE 00");
}

static void tpdu_without_set_parameters(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "dual");
    power_on(bench);
    apdu(bench, "FF 10 18 F7", "FF 10 18 F7");
    say(bench, "6F 05000000 00 01 000000 0084000008"); // the reader still sends at the old rate
    wait_for_event();
    hear(bench, "80 00000000 00 01 40 FE 00");
}

static void tpdu_wrong_protocol(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t1"); // the parameters say T=0
    power_on(bench);
    say(bench, "6F 04000000 00 01 000000 00A40000");
    hear(bench, "80 00000000 00 01 40 F4 00"); // the R-block it gets is no procedure byte
}

static void tpdu_t1(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t1");
    power_on(bench);
    set_parameters(bench, 1, "11 10 00 45 00 FE 00");
    apdu(bench, "00 C1 01 FE 3E", "00 E1 01 FE 1E");
    apdu(bench, "00 00 07 00 A4 00 0C 02 50 00 FD", "00 00 02 90 00 92");
    apdu(bench, "00 40 05 00 B0 81 00 03 77", "00 40 05 40 41 42 90 00 96");
    apdu(bench, "00 00 05 00 B0 81 00 03 38", "00 81 00 81"); // LRC wrong
    apdu(bench, "00 40 05 00 B0 81 00 03 77", "00 82 00 82"); // N(S) wrong
    apdu(bench, "00 00 05 00 B0 81 00 37", "00 81 00 81");    // too short
    apdu(bench, "00 C0 00 C0", "00 E0 00 E0");
    apdu(bench, "21 00 05 00 B0 81 00 03 16", "12 00 05 40 41 42 90 00 C4"); // NAD comes back turned round
}

static void tpdu_t1_chaining(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t1");
    power_on(bench);
    set_parameters(bench, 1, "11 10 00 45 00 FE 00");
    apdu(bench, "00 C1 01 04 C4", "00 E1 01 04 E4");
    apdu(bench, "00 20 04 00 A4 00 0C 8C", "00 90 00 90"); // command in two parts
    apdu(bench, "00 40 03 02 50 00 11", "00 00 02 90 00 92");
    apdu(bench, "00 00 05 00 B0 81 00 08 3C", "00 60 04 40 41 42 43 64");
    apdu(bench, "00 80 00 80", "00 20 04 44 45 46 47 24");
    apdu(bench, "00 80 00 80", "00 20 04 44 45 46 47 24"); // asked for again
    apdu(bench, "00 90 00 90", "00 40 02 90 00 D2");
}

static void tpdu_t1_waiting_time(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t1");
    power_on(bench);
    set_parameters(bench, 1, "11 10 00 45 00 FE 00");
    say(bench, "6F 08000000 00 01 000000 00 00 04 80 10 00 3C A8"); // works for six seconds, BWT is 1.4
    wait_for_event();
    hear(bench, "80 05000000 00 01 00 00 00 00 C3 01 04 C6");
    assert_true(bench->now < 1430000);
    say(bench, "6F 05000000 00 02 040000 00 E3 01 04 E6");
    wait_for_event();
    hear(bench, "80 05000000 00 02 00 00 00 00 C3 01 01 C3");
    say(bench, "6F 05000000 00 03 010000 00 E3 01 01 E3");
    wait_for_event();
    hear(bench, "80 06000000 00 03 00 00 00 00 00 02 90 00 92");
    assert_true(bench->now == 6000000);
}

static void tpdu_t1_waiting_time_refused(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t1");
    power_on(bench);
    set_parameters(bench, 1, "11 10 00 45 00 FE 00");
    say(bench, "6F 08000000 00 01 000000 00 00 04 80 10 00 3C A8");
    wait_for_event();
    hear(bench, "80 05000000 00 01 00 00 00 00 C3 01 04 C6");
    say(bench, "6F 05000000 00 02 000000 00 E3 01 04 E6"); // granted, but not to the reader: bBWI 0
    wait_for_event();
    hear(bench, "80 00000000 00 02 40 FE 00");
}

static void tpdu_automatic_ifsd(void **state)
{
    (void)state;
    bench = bench_with(TPDU | 0x400, "t1");
    power_on(bench);
    set_parameters(bench, 1, "11 10 00 45 00 FE 00");
    apdu(bench, "00 00 07 00 A4 00 0C 02 50 00 FD", "00 00 02 90 00 92");
    command(bench, 0x6F, 0, 0, (const uint8_t *)"\x00\x40\x05\x00\xB0\x81\x00\x60\x14", 9);
    answered(bench, 0x80, 0, 0, 0);
    assert_int_equal(bench->heard_length, 10 + 3 + 96 + 2 + 1); // one block, more than the default IFSD
}

static void tpdu_t0_time_extension(void **state)
{
    (void)state;
    bench = bench_with(TPDU, "t0");
    power_on(bench);
    say(bench, "6F 05000000 00 01 000000 80 10 00 14 00"); // two seconds, WWT is 0.89
    wait_for_event();
    hear(bench, "80 00000000 00 01 80 01 00");
    wait_for_event();
    hear(bench, "80 00000000 00 01 80 01 00");
    wait_for_event();
    hear(bench, "80 02000000 00 01 00 00 00 90 00");
    assert_true(bench->now == 2000000);
}

// ---- character ----

static void character_t0(void **state)
{
    (void)state;
    bench = bench_with(CHARACTER, "t0");
    power_on(bench);
    say(bench, "6F 05000000 00 01 000100 00A4000C02"); // header, one procedure byte
    hear(bench, "80 01000000 00 01 00 00 00 A4");
    say(bench, "6F 02000000 00 02 000200 5000");
    hear(bench, "80 02000000 00 02 00 00 00 9000");
    say(bench, "6F 05000000 00 03 000100 00B0810003");
    hear(bench, "80 01000000 00 03 00 00 00 B0");
    say(bench, "6F 00000000 00 04 000500");
    hear(bench, "80 05000000 00 04 00 00 00 4041429000");
    say(bench, "6F 03000000 00 05 000000 00B081"); // nothing wanted
    hear(bench, "80 00000000 00 05 00 00 00");
    say(bench, "6F 02000000 00 06 000100 0003");
    hear(bench, "80 01000000 00 06 00 00 00 B0");
}

static void character_null_bytes(void **state)
{
    (void)state;
    bench = bench_with(CHARACTER, "t0");
    power_on(bench);
    say(bench, "6F 05000000 00 01 000100 8010001400");
    wait_for_event();
    hear(bench, "80 01000000 00 01 00 00 00 60"); // the host's to interpret
}

static void character_mute(void **state)
{
    (void)state;
    bench = bench_with(CHARACTER, "t0");
    power_on(bench);
    say(bench, "6F 05000000 00 01 000200 00A4000C02"); // there is only one byte
    wait_for_event();
    hear(bench, "80 00000000 00 01 40 FE 00");
}

static void character_t1(void **state)
{
    (void)state;
    bench = bench_with(CHARACTER, "t1");
    power_on(bench);
    set_parameters(bench, 1, "11 10 00 45 00 FE 00");
    say(bench, "6F 09000000 00 01 000300 00 00 05 00 B0 84 00 02 33");
    hear(bench, "80 03000000 00 01 00 00 00 00 00 02");
    say(bench, "6F 00000000 00 02 000300");
    hear(bench, "80 03000000 00 02 00 00 00 6A 82 EA");
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tpdu_t0),
        TEST(tpdu_t0_lengths),
        TEST(tpdu_t0_single_bytes),
        TEST(tpdu_t0_pps),
        TEST(tpdu_pps_to_t1),
        TEST(tpdu_pps_refused),
        TEST(tpdu_pps_wrong),
        TEST(tpdu_without_set_parameters),
        TEST(tpdu_wrong_protocol),
        TEST(tpdu_t1),
        TEST(tpdu_t1_chaining),
        TEST(tpdu_t1_waiting_time),
        TEST(tpdu_t1_waiting_time_refused),
        TEST(tpdu_automatic_ifsd),
        TEST(tpdu_t0_time_extension),
        TEST(character_t0),
        TEST(character_null_bytes),
        TEST(character_mute),
        TEST(character_t1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
