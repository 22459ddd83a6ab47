// SPDX-License-Identifier: MIT
// The formatter behind DbgPrint, the reports and the printf family: Microsoft's conversions, 16-bit wide
// characters.
#pragma once
#include <ntddk.h>

typedef struct _RTLP_SINK {
    VOID (*Put)(struct _RTLP_SINK *Sink, WCHAR Character);
    PVOID Buffer;
    SIZE_T Size;  // in characters
    SIZE_T Count; // written or, beyond Size, dropped
} RTLP_SINK, *PRTLP_SINK;

typedef struct _RTLP_FORMAT {
    const VOID *Text;
    BOOLEAN Wide; // of Text, and what %s and %c mean
} RTLP_FORMAT;

VOID RtlpFormat(PRTLP_SINK Sink, RTLP_FORMAT Format, __builtin_ms_va_list Arguments);
VOID RtlpPutNarrow(PRTLP_SINK Sink, WCHAR Character);
VOID RtlpPutWide(PRTLP_SINK Sink, WCHAR Character);

// Appends to a zero-terminated text; what does not fit is dropped.
VOID __cdecl RtlpAppend(PCHAR Text, SIZE_T Size, PCSTR Format, ...);
VOID RtlpAppendV(PCHAR Text, SIZE_T Size, PCSTR Format, __builtin_ms_va_list Arguments);

// In the headers of file systems only.
NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString);
NTSTATUS NTAPI RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING SourceString,
                                         PUNICODE_STRING DestinationString);

enum { RTL_TAG = 'rtSN' };
PVOID RtlpAllocateString(SIZE_T Size); // for RtlFreeUnicodeString and RtlFreeAnsiString

static inline WCHAR RtlpUpcase(WCHAR Character)
{
    // Latin-1, without the division sign and the y with diaeresis that has its capital elsewhere.
    BOOLEAN Lower = (Character >= 'a' && Character <= 'z') ||
                    (Character >= 0xE0 && Character <= 0xFE && Character != 0xF7);
    return Lower ? (WCHAR)(Character - 0x20) : Character == 0xFF ? 0x178 : Character;
}
