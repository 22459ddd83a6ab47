// SPDX-License-Identifier: MIT
// Imports what nobody has.
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
__declspec(dllimport) NTSTATUS NTAPI ExNobodyHasThis(PVOID Driver);
__declspec(dllimport) NTSTATUS NTAPI ExNorThis(PVOID Driver);
__declspec(dllimport) NTSTATUS NTAPI NowhereRoutine(PVOID Driver);

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    KeBugCheckEx(0, (ULONG_PTR)ExNobodyHasThis(DriverObject), (ULONG_PTR)ExNorThis(DriverObject),
                 (ULONG_PTR)NowhereRoutine(DriverObject), 0);
}
