// SPDX-License-Identifier: MIT
// SmartcardLogError, as it arrives in the event log.
#include "nthost/io/errorlog.h"
#include "tests/smclib/bench.h"

static struct iop_log_entry log_error(const char *insertion)
{
    struct iop_log_entry entry;

    iop_log_clear();
    assert_status(control(TEST_LOG, insertion, insertion == NULL ? 0 : strlen(insertion), 0), ST_SUCCESS);
    assert_int_equal(iop_log_count(), 1);
    assert_int_equal(iop_log_read(0, &entry), 0);
    assert_int_equal(entry.code, 0xC0100002);
    assert_int_equal(entry.dump_count, 1);
    assert_int_equal(entry.dump[0], 0x12345678);
    return entry;
}

static void code_string_and_word_arrive(void **state)
{
    (void)state;
    assert_string_equal(log_error("slot 1").strings, "slot 1");
    assert_string_equal(log_error(NULL).strings, "");
}

// The packet's size is one byte and limited: the string is cut, nothing else is lost.
static void long_string_is_cut(void **state)
{
    static const size_t room = (240 - 0x28 - 4) / 2 - 1; // WCHARs, without the terminator
    char text[250];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_in_range(strlen(log_error(text).strings), room - 8, room);
    text[room - 8] = '\0';
    assert_string_equal(log_error(text).strings, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(code_string_and_word_arrive, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(long_string_is_cut, bench_setup, bench_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
