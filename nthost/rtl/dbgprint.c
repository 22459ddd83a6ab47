// SPDX-License-Identifier: MIT
#include "nthost/ke/ke.h"
#include "nthost/ke/inlines.h"
#include "nthost/rtl/rtl.h"

enum { DBG_TEXT_SIZE = 512 }; // as much as one call prints on Windows

static ULONG RtlpDebugPrint(PCSTR Prefix, PCSTR Format, __builtin_ms_va_list Arguments)
{
    CHAR Text[DBG_TEXT_SIZE] = "";
    RtlpAppend(Text, sizeof Text, "%s", Prefix);
    RtlpAppendV(Text, sizeof Text, Format, Arguments);
    KiPrint(Text);
    return STATUS_SUCCESS;
}

ULONG __cdecl DbgPrint(PCSTR Format, ...)
{
    __builtin_ms_va_list Arguments;
    __builtin_ms_va_start(Arguments, Format);
    ULONG Status = RtlpDebugPrint("", Format, Arguments);
    __builtin_ms_va_end(Arguments);
    return Status;
}

ULONG __cdecl DbgPrintEx(ULONG Component, ULONG Level, PCSTR Format, ...)
{
    __builtin_ms_va_list Arguments;
    (void)Component, (void)Level; // nothing is filtered: the host may
    __builtin_ms_va_start(Arguments, Format);
    ULONG Status = RtlpDebugPrint("", Format, Arguments);
    __builtin_ms_va_end(Arguments);
    return Status;
}

// Images pass Microsoft's va_list; the headers' own type is the ELF compiler's, hence the names.
ULONG NTAPI RtlpExportVDbgPrintEx(ULONG Component, ULONG Level, PCCH Format, __builtin_ms_va_list Arguments)
{
    (void)Component, (void)Level;
    return RtlpDebugPrint("", Format, Arguments);
}

ULONG NTAPI RtlpExportVDbgPrintExWithPrefix(PCCH Prefix, ULONG Component, ULONG Level, PCCH Format,
                                            __builtin_ms_va_list Arguments)
{
    (void)Component, (void)Level;
    return RtlpDebugPrint(Prefix, Format, Arguments);
}

VOID NTAPI RtlAssert(PVOID Assertion, PVOID File, ULONG Line, PCHAR Message)
{
    DbgPrint("assertion failed: %s (%s:%u) %s\n", Assertion, File, Line, Message == NULL ? "" : Message);
    KeBugCheckEx(MANUALLY_INITIATED_CRASH, (ULONG_PTR)Assertion, (ULONG_PTR)File, Line, 0);
}

VOID NTAPI DbgBreakPoint(VOID)
{
    __builtin_trap();
}
