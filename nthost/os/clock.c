// SPDX-License-Identifier: MIT
#include "nthost/os/os.h"

#include <time.h>

// 369 years with 89 leap days lie between the epochs of NT and Unix.
static const uint64_t unix_epoch = 116444736000000000u;

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 10000000u + (uint64_t)now.tv_nsec / 100u;
}

uint64_t os_uptime(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t os_system_time(void)
{
    return unix_epoch + read_clock(CLOCK_REALTIME);
}
