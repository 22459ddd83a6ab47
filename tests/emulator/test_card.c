// SPDX-License-Identifier: MIT
// The ISO 7816-4 application, through a reader that passes APDUs as they are.
#include "tests/emulator/harness.h"

#include <string.h>

enum { EXTENDED = 0x000404BA };

static struct bench *bench;

static int setup(void **state)
{
    (void)state;
    struct emu_model model = model_with(EXTENDED, 65554);
    bench = bench_of(&model, "t1-extended");
    power_on(bench);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_free(bench);
    return 0;
}

static void select_forms(void **state)
{
    (void)state;
    apdu(bench, "00 A4 00 00 00", "6F 0A 82 01 38 83 02 3F 00 8A 01 05 90 00");
    apdu(bench, "00 A4 00 04 02 50 00 00",
         "62 15 82 01 38 83 02 50 00 84 09 F0 4C 45 43 54 45 52 4E 01 8A 01 05 90 00");
    apdu(bench, "00 A4 02 04 02 50 03 00",
         "62 15 80 02 00 80 82 05 02 21 00 20 04 83 02 50 03 88 01 18 8A 01 05 90 00");
    apdu(bench, "00 A4 02 04 02 50 03 05", "62 15 80 02 00 90 00"); // as much as was asked for
    apdu(bench, "00 A4 02 0C 02 50 00", "6A 82");                   // a DF is no EF
    apdu(bench, "00 A4 03 0C", "90 00");
    apdu(bench, "00 A4 01 0C 02 50 00", "90 00");
    apdu(bench, "00 A4 01 0C 02 50 01", "6A 82");
    apdu(bench, "00 A4 00 0C 02 2F 00", "90 00"); // of the parent
    apdu(bench, "00 A4 04 0C 03 F0 4C 45", "90 00");
    apdu(bench, "00 A4 09 0C 02 50 01", "90 00");
    apdu(bench, "00 A4 08 0C 04 50 00 50 04", "90 00");
    apdu(bench, "00 A4 08 0C 04 50 01 50 04", "6A 82");
}

static void select_errors(void **state)
{
    (void)state;
    apdu(bench, "00 A4 05 00 02 3F 00", "6A 86");
    apdu(bench, "00 A4 00 01 02 3F 00", "6A 86");
    apdu(bench, "00 A4 00 08 02 3F 00", "6A 86");
    apdu(bench, "00 A4 00 00 03 3F 00 00", "6A 87");
    apdu(bench, "00 A4 08 00 03 3F 00 00", "6A 87");
    apdu(bench, "00 A4 04 00", "6A 87");
    apdu(bench, "00 A4 04 00 02 A0 00", "6A 82");
    apdu(bench, "00 A4 00 00 02 12 34", "6A 82");
}

static void classes_and_instructions(void **state)
{
    (void)state;
    apdu(bench, "04 A4 00 00 02 3F 00", "6E 00");
    apdu(bench, "00 A5 00 00", "6D 00");
    apdu(bench, "80 A4 00 00 02 3F 00", "6D 00");
}

static void binary(void **state)
{
    (void)state;
    apdu(bench, "00 B0 00 00 01", "69 86"); // no EF selected
    apdu(bench, "00 A4 00 0C 02 50 00", "90 00");
    apdu(bench, "00 B0 81 00 02", "40 41 90 00");
    apdu(bench, "00 B0 01 8E 00", "CE CF 90 00"); // all there is
    apdu(bench, "00 B0 01 8E 03", "CE CF 62 82");
    apdu(bench, "00 B0 01 90 01", "6B 00");
    apdu(bench, "00 B0 A1 00 01", "6A 86");
    apdu(bench, "00 B0 85 00 01", "6A 82");
    apdu(bench, "00 B0 83 00 01", "69 81"); // records
    apdu(bench, "00 B0 81 00", "67 00");
    apdu(bench, "00 D6 81 10 02 AA BB", "90 00");
    apdu(bench, "00 B0 00 0F 04", "4F AA BB 52 90 00");
    apdu(bench, "00 D6 01 8F 02 AA BB", "6A 84");
    apdu(bench, "00 D6 00 00", "67 00");
    apdu(bench, "00 D6 84 00 01 00", "69 82"); // read-only
    apdu(bench, "00 B0 EF FF 00", "6A 86");
}

static void records(void **state)
{
    (void)state;
    apdu(bench, "00 A4 00 0C 02 50 00", "90 00");
    apdu(bench, "00 B2 02 04 01", "69 86");
    apdu(bench, "00 B2 02 1C 04", "30 31 32 33 90 00");
    apdu(bench, "00 B2 00 04 02", "30 31 90 00"); // the current one
    apdu(bench, "00 B2 05 1C 00", "6A 83");
    apdu(bench, "00 B2 01 1D 00", "6A 86");
    apdu(bench, "00 B2 01 0C 00", "69 81");
    apdu(bench, "00 B2 01 2C 00", "6A 82");
    apdu(bench, "00 B2 01 1C", "67 00");
    apdu(bench, "00 DC 01 1C 02 AA BB", "67 00");
    apdu(bench, "00 DC 01 1C 20 0102030405060708 0102030405060708 0102030405060708 01020304050607FF",
         "90 00");
    apdu(bench, "00 B2 01 1C 08", "01 02 03 04 05 06 07 08 90 00");
    apdu(bench, "00 A4 03 0C", "90 00");
    apdu(bench, "00 B2 01 F4 02", "61 15 90 00"); // EF.DIR by its short identifier
}

