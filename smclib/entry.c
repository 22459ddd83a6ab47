// SPDX-License-Identifier: MIT
// The module itself. As an export driver it is loaded by the import of a reader driver; DriverEntry is then
// not called, and DllUnload lets the image go with its last user.
#include "smclib/smc.h"

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI SmcDllInitialize(_In_ PUNICODE_STRING RegistryPath);
NTSTATUS NTAPI SmcDllUnload(void);

// The only state that is not in an extension: all drivers share the level.
static volatile LONG SmcDebugLevel;

_Use_decl_annotations_
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
NTSTATUS NTAPI SmcDllInitialize(PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SmcDllUnload(void)
{
    return STATUS_SUCCESS;
}

ULONG NTAPI SmartcardGetDebugLevel(void)
{
    return (ULONG)SmcDebugLevel;
}

_Use_decl_annotations_
VOID NTAPI SmartcardSetDebugLevel(ULONG Level)
{
    InterlockedExchange(&SmcDebugLevel, (LONG)Level);
}
