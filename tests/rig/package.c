// SPDX-License-Identifier: MIT
// A driver installed with values from an INF: they are there before its device starts.
#include <stdio.h>

#include "rig/inf.h"
#include "rig/models.h"
#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/status.h"
#include "tests/support/hosttest.h"

static nt_status escape(const struct rig_package *package, nt_status *plugged)
{
    static const struct nt_options options = {.clock = NT_CLOCK_REAL, .verifier = true};
    static const uint8_t command[] = {0x01};
    uint8_t reply[16];
    uint32_t port;
    nt_file *file;
    rig_choose_package(package);
    assert_int_equal(rig_boot(&options), 0);
    *plugged = rig_plug(rig_default_model(), NULL, 0, &port);
    nt_status status = *plugged;
    if (rig_status_ok(status)) {
        assert_int_equal(rig_open(port, 0, &file), 0);
        status =
            nt_device_control(file, RIG_IOCTL_ESCAPE, command, sizeof command, reply, sizeof reply, NULL);
        nt_close(file);
    }
    rig_shutdown();
    rig_choose_package(NULL);
    return status;
}

static void test_values(void **state)
{
    static const char *const ids[] = {"USB\\Class_0B", NULL};
    static const struct inf_value allow = {.hardware = true,
                                           .name = "EscapeCommandEnable",
                                           .type = INF_DWORD,
                                           .length = 4,
                                           .data = {1, 0, 0, 0}};
    const struct rig_package without = {"reader", ids, NULL, 0}, with = {"reader", ids, &allow, 1};
    nt_status plugged;
    (void)state;
    assert_int_equal(escape(NULL, &plugged), RIG_STATUS_ACCESS_DENIED);
    assert_int_equal(escape(&without, &plugged), RIG_STATUS_ACCESS_DENIED);
    assert_int_not_equal(escape(&with, &plugged), RIG_STATUS_ACCESS_DENIED);
    assert_int_equal(plugged, 0);
}

static void test_other_id(void **state)
{
    static const char *const ids[] = {"USB\\VID_0001&PID_0002", NULL};
    const struct rig_package other = {"reader", ids, NULL, 0};
    nt_status plugged;
    (void)state;
    (void)escape(&other, &plugged);
    assert_int_equal(plugged, RIG_STATUS_NO_SUCH_DEVICE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_other_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
