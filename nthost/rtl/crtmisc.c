// SPDX-License-Identifier: MIT
#include "nthost/rtl/crt.h"

PVOID __cdecl RtlpMemCpy(PVOID Destination, const VOID *Source, SIZE_T Length)
{
    return memmove(Destination, Source, Length); // images' memcpy of Windows 7 takes overlaps
}

PVOID __cdecl RtlpMemMove(PVOID Destination, const VOID *Source, SIZE_T Length)
{
    return memmove(Destination, Source, Length);
}

PVOID __cdecl RtlpMemSet(PVOID Destination, int Value, SIZE_T Length)
{
    return memset(Destination, Value, Length);
}

int __cdecl RtlpMemCmp(const VOID *Left, const VOID *Right, SIZE_T Length)
{
    return memcmp(Left, Right, Length);
}

PVOID __cdecl RtlpMemChr(const VOID *Memory, int Value, SIZE_T Length)
{
    for (const UCHAR *Byte = Memory; Length > 0; Byte++, Length--) {
        if (*Byte == (UCHAR)Value) {
            return (PVOID)(ULONG_PTR)Byte;
        }
    }
    return NULL;
}

int __cdecl RtlpMemCpyS(PVOID Destination, SIZE_T Size, const VOID *Source, SIZE_T Length)
{
    if (Length == 0) {
        return 0;
    }
    if (Destination == NULL) {
        return RTLP_EINVAL;
    }
    if (Source == NULL || Size < Length) {
        memset(Destination, 0, Size);
        return Source == NULL ? RTLP_EINVAL : RTLP_ERANGE;
    }
    memmove(Destination, Source, Length);
    return 0;
}

// ---- characters: the C locale's ----

int __cdecl RtlpIsDigit(int Character)
{
    return Character >= '0' && Character <= '9';
}

int __cdecl RtlpIsUpper(int Character)
{
    return Character >= 'A' && Character <= 'Z';
}

int __cdecl RtlpIsLower(int Character)
{
    return Character >= 'a' && Character <= 'z';
}

int __cdecl RtlpIsXDigit(int Character)
{
    return RtlpIsDigit(Character) || (Character >= 'A' && Character <= 'F') ||
           (Character >= 'a' && Character <= 'f');
}

int __cdecl RtlpIsSpace(int Character)
{
    return Character == ' ' || (Character >= '\t' && Character <= '\r');
}

int __cdecl RtlpIsPrint(int Character)
{
    return Character >= ' ' && Character <= '~';
}

int __cdecl RtlpToUpper(int Character)
{
    return RtlpIsLower(Character) ? Character - 'a' + 'A' : Character;
}

int __cdecl RtlpToLower(int Character)
{
    return RtlpIsUpper(Character) ? Character - 'A' + 'a' : Character;
}

// ---- numbers ----

static ULONG RtlpDigitOf(WCHAR Character)
{
    int Upper = RtlpToUpper(Character);
    return RtlpIsDigit(Upper) ? (ULONG)Upper - '0' : RtlpIsUpper(Upper) ? (ULONG)Upper - 'A' + 10 : MAXULONG;
}

ULONG __cdecl RtlpWcstoul(PCWSTR Text, PWSTR *End, int Base)
{
    ULONG64 Value = 0;
    PCWSTR At = Text;
    while (RtlpIsSpace(*At)) {
        At++;
    }
    BOOLEAN Negative = *At == '-';
    At += *At == '-' || *At == '+';
    BOOLEAN Hex = At[0] == '0' && RtlpToUpper(At[1]) == 'X' && RtlpIsXDigit(At[2]);
    if ((Base == 0 || Base == 16) && Hex) {
        At += 2;
        Base = 16;
    }
    Base = Base != 0 ? Base : *At == '0' ? 8 : 10;
    PCWSTR First = At;
    for (; RtlpDigitOf(*At) < (ULONG)Base; At++) {
        Value = Value * (ULONG)Base + RtlpDigitOf(*At);
        Value = Value > MAXULONG ? MAXULONG : Value;
    }
    if (End != NULL) {
        *End = (PWSTR)(ULONG_PTR)(At == First ? Text : At);
    }
    return Value == MAXULONG ? MAXULONG : Negative ? 0 - (ULONG)Value : (ULONG)Value;
}

int __cdecl RtlpWtoi(PCWSTR Text)
{
    return (int)RtlpWcstoul(Text, NULL, 10);
}

int __cdecl RtlpAtoi(PCSTR Text)
{
    enum { DIGITS = 32 };
    WCHAR Wide[DIGITS];
    ULONG Count = 0;
    while (RtlpIsSpace(*Text)) {
        Text++;
    }
    while (Count < DIGITS - 1 && Text[Count] != 0) {
        Wide[Count] = (UCHAR)Text[Count];
        Count++;
    }
    Wide[Count] = 0;
    return RtlpWtoi(Wide);
}

// ---- order ----

static VOID RtlpSwap(PUCHAR Left, PUCHAR Right, SIZE_T Size)
{
    for (SIZE_T i = 0; i < Size; i++) {
        UCHAR Byte = Left[i];
        Left[i] = Right[i];
        Right[i] = Byte;
    }
}

static VOID RtlpSink(PUCHAR Base, SIZE_T Index, SIZE_T Count, SIZE_T Size, RTLP_COMPARE *Compare)
{
    for (SIZE_T Child = 2 * Index + 1; Child < Count; Index = Child, Child = 2 * Index + 1) {
        if (Child + 1 < Count && Compare(Base + Child * Size, Base + (Child + 1) * Size) < 0) {
            Child++;
        }
        if (Compare(Base + Index * Size, Base + Child * Size) >= 0) {
            return;
        }
        RtlpSwap(Base + Index * Size, Base + Child * Size, Size);
    }
}

// Heap sort: no recursion on a kernel's stack, and no bad case.
VOID __cdecl RtlpQsort(PVOID Base, SIZE_T Count, SIZE_T Size, RTLP_COMPARE *Compare)
{
    for (SIZE_T i = Count / 2; i > 0; i--) {
        RtlpSink(Base, i - 1, Count, Size, Compare);
    }
    for (SIZE_T Left = Count; Left > 1; Left--) {
        RtlpSwap(Base, (PUCHAR)Base + (Left - 1) * Size, Size);
        RtlpSink(Base, 0, Left - 1, Size, Compare);
    }
}

PVOID __cdecl RtlpBsearch(const VOID *Key, const VOID *Base, SIZE_T Count, SIZE_T Size, RTLP_COMPARE *Compare)
{
    const UCHAR *First = Base;
    while (Count > 0) {
        const UCHAR *Middle = First + Count / 2 * Size;
        int Order = Compare(Key, Middle);
        if (Order == 0) {
            return (PVOID)(ULONG_PTR)Middle;
        }
        First = Order > 0 ? Middle + Size : First;
        Count = Order > 0 ? Count - Count / 2 - 1 : Count / 2;
    }
    return NULL;
}
