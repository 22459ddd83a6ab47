// SPDX-License-Identifier: MIT
// The control endpoint, halts, notifications, suspend.
#include "tests/emulator/harness.h"

#include <string.h>

enum { EXTENDED = 0x000404BA };

static struct bench *bench;

static int setup(void **state)
{
    (void)state;
    bench = bench_with(EXTENDED | 0x100000, "t1");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_free(bench);
    return 0;
}

static void reads(uint8_t type, uint8_t request, uint16_t value, uint16_t index, size_t room, const char *hex)
{
    uint8_t data[512], expected[512];
    size_t length = room, wanted = bytes_of(hex, expected);
    assert_int_equal(control(bench, type, request, value, index, data, &length), EMU_OK);
    assert_int_equal(length, wanted);
    assert_memory_equal(data, expected, wanted);
}

static void stalls(uint8_t type, uint8_t request, uint16_t value, uint16_t index)
{
    uint8_t data[64];
    size_t length = sizeof data;
    assert_int_equal(control(bench, type, request, value, index, data, &length), EMU_STALL);
    assert_int_equal(length, 0);
}

static void does(uint8_t type, uint8_t request, uint16_t value, uint16_t index)
{
    size_t length = 0;
    assert_int_equal(control(bench, type, request, value, index, NULL, &length), EMU_OK);
}

static void descriptors(void **state)
{
    (void)state;
    reads(0x80, 6, 0x0100, 0, 255, "12 01 0002 00 00 00 40 3412 CDAB 0201 01 02 00 01");
    reads(0x80, 6, 0x0100, 0, 8, "12 01 0002 00 00 00 40");
    reads(0x80, 6, 0x0200, 0, 18, "09 02 5D00 01 01 00 A0 32 09 04 00 00 03 0B 00 00 00");
    reads(0x80, 6, 0x0300, 0, 255, "04 03 0904");
    reads(0x80, 6, 0x0302, 0x0409, 255, "12 03 5000 7200 FC00 6600 6C00 6900 6E00 6700");
    stalls(0x80, 6, 0x0303, 0x0409); // no serial number
    stalls(0x80, 6, 0x0600, 0);      // no device qualifier: full speed only
    stalls(0x80, 6, 0x0201, 0);      // one configuration
}

static void endpoints_in_order(void **state)
{
    (void)state;
    uint8_t data[93], expected[21];
    size_t length = sizeof data;
    bytes_of("07 05 01 02 4000 00  07 05 82 02 4000 00  07 05 83 03 0800 10", expected);
    assert_int_equal(control(bench, 0x80, 6, 0x0200, 0, data, &length), EMU_OK);
    assert_memory_equal(data + 72, expected, sizeof expected);
}

static void configuration(void **state)
{
    (void)state;
    reads(0x80, 8, 0, 0, 1, "01");
    does(0x00, 9, 0, 0);
    reads(0x80, 8, 0, 0, 1, "00");
    assert_int_equal(emu_out(bench->reader, 0, EMU_EP_OUT, bench->heard, 10), EMU_GONE);
    stalls(0x81, 10, 0, 0);
    stalls(0x00, 9, 2, 0);
    does(0x00, 9, 1, 0);
    reads(0x81, 10, 0, 0, 1, "00");
    does(0x01, 11, 0, 0);
    stalls(0x01, 11, 1, 0);
    stalls(0x01, 11, 0, 7);
}

static void halt(void **state)
{
    (void)state;
    reads(0x82, 0, 0, EMU_EP_IN, 2, "0000");
    does(0x02, 3, 0, EMU_EP_IN);
    reads(0x82, 0, 0, EMU_EP_IN, 2, "0100");
    size_t length = 64;
    assert_int_equal(emu_in(bench->reader, 0, EMU_EP_IN, bench->heard, &length), EMU_STALL);
    does(0x02, 1, 0, EMU_EP_IN);
    hear_nothing(bench);
    stalls(0x02, 3, 0, 0x84);
}

static void wake_up(void **state)
{
    (void)state;
    reads(0x80, 0, 0, 0, 2, "0000");
    does(0x00, 3, 1, 0);
    reads(0x80, 0, 0, 0, 2, "0200");
    does(0x00, 1, 1, 0);
    reads(0x80, 0, 0, 0, 2, "0000");
}

static void no_wake_up(void **state)
{
    (void)state;
    bench_free(bench);
    bench = bench_with(EXTENDED, NULL);
    stalls(0x00, 3, 1, 0);
}

