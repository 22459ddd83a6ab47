// SPDX-License-Identifier: MIT
// The same image in a process of its own: it works, and what it breaks is that process.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka's header needs those above.
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/nthost/pe/fixture.h"

static char report[PE_REPORT_SIZE];
static unsigned reports;

static void take_report(void *context, const char *text)
{
    (void)context;
    (void)snprintf(report, sizeof report, "%s", text);
    reports++;
}

static void boot(const char *folder)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", PE_IMAGES, folder);
    const struct nt_options options = {.clock = NT_CLOCK_REAL,
                                       .verifier = true,
                                       .images = true,
                                       .bugcheck = take_report,
                                       .host = PE_HOST,
                                       .folder = path};
    report[0] = '\0';
    reports = 0;
    assert_int_equal(nt_boot(&options), 0);
    assert_true(nt_alive());
}

static void find_bad(void *context, const struct nt_device *device)
{
    bool started = strcmp(device->service, "bad") == 0 && device->state == NT_DEVICE_STARTED;
    *(unsigned *)context += started;
}

static void works(void **state)
{
    struct nt_routine_count rows[16];
    unsigned found = 0;
    (void)state;
    for (size_t i = 0; pe_compilers[i] != NULL; i++) {
        char instance[NT_ID_MAX];
        boot(pe_compilers[i]);
        assert_int_equal(nt_boot(&(struct nt_options){0}), -EALREADY);
        assert_int_equal(nt_registry_set_dword("Services\\bad\\Parameters", "Number", 7), 0);
        assert_int_equal(nt_registry_set_string("Services\\bad\\Parameters", "Text", "seven"), 0);
        assert_int_equal(nt_registry_set_binary("Services\\bad\\Parameters", "Bytes", "\1\0\2", 3), 0);
        pe_start(pe_compilers[i], instance);
        assert_true(strncmp(instance, "ROOT\\", 5) == 0);
        assert_int_equal(pe_count(BAD_COUNT), 1);
        assert_int_equal(pe_count(BAD_COUNT), 2);
        nt_devices(find_bad, &found);
        assert_int_equal(found, i + 1);
        assert_true(nt_service_counts("bad", rows, 16) > 3);
        assert_string_equal(rows[0].routine, "DriverEntry");
        assert_int_equal(nt_service_counts("nobody", rows, 16), -ENOENT);
        assert_true(nt_irp_count() > 3);
        assert_int_equal(nt_device_stop(instance), 0);
        assert_int_equal(nt_device_start(instance), 0);
        nt_pnp_wait();
        assert_int_equal(pe_count(BAD_COUNT), 3);
        nt_shutdown();
    }
    assert_int_equal(reports, 0);
}

static void says_what_is_missing(void **state)
{
    (void)state;
    boot("lack");
    assert_int_equal(pe_add("lack", "lack.sys", report), -ENOENT);
    assert_non_null(strstr(report, "\n  ntoskrnl.exe!ExNorThis\n"));
    assert_int_equal(pe_add("mingw", "bad.sys", report), -ENOENT); // only what lies in the folder
    assert_int_equal(pe_add("lack", "nothing.sys", report), -ENOENT);
    nt_shutdown();
}

static void breaks(enum bad_action action, const char *stop, const char *where)
{
    enum { DEVICE_REMOVED = 0xC00002B6 };
    struct bad_place answer;
    nt_file *file;
    boot("mingw");
    pe_start("mingw", NULL);
    assert_int_equal(nt_open(BAD_PATH, &file), 0);
    assert_int_equal(pe_act(action, &answer), (nt_status)DEVICE_REMOVED);
    assert_int_equal(nt_device_control(file, BAD_CONTROL(BAD_COUNT), NULL, 0, NULL, 0, NULL),
                     (nt_status)DEVICE_REMOVED);
    nt_request *request = nt_device_control_begin(file, BAD_CONTROL(BAD_COUNT), NULL, 0, NULL, 0);
    assert_non_null(request);
    assert_true(nt_request_wait(request, -1));
    nt_request_cancel(request);
    assert_int_equal(nt_request_end(request, NULL), (nt_status)DEVICE_REMOVED);
    nt_shutdown(); // has the report by then
    assert_int_equal(reports, 1);
    if (strstr(report, stop) == NULL || strstr(report, where) == NULL) {
        fail_msg("lacks '%s' or '%s': %s", stop, where, report);
    }
    boot("mingw"); // a new one works, and the old one's file is no file of it
    pe_start("mingw", NULL);
    assert_int_equal(nt_device_control(file, BAD_CONTROL(BAD_COUNT), NULL, 0, NULL, 0, NULL),
                     (nt_status)DEVICE_REMOVED);
    nt_close(file);
    assert_int_equal(pe_count(BAD_COUNT), 1);
    nt_shutdown();
}

static void breaks_its_process_only(void **state)
{
    (void)state;
    breaks(BAD_NULL_WRITE, "bug check 0x1E KMODE_EXCEPTION_NOT_HANDLED", "bad.sys!BadAct+0x");
    breaks(BAD_THREAD_WRITE, "bug check 0x7E SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", "bad.sys!BadThread+0x");
    breaks(BAD_FAST_FAIL, "bug check 0x139", "bad.sys!");
    breaks(BAD_STACK, "bug check 0x7F", "bad.sys!");
}

static void needs_its_program(void **state)
{
    (void)state;
    const struct nt_options none = {.images = true, .host = "/nonexistent/host", .folder = PE_IMAGES};
    assert_int_equal(nt_boot(&none), -ENOENT);
    const struct nt_options other = {.images = true, .host = "/bin/true", .folder = PE_IMAGES};
    assert_true(nt_boot(&other) < 0);
    const struct nt_options folder = {.images = true, .host = PE_HOST, .folder = "/nonexistent"};
    assert_int_equal(nt_boot(&folder), -ENOENT);
    const struct nt_options clock = {.clock = NT_CLOCK_VIRTUAL, .host = PE_HOST};
    assert_int_equal(nt_boot(&clock), -EINVAL);
    boot("mingw");
    nt_shutdown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(breaks_its_process_only),
        cmocka_unit_test(needs_its_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
