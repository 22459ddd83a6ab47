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

static void test_named(void **state)
{
    static const char *const wrong[] = {"STATUS_GREAT",      "STATUS_0x", "STATUS_0xC00000012",
                                        "STATUS_0xC000000G", "",          "0xC0000001"};
    nt_status status = 0;
    (void)state;
    assert_true(rig_status_named("STATUS_NO_MEDIA", &status));
    assert_int_equal(status, RIG_STATUS_NO_MEDIA);
    assert_true(rig_status_named("STATUS_0xE0001234", &status));
    assert_int_equal(status, 0xE0001234);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(rig_status_named(wrong[i], &status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_severity),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
