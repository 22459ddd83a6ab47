// SPDX-License-Identifier: MIT
// RtlQueryRegistryValues: a table of what to read and where to put it.
#include "nthost/cm/cm.h"
#include "nthost/cm/relative.h"
#include "nthost/verifier/faults.h"

enum { CM_TYPE_SHIFT = 24, CM_TAG = 'gReC' };

typedef struct _CM_QUERY {
    CM_KEY *Base, *Current; // both referenced
    PVOID Context;
} CM_QUERY;

// A value out of the tree, or a default.
typedef struct _CM_DATUM {
    UNICODE_STRING Name;
    ULONG Type, Length;
    PUCHAR Data;
} CM_DATUM;

static VOID CmFreeDatum(CM_DATUM *Datum)
{
    os_free(Datum->Name.Buffer);
    os_free(Datum->Data);
}

static NTSTATUS CmCopyDatum(PCUNICODE_STRING Name, ULONG Type, const VOID *Data, ULONG Length,
                            CM_DATUM *Datum)
{
    Datum->Type = Type;
    Datum->Length = Length;
    Datum->Data = os_allocate((SIZE_T)Length + sizeof(WCHAR), 8);
    NTSTATUS status = IopDuplicateString(Name, &Datum->Name);
    if (Datum->Data == NULL || !NT_SUCCESS(status)) {
        CmFreeDatum(Datum);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Datum->Data, Data, Length);
    RtlZeroMemory(Datum->Data + Length, sizeof(WCHAR)); // strings in the registry need not be terminated
    return STATUS_SUCCESS;
}

static NTSTATUS CmReadDatum(CM_KEY *Key, PCUNICODE_STRING Name, ULONG Index, CM_DATUM *Datum)
{
    KIRQL irql;
    CmLock(&irql);
    CM_VALUE *value = Name != NULL ? CmFindValue(Key, Name) : CmValueAt(Key, Index);
    NTSTATUS status = value != NULL
                          ? CmCopyDatum(&value->Name, value->Type, value->Data, value->Length, Datum)
                          : STATUS_OBJECT_NAME_NOT_FOUND;
    CmUnlock(irql);
    return status;
}

