// SPDX-License-Identifier: MIT
// The cookie, its check, and the image's entry point, which seeds it before anything that checks it runs.
#include "packaging/windows/guard.h"

#define DRIVER_OVERRAN_STACK_BUFFER 0xF7

DRIVER_INITIALIZE DriverEntry;
DRIVER_INITIALIZE GuardDriverEntry;

static DECLSPEC_NORETURN VOID GuardStop(ULONG_PTR Found, ULONG_PTR Expected)
{
    KeBugCheckEx(DRIVER_OVERRAN_STACK_BUFFER, Found, Expected, ~Expected, 0);
}

#ifdef _MSC_VER
ULONG_PTR __security_cookie = GUARD_DEFAULT;
VOID __fastcall __security_check_cookie(ULONG_PTR Found);
#define GUARD_COOKIE __security_cookie

VOID __fastcall __security_check_cookie(ULONG_PTR Found)
{
    if (Found != __security_cookie) {
        GuardStop(Found, __security_cookie);
    }
}

// lld-link makes it the load configuration of the image; from Windows 8 on the loader seeds the cookie
// through it.
typedef struct _GUARD_CONFIGURATION {
    ULONG Size;
    UCHAR Unused[0x54];
    ULONG_PTR *SecurityCookie;
    ULONG_PTR HandlerTable;
    ULONG_PTR HandlerCount;
} GUARD_CONFIGURATION;
C_ASSERT(FIELD_OFFSET(GUARD_CONFIGURATION, SecurityCookie) == 0x58);
C_ASSERT(sizeof(GUARD_CONFIGURATION) == 0x70);

extern const GUARD_CONFIGURATION _load_config_used;
const GUARD_CONFIGURATION _load_config_used = {.Size = sizeof(_load_config_used),
                                               .SecurityCookie = &__security_cookie};
#else
ULONG_PTR __stack_chk_guard = GUARD_DEFAULT;
DECLSPEC_NORETURN VOID __stack_chk_fail(VOID);
#define GUARD_COOKIE __stack_chk_guard

// The compiler does not say what it found.
DECLSPEC_NORETURN VOID __stack_chk_fail(VOID)
{
    GuardStop(0, __stack_chk_guard);
}
#endif

// As the compilers' own libraries do: the upper 16 bits are zero, so that a string cannot carry the whole
// value.
GUARD_UNGUARDED VOID GuardSeed(VOID)
{
    ULONG_PTR seed = (ULONG_PTR)__builtin_ia32_rdtsc();

    if (GUARD_COOKIE != GUARD_DEFAULT) {
        return;
    }
    seed = (seed << (8 * sizeof(seed) / 3)) ^ seed ^ (ULONG_PTR)&seed ^ ((ULONG_PTR)&GUARD_COOKIE << 16);
#ifdef _WIN64
    seed &= 0x0000FFFFFFFFFFFF;
#endif
    GUARD_COOKIE = seed == GUARD_DEFAULT || seed == 0 ? GUARD_DEFAULT + 1 : seed;
}

GUARD_UNGUARDED NTSTATUS NTAPI GuardDriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    GuardSeed();
    return DriverEntry(DriverObject, RegistryPath);
}
