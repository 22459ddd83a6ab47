// SPDX-License-Identifier: MIT
#include "nthost/cm/cm.h"
#include "nthost/verifier/faults.h"

// The generic rights of a key's handle, and what is asked for when everything allowed is.
static ACCESS_MASK CmMapAccess(ACCESS_MASK Access)
{
    ACCESS_MASK mapped = Access;
    mapped |= (Access & GENERIC_READ) != 0 ? KEY_READ : 0;
    mapped |= (Access & GENERIC_WRITE) != 0 ? KEY_WRITE : 0;
    mapped |= (Access & (GENERIC_ALL | MAXIMUM_ALLOWED)) != 0 ? KEY_ALL_ACCESS : 0;
    return mapped;
}

NTSTATUS CmGiveHandle(CM_KEY *Key, ACCESS_MASK Access, PHANDLE Handle)
{
    return ObpCreateHandle(Key, CmMapAccess(Access), Handle);
}

static NTSTATUS CmOpenByAttributes(POBJECT_ATTRIBUTES Attributes, BOOLEAN Create, ACCESS_MASK Access,
                                   PHANDLE Handle, PBOOLEAN Created)
{
    PVOID parent = NULL;
    CM_KEY *key;
    VfCheckString(Attributes->ObjectName);
    NTSTATUS status = STATUS_SUCCESS;
    *Handle = NULL;
    if (Attributes->RootDirectory != NULL) {
        status = ObpReferenceHandle(Attributes->RootDirectory, &CmKeyType, 0, &parent);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = CmOpen(parent, Attributes->ObjectName, Create, &key, Created);
    if (NT_SUCCESS(status)) {
        status = CmGiveHandle(key, Access, Handle);
        ObDereferenceObject(key);
    }
    if (parent != NULL) {
        ObDereferenceObject(parent);
    }
    return status;
}

NTSTATUS NTAPI ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    NT_ENTRY(ZwOpenKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    return CmOpenByAttributes(ObjectAttributes, FALSE, DesiredAccess, KeyHandle, NULL);
}

NTSTATUS NTAPI ZwCreateKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                           ULONG TitleIndex, PUNICODE_STRING Class, ULONG CreateOptions, PULONG Disposition)
{
    NT_ENTRY(ZwCreateKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    UNREFERENCED_PARAMETER(TitleIndex);
    UNREFERENCED_PARAMETER(Class);
    UNREFERENCED_PARAMETER(CreateOptions); // all keys are gone after shutdown
    BOOLEAN created;
    NTSTATUS status = CmOpenByAttributes(ObjectAttributes, TRUE, DesiredAccess, KeyHandle, &created);
    if (NT_SUCCESS(status) && Disposition != NULL) {
        *Disposition = created ? REG_CREATED_NEW_KEY : REG_OPENED_EXISTING_KEY;
    }
    return status;
}

// The answers: a fixed part, which must fit, then variable data, which is cut (STATUS_BUFFER_OVERFLOW).
typedef struct _CM_ANSWER {
    PUCHAR Buffer;
    ULONG Room, Needed;
} CM_ANSWER;

static VOID CmPut(CM_ANSWER *Answer, ULONG Offset, const VOID *Data, ULONG Length)
{
    if (Offset < Answer->Room) {
        RtlCopyMemory(Answer->Buffer + Offset, Data, min(Length, Answer->Room - Offset));
    }
    Answer->Needed = max(Answer->Needed, Offset + Length);
}

static NTSTATUS CmFinishAnswer(const CM_ANSWER *Answer, ULONG Fixed, PULONG ResultLength)
{
    *ResultLength = Answer->Needed;
    if (Answer->Room < Fixed) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    return Answer->Room < Answer->Needed ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static NTSTATUS CmAnswerValue(const CM_VALUE *Value, KEY_VALUE_INFORMATION_CLASS Class, CM_ANSWER *Answer,
                              PULONG ResultLength)
{
    KEY_VALUE_FULL_INFORMATION full = {.Type = Value->Type, .DataLength = Value->Length};
    KEY_VALUE_PARTIAL_INFORMATION partial = {.Type = Value->Type, .DataLength = Value->Length};
    KEY_VALUE_BASIC_INFORMATION basic = {.Type = Value->Type, .NameLength = Value->Name.Length};
    ULONG fixed;
    switch (Class) {
    case KeyValueBasicInformation:
        fixed = FIELD_OFFSET(KEY_VALUE_BASIC_INFORMATION, Name);
        CmPut(Answer, 0, &basic, fixed);
        CmPut(Answer, fixed, Value->Name.Buffer, Value->Name.Length);
        break;
    case KeyValueFullInformation:
        fixed = FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name);
        full.NameLength = Value->Name.Length;
        full.DataOffset = (fixed + Value->Name.Length + 7) & ~7u;
        CmPut(Answer, 0, &full, fixed);
        CmPut(Answer, fixed, Value->Name.Buffer, Value->Name.Length);
        CmPut(Answer, full.DataOffset, Value->Data, Value->Length);
        break;
    case KeyValuePartialInformation:
        fixed = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
        CmPut(Answer, 0, &partial, fixed);
        CmPut(Answer, fixed, Value->Data, Value->Length);
        break;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    return CmFinishAnswer(Answer, fixed, ResultLength);
}

NTSTATUS NTAPI ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, KEY_VALUE_INFORMATION_CLASS Class,
                               PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
    NT_ENTRY(ZwQueryValueKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    CM_ANSWER answer = {KeyValueInformation, Length, 0};
    PVOID key;
    KIRQL irql;
    NTSTATUS status = ObpReferenceHandle(KeyHandle, &CmKeyType, KEY_QUERY_VALUE, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    CmLock(&irql);
    CM_VALUE *value = CmFindValue(key, ValueName);
    status =
        value != NULL ? CmAnswerValue(value, Class, &answer, ResultLength) : STATUS_OBJECT_NAME_NOT_FOUND;
    CmUnlock(irql);
    ObDereferenceObject(key);
    return status;
}

NTSTATUS NTAPI ZwEnumerateValueKey(HANDLE KeyHandle, ULONG Index, KEY_VALUE_INFORMATION_CLASS Class,
                                   PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
    NT_ENTRY(ZwEnumerateValueKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    CM_ANSWER answer = {KeyValueInformation, Length, 0};
    PVOID key;
    KIRQL irql;
    NTSTATUS status = ObpReferenceHandle(KeyHandle, &CmKeyType, KEY_QUERY_VALUE, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    CmLock(&irql);
    CM_VALUE *value = CmValueAt(key, Index);
    status = value != NULL ? CmAnswerValue(value, Class, &answer, ResultLength) : STATUS_NO_MORE_ENTRIES;
    CmUnlock(irql);
    ObDereferenceObject(key);
    return status;
}

static NTSTATUS CmAnswerKey(CM_KEY *Key, KEY_INFORMATION_CLASS Class, CM_ANSWER *Answer, PULONG ResultLength)
{
    KEY_BASIC_INFORMATION basic = {.NameLength = Key->Name.Length};
    KEY_FULL_INFORMATION full = {.ClassOffset = FIELD_OFFSET(KEY_FULL_INFORMATION, Class)};
    switch (Class) {
    case KeyBasicInformation:
        CmPut(Answer, 0, &basic, FIELD_OFFSET(KEY_BASIC_INFORMATION, Name));
        CmPut(Answer, FIELD_OFFSET(KEY_BASIC_INFORMATION, Name), Key->Name.Buffer, Key->Name.Length);
        return CmFinishAnswer(Answer, FIELD_OFFSET(KEY_BASIC_INFORMATION, Name), ResultLength);
    case KeyFullInformation:
        while (CmChildAt(Key, full.SubKeys) != NULL) {
            full.MaxNameLen = max(full.MaxNameLen, CmChildAt(Key, full.SubKeys)->Name.Length);
            full.SubKeys++;
        }
        for (CM_VALUE *value = CmValueAt(Key, 0); value != NULL; value = CmValueAt(Key, ++full.Values)) {
            full.MaxValueNameLen = max(full.MaxValueNameLen, value->Name.Length);
            full.MaxValueDataLen = max(full.MaxValueDataLen, value->Length);
        }
        CmPut(Answer, 0, &full, FIELD_OFFSET(KEY_FULL_INFORMATION, Class));
        return CmFinishAnswer(Answer, FIELD_OFFSET(KEY_FULL_INFORMATION, Class), ResultLength);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS NTAPI ZwQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS Class, PVOID KeyInformation, ULONG Length,
                          PULONG ResultLength)
{
    NT_ENTRY(ZwQueryKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    CM_ANSWER answer = {KeyInformation, Length, 0};
    PVOID key;
    KIRQL irql;
    NTSTATUS status = ObpReferenceHandle(KeyHandle, &CmKeyType, KEY_QUERY_VALUE, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    CmLock(&irql);
    status = CmAnswerKey(key, Class, &answer, ResultLength);
    CmUnlock(irql);
    ObDereferenceObject(key);
    return status;
}

NTSTATUS NTAPI ZwEnumerateKey(HANDLE KeyHandle, ULONG Index, KEY_INFORMATION_CLASS Class,
                              PVOID KeyInformation, ULONG Length, PULONG ResultLength)
{
    NT_ENTRY(ZwEnumerateKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    CM_ANSWER answer = {KeyInformation, Length, 0};
    PVOID key;
    KIRQL irql;
    NTSTATUS status = ObpReferenceHandle(KeyHandle, &CmKeyType, KEY_ENUMERATE_SUB_KEYS, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    CmLock(&irql);
    CM_KEY *child = CmChildAt(key, Index);
    status = child != NULL ? CmAnswerKey(child, Class, &answer, ResultLength) : STATUS_NO_MORE_ENTRIES;
    CmUnlock(irql);
    ObDereferenceObject(key);
    return status;
}

NTSTATUS NTAPI ZwSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex, ULONG Type,
                             PVOID Data, ULONG DataSize)
{
    NT_ENTRY(ZwSetValueKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    UNREFERENCED_PARAMETER(TitleIndex);
    PVOID key;
    NTSTATUS status = ObpReferenceHandle(KeyHandle, &CmKeyType, KEY_SET_VALUE, &key);
    if (NT_SUCCESS(status)) {
        status = CmSetValue(key, ValueName, Type, Data, DataSize);
        ObDereferenceObject(key);
    }
    return status;
}

NTSTATUS NTAPI ZwDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName)
{
    NT_ENTRY(ZwDeleteValueKey);
    PVOID key;
    NTSTATUS status = ObpReferenceHandle(KeyHandle, &CmKeyType, KEY_SET_VALUE, &key);
    if (NT_SUCCESS(status)) {
        status = CmDeleteValue(key, ValueName);
        ObDereferenceObject(key);
    }
    return status;
}

NTSTATUS NTAPI ZwDeleteKey(HANDLE KeyHandle)
{
    NT_ENTRY(ZwDeleteKey);
    PVOID key;
    NTSTATUS status = ObpReferenceHandle(KeyHandle, &CmKeyType, DELETE, &key);
    if (NT_SUCCESS(status)) {
        status = CmDelete(key);
        ObDereferenceObject(key);
    }
    return status;
}

NTSTATUS NTAPI ZwFlushKey(HANDLE KeyHandle)
{
    NT_ENTRY(ZwFlushKey);
    PVOID key;
    NTSTATUS status = ObpReferenceHandle(KeyHandle, &CmKeyType, 0, &key);
    if (NT_SUCCESS(status)) {
        ObDereferenceObject(key); // there is no disk
    }
    return status;
}
