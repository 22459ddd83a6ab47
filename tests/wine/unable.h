// SPDX-License-Identifier: MIT
// What this kernel cannot do, as opposed to what the driver does wrong on it.
#pragma once

// Notes why the statement that runs cannot be; only the first such counts, since it ends the scenario.
void unable_note(const char *reason);
const char *unable_reason(void); // NULL: so far all could be
