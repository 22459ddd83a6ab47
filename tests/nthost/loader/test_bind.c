// SPDX-License-Identifier: MIT
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int MS_ABI of_none(void);
typedef int MS_ABI of_one(int);
typedef int MS_ABI of_two(int, int);
typedef void MS_ABI none_of_none(void);

static loader_module *library;
static loader_module *user;

static int load(const char *folder)
{
    char name[64];
    kernel_reset();
    snprintf(name, sizeof name, "%s/ldrlib.sys", folder);
    library = load_image(name);
    snprintf(name, sizeof name, "%s/ldruse.sys", folder);
    user = load_image(name);
    return 0;
}

static int load_mingw(void **state)
{
    (void)state;
    return load("mingw");
}

static int load_lld(void **state)
{
    (void)state;
    return load("lld");
}

static int unload(void **state)
{
    (void)state;
    return loader_unload(user) == 0 && loader_unload(library) == 0 ? 0 : -1;
}

static void test_calls(void **state)
{
    (void)state;
    assert_int_equal(EXPORT(user, "UseHost", of_two *)(3, 4), 7);
    assert_int_equal(EXPORT(user, "UseName", of_two *)(3, 4), 8);
    assert_int_equal(EXPORT(user, "UseOrdinal", of_one *)(21), 42);
    assert_int_equal(EXPORT(user, "UseForward", of_two *)(3, 4), 7008);
    int(MS_ABI * entry)(void) = (int(MS_ABI *)(void))(uintptr_t)loader_entry(user);
    assert_int_equal(entry(), 42);
}

static void test_data(void **state)
{
    (void)state;
    kernel.variable = 5;
    assert_int_equal(EXPORT(user, "UseHostVariable", of_none *)(), 5);
    assert_int_equal(kernel.variable, 6);
    assert_int_equal(EXPORT(user, "UseData", of_none *)(), 1234);
    *(int *)find_export(library, "LibValue") = 4321;
    assert_int_equal(EXPORT(user, "UseData", of_none *)(), 4321);
}

static void test_relocation(void **state)
{
    (void)state;
    assert_int_equal(EXPORT(user, "UseTable", of_two *)(0, 10), 11);
    assert_int_equal(EXPORT(user, "UseTable", of_two *)(1, 10), 9);
    void **table = find_export(user, "Table");
    assert_ptr_equal(loader_module_at((uintptr_t)table[1]), user);
    assert_int_equal(EXPORT(user, "UseZeroed", of_one *)(3), 3);
    assert_int_equal(EXPORT(user, "UseZeroed", of_one *)(4), 7);
}

static void test_big_frame(void **state)
{
    (void)state;
    assert_int_equal(EXPORT(user, "UseBigFrame", of_one *)(2), 80);
}

static void test_exports(void **state)
{
    (void)state;
    assert_null(loader_export(library, "LibNothing", 0));
    assert_null(loader_export(library, "LibTwice", 0));
    assert_null(loader_export(library, NULL, 6000));
    assert_non_null(loader_export(library, NULL, 7));
    assert_ptr_equal(loader_export(library, "LibForwardAgain", 0), loader_export(library, "LibAdd", 0));
}

static void test_busy(void **state)
{
    (void)state;
    assert_int_equal(loader_unload(library), -EBUSY);
}

static void test_describe(void **state)
{
    (void)state;
    char text[128];
    uintptr_t address = (uintptr_t)find_export(user, "UseOrdinal");
    assert_true(loader_describe(address + 1, text, sizeof text));
    assert_string_equal(text, "ldruse.sys!UseOrdinal+0x1");
    assert_true(loader_describe((uintptr_t)loader_base(user), text, sizeof text));
    assert_string_equal(text, "ldruse.sys+0x0");
    assert_false(loader_describe(16, text, sizeof text));
    assert_string_equal(text, "0x10");
    assert_null(loader_module_at((uintptr_t)loader_base(user) - 1));
    assert_null(loader_module_at((uintptr_t)loader_base(user) + loader_size(user)));
}

// Static routines of mingw images are in the COFF symbol table only.
static void test_describe_static(void **state)
{
    (void)state;
    char text[128];
    void **table = find_export(user, "Table");
    assert_true(loader_describe((uintptr_t)table[0], text, sizeof text));
    assert_string_equal(text, "ldruse.sys!Plus+0x0");
}

