// SPDX-License-Identifier: MIT
// UTF-8 and UTF-16: also what the user side passes its names through.
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/verifier.h"

enum { REPLACEMENT = 0xFFFD };

static BOOLEAN RtlpIsHigh(ULONG Unit)
{
    return Unit >= 0xD800 && Unit < 0xDC00;
}

static BOOLEAN RtlpIsLow(ULONG Unit)
{
    return Unit >= 0xDC00 && Unit < 0xE000;
}

static ULONG RtlpNextUtf16(PCWCH Source, ULONG Count, ULONG *Index, NTSTATUS *Status)
{
    ULONG Unit = Source[(*Index)++];
    if (RtlpIsHigh(Unit) && *Index < Count && RtlpIsLow(Source[*Index])) {
        return 0x10000 + ((Unit - 0xD800) << 10) + (Source[(*Index)++] - 0xDC00u);
    }
    if (RtlpIsHigh(Unit) || RtlpIsLow(Unit)) {
        *Status = STATUS_SOME_NOT_MAPPED;
        return REPLACEMENT;
    }
    return Unit;
}

static ULONG RtlpEncodeUtf8(ULONG Character, UCHAR Bytes[4])
{
    if (Character < 0x80) {
        Bytes[0] = (UCHAR)Character;
        return 1;
    }
    ULONG Length = Character < 0x800 ? 2 : Character < 0x10000 ? 3 : 4;
    for (ULONG i = Length - 1; i > 0; i--) {
        Bytes[i] = (UCHAR)(0x80 | (Character & 0x3F));
        Character >>= 6;
    }
    Bytes[0] = (UCHAR)((0xF00u >> Length) | Character);
    return Length;
}

NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR Destination, ULONG Size, PULONG Written, PCWCH Source,
                                 ULONG SourceSize)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Used = 0, Count = SourceSize / sizeof(WCHAR);
    for (ULONG i = 0; i < Count;) {
        UCHAR Bytes[4];
        ULONG Length = RtlpEncodeUtf8(RtlpNextUtf16(Source, Count, &i, &Status), Bytes);
        if (Destination != NULL && Length > Size - Used) {
            Status = STATUS_BUFFER_TOO_SMALL;
            break;
        }
        if (Destination != NULL) {
            RtlCopyMemory(Destination + Used, Bytes, Length);
        }
        Used += Length;
    }
    if (Written != NULL) {
        *Written = Used;
    }
    return Status;
}

// Overlong forms, surrogates and stray bytes become the replacement character, one for each bad byte.
static ULONG RtlpNextUtf8(const UCHAR *Source, ULONG Count, ULONG *Index, NTSTATUS *Status)
{
    static const ULONG Least[] = {0, 0, 0x80, 0x800, 0x10000};
    UCHAR First = Source[(*Index)++];
    if (First < 0x80) {
        return First;
    }
    ULONG Length = First >= 0xF0 && First < 0xF8 ? 4 : First >= 0xE0 ? 3 : First >= 0xC0 ? 2 : 0;
    ULONG Character = Length == 0 || First >= 0xF8 ? 0 : First & (0x7Fu >> Length);
    ULONG Read = 1;
    while (Read < Length && *Index + Read - 1 < Count && (Source[*Index + Read - 1] & 0xC0) == 0x80) {
        Character = Character << 6 | (Source[*Index + Read - 1] & 0x3F);
        Read++;
    }
    if (Length == 0 || First >= 0xF8 || Read < Length || Character < Least[Length] || Character > 0x10FFFF ||
        RtlpIsHigh(Character) || RtlpIsLow(Character)) {
        *Status = STATUS_SOME_NOT_MAPPED;
        return REPLACEMENT;
    }
    *Index += Length - 1;
    return Character;
}

NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR Destination, ULONG Size, PULONG Written, PCCH Source, ULONG SourceSize)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Used = 0;
    for (ULONG i = 0; i < SourceSize;) {
        ULONG Character = RtlpNextUtf8((const UCHAR *)Source, SourceSize, &i, &Status);
        ULONG Units = Character < 0x10000 ? 1 : 2;
        if (Destination != NULL && Units * sizeof(WCHAR) > Size - Used) {
            Status = STATUS_BUFFER_TOO_SMALL;
            break;
        }
        if (Destination != NULL && Units == 1) {
            Destination[Used / sizeof(WCHAR)] = (WCHAR)Character;
        } else if (Destination != NULL) {
            Destination[Used / sizeof(WCHAR)] = (WCHAR)(0xD800 + ((Character - 0x10000) >> 10));
            Destination[Used / sizeof(WCHAR) + 1] = (WCHAR)(0xDC00 + ((Character - 0x10000) & 0x3FF));
        }
        Used += Units * (ULONG)sizeof(WCHAR);
    }
    if (Written != NULL) {
        *Written = Used;
    }
    return Status;
}
