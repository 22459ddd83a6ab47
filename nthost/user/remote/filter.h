// SPDX-License-Identifier: MIT
#pragma once

// From now on, in all threads, only the system calls that the kernel and the C library need; any other fails
// with EPERM. 0, also where the system cannot do it; or negative errno.
int filter_calls(void);
