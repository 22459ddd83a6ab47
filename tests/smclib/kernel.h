// SPDX-License-Identifier: MIT
// The kernel under a test, for WDM code and for plain C alike.
#pragma once

void kernel_boot(void);
void kernel_shutdown(void); // a leak or a broken rule ends the process
