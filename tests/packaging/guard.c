// SPDX-License-Identifier: MIT
// Stack cookies as the shipped images have them, in an image by each compiler.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "nthost/loader/loader.h"

#define MS_ABI __attribute__((ms_abi))

enum { BUFFER = 16, PAST_COOKIE = 64, OVERRAN_STACK_BUFFER = 0xf7, CAUGHT = 42, WRONG_CODE = 43 };
#define DEFAULT_COOKIE UINT64_C(0x00002b992ddfa232)

typedef int32_t MS_ABI entry_routine(void *driver, const void *path);
typedef uint64_t MS_ABI cookie_routine(void);
typedef uint32_t MS_ABI write_routine(uint32_t length);

struct image {
    loader_module *module;
    entry_routine *entry;
    cookie_routine *cookie;
    write_routine *write;
};

static void MS_ABI bug_check(uint32_t code, uint64_t found, uint64_t expected, uint64_t inverted,
                             uint64_t unused)
{
    (void)found;
    _exit(code == OVERRAN_STACK_BUFFER && inverted == ~expected && unused == 0 ? CAUGHT : WRONG_CODE);
}

static void *resolve(void *context, const char *module, const char *name)
{
    (void)context;
    (void)module;
    return strcmp(name, "KeBugCheckEx") == 0 ? (void *)(uintptr_t)bug_check : NULL;
}

static void fatal(void *context, const struct loader_fault *fault)
{
    (void)context;
    fprintf(stderr, "%s\n", fault->text);
}

static struct image load(const char *path)
{
    struct loader_error error = {.missing_count = 0};
    struct image image;
    if (loader_load_file(path, &image.module, &error) != 0) {
        fail_msg("%s", error.text);
    }
    image.entry = (entry_routine *)(uintptr_t)loader_entry(image.module);
    image.cookie = (cookie_routine *)(uintptr_t)loader_export(image.module, "OverrunCookie", 0);
    image.write = (write_routine *)(uintptr_t)loader_export(image.module, "OverrunWrite", 0);
    assert_true(image.entry != NULL && image.cookie != NULL && image.write != NULL);
    return image;
}

static uint64_t seeded_cookie(const char *path)
{
    struct image image = load(path);
    assert_int_equal(image.entry(NULL, NULL), 0);
    uint64_t cookie = image.cookie();
    assert_int_equal(loader_unload(image.module), 0);
    return cookie;
}

static void test_entry_seeds(void **state)
{
    uint64_t first = seeded_cookie(*state), second = seeded_cookie(*state);
    assert_true(first != DEFAULT_COOKIE && first != 0);
    assert_true(first != second);
    assert_int_equal(first >> 48, 0);
}

static void test_second_entry_keeps(void **state)
{
    struct image image = load(*state);
    assert_int_equal(image.entry(NULL, NULL), 0);
    uint64_t cookie = image.cookie();
    assert_int_not_equal(image.entry(NULL, ""), 0); // DriverEntry's own status comes through
    assert_true(image.cookie() == cookie);
    assert_int_equal(loader_unload(image.module), 0);
}

static int status_of_write(const struct image *image, uint32_t length)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        image->write(length);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_overrun_is_caught(void **state)
{
    struct image image = load(*state);
    assert_int_equal(image.entry(NULL, NULL), 0);
    assert_int_equal(status_of_write(&image, BUFFER), 0);
    assert_int_equal(status_of_write(&image, PAST_COOKIE), CAUGHT);
    assert_int_equal(loader_unload(image.module), 0);
}

static int start(void **state)
{
    static char thread[64];
    struct loader_host host = {.resolve = resolve, .fatal = fatal};
    (void)state;
    return loader_start(&host) == 0 && loader_thread_enter(thread) == 0 ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    loader_thread_leave();
    loader_stop();
    return 0;
}

int main(void)
{
    static char mingw[] = GUARD_IMAGES "/mingw/overrun.sys", lld[] = GUARD_IMAGES "/lld/overrun.sys";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_entry_seeds, mingw),
        cmocka_unit_test_prestate(test_entry_seeds, lld),
        cmocka_unit_test_prestate(test_second_entry_keeps, mingw),
        cmocka_unit_test_prestate(test_second_entry_keeps, lld),
        cmocka_unit_test_prestate(test_overrun_is_caught, mingw),
        cmocka_unit_test_prestate(test_overrun_is_caught, lld),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
