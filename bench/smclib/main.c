// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/smclib/operations.h"
#include "nthost/user/nthost.h"

enum { RUNS = 20000, MOST_ROUNDS = 1000 };

static double now_ns(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double round_ns(const struct operation *operation)
{
    double start = now_ns();

    for (int i = 0; i < RUNS; i++) {
        operation->run();
    }
    return (now_ns() - start) / RUNS;
}

static void measure(const struct operation *operation, int rounds)
{
    double times[MOST_ROUNDS] = {0};

    operation->prepare();
    (void)round_ns(operation); // warm
    for (int i = 0; i < rounds; i++) {
        times[i] = round_ns(operation);
    }
    qsort(times, (size_t)rounds, sizeof times[0], compare);
    printf("%-32s %7.1f ns (least %.1f)\n", operation->name, times[rounds / 2], times[0]);
}

int main(int argc, char **argv)
{
    const struct nt_options options = {.clock = NT_CLOCK_REAL};
    int rounds = argc > 1 ? atoi(argv[1]) : 51;

    if (argc > 2 || rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: bench_smclib [ROUNDS], 1 to %d\n", MOST_ROUNDS);
        return 2;
    }
    if (nt_boot(&options) != 0) {
        fputs("bench_smclib: the kernel did not start\n", stderr);
        return 1;
    }
    operations_begin();
    for (const struct operation *operation = operations; operation->name != NULL; operation++) {
        measure(operation, rounds);
    }
    operations_end();
    nt_shutdown();
    return 0;
}
