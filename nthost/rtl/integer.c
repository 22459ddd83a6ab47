// SPDX-License-Identifier: MIT
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/verifier.h"

enum { RTL_DIGITS = 64 };

static NTSTATUS RtlpFormatInteger(ULONG64 Value, ULONG Base, PUNICODE_STRING String)
{
    WCHAR Digits[RTL_DIGITS];
    ULONG Count = 0;
    if (Base != 0 && Base != 2 && Base != 8 && Base != 10 && Base != 16) {
        return STATUS_INVALID_PARAMETER;
    }
    do {
        ULONG Digit = (ULONG)(Value % (Base == 0 ? 10 : Base));
        Digits[RTL_DIGITS - ++Count] = (WCHAR)(Digit < 10 ? '0' + Digit : 'A' + Digit - 10);
        Value /= Base == 0 ? 10 : Base;
    } while (Value != 0);
    if (Count * sizeof(WCHAR) > String->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    RtlCopyMemory(String->Buffer, Digits + RTL_DIGITS - Count, Count * sizeof(WCHAR));
    String->Length = (USHORT)(Count * sizeof(WCHAR));
    if (String->MaximumLength >= String->Length + sizeof(WCHAR)) {
        String->Buffer[Count] = 0;
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
    NT_ENTRY(RtlIntegerToUnicodeString);
    return RtlpFormatInteger(Value, Base, String);
}

NTSTATUS NTAPI RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
    NT_ENTRY(RtlInt64ToUnicodeString);
    return RtlpFormatInteger(Value, Base, String);
}

typedef struct _RTLP_NUMBER {
    const VOID *Text;
    BOOLEAN Wide;
    SIZE_T Index, Count;
} RTLP_NUMBER;

static WCHAR RtlpPeekNumber(const RTLP_NUMBER *Number)
{
    if (Number->Index >= Number->Count) {
        return 0;
    }
    return Number->Wide ? ((PCWSTR)Number->Text)[Number->Index] : (UCHAR)((PCSTR)Number->Text)[Number->Index];
}

static ULONG RtlpDigit(WCHAR Character)
{
    if (Character >= '0' && Character <= '9') {
        return Character - (ULONG)'0';
    }
    WCHAR Upper = RtlpUpcase(Character);
    return Upper >= 'A' && Upper <= 'F' ? Upper - (ULONG)'A' + 10 : MAXULONG;
}

// 0x, 0o and 0b choose the base if the caller does not.
static ULONG RtlpReadBase(RTLP_NUMBER *Number)
{
    if (RtlpPeekNumber(Number) != '0') {
        return 10;
    }
    Number->Index++;
    WCHAR Mark = RtlpPeekNumber(Number);
    ULONG Base = Mark == 'x' ? 16 : Mark == 'o' ? 8 : Mark == 'b' ? 2 : 10;
    Number->Index += Base != 10;
    return Base;
}

static NTSTATUS RtlpReadInteger(RTLP_NUMBER *Number, ULONG Base, PULONG Value)
{
    ULONG Sum = 0;
    if (Base != 0 && Base != 2 && Base != 8 && Base != 10 && Base != 16) {
        return STATUS_INVALID_PARAMETER;
    }
    while (RtlpPeekNumber(Number) != 0 && RtlpPeekNumber(Number) <= ' ') {
        Number->Index++;
    }
    BOOLEAN Negative = RtlpPeekNumber(Number) == '-';
    Number->Index += Negative || RtlpPeekNumber(Number) == '+';
    Base = Base == 0 ? RtlpReadBase(Number) : Base;
    for (ULONG Digit = RtlpDigit(RtlpPeekNumber(Number)); Digit < Base;
         Digit = RtlpDigit(RtlpPeekNumber(Number))) {
        Sum = Sum * Base + Digit;
        Number->Index++;
    }
    *Value = Negative ? 0 - Sum : Sum;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
    NT_ENTRY(RtlUnicodeStringToInteger);
    RTLP_NUMBER Number = {String->Buffer, TRUE, 0, String->Length / sizeof(WCHAR)};
    return RtlpReadInteger(&Number, Base, Value);
}

NTSTATUS NTAPI RtlCharToInteger(PCSZ String, ULONG Base, PULONG Value)
{
    RTLP_NUMBER Number = {String, FALSE, 0, MAXULONG};
    return RtlpReadInteger(&Number, Base, Value);
}