// Each mapped page of the image is readable, and none both writable and executable; code is executable.
static void test_protection(void **state)
{
    (void)state;
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    char line[512];
    unsigned executable = 0;
    unsigned writable = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t start;
        char rights[5];
        assert_int_equal(sscanf(line, "%lx-%*x %4s", &start, rights), 2);
        if (loader_module_at(start) == user) {
            assert_false(rights[1] == 'w' && rights[2] == 'x');
            executable += rights[2] == 'x';
            writable += rights[1] == 'w';
        }
    }
    fclose(maps);
    assert_true(executable > 0 && writable > 0);
}

static void call_export(const void *name)
{
    EXPORT(user, name, none_of_none *)();
}

static void test_write_protection(void **state)
{
    (void)state;
    static const char *const routines[] = {"UseWriteCode", "UseWriteConstant"};
    static const char *const targets[] = {"UseHost", "Table"};
    for (unsigned i = 0; i < 2; i++) {
        struct loader_fault fault = fault_of(call_export, routines[i]);
        assert_int_equal(fault.kind, LOADER_FAULT_EXCEPTION);
        assert_int_equal(fault.code, 0xc0000005);
        assert_int_equal(fault.parameters[0], 1);
        assert_int_equal(fault.parameters[1], (uintptr_t)find_export(user, targets[i]));
    }
}

static void test_missing(void **state)
{
    (void)state;
    static const char *const wanted[] = {"ntoskrnl.exe!HostMissing", "ntoskrnl.exe!HostMissingToo",
                                         "ldrlib.sys!LibAdd", "ldrlib.sys!#7"};
    struct bytes bytes = read_image("mingw/lack.sys");
    loader_module *module = NULL;
    struct loader_error error = {0};
    assert_int_equal(loader_load_memory(bytes.data, bytes.length, "lack.sys", &module, &error), -ENOENT);
    assert_int_equal(error.missing_count, 4);
    for (size_t i = 0; i < 4; i++) {
        bool found = false;
        for (size_t j = 0; j < 4; j++) {
            found = found || strcmp(wanted[i], error.missing[j]) == 0;
        }
        if (!found) {
            fail_msg("%s is not listed", wanted[i]);
        }
    }
    assert_non_null(strstr(error.text, "lack.sys: 4 imports are missing, first "));
    loader_error_clear(&error);
    free(bytes.data);
}

static void test_same_name(void **state)
{
    (void)state;
    loader_module *module = load_image("mingw/ldrlib.sys");
    loader_module *second = NULL;
    struct loader_error error = {0};
    struct bytes bytes = read_image("mingw/ldrlib.sys");
    assert_int_equal(loader_load_memory(bytes.data, bytes.length, "LDRLIB.SYS", &second, &error), -EEXIST);
    assert_string_equal(error.text, "LDRLIB.SYS: an image of this name is loaded");
    assert_int_equal(loader_unload(module), 0);
    free(bytes.data);
}

static void test_files(void **state)
{
    (void)state;
    loader_module *module = NULL;
    struct loader_error error = {0};
    assert_int_equal(loader_load_file("/nonexistent/none.sys", &module, &error), -ENOENT);
    assert_string_equal(error.text, "none.sys: cannot be read: No such file or directory");
    assert_int_equal(loader_load_file("/", &module, &error), -ENOEXEC);
    assert_int_equal(loader_load_file("/dev/null", &module, &error), -ENOEXEC);
    assert_int_equal(loader_load_file(LOADER_IMAGES "/mingw/usermode.sys", &module, &error), -ENOEXEC);
    assert_string_equal(error.text,
                        "usermode.sys: subsystem 2: not a driver but a user-mode or firmware image");
}

#define IMAGE_TEST(test) LOADER_TEST(test, load_mingw, unload), LOADER_TEST(test, load_lld, unload)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(test_calls),
        IMAGE_TEST(test_data),
        IMAGE_TEST(test_relocation),
        IMAGE_TEST(test_big_frame),
        IMAGE_TEST(test_exports),
        IMAGE_TEST(test_busy),
        IMAGE_TEST(test_describe),
        IMAGE_TEST(test_protection),
        IMAGE_TEST(test_write_protection),
        cmocka_unit_test_setup_teardown(test_describe_static, load_mingw, unload),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_same_name),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests_name("loader bind", tests, kernel_start, kernel_stop);
}
