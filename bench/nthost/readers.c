// SPDX-License-Identifier: MIT
// Many readers in one process, each with a card that answers.
#include <stdio.h>
#include <stdlib.h>

#include "bench/nthost/measure.h"
#include "bench/nthost/plug.h"
#include "rig/scard.h"

int main(int argc, char **argv)
{
    uint64_t count = measure_count(argc, argv, 1000);
    struct plug *plugs = calloc(count, sizeof *plugs);
    nt_file **files = calloc(count, sizeof(nt_file *));
    measure_require(plugs != NULL && files != NULL, "memory");
    plug_boot(false);
    uint64_t before = measure_memory();
    double start = measure_now();
    for (uint64_t i = 0; i < count; i++) {
        plug_in(&plugs[i], "t1");
    }
    double plugged = measure_now();
    printf("%llu readers plugged in %.2f s, %llu KiB each\n", (unsigned long long)count, plugged - start,
           (unsigned long long)((measure_memory() - before) / count / 1024));
    for (uint64_t i = 0; i < count; i++) {
        uint8_t atr[RIG_ATR_MAX];
        size_t length;
        measure_require(nt_open(plugs[i].link, &files[i]) == 0, "open");
        measure_require(rig_slot_power(files[i], RIG_COLD_RESET, atr, &length) == 0 && length > 2, "reset");
    }
    double answered = measure_now();
    printf("each answered to reset in %.2f s\n", answered - plugged);
    for (uint64_t i = 0; i < count; i++) {
        nt_close(files[i]);
        plug_out(&plugs[i]);
    }
    printf("all unplugged in %.2f s\n", measure_now() - answered);
    plug_shutdown();
    free(files);
    free(plugs);
    return 0;
}
