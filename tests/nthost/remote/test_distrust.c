// SPDX-License-Identifier: MIT
// The calling side believes nothing that the kernel's process says: no call reads or writes beyond its
// buffers, none hangs, and what was no answer is a kernel that has gone.
#include <errno.h>
#include <string.h>
#include <time.h>

#include "nthost/user/nthost.h"
#include "tests/support/hosttest.h"

#define GONE 0xC00002B6u

static unsigned reports;

static void count_report(void *context, const char *report)
{
    (void)context;
    assert_non_null(strchr(report, '\n'));
    reports++;
}

static void boot(const char *what)
{
    const struct nt_options options = {.bugcheck = count_report, .host = REMOTE_LIAR, .folder = what};
    reports = 0;
    assert_int_equal(nt_boot(&options), 0);
}

static void visit_device(void *context, const struct nt_device *device)
{
    (void)context;
    assert_true(strlen(device->instance) < sizeof device->instance);
    assert_true(strlen(device->service) < sizeof device->service);
}

static void visit_link(void *context, const char *link)
{
    (void)context;
    assert_true(strlen(link) < 1000000);
}

static void visit_event(void *context, const struct nt_event *event)
{
    (void)context;
    assert_true(strlen(event->driver) < 64 && event->dump_count <= 24);
}

// Every call that takes something back.
static void call_all(void)
{
    static const uint8_t guid[16];
    static const char *const ids[] = {"x", NULL};
    const struct nt_service service = {.name = "x", .hardware_ids = ids};
    char instance[NT_ID_MAX], text[16];
    struct nt_routine_count rows[4];
    uint8_t out[8] = {0};
    size_t returned;
    nt_file *file = NULL;
    nt_devices(visit_device, NULL);
    nt_interfaces(guid, visit_link, NULL);
    (void)nt_events(visit_event, NULL);
    (void)nt_service_counts("x", rows, 4);
    (void)nt_service_add_image(&service, "/x", text, sizeof text);
    assert_true(strlen(text) < sizeof text);
    (void)nt_root_device_add("x", instance);
    assert_true(strlen(instance) < sizeof instance);
    (void)nt_irp_count();
    nt_pnp_wait();
    if (nt_open("x", &file) == 0) {
        (void)nt_device_control(file, 0, "in", 2, out, sizeof out, &returned);
        assert_true(returned <= sizeof out);
        nt_request *request = nt_device_control_begin(file, 0, "in", 2, out, sizeof out);
        (void)nt_request_wait(request, 1000);
        (void)nt_request_end(request, &returned);
        assert_true(returned <= sizeof out);
        nt_close(file);
    }
}

static void test_empty_answers(void **state)
{
    (void)state;
    boot("/nothing");
    call_all();
    assert_true(nt_alive());
    nt_shutdown();
    assert_int_equal(reports, 0);
}

static void test_lists_without_ends(void **state)
{
    (void)state;
    boot("/list"); // too long for all but lists: the first that is no list ends it
    call_all();
    nt_shutdown();
}

static void test_too_long(void **state)
{
    nt_file *file;
    (void)state;
    boot("/long");
    call_all();
    assert_int_equal(nt_open("x", &file), GONE);
    nt_shutdown();
    assert_false(nt_alive());
}

static void test_too_short(void **state)
{
    const struct nt_options options = {.bugcheck = count_report, .host = REMOTE_LIAR, .folder = "/short"};
    (void)state;
    assert_true(nt_boot(&options) < 0);
}

static void test_events(void **state)
{
    (void)state;
    boot("/events");
    call_all();
    nt_shutdown();
    assert_int_equal(reports, 0);
}

static void test_does_not_end(void **state)
{
    (void)state;
    boot("/stay");
    time_t start = time(NULL);
    nt_shutdown();
    assert_true(time(NULL) - start < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_answers), cmocka_unit_test(test_lists_without_ends),
        cmocka_unit_test(test_too_long),      cmocka_unit_test(test_too_short),
        cmocka_unit_test(test_events),        cmocka_unit_test(test_does_not_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
