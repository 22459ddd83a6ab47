// SPDX-License-Identifier: MIT
// The device's hardware key: EscapeCommandEnable (REG_DWORD) permits vendor escapes; VendorName and IfdType
// (REG_SZ) name a re-branded reader.
#pragma once
#include "reader/reader.h"

_IRQL_requires_(PASSIVE_LEVEL)
VOID RegistryRead(_Inout_ PREADER Reader);
