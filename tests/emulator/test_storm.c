// SPDX-License-Identifier: MIT
// Random hosts, reproducible: seed i is run i.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/emulator/storm.h"

enum { RUNS = 400, LENGTH = 1500 };

static void random_hosts(void **state)
{
    (void)state;
    static uint8_t input[LENGTH];
    for (uint32_t run = 1; run <= RUNS; run++) {
        uint32_t random = run * 2654435761u;
        for (size_t i = 0; i < LENGTH; i++) {
            random = random * 1664525u + 1013904223u;
            input[i] = (uint8_t)(random >> 24);
        }
        storm(input, LENGTH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_hosts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
