// SPDX-License-Identifier: MIT
#include "nthost/os/os.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void os_wait(const uint32_t *word, uint32_t expected, uint64_t deadline)
{
    struct timespec until = {(time_t)(deadline / 10000000u), (long)(deadline % 10000000u) * 100};
    // The bitset form takes an absolute time of CLOCK_MONOTONIC.
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, deadline == OS_FOREVER ? NULL : &until,
            NULL, FUTEX_BITSET_MATCH_ANY);
}

void os_wake(const uint32_t *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

void os_yield(void)
{
    sched_yield();
}
