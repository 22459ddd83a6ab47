// SPDX-License-Identifier: MIT
// The bus of real readers and the reader driver on it, over the emulated libusb.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rig/control.h"
#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/status.h"
#include "rig/usb.h"

static void ask(const char *request)
{
    cJSON *reply = rig_control_answer(request);
    if (!cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok"))) {
        fail_msg("%s: %s", request, cJSON_GetStringValue(cJSON_GetObjectItem(reply, "error")));
    }
    cJSON_Delete(reply);
}

// The emulated readers are there before a bus is: libusb is opened by the first plug only.
static int begin(void **state)
{
    (void)state;
    const struct nt_options options = {.clock = NT_CLOCK_REAL, .verifier = true};
    if (!rig_status_ok(rig_boot(&options))) {
        return -1;
    }
    ask("plug Lectern:t1");
    return 0;
}

static int end(void **state)
{
    (void)state;
    cJSON *reply = rig_control_answer("unplug any"); // some tests have done so
    cJSON_Delete(reply);
    rig_shutdown();
    return 0;
}

static nt_file *open_reader(uint32_t *port)
{
    char why[RIG_USB_WHY_MAX] = "";
    nt_file *file;
    if (!rig_status_ok(rig_usb_plug("usb", port, why))) {
        fail_msg("%s", why);
    }
    assert_int_equal(rig_slots(*port), 1);
    assert_true(rig_status_ok(rig_open(*port, 0, &file)));
    return file;
}

static nt_status power_up(nt_file *file)
{
    uint32_t kind = RIG_COLD_RESET;
    uint8_t atr[64];
    size_t length = 0;
    return nt_device_control(file, RIG_IOCTL_POWER, &kind, sizeof kind, atr, sizeof atr, &length);
}

static void answers(void **state)
{
    (void)state;
    uint32_t port;
    nt_file *file = open_reader(&port);
    assert_true(rig_status_ok(power_up(file)));
    nt_close(file);
    assert_true(rig_status_ok(rig_unplug(port)));
    file = open_reader(&port); // given back, it can be had again
    assert_true(rig_status_ok(power_up(file)));
    nt_close(file);
}

static void named(void **state)
{
    (void)state;
    struct rig_reader reader;
    char why[RIG_USB_WHY_MAX] = "";
    uint32_t port;
    assert_false(rig_status_ok(rig_usb_plug("usb:1234/5678", &port, why)));
    assert_non_null(strstr(why, "no such USB reader"));
    assert_false(rig_status_ok(rig_usb_plug("usb:nonsense", &port, why)));
    assert_non_null(strstr(why, "is not usb"));
    assert_true(rig_status_ok(rig_usb_plug("usb:1d50/ccd2", &port, why)));
    assert_true(rig_find(port, &reader));
    unsigned address = 0;
    assert_int_equal(sscanf(reader.model.name, "usb:1d50/ccd2:libusb-1.0:1:%3u:0", &address), 1);
    assert_true(rig_status_ok(rig_unplug(port)));
    char hotplugged[64];
    (void)snprintf(hotplugged, sizeof hotplugged, "usb:1d50/ccd2:libudev:0:/dev/bus/usb/001/%03u", address);
    assert_true(rig_status_ok(rig_usb_plug(hotplugged, &port, why)));
    assert_true(rig_find(port, &reader));
    assert_non_null(strstr(reader.instance, "USB\\VID_1D50&PID_CCD2\\"));
}

static void waits_for_card(void **state)
{
    (void)state;
    uint32_t port;
    nt_file *file = open_reader(&port);
    nt_request *request = nt_device_control_begin(file, RIG_IOCTL_IS_ABSENT, NULL, 0, NULL, 0);
    assert_false(nt_request_wait(request, 50000));
    ask("eject any 0");
    assert_true(nt_request_wait(request, 10000000));
    assert_true(rig_status_ok(nt_request_end(request, NULL)));
    request = nt_device_control_begin(file, RIG_IOCTL_IS_PRESENT, NULL, 0, NULL, 0);
    nt_request_cancel(request);
    assert_false(rig_status_ok(nt_request_end(request, NULL)));
    nt_close(file);
}

