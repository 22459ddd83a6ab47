// SPDX-License-Identifier: MIT
// 8-bit strings. The ANSI code page is Latin-1: its characters are Unicode's first 256.
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/faults.h"

enum { RTL_ANSI_MAX = 0xFFFE };

BOOLEAN NlsMbCodePageTag = FALSE; // what the headers' size macros look at: no multi-byte code page

VOID NTAPI RtlInitAnsiString(PANSI_STRING Destination, PCSZ Source)
{
    ULONG Length = 0;
    *Destination = (ANSI_STRING){0};
    if (Source == NULL) {
        return;
    }
    while (Length < RTL_ANSI_MAX && Source[Length] != 0) {
        Length++;
    }
    Destination->Length = (USHORT)Length;
    Destination->MaximumLength = (USHORT)(Length + 1);
    Destination->Buffer = (PCHAR)(ULONG_PTR)Source;
}

VOID NTAPI RtlInitString(PSTRING Destination, PCSZ Source)
{
    RtlInitAnsiString(Destination, Source);
}

VOID NTAPI RtlCopyString(PSTRING Destination, const PSTRING Source)
{
    USHORT Length = Source == NULL ? 0 : Source->Length;
    if (Length > Destination->MaximumLength) {
        Length = Destination->MaximumLength;
    }
    if (Length != 0) {
        RtlMoveMemory(Destination->Buffer, Source->Buffer, Length);
    }
    Destination->Length = Length;
}

CHAR NTAPI RtlUpperChar(CHAR Character)
{
    WCHAR Upper = RtlpUpcase((UCHAR)Character);
    return Upper < 0x100 ? (CHAR)Upper : Character;
}

VOID NTAPI RtlUpperString(PSTRING Destination, const PSTRING Source)
{
    RtlCopyString(Destination, Source);
    for (ULONG i = 0; i < Destination->Length; i++) {
        Destination->Buffer[i] = RtlUpperChar(Destination->Buffer[i]);
    }
}

LONG NTAPI RtlCompareString(const PSTRING Left, const PSTRING Right, BOOLEAN IgnoreCase)
{
    USHORT Common = Left->Length < Right->Length ? Left->Length : Right->Length;
    for (ULONG i = 0; i < Common; i++) {
        UCHAR A = (UCHAR)(IgnoreCase ? RtlUpperChar(Left->Buffer[i]) : Left->Buffer[i]);
        UCHAR B = (UCHAR)(IgnoreCase ? RtlUpperChar(Right->Buffer[i]) : Right->Buffer[i]);
        if (A != B) {
            return (LONG)A - (LONG)B;
        }
    }
    return (LONG)Left->Length - (LONG)Right->Length;
}

BOOLEAN NTAPI RtlEqualString(const PSTRING Left, const PSTRING Right, BOOLEAN IgnoreCase)
{
    return Left->Length == Right->Length && RtlCompareString(Left, Right, IgnoreCase) == 0;
}

ULONG NTAPI RtlxAnsiStringToUnicodeSize(PCANSI_STRING String)
{
    return (String->Length + 1u) * (ULONG)sizeof(WCHAR);
}

ULONG NTAPI RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING String)
{
    return String->Length / (ULONG)sizeof(WCHAR) + 1;
}

NTSTATUS NTAPI RtlAnsiStringToUnicodeString(PUNICODE_STRING Destination, PANSI_STRING Source,
                                            BOOLEAN Allocate)
{
    NT_ENTRY(RtlAnsiStringToUnicodeString);
    NT_MAY_FAIL(ALLOCATION, STATUS_NO_MEMORY);
    ULONG Size = RtlxAnsiStringToUnicodeSize(Source);
    if (Size > RTL_ANSI_MAX) {
        return STATUS_INVALID_PARAMETER_2;
    }
    if (Allocate) {
        Destination->MaximumLength = (USHORT)Size;
        Destination->Buffer = RtlpAllocateString(Size);
        if (Destination->Buffer == NULL) {
            return STATUS_NO_MEMORY;
        }
    } else if (Size > Destination->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    for (ULONG i = 0; i < Source->Length; i++) {
        Destination->Buffer[i] = (UCHAR)Source->Buffer[i];
    }
    Destination->Length = (USHORT)(Size - sizeof(WCHAR));
    Destination->Buffer[Source->Length] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeStringToAnsiString(PANSI_STRING Destination, PCUNICODE_STRING Source,
                                            BOOLEAN Allocate)
{
    NT_ENTRY(RtlUnicodeStringToAnsiString);
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Size = RtlxUnicodeStringToAnsiSize(Source);
    if (Allocate) {
        Destination->MaximumLength = (USHORT)Size;
        Destination->Buffer = RtlpAllocateString(Size);
        if (Destination->Buffer == NULL) {
            return STATUS_NO_MEMORY;
        }
    } else if (Destination->MaximumLength == 0) {
        return STATUS_BUFFER_OVERFLOW;
    } else if (Size > Destination->MaximumLength) {
        Size = Destination->MaximumLength;
        Status = STATUS_BUFFER_OVERFLOW;
    }
    for (ULONG i = 0; i < Size - 1; i++) {
        WCHAR Character = Source->Buffer[i];
        Destination->Buffer[i] = Character < 0x100 ? (CHAR)Character : '?';
    }
    Destination->Length = (USHORT)(Size - 1);
    Destination->Buffer[Size - 1] = 0;
    return Status;
}

VOID NTAPI RtlFreeAnsiString(PANSI_STRING String)
{
    NT_ENTRY(RtlFreeAnsiString);
    if (String->Buffer != NULL) {
        ExFreePoolWithTag(String->Buffer, 0);
        *String = (ANSI_STRING){0};
    }
}