static NTSTATUS CmStoreString(PUNICODE_STRING Target, const CM_DATUM *Datum)
{
    ULONG length = Datum->Length;
    const WCHAR *text = (const WCHAR *)Datum->Data;
    // The terminator is not part of the string's length.
    if (Datum->Type != REG_MULTI_SZ && length >= sizeof(WCHAR) && text[length / sizeof(WCHAR) - 1] == 0) {
        length -= sizeof(WCHAR);
    }
    if (length + sizeof(WCHAR) > MAXUSHORT) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (Target->Buffer == NULL) {
        Target->Buffer = ExAllocatePoolWithTag(PagedPool, length + sizeof(WCHAR), CM_TAG);
        Target->MaximumLength = (USHORT)(length + sizeof(WCHAR));
    }
    if (Target->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (length > Target->MaximumLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(Target->Buffer, text, length);
    Target->Length = (USHORT)length;
    if (length + sizeof(WCHAR) <= Target->MaximumLength) {
        Target->Buffer[length / sizeof(WCHAR)] = 0;
    }
    return STATUS_SUCCESS;
}

// Larger data go into a buffer that starts with its size: negative for the data alone, positive for length,
// type, data.
static NTSTATUS CmStoreBlock(PUCHAR Target, const CM_DATUM *Datum)
{
    LONG size = *(PLONG)Target;
    ULONG header = 2 * sizeof(ULONG);
    if (size < 0) {
        if (Datum->Length > (ULONG)-size) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        RtlCopyMemory(Target, Datum->Data, Datum->Length);
        return STATUS_SUCCESS;
    }
    if (Datum->Length + header > (ULONG)size) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    ((PULONG)Target)[0] = Datum->Length;
    ((PULONG)Target)[1] = Datum->Type;
    RtlCopyMemory(Target + header, Datum->Data, Datum->Length);
    return STATUS_SUCCESS;
}

static NTSTATUS CmStoreDirect(const RTL_QUERY_REGISTRY_TABLE *Entry, const CM_DATUM *Datum)
{
    ULONG expected = Entry->DefaultType >> CM_TYPE_SHIFT;
    if ((Entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK) != 0 && expected != Datum->Type) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (Datum->Type == REG_SZ || Datum->Type == REG_EXPAND_SZ || Datum->Type == REG_MULTI_SZ) {
        return CmStoreString(Entry->EntryContext, Datum);
    }
    if (Datum->Length <= sizeof(ULONG)) {
        RtlCopyMemory(Entry->EntryContext, Datum->Data, Datum->Length);
        return STATUS_SUCCESS;
    }
    return CmStoreBlock(Entry->EntryContext, Datum);
}

static NTSTATUS CmCallRoutine(const CM_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry,
                              const CM_DATUM *Datum, ULONG Type, PVOID Data, ULONG Length)
{
    if (Entry->QueryRoutine == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status =
        Entry->QueryRoutine(Datum->Name.Buffer, Type, Data, Length, Query->Context, Entry->EntryContext);
    return status == STATUS_BUFFER_TOO_SMALL ? STATUS_SUCCESS : status;
}

// Without NOEXPAND each string of a MULTI_SZ is a call of its own.
static NTSTATUS CmGiveStrings(const CM_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry,
                              const CM_DATUM *Datum)
{
    PWSTR text = (PWSTR)Datum->Data;
    ULONG count = Datum->Length / sizeof(WCHAR), start = 0;
    NTSTATUS status = STATUS_SUCCESS;
    while (NT_SUCCESS(status) && start < count && text[start] != 0) {
        ULONG end = start;
        while (end < count && text[end] != 0) {
            end++;
        }
        ULONG length = (end + 1 - start) * (ULONG)sizeof(WCHAR);
        status = CmCallRoutine(Query, Entry, Datum, REG_SZ, text + start, length);
        start = end + 1;
    }
    return status;
}

static NTSTATUS CmGive(const CM_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry, const CM_DATUM *Datum)
{
    if ((Entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0) {
        return CmStoreDirect(Entry, Datum);
    }
    if (Datum->Type == REG_MULTI_SZ && (Entry->Flags & RTL_QUERY_REGISTRY_NOEXPAND) == 0) {
        return CmGiveStrings(Query, Entry, Datum);
    }
    return CmCallRoutine(Query, Entry, Datum, Datum->Type, Datum->Data, Datum->Length);
}

static NTSTATUS CmGiveDefault(const CM_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry,
                              PCUNICODE_STRING Name)
{
    ULONG type = Entry->DefaultType & ((1u << CM_TYPE_SHIFT) - 1), length = Entry->DefaultLength;
    CM_DATUM datum = {0};
    UNICODE_STRING text;
    if (type == REG_NONE || Entry->DefaultData == NULL) {
        return STATUS_SUCCESS;
    }
    if (length == 0 && (type == REG_SZ || type == REG_EXPAND_SZ)) {
        RtlInitUnicodeString(&text, Entry->DefaultData);
        length = text.Length + (ULONG)sizeof(WCHAR);
    }
    NTSTATUS status = CmCopyDatum(Name, type, Entry->DefaultData, length, &datum);
    if (NT_SUCCESS(status)) {
        RTL_QUERY_REGISTRY_TABLE unchecked = *Entry;
        unchecked.Flags &= ~(ULONG)RTL_QUERY_REGISTRY_TYPECHECK;
        status = CmGive(Query, &unchecked, &datum);
        CmFreeDatum(&datum);
    }
    return status;
}

static NTSTATUS CmQueryNamed(const CM_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    UNICODE_STRING name;
    CM_DATUM datum = {0};
    RtlInitUnicodeString(&name, Entry->Name);
    NTSTATUS status = CmReadDatum(Query->Current, &name, 0, &datum);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND && (Entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) == 0) {
        return CmGiveDefault(Query, Entry, &name);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = CmGive(Query, Entry, &datum);
    CmFreeDatum(&datum);
    if (NT_SUCCESS(status) && (Entry->Flags & RTL_QUERY_REGISTRY_DELETE) != 0) {
        status = CmDeleteValue(Query->Current, &name);
    }
    return status;
}

static NTSTATUS CmQueryAll(const CM_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    NTSTATUS status = STATUS_SUCCESS;
    for (ULONG index = 0; NT_SUCCESS(status); index++) {
        CM_DATUM datum = {0};
        status = CmReadDatum(Query->Current, NULL, index, &datum);
        if (status == STATUS_OBJECT_NAME_NOT_FOUND) {
            BOOLEAN missing = index == 0 && (Entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0;
            return missing ? status : STATUS_SUCCESS;
        }
        if (NT_SUCCESS(status)) {
            status = CmGive(Query, Entry, &datum);
            CmFreeDatum(&datum);
        }
    }
    return status;
}

static VOID CmSelect(CM_QUERY *Query, CM_KEY *Key)
{
    ObReferenceObject(Key);
    ObDereferenceObject(Query->Current);
    Query->Current = Key;
}

static NTSTATUS CmSelectSubkey(CM_QUERY *Query, PCWSTR Name)
{
    UNICODE_STRING name;
    CM_KEY *key;
    RtlInitUnicodeString(&name, Name);
    NTSTATUS status = CmOpen(Query->Base, &name, FALSE, &key, NULL);
    if (NT_SUCCESS(status)) {
        CmSelect(Query, key);
        ObDereferenceObject(key);
    }
    return status;
}

static BOOLEAN CmIsSound(const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    BOOLEAN direct = (Entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0;
    BOOLEAN subkey = (Entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0;
    return direct ? Entry->Name != NULL && !subkey && Entry->QueryRoutine == NULL
                  : !subkey || Entry->Name != NULL;
}

static NTSTATUS CmQueryEntry(CM_QUERY *Query, const RTL_QUERY_REGISTRY_TABLE *Entry)
{
    if (!CmIsSound(Entry)) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((Entry->Flags & RTL_QUERY_REGISTRY_TOPKEY) != 0) {
        CmSelect(Query, Query->Base);
    }
    if ((Entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0) {
        NTSTATUS status = CmSelectSubkey(Query, Entry->Name);
        if (!NT_SUCCESS(status)) {
            return (Entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0 ? status : STATUS_SUCCESS;
        }
        return Entry->QueryRoutine != NULL ? CmQueryAll(Query, Entry) : STATUS_SUCCESS;
    }
    if ((Entry->Flags & RTL_QUERY_REGISTRY_NOVALUE) != 0) {
        if (Entry->QueryRoutine == NULL) {
            return STATUS_INVALID_PARAMETER;
        }
        return Entry->QueryRoutine(NULL, REG_NONE, NULL, 0, Query->Context, Entry->EntryContext);
    }
    return Entry->Name != NULL ? CmQueryNamed(Query, Entry) : CmQueryAll(Query, Entry);
}

NTSTATUS NTAPI RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                      PVOID Context, PVOID Environment)
{
    NT_ENTRY(RtlQueryRegistryValues);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    UNREFERENCED_PARAMETER(Environment);
    CM_QUERY query = {.Context = Context};
    NTSTATUS status = CmOpenRelative(RelativeTo, Path, FALSE, &query.Base);
    if (!NT_SUCCESS(status)) {
        return (RelativeTo & RTL_REGISTRY_OPTIONAL) != 0 ? STATUS_SUCCESS : status;
    }
    query.Current = query.Base;
    ObReferenceObject(query.Current);
    for (PRTL_QUERY_REGISTRY_TABLE entry = QueryTable;
         NT_SUCCESS(status) &&
         (entry->QueryRoutine != NULL ||
          (entry->Flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DIRECT)) != 0);
         entry++) {
        status = CmQueryEntry(&query, entry);
    }
    ObDereferenceObject(query.Current);
    ObDereferenceObject(query.Base);
    return status;
}
