// SPDX-License-Identifier: MIT
#include_next <wdm.h>
#include "usershared.h"
