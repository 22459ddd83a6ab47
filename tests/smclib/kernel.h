// SPDX-License-Identifier: MIT
// The kernel under a test, for WDM code and for plain C alike.
#pragma once

void kernel_boot(void);         // virtual clock, seed 1
void kernel_boot_threads(void); // real clock: host threads meet inside
void kernel_shutdown(void);     // a leak or a broken rule ends the process
