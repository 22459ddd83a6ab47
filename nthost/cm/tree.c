// SPDX-License-Identifier: MIT
#include "nthost/cm/cm.h"

static VOID CmDeleteKeyObject(PVOID Body);
OBJECT_TYPE CmKeyType = {.Name = "Key", .Delete = CmDeleteKeyObject};

static CM_KEY *CmRoot; // \Registry
static KSPIN_LOCK CmTreeLock;

VOID CmLock(PKIRQL Irql)
{
    KeAcquireSpinLock(&CmTreeLock, Irql);
}

VOID CmUnlock(KIRQL Irql)
{
    KeReleaseSpinLock(&CmTreeLock, Irql);
}

static VOID CmFreeValue(CM_VALUE *Value)
{
    RemoveEntryList(&Value->ListEntry);
    os_free(Value->Name.Buffer);
    os_free(Value->Data);
    os_free(Value);
}

static VOID CmDeleteKeyObject(PVOID Body)
{
    CM_KEY *key = Body;
    while (!IsListEmpty(&key->Values)) {
        CmFreeValue(CONTAINING_RECORD(key->Values.Flink, CM_VALUE, ListEntry));
    }
    os_free(key->Name.Buffer);
}

static CM_KEY *CmNewKey(PCUNICODE_STRING Name)
{
    CM_KEY *key = ObpCreateObject(&CmKeyType, sizeof *key);
    if (key == NULL) {
        return NULL;
    }
    InitializeListHead(&key->SiblingEntry);
    InitializeListHead(&key->Children);
    InitializeListHead(&key->Values);
    if (!NT_SUCCESS(IopDuplicateString(Name, &key->Name))) {
        ObDereferenceObject(key);
        return NULL;
    }
    return key;
}

static CM_KEY *CmFindChild(CM_KEY *Parent, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY entry = Parent->Children.Flink; entry != &Parent->Children; entry = entry->Flink) {
        CM_KEY *child = CONTAINING_RECORD(entry, CM_KEY, SiblingEntry);
        if (IopEqualNames(&child->Name, Name)) {
            return child;
        }
    }
    return NULL;
}

// The tree holds one reference to each key.
static CM_KEY *CmAddChild(CM_KEY *Parent, PCUNICODE_STRING Name)
{
    CM_KEY *child = Parent->Deleted ? NULL : CmNewKey(Name);
    if (child != NULL) {
        child->Parent = Parent;
        InsertTailList(&Parent->Children, &child->SiblingEntry);
    }
    return child;
}

// Takes the first component off the path. FALSE: there is none.
static BOOLEAN CmNextComponent(PUNICODE_STRING Path, PUNICODE_STRING Component)
{
    while (Path->Length != 0 && Path->Buffer[0] == L'\\') {
        Path->Buffer++;
        Path->Length -= sizeof(WCHAR);
    }
    Component->Buffer = Path->Buffer;
    Component->Length = 0;
    while (Path->Length != 0 && Path->Buffer[0] != L'\\') {
        Path->Buffer++;
        Path->Length -= sizeof(WCHAR);
        Component->Length += sizeof(WCHAR);
    }
    Component->MaximumLength = Component->Length;
    return Component->Length != 0;
}

static VOID CmSpellComponent(PUNICODE_STRING Component)
{
    static UNICODE_STRING spelled = IOP_STRING(L"CurrentControlSet");
    static UNICODE_STRING numbered = IOP_STRING(L"ControlSet001");
    if (IopEqualNames(Component, &numbered)) {
        *Component = spelled;
    }
}

