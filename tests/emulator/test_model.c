// SPDX-License-Identifier: MIT
// Every reader known parses, enumerates, and takes a card as far as it can.
#include "tests/emulator/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_table(void)
{
    FILE *table = fopen(READERS_TSV, "r");
    char header[256];
    assert_non_null(table);
    assert_non_null(fgets(header, sizeof header, table));
    return table;
}

static void enumerate(struct bench *bench)
{
    uint8_t data[512];
    size_t length = 18;
    assert_int_equal(control(bench, 0x80, 6, 0x0100, 0, data, &length), EMU_OK);
    assert_int_equal(length, 18);
    assert_int_equal(data[8] | data[9] << 8, bench->model.vendor_id);
    assert_int_equal(data[10] | data[11] << 8, bench->model.product_id);
    length = sizeof data;
    assert_int_equal(control(bench, 0x80, 6, 0x0200, 0, data, &length), EMU_OK);
    assert_int_equal(length, 72 + 7u * bench->model.endpoints);
    assert_int_equal(data[2] | data[3] << 8, length);
    assert_int_equal(data[11], bench->model.interface_number);
    assert_int_equal(data[13], bench->model.endpoints);
    assert_int_equal(data[14], bench->model.interface_class);
    assert_memory_equal(data + 18, bench->model.ccid, 54);
}

static void every_row(void **state)
{
    (void)state;
    char line[8192];
    unsigned rows = 0;
    FILE *table = open_table();
    while (fgets(line, sizeof line, table) != NULL) {
        struct emu_model model;
        const char *wrong = emu_model_parse(line, strlen(line), &model);
        if (wrong != NULL) {
            fail_msg("%.40s: %s", line, wrong);
        }
        model.flawless = 1;
        struct bench *bench = bench_of(&model, "t0");
        enumerate(bench);
        if (model.endpoints >= 2) {
            say(bench, "65 00000000 00 01 000000");
            assert_int_equal(emu_in(bench->reader, 0, EMU_EP_IN, bench->heard, &(size_t){64}), EMU_OK);
            assert_int_equal(bench->heard[0], 0x81);
        }
        bench_free(bench);
        rows++;
    }
    (void)fclose(table);
    assert_int_equal(rows, 476);
}

#define CCID                                                                                                 \
    "36211001000703000000A00F0000A00F000000002A000090D0030000F7000000000000000000000030000100"               \
    "0F010000000000000001"

static void fields(void **state)
{
    (void)state;
    static const char row[] =
        "R\t2\t0x072F\t0x90CC\t0x0100\t3\t0xFF\t1\t2\tM\tP\t" CCID "\t4000 4800\t9600  10752\r\n";
    struct emu_model model;
    assert_null(emu_model_parse(row, sizeof row - 1, &model));
    assert_string_equal(model.name, "R#2");
    assert_int_equal(model.vendor_id, 0x072F);
    assert_int_equal(model.release, 0x0100);
    assert_int_equal(model.interface_number, 3);
    assert_int_equal(model.interface_class, 0xFF);
    assert_int_equal(model.interface_protocol, 1);
    assert_int_equal(model.endpoints, 2);
    assert_string_equal(model.manufacturer, "M");
    assert_int_equal(model.clock_count, 2);
    assert_int_equal(model.clocks_khz[1], 4800);
    assert_int_equal(model.rate_count, 2);
    assert_int_equal(model.rates_bps[1], 10752);
}

static void malformed_rows(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "R\t0\t1\t1\t1\t0\t11\t0\t3\t\t\t" CCID "\t",              // 13 fields
        "R\t0\t1\t1\t1\t0\t11\t0\t3\t\t\t" CCID "\t\t\t",          // 15
        "\t0\t1\t1\t1\t0\t11\t0\t3\t\t\t" CCID "\t\t",             // no name
        "R\tx\t1\t1\t1\t0\t11\t0\t3\t\t\t" CCID "\t\t",            // block
        "R\t0\t0x10000\t1\t1\t0\t11\t0\t3\t\t\t" CCID "\t\t",      // vid too large
        "R\t0\t1\t\t1\t0\t11\t0\t3\t\t\t" CCID "\t\t",             // pid missing
        "R\t0\t1\t1\t1\t0\t11\t0\t4\t\t\t" CCID "\t\t",            // endpoints
        "R\t0\t1\t1\t1\t0\t11\t0\t3\t\t\t36\t\t",                  // descriptor too short
        "R\t0\t1\t1\t1\t0\t11\t0\t3\t\t\tXX" CCID "\t\t",          // too long
        "R\t0\t1\t1\t1\t0\t11\t0\t3\t\t\t" CCID "\t4000,1\t",      // clock
        "R\t0\t1\t1\t1\t0\t11\t0\t3\t\t\t" CCID "\t\t99999999999", // rate too large
    };
    struct emu_model model;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (emu_model_parse(rows[i], strlen(rows[i]), &model) == NULL) {
            fail_msg("row %zu was taken", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),
        cmocka_unit_test(fields),
        cmocka_unit_test(malformed_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
