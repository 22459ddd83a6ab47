// SPDX-License-Identifier: MIT
#include "rig/status.h"

#include "tests/support/hosttest.h"

static void test_names(void **state)
{
    char buffer[16];
    (void)state;
    assert_string_equal(rig_status_name(RIG_STATUS_NO_MEDIA, buffer), "STATUS_NO_MEDIA");
    assert_string_equal(rig_status_name(0, buffer), "STATUS_SUCCESS");
    assert_string_equal(rig_status_name(0xC0ABCDEFu, buffer), "0xC0ABCDEF");
}

static void test_severity(void **state)
{
    (void)state;
    assert_true(rig_status_ok(RIG_STATUS_SUCCESS));
    assert_true(rig_status_ok(0x103));
    assert_false(rig_status_ok(0x80000011u)); // STATUS_DEVICE_BUSY is a warning, and no answer
    assert_false(rig_status_ok(RIG_STATUS_NO_MEDIA));
}

static void test_gone(void **state)
{
    (void)state;
    assert_true(rig_status_gone(RIG_STATUS_DELETE_PENDING));
    assert_true(rig_status_gone(RIG_STATUS_DEVICE_REMOVED));
    assert_false(rig_status_gone(RIG_STATUS_NO_MEDIA));
    assert_false(rig_status_gone(RIG_STATUS_IO_TIMEOUT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_severity),
        cmocka_unit_test(test_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