static void tables(void **state)
{
    (void)state;
    stalls(0xA1, 2, 0, 0);
    stalls(0xA1, 3, 0, 0);
    struct emu_model model = bench->model;
    model.clock_count = 1;
    model.clocks_khz[0] = 4000;
    model.rate_count = 2;
    model.rates_bps[0] = 10753;
    model.rates_bps[1] = 344086;
    model.interface_number = 2;
    bench_free(bench);
    bench = bench_of(&model, NULL);
    reads(0xA1, 2, 0, 2, 255, "A00F0000");
    reads(0xA1, 3, 0, 2, 255, "012A0000 16400500");
    reads(0xA1, 3, 0, 2, 5, "012A0000 16");
    stalls(0xA1, 3, 0, 0); // another interface
    stalls(0xA1, 4, 0, 2);
    stalls(0xC1, 3, 0, 2);
}

static void notifications(void **state)
{
    (void)state;
    notified(bench, "50 03"); // the card that was there before the host
    not_notified(bench);
    assert_int_equal(emu_remove(bench->reader, 0, 0), 0);
    notified(bench, "50 02");
    not_notified(bench);
    assert_int_equal(emu_insert(bench->reader, 0, 0, "t0"), 0);
    assert_int_equal(emu_remove(bench->reader, 0, 0), 0);
    assert_int_equal(emu_insert(bench->reader, 0, 0, "t0"), 0);
    notified(bench, "50 03"); // three changes are one
    not_notified(bench);
}

static void suspend(void **state)
{
    (void)state;
    notified(bench, "50 03");
    power_on(bench);
    emu_suspend(bench->reader, 1, true);
    emu_suspend(bench->reader, 2, false);
    notified(bench, "50 03");
    command(bench, 0x65, 0, 0, NULL, 0);
    answered(bench, 0x81, 1, 0, 0); // present, unpowered
}

static void bus_reset(void **state)
{
    (void)state;
    power_on(bench);
    emu_reader_reset(bench->reader, 5);
    reads(0x80, 8, 0, 0, 1, "00");
    does(0x00, 9, 1, 0);
    command(bench, 0x65, 0, 0, NULL, 0);
    answered(bench, 0x81, 1, 0, 0);
}

static void multi_slot(void **state)
{
    (void)state;
    struct emu_model model = model_with(EXTENDED, 271);
    model.ccid[4] = 5;
    bench_free(bench);
    bench = bench_of(&model, NULL);
    assert_int_equal(emu_slots(bench->reader), 6);
    assert_int_equal(emu_insert(bench->reader, 0, 1, "t0"), 0);
    assert_int_equal(emu_insert(bench->reader, 0, 4, "t1"), 0);
    notified(bench, "50 0C 03");
    assert_int_equal(emu_remove(bench->reader, 0, 1), 0);
    notified(bench, "50 08 01");
    assert_int_equal(emu_insert(bench->reader, 0, 6, "t0"), -1);
    assert_int_equal(emu_insert(bench->reader, 0, 0, "t9"), -2);
    assert_int_equal(emu_insert(bench->reader, 0, 4, "t0"), -3);
    assert_int_equal(emu_remove(bench->reader, 0, 0), -3);
    assert_int_equal(emu_remove(bench->reader, 0, 6), -1);
}

static void no_interrupt_endpoint(void **state)
{
    (void)state;
    struct emu_model model = model_with(EXTENDED, 271);
    model.endpoints = 2;
    bench_free(bench);
    bench = bench_of(&model, "t0");
    size_t length = 8;
    assert_int_equal(emu_in(bench->reader, 0, EMU_EP_INTERRUPT, bench->heard, &length), EMU_GONE);
    stalls(0x02, 3, 0, EMU_EP_INTERRUPT);
}

static void card_names(void **state)
{
    (void)state;
    size_t count = 0;
    while (emu_card_name(count) != NULL) {
        assert_non_null(emu_card_description(count));
        assert_true(strlen(emu_card_name(count)) < 32);
        count++;
    }
    assert_true(count >= 6);
    assert_null(emu_card_description(count));
    assert_string_equal(emu_card_name(0), "t0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(descriptors), TEST(endpoints_in_order), TEST(configuration), TEST(halt),
        TEST(wake_up),     TEST(no_wake_up),         TEST(tables),        TEST(notifications),
        TEST(suspend),     TEST(bus_reset),          TEST(multi_slot),    TEST(no_interrupt_endpoint),
        TEST(card_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
