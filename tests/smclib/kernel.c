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

void kernel_boot(void)
{
    const struct nt_options options = {
        .clock = NT_CLOCK_VIRTUAL, .seed = 1, .verifier = true, .print = print};

    if (nt_boot(&options) != 0) {
        abort();
    }
}

void kernel_shutdown(void)
{
    nt_shutdown();
}
