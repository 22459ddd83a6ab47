// SPDX-License-Identifier: MIT
#pragma once
#include <ntddk.h>

VOID VfDescribeContext(PCHAR Text,
                       SIZE_T Size); // driver, routine, thread, IRQL, locks, stack; all threads if virtual
VOID VfDescribeStack(PCHAR Text, SIZE_T Size, PVOID const *Frames, ULONG Count);
DECLSPEC_NORETURN VOID KiBugCheck(ULONG Code, const ULONG_PTR Parameters[4], PCSTR Detail);
