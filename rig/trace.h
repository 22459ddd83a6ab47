// SPDX-License-Identifier: MIT
// Writes what goes over the buses of a kernel in this process, without PINs, to a file that Wireshark reads.
#pragma once
#include <stdbool.h>

// Before rig_boot. `ioctls`: also the device controls of user mode, with APDUs. 0 or negative errno.
int rig_trace_start(const char *path, bool ioctls);
// After rig_shutdown. The first error there was in writing; nothing was written after it.
int rig_trace_stop(void);
