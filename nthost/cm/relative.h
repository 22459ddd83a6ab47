// SPDX-License-Identifier: MIT
#pragma once
#include "nthost/cm/cm.h"

// The key that an Rtl registry routine's first two parameters name, referenced.
NTSTATUS CmOpenRelative(ULONG RelativeTo, PCWSTR Path, BOOLEAN Create, CM_KEY **Key);
