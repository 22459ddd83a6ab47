// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>

#include "nthost/user/explore.h"
#include "tests/support/hosttest.h"

static void test_there_and_back(void **state)
{
    static const char *const texts[] = {"none", "0.1", "17.1,240.2",
                                        "1.1,2.1,3.1,4.1,5.1,6.1,7.1,4294967295.3"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[NT_SCHEDULE_TEXT_MAX];
        struct nt_schedule schedule;
        assert_int_equal(nt_schedule_parse(texts[i], &schedule), 0);
        nt_schedule_print(&schedule, text);
        assert_string_equal(text, texts[i]);
    }
}

static void test_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "1",
                                        "1.",
                                        "1.0",
                                        ".1",
                                        "1.1,",
                                        "2.1,1.1",
                                        "1.1,1.2",
                                        "-1.1",
                                        "1.1 ",
                                        "4294967296.1",
                                        "x",
                                        "4294967295.4294967296"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct nt_schedule schedule;
        assert_int_equal(nt_schedule_parse(texts[i], &schedule), -EINVAL);
    }
}

static void test_length(void **state)
{
    char text[16 * (NT_DEPARTURES_MAX + 1)];
    size_t length = 0;
    struct nt_schedule schedule;
    (void)state;
    for (unsigned i = 0; i <= NT_DEPARTURES_MAX; i++) {
        if (i == NT_DEPARTURES_MAX) {
            assert_int_equal(nt_schedule_parse(text, &schedule), 0);
            assert_int_equal(schedule.count, NT_DEPARTURES_MAX);
        }
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%u.1", i == 0 ? "" : ",", i);
    }
    assert_int_equal(nt_schedule_parse(text, &schedule), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