static void pin(void **state)
{
    (void)state;
    apdu(bench, "00 A4 00 0C 02 50 00", "90 00");
    apdu(bench, "00 D6 82 00 01 11", "69 82");
    apdu(bench, "00 20 00 01", "63 C3");
    apdu(bench, "00 20 00 01 08 31 32 33 35 FF FF FF FF", "63 C2");
    apdu(bench, "00 20 00 01 08 31 32 33 34 FF FF FF FF", "90 00");
    apdu(bench, "00 20 00 01", "90 00");
    apdu(bench, "00 D6 82 00 01 11", "90 00");
    apdu(bench, "00 20 00 01 04 31 32 33 34", "67 00");
    apdu(bench, "00 20 00 02 08 31 32 33 34 FF FF FF FF", "6A 88");
    apdu(bench, "00 20 01 01 08 31 32 33 34 FF FF FF FF", "6A 86");
    power_on(bench);
    apdu(bench, "00 20 00 01", "63 C3"); // a reset ends it
    apdu(bench, "00 24 00 01 10 31 32 33 34 FF FF FF FF 35 36 37 38 FF FF FF FF", "90 00");
    apdu(bench, "00 20 00 81 08 31 32 33 34 FF FF FF FF", "63 C2");
    apdu(bench, "00 20 00 81 08 31 32 33 34 FF FF FF FF", "63 C1");
    apdu(bench, "00 20 00 81 08 31 32 33 34 FF FF FF FF", "63 C0");
    apdu(bench, "00 20 00 81 08 35 36 37 38 FF FF FF FF", "69 83");
    apdu(bench, "00 20 00 01", "69 83");
    power_on(bench);
    apdu(bench, "00 24 00 01 10 35 36 37 38 FF FF FF FF 31 32 33 34 FF FF FF FF", "69 83");
}

static void challenge(void **state)
{
    (void)state;
    uint8_t first[8];
    command(bench, 0x6F, 0, 0, (const uint8_t *)"\x00\x84\x00\x00\x08", 5);
    answered(bench, 0x80, 0, 0, 0);
    assert_int_equal(bench->heard_length, 20);
    memcpy(first, bench->heard + 10, 8);
    command(bench, 0x6F, 0, 0, (const uint8_t *)"\x00\x84\x00\x00\x08", 5);
    answered(bench, 0x80, 0, 0, 0);
    assert_memory_not_equal(first, bench->heard + 10, 8);
    emu_remove(bench->reader, 0, 0);
    emu_insert(bench->reader, 0, 0, "t1-extended");
    power_on(bench);
    command(bench, 0x6F, 0, 0, (const uint8_t *)"\x00\x84\x00\x00\x08", 5);
    answered(bench, 0x80, 0, 0, 0);
    assert_memory_equal(first, bench->heard + 10, 8); // the same card says the same
    apdu(bench, "00 84 00 01 08", "6A 86");
    apdu(bench, "00 84 00 00", "67 00");
    apdu(bench, "00 84 00 00 00 01 01", "67 00");
}

static void echo_cases(void **state)
{
    (void)state;
    apdu(bench, "80 E0 00 00", "90 00");
    apdu(bench, "80 E0 40 00 05", "00 01 02 03 04 90 00");
    apdu(bench, "80 E0 40 02 05", "00 01 90 00");
    apdu(bench, "80 E0 80 00 03 AA BB CC", "90 00");
    apdu(bench, "80 E0 C0 00 03 AA BB CC 00", "AA BB CC 90 00");
    apdu(bench, "80 E0 C0 05 03 AA BB CC 00", "AA BB CC AA BB 90 00");
    apdu(bench, "80 E0 C0 05 03 AA BB CC 02", "AA BB 90 00");
    apdu(bench, "80 E0 00 00 03 AA BB CC", "67 00");
    apdu(bench, "80 E0 C0 00 00 00 03 AA BB CC 00 00", "AA BB CC 90 00");
}

static void malformed_apdus(void **state)
{
    (void)state;
    apdu(bench, "80 E0 80 00 03 AA", "67 00");
    apdu(bench, "80 E0 80 00 01 AA BB CC", "67 00");
    apdu(bench, "80 E0 80 00 00 00 00 AA", "67 00");
    apdu(bench, "80 E0 80 00 00 00 02 AA", "67 00");
    apdu(bench, "80 E0 80 00 00 00", "67 00");
}

static void no_extended_length(void **state)
{
    (void)state;
    emu_remove(bench->reader, 0, 0);
    emu_insert(bench->reader, 0, 0, "t1");
    power_on(bench);
    apdu(bench, "00 A4 00 00 00 00 02 3F 00", "67 00");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(select_forms),
        TEST(select_errors),
        TEST(classes_and_instructions),
        TEST(binary),
        TEST(records),
        TEST(pin),
        TEST(challenge),
        TEST(echo_cases),
        TEST(malformed_apdus),
        TEST(no_extended_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
