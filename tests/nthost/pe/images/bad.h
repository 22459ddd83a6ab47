// SPDX-License-Identifier: MIT
#pragma once
#include <ntddk.h>

#include "badctl.h"

__declspec(dllimport) ULONG NTAPI BadLibraryCount(VOID);

// `Output` has room for a struct bad_place.
NTSTATUS BadAct(ULONG Action, PVOID Output, PULONG Length);
