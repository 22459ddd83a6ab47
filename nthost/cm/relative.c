// SPDX-License-Identifier: MIT
#include "nthost/cm/relative.h"
#include "nthost/verifier/faults.h"

static PCWSTR CmRelativePrefix(ULONG RelativeTo)
{
    switch (RelativeTo & ~(ULONG)(RTL_REGISTRY_HANDLE | RTL_REGISTRY_OPTIONAL)) {
    case RTL_REGISTRY_SERVICES:
        return CM_CONTROL_SET L"Services\\";
    case RTL_REGISTRY_CONTROL:
        return CM_CONTROL_SET L"Control\\";
    case RTL_REGISTRY_WINDOWS_NT:
        return L"\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\";
    case RTL_REGISTRY_DEVICEMAP:
        return L"\\Registry\\Machine\\Hardware\\DeviceMap\\";
    case RTL_REGISTRY_USER:
        return L"\\Registry\\User\\.Default\\";
    default:
        return NULL;
    }
}

static NTSTATUS CmOpenHandle(HANDLE Handle, CM_KEY **Key)
{
    PVOID body;
    NTSTATUS status = ObpReferenceHandle(Handle, &CmKeyType, 0, &body);
    if (NT_SUCCESS(status)) {
        *Key = body;
    }
    return status;
}

NTSTATUS CmOpenRelative(ULONG RelativeTo, PCWSTR Path, BOOLEAN Create, CM_KEY **Key)
{
    enum { PATH_SIZE = 1024 };
    UNICODE_STRING relative;
    if ((RelativeTo & RTL_REGISTRY_HANDLE) != 0) {
        return CmOpenHandle((HANDLE)Path, Key);
    }
    RtlInitUnicodeString(&relative, Path);
    if ((RelativeTo & ~(ULONG)(RTL_REGISTRY_HANDLE | RTL_REGISTRY_OPTIONAL)) == RTL_REGISTRY_ABSOLUTE) {
        return CmOpen(NULL, &relative, Create, Key, NULL);
    }
    PCWSTR prefix = CmRelativePrefix(RelativeTo);
    UNICODE_STRING full = {0, PATH_SIZE, prefix != NULL ? os_allocate(PATH_SIZE, 2) : NULL};
    if (full.Buffer == NULL) {
        return prefix == NULL ? STATUS_INVALID_PARAMETER : STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlAppendUnicodeToString(&full, prefix);
    NTSTATUS status = RtlAppendUnicodeStringToString(&full, &relative);
    if (NT_SUCCESS(status)) {
        status = CmOpen(NULL, &full, Create, Key, NULL);
    }
    os_free(full.Buffer);
    return status;
}

NTSTATUS NTAPI RtlWriteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName, ULONG ValueType,
                                     PVOID ValueData, ULONG ValueLength)
{
    NT_ENTRY(RtlWriteRegistryValue);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    UNICODE_STRING name;
    CM_KEY *key;
    NTSTATUS status = CmOpenRelative(RelativeTo, Path, TRUE, &key);
    if (NT_SUCCESS(status)) {
        RtlInitUnicodeString(&name, ValueName);
        status = CmSetValue(key, &name, ValueType, ValueData, ValueLength);
        ObDereferenceObject(key);
    }
    return status;
}

NTSTATUS NTAPI RtlDeleteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName)
{
    NT_ENTRY(RtlDeleteRegistryValue);
    UNICODE_STRING name;
    CM_KEY *key;
    NTSTATUS status = CmOpenRelative(RelativeTo, Path, FALSE, &key);
    if (NT_SUCCESS(status)) {
        RtlInitUnicodeString(&name, ValueName);
        status = CmDeleteValue(key, &name);
        ObDereferenceObject(key);
    }
    return status;
}

NTSTATUS NTAPI RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    NT_ENTRY(RtlCheckRegistryKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    CM_KEY *key;
    NTSTATUS status = CmOpenRelative(RelativeTo, Path, FALSE, &key);
    if (NT_SUCCESS(status)) {
        ObDereferenceObject(key);
    }
    return status;
}

NTSTATUS NTAPI RtlCreateRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    NT_ENTRY(RtlCreateRegistryKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    CM_KEY *key;
    NTSTATUS status = CmOpenRelative(RelativeTo, Path, TRUE, &key);
    if (NT_SUCCESS(status)) {
        ObDereferenceObject(key);
    }
    return status;
}

NTSTATUS CmOpenControlSetKey(PCUNICODE_STRING First, PCWSTR Second, ACCESS_MASK Access, PHANDLE Handle)
{
    enum { PATH_SIZE = 1024 };
    CM_KEY *key;
    UNICODE_STRING path = {0, PATH_SIZE, os_allocate(PATH_SIZE, 2)};
    if (path.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlAppendUnicodeToString(&path, CM_CONTROL_SET);
    NTSTATUS status = RtlAppendUnicodeStringToString(&path, First);
    if (NT_SUCCESS(status)) {
        status = RtlAppendUnicodeToString(&path, Second);
    }
    if (NT_SUCCESS(status)) {
        status = CmOpen(NULL, &path, TRUE, &key, NULL);
    }
    os_free(path.Buffer);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = CmGiveHandle(key, Access, Handle);
    ObDereferenceObject(key);
    return status;
}

NTSTATUS NTAPI IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, CM_DRIVER_KEY Type,
                                       ACCESS_MASK DesiredAccess, ULONG Flags, PHANDLE Handle)
{
    NT_ENTRY(IoOpenDriverRegistryKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    WCHAR buffer[256];
    UNICODE_STRING path = {0, sizeof buffer, buffer};
    *Handle = NULL;
    if (Flags != 0 || (Type != CmDriverKeyParameters && Type != CmDriverKeyPersistentState)) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlAppendUnicodeToString(&path, L"Services\\");
    NTSTATUS status = RtlAppendUnicodeStringToString(&path, &DriverObject->DriverExtension->ServiceKeyName);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    PCWSTR suffix = Type == CmDriverKeyParameters ? L"\\Parameters" : L"\\PersistentState";
    return CmOpenControlSetKey(&path, suffix, DesiredAccess, Handle);
}
