// SPDX-License-Identifier: MIT
#include "nthost/rtl/rtl.h"

typedef struct _RTLP_SPEC {
    BOOLEAN Left, Plus, Space, Alternate, Zero;
    ULONG Width;
    LONG Precision; // -1: none
    BOOLEAN Long64, Short, Narrow, Wide;
    WCHAR Conversion;
} RTLP_SPEC, *PRTLP_SPEC;

typedef struct _RTLP_READER {
    RTLP_FORMAT Format;
    SIZE_T Index;
    __builtin_ms_va_list Arguments;
} RTLP_READER, *PRTLP_READER;

VOID RtlpPutNarrow(PRTLP_SINK Sink, WCHAR Character)
{
    if (Sink->Count < Sink->Size) {
        ((PCHAR)Sink->Buffer)[Sink->Count] = Character < 0x100 ? (CHAR)Character : '?';
    }
    Sink->Count++;
}

VOID RtlpPutWide(PRTLP_SINK Sink, WCHAR Character)
{
    if (Sink->Count < Sink->Size) {
        ((PWCHAR)Sink->Buffer)[Sink->Count] = Character;
    }
    Sink->Count++;
}

static WCHAR RtlpPeek(PRTLP_READER Reader)
{
    return Reader->Format.Wide ? ((PCWSTR)Reader->Format.Text)[Reader->Index]
                               : (UCHAR)((PCSTR)Reader->Format.Text)[Reader->Index];
}

static BOOLEAN RtlpAccept(PRTLP_READER Reader, WCHAR Character)
{
    BOOLEAN Match = RtlpPeek(Reader) == Character;
    Reader->Index += Match;
    return Match;
}

static BOOLEAN RtlpReadFlag(PRTLP_READER Reader, PRTLP_SPEC Spec)
{
    switch (RtlpPeek(Reader)) {
    case '-':
        return Spec->Left = TRUE;
    case '+':
        return Spec->Plus = TRUE;
    case ' ':
        return Spec->Space = TRUE;
    case '#':
        return Spec->Alternate = TRUE;
    case '0':
        return Spec->Zero = TRUE;
    default:
        return FALSE;
    }
}

static LONG RtlpReadNumber(PRTLP_READER Reader)
{
    enum { LIMIT = 4096 };
    LONG Number = 0;
    if (RtlpAccept(Reader, '*')) {
        return __builtin_va_arg(Reader->Arguments, LONG);
    }
    for (WCHAR Digit = RtlpPeek(Reader); Digit >= '0' && Digit <= '9'; Digit = RtlpPeek(Reader)) {
        Number = Number * 10 + (Digit - '0');
        Number = Number > LIMIT ? LIMIT : Number;
        Reader->Index++;
    }
    return Number;
}

static VOID RtlpReadSize(PRTLP_READER Reader, PRTLP_SPEC Spec)
{
    if (RtlpAccept(Reader, 'I')) {
        BOOLEAN Explicit32 = RtlpPeek(Reader) == '3';
        BOOLEAN Explicit64 = RtlpPeek(Reader) == '6';
        Spec->Long64 = !Explicit32; // plain I: the size of a pointer
        Reader->Index += Explicit32 || Explicit64 ? 2 : 0;
    } else if (RtlpAccept(Reader, 'l')) {
        Spec->Long64 = RtlpAccept(Reader, 'l');
        Spec->Wide = TRUE;
    } else if (RtlpAccept(Reader, 'w')) {
        Spec->Wide = TRUE;
    } else if (RtlpAccept(Reader, 'h')) {
        Spec->Narrow = TRUE;
        Spec->Short = !RtlpAccept(Reader, 'h');
    } else if (RtlpAccept(Reader, 'z') || RtlpAccept(Reader, 'j') || RtlpAccept(Reader, 't')) {
        Spec->Long64 = TRUE;
    }
}

static VOID RtlpReadSpec(PRTLP_READER Reader, PRTLP_SPEC Spec)
{
    RtlZeroMemory(Spec, sizeof *Spec);
    while (RtlpReadFlag(Reader, Spec)) {
        Reader->Index++;
    }
    LONG Width = RtlpReadNumber(Reader);
    if (Width < 0) {
        Spec->Left = TRUE;
        Width = -Width;
    }
    Spec->Width = (ULONG)Width;
    Spec->Precision = RtlpAccept(Reader, '.') ? RtlpReadNumber(Reader) : -1;
    RtlpReadSize(Reader, Spec);
    Spec->Conversion = RtlpPeek(Reader);
    Reader->Index += Spec->Conversion != 0;
}

