// SPDX-License-Identifier: MIT
// The kernel inside pcscd: booted with the first reader, shut down after the last.
#pragma once
#include <ifdhandler.h>

#include "nthost/user/nthost.h"

RESPONSECODE host_acquire(void);
void host_release(void);

// What an NTSTATUS means to pcscd: 617 when the reader is gone, else `otherwise` (the call's own failure).
RESPONSECODE host_failure(nt_status status, RESPONSECODE otherwise);
