// SPDX-License-Identifier: MIT
#pragma once
#include <ntddk.h>

LONGLONG ClockNow(VOID); // ms since boot
