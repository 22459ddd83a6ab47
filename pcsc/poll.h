// SPDX-License-Identifier: MIT
// The functions pcscd's event thread gets through TAG_IFD_POLLING_THREAD_WITH_TIMEOUT and
// TAG_IFD_STOP_POLLING_THREAD. It calls them without the reader's lock, from two threads.
#pragma once
#include <ifdhandler.h>

// Returns on a change of what IFDHICCPresence last reported, on time-out, and when stopped.
RESPONSECODE poll_wait(DWORD lun, int timeout_ms);
RESPONSECODE poll_stop(DWORD lun);
