// SPDX-License-Identifier: MIT
#include_next <ntddk.h>
#include "usershared.h"
