// SPDX-License-Identifier: MIT
// A library's DriverEntry is not called when a driver's import loads it; this is.
#include "packaging/windows/guard.h"

NTSTATUS NTAPI SmcDllInitialize(_In_ PUNICODE_STRING RegistryPath);
NTSTATUS NTAPI GuardDllInitialize(_In_ PUNICODE_STRING RegistryPath);

GUARD_UNGUARDED NTSTATUS NTAPI GuardDllInitialize(PUNICODE_STRING RegistryPath)
{
    GuardSeed();
    return SmcDllInitialize(RegistryPath);
}
