// SPDX-License-Identifier: MIT
// The C library that ntoskrnl exports, under names of its own: the ELF process has another one.
#pragma once
#include <ntddk.h>

enum { RTLP_EINVAL = 22, RTLP_ERANGE = 34, RTLP_STRUNCATE = 80 };

// NOLINTBEGIN(bugprone-macro-parentheses): `Type` is a type
#define RTLP_TEXT_ROUTINES(Type, CRT)                                                                        \
    SIZE_T __cdecl CRT(Len)(const Type *Text);                                                               \
    SIZE_T __cdecl CRT(NLen)(const Type *Text, SIZE_T Limit);                                                \
    Type *__cdecl CRT(Cpy)(Type * Destination, const Type *Source);                                          \
    Type *__cdecl CRT(NCpy)(Type * Destination, const Type *Source, SIZE_T Count);                           \
    Type *__cdecl CRT(Cat)(Type * Destination, const Type *Source);                                          \
    Type *__cdecl CRT(NCat)(Type * Destination, const Type *Source, SIZE_T Count);                           \
    int __cdecl CRT(Cmp)(const Type *Left, const Type *Right);                                               \
    int __cdecl CRT(NCmp)(const Type *Left, const Type *Right, SIZE_T Count);                                \
    int __cdecl CRT(ICmp)(const Type *Left, const Type *Right);                                              \
    int __cdecl CRT(NICmp)(const Type *Left, const Type *Right, SIZE_T Count);                               \
    Type *__cdecl CRT(Chr)(const Type *Text, int Character);                                                 \
    Type *__cdecl CRT(RChr)(const Type *Text, int Character);                                                \
    Type *__cdecl CRT(Str)(const Type *Text, const Type *Part);                                              \
    SIZE_T __cdecl CRT(Spn)(const Type *Text, const Type *Set);                                              \
    SIZE_T __cdecl CRT(CSpn)(const Type *Text, const Type *Set);                                             \
    Type *__cdecl CRT(Upr)(Type * Text);                                                                     \
    Type *__cdecl CRT(Lwr)(Type * Text);                                                                     \
    int __cdecl CRT(NCatS)(Type * Destination, SIZE_T Size, const Type *Source, SIZE_T Count);               \
    int __cdecl CRT(NCpyS)(Type * Destination, SIZE_T Size, const Type *Source, SIZE_T Count);               \
    int __cdecl CRT(CatS)(Type * Destination, SIZE_T Size, const Type *Source);                              \
    int __cdecl CRT(CpyS)(Type * Destination, SIZE_T Size, const Type *Source);

#define RTLP_STR(name) RtlpStr##name
#define RTLP_WCS(name) RtlpWcs##name
RTLP_TEXT_ROUTINES(CHAR, RTLP_STR)
RTLP_TEXT_ROUTINES(WCHAR, RTLP_WCS)
// NOLINTEND(bugprone-macro-parentheses)

PVOID __cdecl RtlpMemCpy(PVOID Destination, const VOID *Source, SIZE_T Length);
PVOID __cdecl RtlpMemMove(PVOID Destination, const VOID *Source, SIZE_T Length);
PVOID __cdecl RtlpMemSet(PVOID Destination, int Value, SIZE_T Length);
int __cdecl RtlpMemCmp(const VOID *Left, const VOID *Right, SIZE_T Length);
PVOID __cdecl RtlpMemChr(const VOID *Memory, int Value, SIZE_T Length);
int __cdecl RtlpMemCpyS(PVOID Destination, SIZE_T Size, const VOID *Source, SIZE_T Length);

int __cdecl RtlpSprintf(PCHAR Buffer, PCSTR Format, ...);
int __cdecl RtlpVsprintf(PCHAR Buffer, PCSTR Format, __builtin_ms_va_list Arguments);
int __cdecl RtlpSnprintf(PCHAR Buffer, SIZE_T Count, PCSTR Format, ...);
int __cdecl RtlpVsnprintf(PCHAR Buffer, SIZE_T Count, PCSTR Format, __builtin_ms_va_list Arguments);
int __cdecl RtlpSprintfS(PCHAR Buffer, SIZE_T Size, PCSTR Format, ...);
int __cdecl RtlpSwprintf(PWSTR Buffer, PCWSTR Format, ...);
int __cdecl RtlpVswprintf(PWSTR Buffer, PCWSTR Format, __builtin_ms_va_list Arguments);
int __cdecl RtlpSnwprintf(PWSTR Buffer, SIZE_T Count, PCWSTR Format, ...);
int __cdecl RtlpVsnwprintf(PWSTR Buffer, SIZE_T Count, PCWSTR Format, __builtin_ms_va_list Arguments);
int __cdecl RtlpSwprintfS(PWSTR Buffer, SIZE_T Size, PCWSTR Format, ...);

int __cdecl RtlpAtoi(PCSTR Text);
int __cdecl RtlpWtoi(PCWSTR Text);
ULONG __cdecl RtlpWcstoul(PCWSTR Text, PWSTR *End, int Base);
int __cdecl RtlpToUpper(int Character);
int __cdecl RtlpToLower(int Character);
int __cdecl RtlpIsDigit(int Character);
int __cdecl RtlpIsXDigit(int Character);
int __cdecl RtlpIsSpace(int Character);
int __cdecl RtlpIsPrint(int Character);
int __cdecl RtlpIsUpper(int Character);
int __cdecl RtlpIsLower(int Character);

typedef int(__cdecl RTLP_COMPARE)(const VOID *Left, const VOID *Right);
VOID __cdecl RtlpQsort(PVOID Base, SIZE_T Count, SIZE_T Size, RTLP_COMPARE *Compare);
PVOID __cdecl RtlpBsearch(const VOID *Key, const VOID *Base, SIZE_T Count, SIZE_T Size,
                          RTLP_COMPARE *Compare);
