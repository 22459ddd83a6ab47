// SPDX-License-Identifier: MIT
// Attributes: which exist when, and their values. Fixed sizes are those of the reference.
#include "tests/smclib/bench.h"

static nt_status get(uint32_t tag)
{
    return control_word(GET_ATTRIBUTE, tag, sizeof answer);
}

struct row {
    uint32_t tag;
    size_t length;
    const char *bytes; // the value, little-endian
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_status(get(rows[i].tag), ST_SUCCESS);
        assert_int_equal(answered, rows[i].length);
        assert_memory_equal(answer, rows[i].bytes, rows[i].length);
        assert_int_equal(answer[answered], 0xEE);
        if (rows[i].length > 1) {
            assert_status(control_word(GET_ATTRIBUTE, rows[i].tag, rows[i].length - 1), ST_BUFFER_TOO_SMALL);
            assert_int_equal(answered, 0);
        }
    }
}

static const struct row reader_rows[] = {
    {0x00010100, 7, "Lectern"}, // the driver counted the terminator
    {0x00010101, 5, "Bench"},
    {0x00010102, 4, "\x45\x03\x02\x01"},
    {0x00020110, 4, "\x07\x00\x20\x00"}, // USB, channel 7
    {0x00030120, 4, "\x03\x00\x00\x00"},
    {0x00030121, 4, "\xA0\x0F\x00\x00"},
    {0x00030122, 4, "\x88\x13\x00\x00"},
    {0x00030123, 4, "\x00\x2A\x00\x00"},
    {0x00030124, 4, "\x16\x40\x05\x00"},
    {0x00030125, 4, "\xFE\x00\x00\x00"},
    {0x00040131, 4, "\x00\x00\x00\x00"},
    {0x00060150, 4, "\x02\x00\x00\x00"},
    {0x7FFF0001, 4, "\x03\x00\x00\x00"},
};

static void reader_values_need_no_card(void **state)
{
    (void)state;
    check_rows(reader_rows, sizeof reader_rows / sizeof reader_rows[0]);
    card_insert(MULTIFLEX);
    check_rows(reader_rows, sizeof reader_rows / sizeof reader_rows[0]);
}

static const struct row card_rows[] = {
    {0x00080201, 4, "\x01\x00\x00\x00"}, // T=0
    {0x00080202, 4, "\xA0\x0F\x00\x00"},
    {0x00080203, 4, "\x74\x01\x00\x00"}, // F 372
    {0x00080204, 4, "\x0C\x00\x00\x00"}, // D 12
    {0x00080205, 4, "\x00\x00\x00\x00"},
    {0x00080206, 4, "\xFF\x00\x00\x00"}, // WI 255
    {0x00080207, 4, "\x20\x00\x00\x00"},
    {0x00080208, 4, "\x20\x00\x00\x00"},
    {0x00080209, 4, "\x04\x00\x00\x00"},
    {0x0008020A, 4, "\x0D\x00\x00\x00"},
    {0x0008020B, 4, "\x00\x00\x00\x00"},
    {0x00090303, 10, "\x3B\x95\x18\x40\xFF\x62\x01\x02\x01\x04"},
    {0x00090304, 1, "\x01"},
};

static void card_values_need_a_card_that_was_reset(void **state)
{
    const size_t count = sizeof card_rows / sizeof card_rows[0];

    (void)state;
    card_insert(EGATE);
    assert_status(get(0x00080201), ST_SUCCESS);
    assert_int_equal(answer_word(), 0); // negotiable
    assert_status(control_word(SET_PROTOCOL, T0, 4), ST_SUCCESS);
    check_rows(card_rows, count);
    for (uint32_t s = UNKNOWN; s < NEGOTIABLE; s++) {
        set_state(s);
        for (size_t i = 0; i < count; i++) {
            assert_status(get(card_rows[i].tag), ST_INVALID_DEVICE_STATE);
            assert_int_equal(answered, 0);
        }
    }
}

