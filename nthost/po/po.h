// SPDX-License-Identifier: MIT
#pragma once
#include "nthost/io/io.h"

// Sends the whole tree to `State`: a query first when going down. Worker only. A driver's refusal is
// returned.
NTSTATUS PopSetSystemPower(SYSTEM_POWER_STATE State);
