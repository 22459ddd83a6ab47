// SPDX-License-Identifier: MIT
// The PnP manager's own GUIDs, defined once.
#include <ntddk.h>
#include <initguid.h>
#include <wdmguid.h>
