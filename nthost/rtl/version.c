// SPDX-License-Identifier: MIT
// The version whose routines are here: Windows 7.
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/verifier.h"

enum { NT_MAJOR = 6, NT_MINOR = 1, NT_BUILD = 7601 };

NTSTATUS NTAPI RtlGetVersion(PRTL_OSVERSIONINFOW Version)
{
    NT_ENTRY(RtlGetVersion);
    Version->dwMajorVersion = NT_MAJOR;
    Version->dwMinorVersion = NT_MINOR;
    Version->dwBuildNumber = NT_BUILD;
    Version->dwPlatformId = 2; // NT
    Version->szCSDVersion[0] = 0;
    return STATUS_SUCCESS;
}

BOOLEAN NTAPI PsGetVersion(PULONG Major, PULONG Minor, PULONG Build, PUNICODE_STRING ServicePack)
{
    if (Major != NULL) {
        *Major = NT_MAJOR;
    }
    if (Minor != NULL) {
        *Minor = NT_MINOR;
    }
    if (Build != NULL) {
        *Build = NT_BUILD;
    }
    if (ServicePack != NULL) {
        RtlInitUnicodeString(ServicePack, NULL);
    }
    return FALSE; // a free build
}
