// SPDX-License-Identifier: MIT
// A library driver: it counts, from DllInitialize on.
#include <ntddk.h>

enum { LIBRARY_TAG = 'lBtN', LIBRARY_FIRST = 1000 };

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath);
NTSTATUS NTAPI DllUnload(VOID);
ULONG NTAPI BadLibraryCount(VOID);

static PULONG Count;

NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath)
{
    static const WCHAR Name[] = L"badlib";
    ULONG Length = RegistryPath->Length / sizeof(WCHAR), NameLength = sizeof Name / sizeof Name[0] - 1;
    for (ULONG i = 0; i < NameLength; i++) {
        if (Length < NameLength || RegistryPath->Buffer[Length - NameLength + i] != Name[i]) {
            return STATUS_INVALID_PARAMETER;
        }
    }
    Count = ExAllocatePoolWithTag(NonPagedPool, sizeof *Count, LIBRARY_TAG);
    if (Count == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Count = LIBRARY_FIRST;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DllUnload(VOID)
{
    ExFreePoolWithTag(Count, LIBRARY_TAG);
    return STATUS_SUCCESS;
}

ULONG NTAPI BadLibraryCount(VOID)
{
    return ++*Count;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_UNSUCCESSFUL; // nobody calls it
}
