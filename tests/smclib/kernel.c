// SPDX-License-Identifier: MIT
#include "tests/smclib/kernel.h"

#include <stdio.h>
#include <stdlib.h>

#include "nthost/user/nthost.h"

static void print(void *context, const char *text)
{
    (void)context;
    fputs(text, stderr);
}

static void boot(enum nt_clock clock)
{
    const struct nt_options options = {.clock = clock, .seed = 1, .verifier = true, .print = print};

    if (nt_boot(&options) != 0) {
        abort();
    }
}

void kernel_boot(void)
{
    boot(NT_CLOCK_VIRTUAL);
}

void kernel_boot_threads(void)
{
    boot(NT_CLOCK_REAL);
}

void kernel_shutdown(void)
{
    nt_shutdown();
}
