// SPDX-License-Identifier: MIT
// Images that cannot run here are refused with a reason.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka's header needs those above.
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "tests/nthost/pe/fixture.h"

static char report[PE_REPORT_SIZE];

static int setup(void **state)
{
    (void)state;
    pe_boot(NT_CLOCK_VIRTUAL, 0, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nt_shutdown();
    return 0;
}

static void missing_imports_are_listed(void **state)
{
    (void)state;
    assert_int_equal(pe_add("lack", "lack.sys", report), -ENOENT);
    assert_non_null(strstr(report, "lack.sys: 3 imports are missing"));
    assert_non_null(strstr(report, "\n  ntoskrnl.exe!ExNobodyHasThis\n"));
    assert_non_null(strstr(report, "\n  ntoskrnl.exe!ExNorThis\n"));
    assert_non_null(strstr(report, "\n  nowhere.sys!NowhereRoutine\n"));
    // Nothing is left of it.
    pe_start("mingw", NULL);
    assert_int_equal(pe_count(BAD_LIBRARY_COUNT), 1001);
}

static void a_library_that_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(pe_add("alone", "bad.sys", report), -ENOENT);
    assert_string_equal(report, "bad.sys: 1 import is missing, first badlib.sys!BadLibraryCount\n"
                                "  badlib.sys!BadLibraryCount\n");
}

static void libraries_in_a_circle(void **state)
{
    (void)state;
    assert_int_equal(pe_add("lack", "circlea.sys", report), -ENOENT);
    assert_non_null(strstr(report, "circleb.sys: 1 import is missing"));
    assert_non_null(strstr(report, "circlea.sys: 1 import is missing"));
}

static void no_such_file(void **state)
{
    (void)state;
    assert_int_equal(pe_add("lack", "nothing.sys", report), -ENOENT);
    assert_non_null(strstr(report, "nothing.sys: cannot be read: No such file"));
    assert_int_equal(pe_add("", "lack", report), -ENOEXEC); // a folder
    assert_non_null(strstr(report, "lack: cannot be read"));
}

static void not_an_image(void **state)
{
    (void)state;
    assert_int_equal(pe_add("", "libbadlib.a", report), -ENOEXEC);
    assert_non_null(strstr(report, "libbadlib.a: not a PE image"));
}

static void not_twice(void **state)
{
    (void)state;
    pe_start("mingw", NULL);
    assert_int_equal(pe_add("mingw", "bad.sys", report), -EEXIST);
    assert_non_null(strstr(report, "an image of this name is loaded"));
}

static void problem_of(void *context, const struct nt_device *device)
{
    if (strcmp(device->service, "bad") == 0) {
        *(struct nt_device *)context = *device;
    }
}

static void a_library_that_refuses(void **state)
{
    (void)state;
    char instance[NT_ID_MAX];
    struct nt_device device = {.problem = 0};
    assert_int_equal(pe_add("refuses", "bad.sys", report), 0);
    assert_int_equal(nt_root_device_add(BAD_HARDWARE_ID, instance), 0);
    nt_devices(problem_of, &device);
    assert_int_equal(device.state, NT_DEVICE_FAILED);
    assert_int_equal(device.problem, 0xC000000E); // what its DllInitialize returned
}

static void only_a_kernel_prepared_for_them(void **state)
{
    (void)state;
    nt_shutdown();
    const struct nt_options plain = {.clock = NT_CLOCK_VIRTUAL, .verifier = true};
    assert_int_equal(nt_boot(&plain), 0);
    assert_int_equal(pe_add("mingw", "bad.sys", report), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(missing_imports_are_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_library_that_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(libraries_in_a_circle, setup, teardown),
        cmocka_unit_test_setup_teardown(no_such_file, setup, teardown),
        cmocka_unit_test_setup_teardown(not_an_image, setup, teardown),
        cmocka_unit_test_setup_teardown(not_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(a_library_that_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(only_a_kernel_prepared_for_them, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
