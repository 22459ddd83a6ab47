// SPDX-License-Identifier: MIT
// CIRCLE_HAS of one imports CIRCLE_WANTS of the other, and the other way round.
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
ULONG NTAPI CIRCLE_HAS(VOID);
__declspec(dllimport) ULONG NTAPI CIRCLE_WANTS(VOID);

ULONG NTAPI CIRCLE_HAS(VOID)
{
    return CIRCLE_WANTS();
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    return CIRCLE_WANTS() == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
