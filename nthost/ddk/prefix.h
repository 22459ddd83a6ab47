// SPDX-License-Identifier: MIT
// Read before every WDM source of the native build: makes mingw-w64's DDK headers describe the Win64 ABI to
// an ELF compiler. _mingw.h and ntdef.h quietly empty __stdcall and FASTCALL, hence the second definitions.
#pragma once

#define _WIN32      1
#define _WIN64      1
#define WIN32       1
#define __MINGW64__ 1
#define NT_MS_ABI   __attribute__((ms_abi))
#define __stdcall NT_MS_ABI
#define __cdecl NT_MS_ABI
#define __fastcall NT_MS_ABI
#define _stdcall NT_MS_ABI
#define _cdecl NT_MS_ABI
#define _fastcall NT_MS_ABI
#define __declspec(attribute) __attribute__((attribute))
#define dllimport __unused__
#define dllexport __unused__
#define selectany weak
#define __int64 long long
#define __int32 int
#define __int16 short
#define __int8 char
#define __forceinline extern inline __attribute__((always_inline, gnu_inline))

#include <_mingw.h>
#undef __stdcall
#define __stdcall NT_MS_ABI

// mingw's goes through a null pointer, which UBSan takes at its word.
#define CONTAINING_RECORD(address, type, field)                                                              \
    ((type *)((unsigned long long)(address) - __builtin_offsetof(type, field)))

#include <ntdef.h>
#undef FASTCALL
#define FASTCALL NT_MS_ABI
