// SPDX-License-Identifier: MIT
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/verifier.h"

enum { RTL_STRING_MAX = 0xFFFC }; // the longest even length that leaves room for a terminator

VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING Destination, PCWSTR Source)
{
    SIZE_T Length = 0;
    *Destination = (UNICODE_STRING){0};
    if (Source == NULL) {
        return;
    }
    while (Source[Length / sizeof(WCHAR)] != 0 && Length < RTL_STRING_MAX) {
        Length += sizeof(WCHAR);
    }
    Destination->Length = (USHORT)Length;
    Destination->MaximumLength = (USHORT)(Length + sizeof(WCHAR));
    Destination->Buffer = (PWSTR)(ULONG_PTR)Source;
}

VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    USHORT Length = Source == NULL ? 0 : Source->Length;
    if (Length > Destination->MaximumLength) {
        Length = Destination->MaximumLength;
    }
    if (Length != 0) {
        RtlMoveMemory(Destination->Buffer, Source->Buffer, Length);
    }
    Destination->Length = Length;
    if (Destination->MaximumLength >= Length + sizeof(WCHAR)) {
        Destination->Buffer[Length / sizeof(WCHAR)] = 0;
    }
}

NTSTATUS NTAPI RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    if (Source->Length > Destination->MaximumLength - Destination->Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (Source->Length != 0) {
        RtlMoveMemory(Destination->Buffer + Destination->Length / sizeof(WCHAR), Source->Buffer,
                      Source->Length);
    }
    Destination->Length = (USHORT)(Destination->Length + Source->Length);
    if (Destination->MaximumLength >= Destination->Length + sizeof(WCHAR)) {
        Destination->Buffer[Destination->Length / sizeof(WCHAR)] = 0;
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    UNICODE_STRING String;
    RtlInitUnicodeString(&String, Source);
    return RtlAppendUnicodeStringToString(Destination, &String);
}

LONG NTAPI RtlCompareUnicodeStrings(PCWCH Left, SIZE_T LeftLength, PCWCH Right, SIZE_T RightLength,
                                    BOOLEAN IgnoreCase)
{
    SIZE_T Common = LeftLength < RightLength ? LeftLength : RightLength;
    for (SIZE_T i = 0; i < Common; i++) {
        WCHAR A = IgnoreCase ? RtlpUpcase(Left[i]) : Left[i];
        WCHAR B = IgnoreCase ? RtlpUpcase(Right[i]) : Right[i];
        if (A != B) {
            return (LONG)A - (LONG)B;
        }
    }
    return LeftLength < RightLength ? -1 : LeftLength > RightLength;
}

LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING Left, PCUNICODE_STRING Right, BOOLEAN IgnoreCase)
{
    NT_ENTRY(RtlCompareUnicodeString);
    return RtlCompareUnicodeStrings(Left->Buffer, Left->Length / sizeof(WCHAR), Right->Buffer,
                                    Right->Length / sizeof(WCHAR), IgnoreCase);
}

BOOLEAN NTAPI RtlEqualUnicodeString(PCUNICODE_STRING Left, PCUNICODE_STRING Right, BOOLEAN IgnoreCase)
{
    NT_ENTRY(RtlEqualUnicodeString);
    return Left->Length == Right->Length && RtlCompareUnicodeString(Left, Right, IgnoreCase) == 0;
}

BOOLEAN NTAPI RtlPrefixUnicodeString(PCUNICODE_STRING Prefix, PCUNICODE_STRING String, BOOLEAN IgnoreCase)
{
    NT_ENTRY(RtlPrefixUnicodeString);
    UNICODE_STRING Start = {Prefix->Length, Prefix->Length, String->Buffer};
    return Prefix->Length <= String->Length && RtlCompareUnicodeString(Prefix, &Start, IgnoreCase) == 0;
}

WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR Character)
{
    return RtlpUpcase(Character);
}

WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR Character)
{
    BOOLEAN Upper = (Character >= 'A' && Character <= 'Z') ||
                    (Character >= 0xC0 && Character <= 0xDE && Character != 0xD7);
    return Upper ? (WCHAR)(Character + 0x20) : Character == 0x178 ? 0xFF : Character;
}

PVOID RtlpAllocateString(SIZE_T Size)
{
    return ExAllocatePoolWithTag(PagedPool, Size, RTL_TAG);
}

NTSTATUS NTAPI RtlUpcaseUnicodeString(PUNICODE_STRING Destination, PCUNICODE_STRING Source, BOOLEAN Allocate)
{
    NT_ENTRY(RtlUpcaseUnicodeString);
    if (Allocate) {
        Destination->MaximumLength = Source->Length;
        Destination->Buffer = RtlpAllocateString(Source->Length == 0 ? sizeof(WCHAR) : Source->Length);
        if (Destination->Buffer == NULL) {
            return STATUS_NO_MEMORY;
        }
    } else if (Source->Length > Destination->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    for (ULONG i = 0; i < Source->Length / sizeof(WCHAR); i++) {
        Destination->Buffer[i] = RtlpUpcase(Source->Buffer[i]);
    }
    Destination->Length = Source->Length;
    return STATUS_SUCCESS;
}

VOID NTAPI RtlFreeUnicodeString(PUNICODE_STRING String)
{
    NT_ENTRY(RtlFreeUnicodeString);
    if (String->Buffer != NULL) {
        ExFreePoolWithTag(String->Buffer, 0); // Io routines allocate strings for this as well
        *String = (UNICODE_STRING){0};
    }
}

// x65599, the only algorithm that is named.
NTSTATUS NTAPI RtlHashUnicodeString(PCUNICODE_STRING String, BOOLEAN IgnoreCase, ULONG Algorithm, PULONG Hash)
{
    NT_ENTRY(RtlHashUnicodeString);
    if (String == NULL || Hash == NULL || Algorithm > HASH_STRING_ALGORITHM_X65599) {
        return STATUS_INVALID_PARAMETER;
    }
    *Hash = 0;
    for (ULONG i = 0; i < String->Length / sizeof(WCHAR); i++) {
        *Hash = *Hash * 65599 + (IgnoreCase ? RtlpUpcase(String->Buffer[i]) : String->Buffer[i]);
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    RtlInitUnicodeString(DestinationString, SourceString);
    if (SourceString != NULL && SourceString[DestinationString->Length / sizeof(WCHAR)] != 0) {
        *DestinationString = (UNICODE_STRING){0};
        return STATUS_NAME_TOO_LONG;
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING SourceString,
                                         PUNICODE_STRING DestinationString)
{
    enum { TERMINATE = 1, ALLOCATE_EMPTY = 2 };
    NT_ENTRY(RtlDuplicateUnicodeString);
    USHORT Length = SourceString->Length, Room = (Flags & TERMINATE) != 0 ? sizeof(WCHAR) : 0;
    if (Length > RTL_STRING_MAX || (Flags & ~(ULONG)(TERMINATE | ALLOCATE_EMPTY)) != 0 ||
        Flags == ALLOCATE_EMPTY) {
        return STATUS_INVALID_PARAMETER;
    }
    *DestinationString = (UNICODE_STRING){0};
    if (Length == 0 && (Flags & ALLOCATE_EMPTY) == 0) {
        return STATUS_SUCCESS;
    }
    DestinationString->Buffer = RtlpAllocateString((SIZE_T)Length + Room);
    if (DestinationString->Buffer == NULL) {
        return STATUS_NO_MEMORY;
    }
    DestinationString->Length = Length;
    DestinationString->MaximumLength = (USHORT)(Length + Room);
    RtlCopyMemory(DestinationString->Buffer, SourceString->Buffer, Length);
    if (Room != 0) {
        DestinationString->Buffer[Length / sizeof(WCHAR)] = 0;
    }
    return STATUS_SUCCESS;
}
