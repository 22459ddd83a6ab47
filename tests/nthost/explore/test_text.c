// SPDX-License-Identifier: MIT
#include <errno.h>

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
                                        "1.1,2.1,3.1,4.1,5.1,6.1,7.1,8.1,9.1"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct nt_schedule schedule;
        assert_int_equal(nt_schedule_parse(texts[i], &schedule), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
