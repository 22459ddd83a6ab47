// SPDX-License-Identifier: MIT
// A device control that its driver completes at once: what an application pays for the kernel.
#include <stdio.h>

#include "bench/nthost/measure.h"
#include "nthost/user/nthost.h"

enum { CODE = 0x22 << 16 | 0x800 << 2 };

nt_entry_point BenchNullDriverEntry;

static void measure(enum nt_clock clock, bool verifier, uint64_t count)
{
    static const char *const ids[] = {"ROOT\\BENCHNULL", NULL};
    const struct nt_service service = {"benchnull", BenchNullDriverEntry, ids};
    const struct nt_options options = {.clock = clock, .verifier = verifier};
    char instance[NT_ID_MAX];
    uint8_t buffer[16] = {0};
    nt_file *file;
    size_t returned;
    measure_require(nt_boot(&options) == 0, "boot");
    measure_require(nt_service_add(&service) == 0, "service");
    measure_require(nt_root_device_add(ids[0], instance) == 0, "device");
    nt_pnp_wait();
    measure_require(nt_open("\\\\.\\BenchNull", &file) == 0, "open");
    double start = measure_now();
    for (uint64_t i = 0; i < count; i++) {
        (void)nt_device_control(file, CODE, buffer, sizeof buffer, buffer, sizeof buffer, &returned);
    }
    double elapsed = measure_now() - start;
    printf("null device control, %s clock, verifier %s: %.0f ns\n",
           clock == NT_CLOCK_REAL ? "real" : "virtual", verifier ? "on" : "off",
           elapsed * 1e9 / (double)count);
    nt_close(file);
    nt_shutdown();
}

int main(int argc, char **argv)
{
    uint64_t count = measure_count(argc, argv, 2000000);
    measure(NT_CLOCK_REAL, false, count);
    measure(NT_CLOCK_VIRTUAL, false, count);
    measure(NT_CLOCK_VIRTUAL, true, count / 100 + 1);
    return 0;
}
