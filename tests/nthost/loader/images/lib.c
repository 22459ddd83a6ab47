// SPDX-License-Identifier: MIT
// An export driver: by name, by ordinal, data, forwarders.
#include "host.h"

int LibValue = 1234;

int LibAdd(int a, int b)
{
    return a + b + 1;
}

int LibTwice(int a)
{
    return 2 * a;
}

int DriverEntry(void)
{
    return 0;
}
