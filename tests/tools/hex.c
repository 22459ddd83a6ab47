// SPDX-License-Identifier: MIT
#include "tools/hex.h"

#include "tests/support/hosttest.h"

static void test_forms(void **state)
{
    static const uint8_t expected[] = {0x00, 0xA4, 0xFF};
    static const char *const forms[] = {"00a4ff", "00A4FF", "00 A4 FF", "00:a4:fF", " 00A4:FF "};
    const char *wrong;
    uint8_t bytes[3];
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        assert_int_equal(hex_parse(forms[i], bytes, sizeof bytes, &wrong), 3);
        assert_memory_equal(bytes, expected, sizeof expected);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *wrong;
    } rows[] = {
        {"ZZ", "not hex digits"},
        {"0Z", "not hex digits"},
        {"00 A", "odd number of hex digits"},
        {"0", "odd number of hex digits"},
        {"0 0", "odd number of hex digits"},
        {"", "empty"},
        {" : ", "empty"},
        {"00010203", "too long"},
        {"00-01", "not hex digits"},
    };
    const char *wrong;
    uint8_t bytes[3];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wrong = "";
        assert_int_equal(hex_parse(rows[i].text, bytes, sizeof bytes, &wrong), -1);
        assert_string_equal(wrong, rows[i].wrong);
    }
}

static void test_print(void **state)
{
    static const uint8_t bytes[] = {0x90, 0x00, 0xAF};
    char text[sizeof bytes * 3];
    (void)state;
    hex_print(bytes, sizeof bytes, text);
    assert_string_equal(text, "90 00 AF");
    hex_print(bytes, 0, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
