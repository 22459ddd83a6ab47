// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wdmtest.h"

void WdmTestTrue(int Condition, const char *Text, const char *File, int Line)
{
    _assert_true((LargestIntegralType)(Condition != 0), Text, File, Line);
}

void WdmTestEqual(unsigned long long Actual, unsigned long long Expected, const char *Text, const char *File,
                  int Line)
{
    if (Actual != Expected) {
        print_error("%s\n", Text);
    }
    _assert_int_equal((LargestIntegralType)Actual, (LargestIntegralType)Expected, File, Line);
}

void WdmTestMemory(const void *Actual, const void *Expected, unsigned long long Length, const char *File,
                   int Line)
{
    _assert_memory_equal(Actual, Expected, (size_t)Length, File, Line);
}

static void run_one(void **state)
{
    const struct WdmTest *test = *state;
    test->Routine();
}

static int setup(void **state)
{
    (void)state;
    if (WdmTestSetup != NULL) {
        WdmTestSetup();
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (WdmTestTeardown != NULL) {
        WdmTestTeardown();
    }
    return 0;
}

int main(void)
{
    size_t count = 0;
    while (WdmTests[count].Name != NULL) {
        count++;
    }
    struct CMUnitTest *tests = calloc(count + 1, sizeof *tests);
    if (tests == NULL) {
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < count; i++) {
        tests[i] =
            (struct CMUnitTest){WdmTests[i].Name, run_one, setup, teardown, (void *)(uintptr_t)&WdmTests[i]};
    }
    int failed = _cmocka_run_group_tests("wdm", tests, count, NULL, NULL);
    free(tests);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
