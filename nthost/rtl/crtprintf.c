// SPDX-License-Identifier: MIT
#include "nthost/rtl/crt.h"
#include "nthost/rtl/rtl.h"

// Microsoft's counted forms return -1 and leave the terminator out when the text does not fit.
static int RtlpFinish(const RTLP_SINK *Sink)
{
    return Sink->Count > Sink->Size || Sink->Count > MAXLONG ? -1 : (int)Sink->Count;
}

int __cdecl RtlpVsnprintf(PCHAR Buffer, SIZE_T Count, PCSTR Format, __builtin_ms_va_list Arguments)
{
    RTLP_SINK Sink = {.Put = RtlpPutNarrow, .Buffer = Buffer, .Size = Count};
    RtlpFormat(&Sink, (RTLP_FORMAT){Format, FALSE}, Arguments);
    if (Sink.Count < Count) {
        Buffer[Sink.Count] = 0;
    }
    return RtlpFinish(&Sink);
}

int __cdecl RtlpVsnwprintf(PWSTR Buffer, SIZE_T Count, PCWSTR Format, __builtin_ms_va_list Arguments)
{
    RTLP_SINK Sink = {.Put = RtlpPutWide, .Buffer = Buffer, .Size = Count};
    RtlpFormat(&Sink, (RTLP_FORMAT){Format, TRUE}, Arguments);
    if (Sink.Count < Count) {
        Buffer[Sink.Count] = 0;
    }
    return RtlpFinish(&Sink);
}

int __cdecl RtlpVsprintf(PCHAR Buffer, PCSTR Format, __builtin_ms_va_list Arguments)
{
    return RtlpVsnprintf(Buffer, MAXLONG, Format, Arguments);
}

int __cdecl RtlpVswprintf(PWSTR Buffer, PCWSTR Format, __builtin_ms_va_list Arguments)
{
    return RtlpVsnwprintf(Buffer, MAXLONG, Format, Arguments);
}

int __cdecl RtlpSprintf(PCHAR Buffer, PCSTR Format, ...)
{
    __builtin_ms_va_list Arguments;
    __builtin_ms_va_start(Arguments, Format);
    int Count = RtlpVsprintf(Buffer, Format, Arguments);
    __builtin_ms_va_end(Arguments);
    return Count;
}

int __cdecl RtlpSnprintf(PCHAR Buffer, SIZE_T Size, PCSTR Format, ...)
{
    __builtin_ms_va_list Arguments;
    __builtin_ms_va_start(Arguments, Format);
    int Count = RtlpVsnprintf(Buffer, Size, Format, Arguments);
    __builtin_ms_va_end(Arguments);
    return Count;
}

int __cdecl RtlpSwprintf(PWSTR Buffer, PCWSTR Format, ...)
{
    __builtin_ms_va_list Arguments;
    __builtin_ms_va_start(Arguments, Format);
    int Count = RtlpVswprintf(Buffer, Format, Arguments);
    __builtin_ms_va_end(Arguments);
    return Count;
}

int __cdecl RtlpSnwprintf(PWSTR Buffer, SIZE_T Size, PCWSTR Format, ...)
{
    __builtin_ms_va_list Arguments;
    __builtin_ms_va_start(Arguments, Format);
    int Count = RtlpVsnwprintf(Buffer, Size, Format, Arguments);
    __builtin_ms_va_end(Arguments);
    return Count;
}

// The _s forms: text that does not fit with its terminator leaves the buffer empty.
int __cdecl RtlpSprintfS(PCHAR Buffer, SIZE_T Size, PCSTR Format, ...)
{
    __builtin_ms_va_list Arguments;
    __builtin_ms_va_start(Arguments, Format);
    int Count = RtlpVsnprintf(Buffer, Size, Format, Arguments);
    __builtin_ms_va_end(Arguments);
    if (Size != 0 && (Count < 0 || (SIZE_T)Count == Size)) {
        Buffer[0] = 0;
        return -1;
    }
    return Count;
}

int __cdecl RtlpSwprintfS(PWSTR Buffer, SIZE_T Size, PCWSTR Format, ...)
{
    __builtin_ms_va_list Arguments;
    __builtin_ms_va_start(Arguments, Format);
    int Count = RtlpVsnwprintf(Buffer, Size, Format, Arguments);
    __builtin_ms_va_end(Arguments);
    if (Size != 0 && (Count < 0 || (SIZE_T)Count == Size)) {
        Buffer[0] = 0;
        return -1;
    }
    return Count;
}