static VOID RtlpPad(PRTLP_SINK Sink, WCHAR Character, SIZE_T Count)
{
    while (Count-- > 0) {
        Sink->Put(Sink, Character);
    }
}

// `Count` characters, narrow or wide, in the field's width.
static VOID RtlpPutField(PRTLP_SINK Sink, const RTLP_SPEC *Spec, const VOID *Text, BOOLEAN Wide, SIZE_T Count)
{
    SIZE_T Fill = Spec->Width > Count ? Spec->Width - Count : 0;
    RtlpPad(Sink, ' ', Spec->Left ? 0 : Fill);
    for (SIZE_T i = 0; i < Count; i++) {
        Sink->Put(Sink, Wide ? ((PCWSTR)Text)[i] : (UCHAR)((PCSTR)Text)[i]);
    }
    RtlpPad(Sink, ' ', Spec->Left ? Fill : 0);
}

static VOID RtlpPutNumber(PRTLP_SINK Sink, const RTLP_SPEC *Spec, ULONG64 Value, ULONG Base, PCSTR Prefix)
{
    PCSTR Digits = Spec->Conversion == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
    CHAR Text[24];
    SIZE_T Count = 0, PrefixLength = 0;
    while (Value != 0 || (Count == 0 && Spec->Precision != 0)) {
        Text[sizeof Text - ++Count] = Digits[Value % Base];
        Value /= Base;
    }
    while (Prefix[PrefixLength] != 0) {
        PrefixLength++;
    }
    SIZE_T Zeros = Spec->Precision > (LONG)Count ? (SIZE_T)Spec->Precision - Count : 0;
    SIZE_T Length = PrefixLength + Zeros + Count;
    SIZE_T Fill = Spec->Width > Length ? Spec->Width - Length : 0;
    if (Spec->Zero && !Spec->Left && Spec->Precision < 0) {
        Zeros += Fill;
        Fill = 0;
    }
    RtlpPad(Sink, ' ', Spec->Left ? 0 : Fill);
    for (SIZE_T i = 0; i < PrefixLength; i++) {
        Sink->Put(Sink, (UCHAR)Prefix[i]);
    }
    RtlpPad(Sink, '0', Zeros);
    for (SIZE_T i = sizeof Text - Count; i < sizeof Text; i++) {
        Sink->Put(Sink, (UCHAR)Text[i]);
    }
    RtlpPad(Sink, ' ', Spec->Left ? Fill : 0);
}

static VOID RtlpPutSigned(PRTLP_SINK Sink, const RTLP_SPEC *Spec, LONG64 Value)
{
    PCSTR Prefix = Value < 0 ? "-" : Spec->Plus ? "+" : Spec->Space ? " " : "";
    RtlpPutNumber(Sink, Spec, Value < 0 ? 0 - (ULONG64)Value : (ULONG64)Value, 10, Prefix);
}

static VOID RtlpPutInteger(PRTLP_SINK Sink, PRTLP_SPEC Spec, PRTLP_READER Reader)
{
    BOOLEAN Signed = Spec->Conversion == 'd' || Spec->Conversion == 'i';
    ULONG64 Value = Spec->Long64 ? __builtin_va_arg(Reader->Arguments, ULONG64)
                                 : (ULONG64) __builtin_va_arg(Reader->Arguments, ULONG);
    if (Spec->Short) {
        Value = Signed ? (ULONG64)(SHORT)Value : (USHORT)Value;
    }
    if (Signed) {
        RtlpPutSigned(Sink, Spec, Spec->Long64 ? (LONG64)Value : (LONG)Value);
        return;
    }
    ULONG Base = Spec->Conversion == 'u' ? 10 : Spec->Conversion == 'o' ? 8 : 16;
    PCSTR Prefix = !Spec->Alternate || Value == 0 ? ""
                   : Base == 8                    ? "0"
                   : Spec->Conversion == 'x'      ? "0x"
                                                  : "0X";
    RtlpPutNumber(Sink, Spec, Value, Base, Base == 10 ? "" : Prefix);
}

