// SPDX-License-Identifier: MIT
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/verifier.h"

enum { GUID_CHARACTERS = 38 };

static const CHAR RtlpGuidForm[] = "{00000000-0000-0000-0000-000000000000}";

NTSTATUS NTAPI RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING String)
{
    NT_ENTRY(RtlStringFromGUID);
    CHAR Text[GUID_CHARACTERS + 1] = "";
    RtlpAppend(Text, sizeof Text, "{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}", Guid->Data1,
               Guid->Data2, Guid->Data3, Guid->Data4[0], Guid->Data4[1], Guid->Data4[2], Guid->Data4[3],
               Guid->Data4[4], Guid->Data4[5], Guid->Data4[6], Guid->Data4[7]);
    String->MaximumLength = (GUID_CHARACTERS + 1) * sizeof(WCHAR);
    String->Length = GUID_CHARACTERS * sizeof(WCHAR);
    String->Buffer = RtlpAllocateString(String->MaximumLength);
    if (String->Buffer == NULL) {
        *String = (UNICODE_STRING){0};
        return STATUS_NO_MEMORY;
    }
    for (ULONG i = 0; i < sizeof Text; i++) {
        String->Buffer[i] = (UCHAR)Text[i];
    }
    return STATUS_SUCCESS;
}

static BOOLEAN RtlpHexDigit(WCHAR Character, UCHAR *Digit)
{
    WCHAR Upper = RtlpUpcase(Character);
    BOOLEAN Decimal = Upper >= '0' && Upper <= '9';
    *Digit = (UCHAR)(Decimal ? Upper - '0' : Upper - 'A' + 10);
    return Decimal || (Upper >= 'A' && Upper <= 'F');
}

// The sixteen bytes in the order of the text; FALSE: not of the form.
static BOOLEAN RtlpReadGuid(PCUNICODE_STRING String, UCHAR Bytes[16])
{
    ULONG Digits = 0;
    if (String->Length != GUID_CHARACTERS * sizeof(WCHAR)) {
        return FALSE;
    }
    for (ULONG i = 0; i < GUID_CHARACTERS; i++) {
        UCHAR Digit;
        if (RtlpGuidForm[i] != '0') {
            if (String->Buffer[i] != RtlpGuidForm[i]) {
                return FALSE;
            }
        } else if (!RtlpHexDigit(String->Buffer[i], &Digit)) {
            return FALSE;
        } else {
            Bytes[Digits / 2] = (UCHAR)(Bytes[Digits / 2] << 4 | Digit);
            Digits++;
        }
    }
    return TRUE;
}

NTSTATUS NTAPI RtlGUIDFromString(PUNICODE_STRING String, GUID *Guid)
{
    NT_ENTRY(RtlGUIDFromString);
    UCHAR Bytes[16] = {0};
    if (!RtlpReadGuid(String, Bytes)) {
        return STATUS_INVALID_PARAMETER;
    }
    Guid->Data1 = (ULONG)Bytes[0] << 24 | (ULONG)Bytes[1] << 16 | (ULONG)Bytes[2] << 8 | Bytes[3];
    Guid->Data2 = (USHORT)(Bytes[4] << 8 | Bytes[5]);
    Guid->Data3 = (USHORT)(Bytes[6] << 8 | Bytes[7]);
    RtlCopyMemory(Guid->Data4, Bytes + 8, sizeof Guid->Data4);
    return STATUS_SUCCESS;
}
