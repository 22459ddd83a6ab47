// SPDX-License-Identifier: MIT
// ICCD tokens, both versions, by control requests only.
#include "tests/emulator/harness.h"

#include <string.h>

static struct bench *bench;

static void open_token(uint8_t protocol, uint32_t features, const char *card)
{
    struct emu_model model = model_with(features, 271);
    model.interface_protocol = protocol;
    model.endpoints = 0;
    bench = bench_of(&model, card);
}

static int teardown(void **state)
{
    (void)state;
    bench_free(bench);
    return 0;
}

static void sends(uint8_t request, uint16_t value, const char *hex)
{
    uint8_t bytes[512];
    size_t length = bytes_of(hex, bytes);
    assert_int_equal(control(bench, 0x21, request, value, 0, bytes, &length), EMU_OK);
}

static void reads(uint8_t request, size_t room, const char *hex)
{
    uint8_t bytes[512], expected[512];
    size_t length = room, wanted = bytes_of(hex, expected);
    assert_int_equal(control(bench, 0xA1, request, 0, 0, bytes, &length), EMU_OK);
    if (length != wanted || memcmp(bytes, expected, wanted) != 0) {
        for (size_t i = 0; i < length && i < 40; i++) {
            print_error("%02X ", bytes[i]);
        }
        print_error("is not %s\n", hex);
    }
    assert_int_equal(length, wanted);
    assert_memory_equal(bytes, expected, wanted);
}

static void stalls(uint8_t type, uint8_t request, size_t length)
{
    uint8_t bytes[512] = {0};
    assert_int_equal(control(bench, type, request, 0, 0, bytes, &length), EMU_STALL);
}

static void version_a(void **state)
{
    (void)state;
    open_token(1, 0x840, "t0");
    stalls(0x21, 0x65, 5); // not powered
    reads(0x62, 40, "3B6500008073FC2100");
    reads(0xA0, 1, "00");
    sends(0x65, 0, "00A4000C02");
    reads(0xA0, 1, "10");
    sends(0x65, 0, "5000");
    reads(0xA0, 1, "20");
    reads(0x6F, 2, "9000");
    reads(0xA0, 1, "00");
    sends(0x65, 0, "00B0810004");
    reads(0xA0, 1, "10");
    reads(0x6F, 4, "40414243");
    reads(0xA0, 1, "20");
    reads(0x6F, 2, "9000");
    sends(0x65, 0, "00B0850004");
    reads(0xA0, 1, "20");
    reads(0x6F, 2, "6A82");
    stalls(0xA1, 0x6F, 2);
    stalls(0x21, 0x65, 4);
    sends(0x63, 0, "");
    stalls(0x21, 0x65, 5);
}

static void version_a_waits(void **state)
{
    (void)state;
    open_token(1, 0x840, "t0");
    reads(0x62, 40, "3B6500008073FC2100");
    sends(0x65, 0, "8010001400"); // two seconds
    reads(0xA0, 1, "40");
    for (bench->now = 0; bench->now < 1990000; bench->now += 10000) {
        reads(0xA0, 1, "40");
    }
    bench->now = 2000000;
    reads(0xA0, 1, "20");
    reads(0x6F, 2, "9000");
}

static void version_a_without_chip(void **state)
{
    (void)state;
    open_token(1, 0x840, NULL);
    stalls(0xA1, 0x62, 40);
    reads(0xA0, 1, "80");
}

static void version_b(void **state)
{
    (void)state;
    open_token(2, 0x40840, "t1");
    sends(0x62, 1, "");
    reads(0x6F, 100, "00 3B858131FE458073FC2100A0");
    sends(0x65, 0, "00A4000C025000");
    reads(0x6F, 100, "00 9000");
    sends(0x65, 0, "00B0810004");
    reads(0x6F, 100, "00 404142439000");
    reads(0x81, 3, "40 00 00");
    sends(0x65, 0x0200, "00B0810004"); // the end of nothing
    reads(0x6F, 100, "40 40 08");
    sends(0x65, 0x0100, "00B08100");
    reads(0x6F, 100, "10");
    sends(0x65, 0x0200, "04");
    reads(0x6F, 100, "00 404142439000");
    stalls(0xA1, 0x6F, 3);
    sends(0x63, 0, "");
    reads(0x81, 3, "40 01 00");
    sends(0x65, 0, "0084000008");
    reads(0x6F, 100, "40 41 FE");
}

static void version_b_polls(void **state)
{
    (void)state;
    open_token(2, 0x20840, "t1");
    sends(0x62, 1, "");
    reads(0x6F, 100, "00 3B858131FE458073FC2100A0");
    sends(0x65, 0, "80100005");  // half a second
    reads(0x6F, 100, "80 3200"); // in units of 10 ms
    stalls(0x21, 0x65, 5);
    bench->now = 100000;
    reads(0x6F, 100, "80 2800");
    bench->now = 500000;
    reads(0x6F, 100, "00 9000");
    reads(0x6F, 100, "80 0000"); // nothing under way
}

static void version_b_chained_answer(void **state)
{
    (void)state;
    uint8_t block[512];
    size_t length = 300;
    open_token(2, 0x40840, "t1-extended");
    sends(0x62, 1, "");
    reads(0x6F, 100, "00 3B95968131FE558073FC214076");
    sends(0x65, 0, "80E04100000000"); // 256 bytes
    assert_int_equal(control(bench, 0xA1, 0x6F, 0, 0, block, &length), EMU_OK);
    assert_int_equal(length, 259);
    sends(0x65, 0, "80E0410A000000"); // 266
    length = 300;
    assert_int_equal(control(bench, 0xA1, 0x6F, 0, 0, block, &length), EMU_OK);
    assert_int_equal(length, 262);
    assert_int_equal(block[0], 1);
    sends(0x65, 0x1000, "");
    reads(0x6F, 100, "02 06 07 08 09 0A 90 00");
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(version_a), TEST(version_a_waits), TEST(version_a_without_chip),
        TEST(version_b), TEST(version_b_polls), TEST(version_b_chained_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