static void unplugged(void **state)
{
    (void)state;
    uint32_t port;
    nt_file *file = open_reader(&port);
    nt_request *request = nt_device_control_begin(file, RIG_IOCTL_IS_ABSENT, NULL, 0, NULL, 0);
    ask("unplug any");
    assert_true(nt_request_wait(request, 10000000));
    assert_false(rig_status_ok(nt_request_end(request, NULL)));
    nt_pnp_wait();
    assert_false(rig_status_ok(power_up(file)));
    nt_close(file);
}

static void *pull(void *microseconds)
{
    (void)usleep(*(useconds_t *)microseconds);
    ask("unplug any");
    return NULL;
}

// Pulled out at some moment of claiming, starting and powering up: each call ends, and nothing is left.
static void unplugged_meanwhile(void **state)
{
    (void)state;
    for (useconds_t delay = 0; delay < 6000; delay += 150) {
        char why[RIG_USB_WHY_MAX] = "";
        uint32_t port;
        nt_file *file;
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, pull, &delay), 0);
        bool plugged = rig_status_ok(rig_usb_plug("usb", &port, why));
        if (plugged && rig_status_ok(rig_open(port, 0, &file))) {
            (void)power_up(file); // either way
            nt_close(file);
        }
        assert_int_equal(pthread_join(thread, NULL), 0);
        if (plugged) {
            (void)rig_unplug(port); // its device may be gone already
        } else {
            assert_true(why[0] != '\0');
        }
        ask("plug Lectern:t1");
    }
}

static void refused(const char *state, const char *expected)
{
    char why[RIG_USB_WHY_MAX] = "";
    uint32_t port;
    ask(state);
    assert_false(rig_status_ok(rig_usb_plug("usb", &port, why)));
    if (strstr(why, expected) == NULL) {
        fail_msg("'%s' lacks '%s'", why, expected);
    }
    ask("permit any");
}

static void refusals(void **state)
{
    (void)state;
    char why[RIG_USB_WHY_MAX] = "";
    uint32_t port, second;
    refused("deny any", "udev rule");
    refused("busy any", "another program");
    refused("kernel any", "kernel driver");
    assert_true(rig_status_ok(rig_usb_plug("usb", &port, why)));
    assert_false(rig_status_ok(rig_usb_plug("usb", &second, why))); // what one instance has, another cannot
    assert_non_null(strstr(why, "in use"));
}

// Whatever a descriptor says, the driver starts and goes again, or the reader is refused with a sentence.
static void damaged(void **state)
{
    (void)state;
    static const char *const values[] = {"0", "255"};
    unsigned refusals_seen = 0;
    for (unsigned at = 0; at < 93; at++) {
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            char request[64], why[RIG_USB_WHY_MAX] = "";
            uint32_t port;
            (void)snprintf(request, sizeof request, "describe any 2 %u %s", at, values[i]);
            ask(request);
            if (rig_status_ok(rig_usb_plug("usb", &port, why))) {
                assert_true(rig_status_ok(rig_unplug(port)));
            } else {
                assert_true(why[0] != '\0');
                refusals_seen++;
            }
            ask("unplug any");
            ask("plug Lectern");
        }
    }
    assert_in_range(refusals_seen, 20, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers, begin, end),
        cmocka_unit_test_setup_teardown(named, begin, end),
        cmocka_unit_test_setup_teardown(waits_for_card, begin, end),
        cmocka_unit_test_setup_teardown(unplugged, begin, end),
        cmocka_unit_test_setup_teardown(unplugged_meanwhile, begin, end),
        cmocka_unit_test_setup_teardown(refusals, begin, end),
        cmocka_unit_test_setup_teardown(damaged, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
