// SPDX-License-Identifier: MIT
#include "reader/clock.h"

#define TICKS_PER_MS 10000

LONGLONG ClockNow(VOID)
{
    LARGE_INTEGER ticks = {.QuadPart = 0};

    KeQueryTickCount(&ticks);
    return ticks.QuadPart * KeQueryTimeIncrement() / TICKS_PER_MS;
}
