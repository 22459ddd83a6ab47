// SPDX-License-Identifier: MIT
// The kernel behind the readers, inside pcscd or, for driver images, in a process of its own: booted with the
// first reader, shut down after the last. One that a driver has broken is booted anew with the next reader.
#pragma once
#include <stdbool.h>
#include <ifdhandler.h>

#include "nthost/user/nthost.h"

struct host_reader {
    uint32_t port;
    unsigned boot; // which kernel's port that is
};

// `driver`: of the DEVICENAME, empty for the built-in one. Sets `reader->boot`.
RESPONSECODE host_acquire(const char *driver, struct host_reader *reader);
void host_release(void);
bool host_is_current(const struct host_reader *reader); // false: its kernel is no more
void host_unplug(const struct host_reader *reader);     // nothing when its kernel is no more

// What an NTSTATUS means to pcscd: 617 when the reader is gone, else `otherwise` (the call's own failure).
RESPONSECODE host_failure(nt_status status, RESPONSECODE otherwise);