static VOID RtlpPutString(PRTLP_SINK Sink, const RTLP_SPEC *Spec, const VOID *Text, BOOLEAN Wide)
{
    SIZE_T Limit = Spec->Precision < 0 ? MAXULONG : (SIZE_T)Spec->Precision;
    SIZE_T Count = 0;
    if (Text == NULL) {
        Text = "(null)";
        Wide = FALSE;
    }
    while (Count < Limit && (Wide ? ((PCWSTR)Text)[Count] != 0 : ((PCSTR)Text)[Count] != 0)) {
        Count++;
    }
    RtlpPutField(Sink, Spec, Text, Wide, Count);
}

// UNICODE_STRING and ANSI_STRING have the same shape; neither needs a terminator.
static VOID RtlpPutCounted(PRTLP_SINK Sink, const RTLP_SPEC *Spec, PCUNICODE_STRING String)
{
    if (String == NULL || String->Buffer == NULL) {
        RtlpPutField(Sink, Spec, "(null)", FALSE, 6);
        return;
    }
    SIZE_T Count = Spec->Wide ? String->Length / sizeof(WCHAR) : String->Length;
    if (Spec->Precision >= 0 && (SIZE_T)Spec->Precision < Count) {
        Count = (SIZE_T)Spec->Precision;
    }
    RtlpPutField(Sink, Spec, String->Buffer, Spec->Wide, Count);
}

static VOID RtlpPutPointer(PRTLP_SINK Sink, PRTLP_SPEC Spec, PVOID Pointer)
{
    Spec->Precision = sizeof Pointer * 2;
    RtlpPutNumber(Sink, Spec, (ULONG_PTR)Pointer, 16, "");
}

static VOID RtlpPutConversion(PRTLP_SINK Sink, PRTLP_SPEC Spec, PRTLP_READER Reader)
{
    BOOLEAN Swapped = Spec->Conversion == 'S' || Spec->Conversion == 'C';
    BOOLEAN Wide = Spec->Wide || (!Spec->Narrow && Reader->Format.Wide != Swapped);
    switch (Spec->Conversion) {
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        RtlpPutInteger(Sink, Spec, Reader);
        break;
    case 'p':
        RtlpPutPointer(Sink, Spec, __builtin_va_arg(Reader->Arguments, PVOID));
        break;
    case 's':
    case 'S':
        RtlpPutString(Sink, Spec, __builtin_va_arg(Reader->Arguments, PVOID), Wide);
        break;
    case 'Z':
        RtlpPutCounted(Sink, Spec, __builtin_va_arg(Reader->Arguments, PVOID));
        break;
    case 'c':
    case 'C': {
        WCHAR Character = (WCHAR) __builtin_va_arg(Reader->Arguments, LONG);
        Character = Wide ? Character : (UCHAR)Character;
        RtlpPutField(Sink, Spec, &Character, TRUE, 1);
        break;
    }
    case 0:
        break;
    default: // %% and what is unknown, floating point among it
        Sink->Put(Sink, Spec->Conversion);
        break;
    }
}

VOID RtlpFormat(PRTLP_SINK Sink, RTLP_FORMAT Format, __builtin_ms_va_list Arguments)
{
    // The Win64 list is a pointer. gcc's __builtin_ms_va_copy, unless it optimises, copies the 24 bytes of a
    // System V list in a function of that ABI.
    RTLP_READER Reader = {.Format = Format, .Arguments = Arguments};
    for (WCHAR Character = RtlpPeek(&Reader); Character != 0; Character = RtlpPeek(&Reader)) {
        Reader.Index++;
        if (Character != '%') {
            Sink->Put(Sink, Character);
            continue;
        }
        RTLP_SPEC Spec;
        RtlpReadSpec(&Reader, &Spec);
        RtlpPutConversion(Sink, &Spec, &Reader);
    }
}

VOID RtlpAppendV(PCHAR Text, SIZE_T Size, PCSTR Format, __builtin_ms_va_list Arguments)
{
    SIZE_T Length = 0;
    while (Text[Length] != 0) {
        Length++;
    }
    RTLP_SINK Sink = {.Put = RtlpPutNarrow, .Buffer = Text, .Size = Size - 1, .Count = Length};
    RTLP_FORMAT Narrow = {.Text = Format};
    RtlpFormat(&Sink, Narrow, Arguments);
    Text[Sink.Count < Size - 1 ? Sink.Count : Size - 1] = 0;
}

VOID __cdecl RtlpAppend(PCHAR Text, SIZE_T Size, PCSTR Format, ...)
{
    __builtin_ms_va_list Arguments;
    __builtin_ms_va_start(Arguments, Format);
    RtlpAppendV(Text, Size, Format, Arguments);
    __builtin_ms_va_end(Arguments);
}