static void crc_shows_in_the_encoding(void **state)
{
    (void)state;
    card_insert("3B808171804501B4");
    assert_status(get(0x0008020B), ST_SUCCESS);
    assert_int_equal(answer_word(), 1);
    assert_status(get(0x00080207), ST_SUCCESS);
    assert_int_equal(answer_word(), 128);
}

static void presence_follows_the_state(void **state)
{
    static const uint8_t presence[] = {0, 0, 2, 2, 2, 2, 2};
    static const uint8_t contact[] = {0, 0, 0, 0, 1, 1, 1};

    (void)state;
    for (uint32_t s = UNKNOWN; s <= SPECIFIC; s++) {
        set_state(s);
        assert_status(get(0x00090300), ST_SUCCESS);
        assert_int_equal(answered, 1);
        assert_int_equal(answer[0], presence[s]);
        assert_status(get(0x00090301), ST_SUCCESS);
        assert_int_equal(answered, 1);
        assert_int_equal(answer[0], contact[s]);
    }
}

static uint8_t presence(void)
{
    assert_status(get(0x00090300), ST_SUCCESS);
    return answer[0];
}

static void presence_in_a_reader_with_mechanics(void **state)
{
    (void)state;
    test_reader.swallows = 1;
    set_state(PRESENT);
    assert_int_equal(presence(), 1);
    set_state(SWALLOWED);
    assert_int_equal(presence(), 2);
    test_reader.confiscated = 1;
    assert_int_equal(presence(), 4);
    set_state(ABSENT);
    assert_int_equal(presence(), 4);
}

static void atr_that_was_never_stored_has_no_value(void **state)
{
    (void)state;
    set_state(NEGOTIABLE);
    assert_status(get(0x00090303), ST_INVALID_DEVICE_STATE);
    assert_int_equal(answered, 0);
}

static void what_has_no_value_is_not_supported(void **state)
{
    static const uint32_t tags[] = {0x00010103 /* empty serial number */,
                                    0x00050140,
                                    0x00050142,
                                    0x0008020C,
                                    0x00090302,
                                    0x0007A000,
                                    0x0007A003,
                                    0x0007A005,
                                    0x0007A007,
                                    0x7FFF0002,
                                    0x7FFF0003,
                                    0x7FFF0004,
                                    0x7FFF0005,
                                    0x7FFF0006,
                                    0x7FFF0007,
                                    0x7FFE0001,
                                    0x7FFE0002,
                                    0x7FFE0003,
                                    0,
                                    0xFFFFFFFF,
                                    0x00090305};

    (void)state;
    for (int card = 0; card < 2; card++) {
        for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
            assert_status(get(tags[i]), ST_NOT_SUPPORTED);
            assert_int_equal(answered, 0);
        }
        card_insert(MULTIFLEX);
    }
}

static void setting(void **state)
{
    const uint32_t in_use[2] = {0x7FFF0002, 1};

    (void)state;
    assert_status(control(SET_ATTRIBUTE, in_use, sizeof in_use, 0), ST_SUCCESS);
    assert_int_equal(answered, 0); // nothing to copy back
    assert_status(control(SET_ATTRIBUTE, in_use, sizeof in_use, 4), ST_SUCCESS);
    assert_int_equal(answered, 4);
    assert_status(control_word(SET_ATTRIBUTE, 0x00010100, 0), ST_NOT_SUPPORTED);
    assert_status(control_word(SET_ATTRIBUTE, 0x00090303, 0), ST_NOT_SUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reader_values_need_no_card, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(card_values_need_a_card_that_was_reset, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(crc_shows_in_the_encoding, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(presence_follows_the_state, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(presence_in_a_reader_with_mechanics, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(atr_that_was_never_stored_has_no_value, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(what_has_no_value_is_not_supported, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(setting, bench_setup, bench_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
