// SPDX-License-Identifier: MIT
// Needs what nobody has.
#include "host.h"

IMPORT int HostMissing(void);
IMPORT int HostMissingToo(void);
IMPORT int LibAdd(int a, int b);
IMPORT int LibTwice(int a);

int DriverEntry(void)
{
    return HostAdd(HostMissing(), LibAdd(HostMissingToo(), LibTwice(1)));
}