static NTSTATUS CmOpenLocked(CM_KEY *Key, UNICODE_STRING Path, BOOLEAN Create, CM_KEY **Found,
                             PBOOLEAN Created)
{
    UNICODE_STRING component;
    *Created = FALSE;
    while (CmNextComponent(&Path, &component)) {
        CmSpellComponent(&component);
        CM_KEY *child = CmFindChild(Key, &component);
        *Created = child == NULL;
        if (child == NULL && !Create) {
            return STATUS_OBJECT_NAME_NOT_FOUND;
        }
        Key = child != NULL ? child : CmAddChild(Key, &component);
        if (Key == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    ObReferenceObject(Key);
    *Found = Key;
    return STATUS_SUCCESS;
}

NTSTATUS CmOpen(CM_KEY *Parent, PCUNICODE_STRING Path, BOOLEAN Create, CM_KEY **Key, PBOOLEAN Created)
{
    static UNICODE_STRING root = IOP_STRING(L"Registry");
    KIRQL irql;
    BOOLEAN ignored;
    UNICODE_STRING rest = *Path, component;
    if (Parent == NULL && (!CmNextComponent(&rest, &component) || !IopEqualNames(&component, &root))) {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    CmLock(&irql);
    NTSTATUS status = CmOpenLocked(Parent != NULL ? Parent : CmRoot, rest, Create, Key,
                                   Created != NULL ? Created : &ignored);
    CmUnlock(irql);
    return status;
}

NTSTATUS CmDelete(CM_KEY *Key)
{
    KIRQL irql;
    CmLock(&irql);
    BOOLEAN possible = Key->Parent != NULL && IsListEmpty(&Key->Children);
    if (possible) {
        RemoveEntryList(&Key->SiblingEntry);
        Key->Parent = NULL;
        Key->Deleted = TRUE;
    }
    CmUnlock(irql);
    if (possible) {
        ObDereferenceObject(Key);
    }
    return possible ? STATUS_SUCCESS : STATUS_CANNOT_DELETE;
}

CM_KEY *CmChildAt(CM_KEY *Key, ULONG Index)
{
    for (PLIST_ENTRY entry = Key->Children.Flink; entry != &Key->Children; entry = entry->Flink) {
        if (Index-- == 0) {
            return CONTAINING_RECORD(entry, CM_KEY, SiblingEntry);
        }
    }
    return NULL;
}

CM_VALUE *CmValueAt(CM_KEY *Key, ULONG Index)
{
    for (PLIST_ENTRY entry = Key->Values.Flink; entry != &Key->Values; entry = entry->Flink) {
        if (Index-- == 0) {
            return CONTAINING_RECORD(entry, CM_VALUE, ListEntry);
        }
    }
    return NULL;
}

CM_VALUE *CmFindValue(CM_KEY *Key, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY entry = Key->Values.Flink; entry != &Key->Values; entry = entry->Flink) {
        CM_VALUE *value = CONTAINING_RECORD(entry, CM_VALUE, ListEntry);
        if (IopEqualNames(&value->Name, Name)) {
            return value;
        }
    }
    return NULL;
}

static CM_VALUE *CmNewValue(PCUNICODE_STRING Name, ULONG Type, const VOID *Data, ULONG Length)
{
    CM_VALUE *value = IopAllocateZeroed(sizeof *value);
    if (value == NULL) {
        return NULL;
    }
    InitializeListHead(&value->ListEntry);
    value->Type = Type;
    value->Length = Length;
    value->Data = os_allocate(max(Length, 1u), 8);
    if (value->Data == NULL || !NT_SUCCESS(IopDuplicateString(Name, &value->Name))) {
        CmFreeValue(value);
        return NULL;
    }
    RtlCopyMemory(value->Data, Data, Length);
    return value;
}

NTSTATUS CmSetValue(CM_KEY *Key, PCUNICODE_STRING Name, ULONG Type, const VOID *Data, ULONG Length)
{
    KIRQL irql;
    CM_VALUE *value = CmNewValue(Name, Type, Data, Length);
    if (value == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    CmLock(&irql);
    CM_VALUE *old = CmFindValue(Key, Name);
    InsertTailList(&Key->Values, &value->ListEntry);
    if (old != NULL) {
        CmFreeValue(old);
    }
    CmUnlock(irql);
    return STATUS_SUCCESS;
}

NTSTATUS CmDeleteValue(CM_KEY *Key, PCUNICODE_STRING Name)
{
    KIRQL irql;
    CmLock(&irql);
    CM_VALUE *value = CmFindValue(Key, Name);
    if (value != NULL) {
        CmFreeValue(value);
    }
    CmUnlock(irql);
    return value != NULL ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

NTSTATUS CmBoot(VOID)
{
    static UNICODE_STRING name = IOP_STRING(L"Registry");
    CmRoot = CmNewKey(&name);
    return CmRoot != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static VOID CmFreeTree(CM_KEY *Key)
{
    while (!IsListEmpty(&Key->Children)) {
        CmFreeTree(CONTAINING_RECORD(Key->Children.Flink, CM_KEY, SiblingEntry));
    }
    RemoveEntryList(&Key->SiblingEntry);
    ObDereferenceObject(Key);
}

VOID CmShutdown(VOID)
{
    CmFreeTree(CmRoot);
    CmRoot = NULL;
}
