// SPDX-License-Identifier: MIT
// An image with a routine that writes past its stack buffer.
#include "packaging/windows/guard.h"

#ifdef _MSC_VER
extern ULONG_PTR __security_cookie;
#define COOKIE __security_cookie
#else
extern ULONG_PTR __stack_chk_guard;
#define COOKIE __stack_chk_guard
#endif

DRIVER_INITIALIZE DriverEntry;
ULONG_PTR NTAPI OverrunCookie(VOID);
ULONG NTAPI OverrunWrite(ULONG Length);

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    return RegistryPath == NULL ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

ULONG_PTR NTAPI OverrunCookie(VOID)
{
    return COOKIE;
}

ULONG NTAPI OverrunWrite(ULONG Length)
{
    volatile UCHAR buffer[16];
    volatile UCHAR *target = buffer;

    for (ULONG i = 0; i < Length; i++) {
        target[i] = 'A';
    }
    return target[0];
}
