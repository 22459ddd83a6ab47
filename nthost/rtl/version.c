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

BOOLEAN NTAPI IoIsWdmVersionAvailable(UCHAR MajorVersion, UCHAR MinorVersion)
{
    NT_ENTRY(IoIsWdmVersionAvailable);
    return MajorVersion < NT_MAJOR || (MajorVersion == NT_MAJOR && MinorVersion <= NT_MINOR);
}

ULONGLONG NTAPI VerSetConditionMask(ULONGLONG ConditionMask, ULONG TypeMask, UCHAR Condition)
{
    for (ULONG i = 0; TypeMask >> i != 0; i++) {
        if ((TypeMask >> i & 1) != 0) {
            ULONG Shift = i * VER_NUM_BITS_PER_CONDITION_MASK;
            ConditionMask |= (ULONGLONG)(Condition & VER_CONDITION_MASK) << Shift;
        }
    }
    return ConditionMask;
}

typedef struct _RTLP_VERSION_FIELD {
    ULONG TypeBit; // the number of its VER_ bit
    ULONG Own, Asked;
} RTLP_VERSION_FIELD;

static BOOLEAN RtlpAcceptsOrder(ULONG Condition, ULONG Own, ULONG Asked)
{
    switch (Condition) {
    case VER_EQUAL:
        return Own == Asked;
    case VER_GREATER:
        return Own > Asked;
    case VER_GREATER_EQUAL:
        return Own >= Asked;
    case VER_LESS:
        return Own < Asked;
    case VER_LESS_EQUAL:
        return Own <= Asked;
    default:
        return FALSE;
    }
}

// Fields of one number: the first that differs decides, by its own condition.
static BOOLEAN RtlpAcceptsNumber(const RTLP_VERSION_FIELD *Fields, ULONG Count, ULONG TypeMask,
                                 ULONGLONG ConditionMask)
{
    BOOLEAN Accepted = TRUE;
    for (ULONG i = 0; i < Count; i++) {
        ULONG Shift = Fields[i].TypeBit * VER_NUM_BITS_PER_CONDITION_MASK;
        if ((TypeMask >> Fields[i].TypeBit & 1) != 0) {
            Accepted = RtlpAcceptsOrder((ULONG)(ConditionMask >> Shift) & VER_CONDITION_MASK, Fields[i].Own,
                                        Fields[i].Asked);
            if (Fields[i].Own != Fields[i].Asked) {
                break;
            }
        }
    }
    return Accepted;
}

NTSTATUS NTAPI RtlVerifyVersionInfo(PRTL_OSVERSIONINFOEXW VersionInfo, ULONG TypeMask,
                                    ULONGLONG ConditionMask)
{
    enum { MINOR, MAJOR, BUILD, PACK_MINOR = 4, PACK_MAJOR };
    NT_ENTRY(RtlVerifyVersionInfo);
    const RTLP_VERSION_FIELD Version[] = {{MAJOR, NT_MAJOR, VersionInfo->dwMajorVersion},
                                          {MINOR, NT_MINOR, VersionInfo->dwMinorVersion},
                                          {PACK_MAJOR, 0, VersionInfo->wServicePackMajor},
                                          {PACK_MINOR, 0, VersionInfo->wServicePackMinor}};
    const RTLP_VERSION_FIELD Build = {BUILD, NT_BUILD, VersionInfo->dwBuildNumber};
    if (TypeMask == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return RtlpAcceptsNumber(Version, RTL_NUMBER_OF(Version), TypeMask, ConditionMask) &&
                   RtlpAcceptsNumber(&Build, 1, TypeMask, ConditionMask)
               ? STATUS_SUCCESS
               : STATUS_REVISION_MISMATCH;
}
