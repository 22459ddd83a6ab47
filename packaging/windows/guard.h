// SPDX-License-Identifier: MIT
// Stack cookies of an image. Compilers expect these names from a run-time library, and there is none here.
#pragma once
#include <ntddk.h>

#ifdef _WIN64
#define GUARD_DEFAULT ((ULONG_PTR)0x00002B992DDFA232)
#else
#define GUARD_DEFAULT ((ULONG_PTR)0xBB40E64E)
#endif

// For the routines that change the cookie or run before it is there.
#define GUARD_UNGUARDED __attribute__((no_stack_protector))

// Makes the cookie unpredictable; does nothing the second time, or when the system's loader has done it.
GUARD_UNGUARDED VOID GuardSeed(VOID);
