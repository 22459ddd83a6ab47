// SPDX-License-Identifier: MIT
#pragma once
#include <stdint.h>

double measure_now(void);      // seconds of the machine's clock
double measure_cpu(void);      // seconds of this process's processor time
uint64_t measure_memory(void); // bytes resident
_Noreturn void measure_fail(const char *what);
uint64_t measure_count(int argc, char **argv, uint64_t usual); // the first argument, if any

static inline void measure_require(int passed, const char *what)
{
    if (!passed) {
        measure_fail(what);
    }
}
