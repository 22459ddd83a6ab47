// SPDX-License-Identifier: MIT
// The registry through the routines drivers use.
#include "nthost/cm/cm.h"
#include "tests/nthost/io/fixture.h"

static void Setup(void)
{
    TestBoot();
    CHECK_EQ(nt_registry_set_dword("Services\\some\\Parameters", "Number", 7), 0);
    CHECK_EQ(nt_registry_set_string("Services\\some\\Parameters", "Text", "h\xC3\xA9llo"), 0);
    CHECK_EQ(nt_registry_set_binary("Services\\some\\Parameters", "Bytes", "12345678", 8), 0);
}

static void Teardown(void)
{
    TestShutdown();
}

static NTSTATUS Open(PHANDLE Key, HANDLE Root, PCWSTR Path, BOOLEAN Create, PULONG Disposition)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    RtlInitUnicodeString(&name, Path);
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Root, NULL);
    return Create ? ZwCreateKey(Key, KEY_ALL_ACCESS, &attributes, 0, NULL, 0, Disposition)
                  : ZwOpenKey(Key, GENERIC_READ, &attributes);
}

static NTSTATUS Read(HANDLE Key, PCWSTR Name, KEY_VALUE_INFORMATION_CLASS Class, PVOID Buffer, ULONG Size,
                     PULONG Needed)
{
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, Name);
    return ZwQueryValueKey(Key, &name, Class, Buffer, Size, Needed);
}

static void KeysAndValues(void)
{
    HANDLE key, other;
    ULONG needed, disposition;
    UCHAR buffer[128];
    PKEY_VALUE_PARTIAL_INFORMATION partial = (PKEY_VALUE_PARTIAL_INFORMATION)buffer;
    PKEY_VALUE_FULL_INFORMATION full = (PKEY_VALUE_FULL_INFORMATION)buffer;
    CHECK_STATUS(Open(&key, NULL, L"\\Registry\\Machine\\SYSTEM\\ControlSet001\\services\\SOME\\parameters",
                      FALSE, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(Read(key, L"number", KeyValuePartialInformation, buffer, sizeof buffer, &needed),
                 STATUS_SUCCESS);
    CHECK_EQ(partial->Type, REG_DWORD);
    CHECK_EQ(*(PULONG)partial->Data, 7);
    CHECK_STATUS(Read(key, L"Text", KeyValuePartialInformation, buffer, 14, &needed), STATUS_BUFFER_OVERFLOW);
    CHECK_EQ(needed, 12 + 6 * sizeof(WCHAR));
    CHECK_STATUS(Read(key, L"Text", KeyValuePartialInformation, buffer, 8, &needed), STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(Read(key, L"Bytes", KeyValueFullInformation, buffer, sizeof buffer, &needed),
                 STATUS_SUCCESS);
    CHECK_MEM(buffer + full->DataOffset, "12345678", 8);
    CHECK_STATUS(Read(key, L"None", KeyValuePartialInformation, buffer, sizeof buffer, &needed),
                 STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(Open(&other, key, L"Missing", FALSE, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(Open(&other, key, L"Made\\Deep", TRUE, &disposition), STATUS_SUCCESS);
    CHECK_EQ(disposition, REG_CREATED_NEW_KEY);
    CHECK_STATUS(ZwClose(other), STATUS_SUCCESS);
    CHECK_STATUS(Open(&other, key, L"made", TRUE, &disposition), STATUS_SUCCESS);
    CHECK_EQ(disposition, REG_OPENED_EXISTING_KEY);
    CHECK_STATUS(ZwDeleteKey(other), STATUS_CANNOT_DELETE);
    CHECK_STATUS(ZwClose(other), STATUS_SUCCESS);
    CHECK_STATUS(Open(&other, key, L"made\\deep", TRUE, &disposition), STATUS_SUCCESS);
    CHECK_STATUS(ZwDeleteKey(other), STATUS_SUCCESS);
    CHECK_STATUS(ZwClose(other), STATUS_SUCCESS);
    CHECK_STATUS(Open(&other, key, L"made\\deep", FALSE, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(ZwClose(key), STATUS_SUCCESS);
}

static void SetEnumerateDelete(void)
{
    HANDLE key;
    UNICODE_STRING name;
    ULONG needed, value = 1;
    UCHAR buffer[128];
    CHECK_STATUS(Open(&key, NULL, L"\\Registry\\Machine\\Software\\Mine", TRUE, NULL), STATUS_SUCCESS);
    RtlInitUnicodeString(&name, L"One");
    CHECK_STATUS(ZwSetValueKey(key, &name, 0, REG_DWORD, &value, sizeof value), STATUS_SUCCESS);
    value = 2;
    CHECK_STATUS(ZwSetValueKey(key, &name, 0, REG_DWORD, &value, sizeof value), STATUS_SUCCESS);
    CHECK_STATUS(ZwEnumerateValueKey(key, 0, KeyValueBasicInformation, buffer, sizeof buffer, &needed),
                 STATUS_SUCCESS);
    CHECK_MEM(((PKEY_VALUE_BASIC_INFORMATION)buffer)->Name, L"One", 6);
    CHECK_STATUS(ZwEnumerateValueKey(key, 1, KeyValueBasicInformation, buffer, sizeof buffer, &needed),
                 STATUS_NO_MORE_ENTRIES);
    CHECK_STATUS(ZwQueryKey(key, KeyFullInformation, buffer, sizeof buffer, &needed), STATUS_SUCCESS);
    CHECK_EQ(((PKEY_FULL_INFORMATION)buffer)->Values, 1);
    CHECK_STATUS(ZwEnumerateKey(key, 0, KeyBasicInformation, buffer, sizeof buffer, &needed),
                 STATUS_NO_MORE_ENTRIES);
    CHECK_STATUS(ZwDeleteValueKey(key, &name), STATUS_SUCCESS);
    CHECK_STATUS(ZwDeleteValueKey(key, &name), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(ZwClose(key), STATUS_SUCCESS);
}

static void DriverKeys(void)
{
    HANDLE key, other;
    PFILE_OBJECT file;
    PDEVICE_OBJECT device;
    UNICODE_STRING name;
    ULONG needed;
    UCHAR buffer[64];
    CHECK_EQ(nt_registry_set_dword("Services\\testbus\\Parameters", "Mine", 3), 0);
    RtlInitUnicodeString(&name, L"\\Device\\TestBus");
    CHECK_STATUS(IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &file, &device), STATUS_SUCCESS);
    CHECK_STATUS(IoOpenDriverRegistryKey(device->DriverObject, CmDriverKeyParameters, KEY_READ, 0, &key),
                 STATUS_SUCCESS);
    CHECK_STATUS(Read(key, L"Mine", KeyValuePartialInformation, buffer, sizeof buffer, &needed),
                 STATUS_SUCCESS);
    CHECK_STATUS(Open(&other, key, L"..", FALSE, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(ZwSetValueKey(key, &name, 0, REG_SZ, NULL, 0), STATUS_ACCESS_DENIED);
    CHECK_STATUS(ZwClose(key), STATUS_SUCCESS);
    CHECK_STATUS(IoOpenDriverRegistryKey(device->DriverObject, 9, KEY_READ, 0, &key),
                 STATUS_INVALID_PARAMETER);
    ObDereferenceObject(file);
}

static ULONG Called;

static NTSTATUS NTAPI CountValue(PWSTR Name, ULONG Type, PVOID Data, ULONG Length, PVOID Context,
                                 PVOID EntryContext)
{
    UNREFERENCED_PARAMETER(Name);
    UNREFERENCED_PARAMETER(Type);
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(Length);
    CHECK(Context == &Called);
    Called += EntryContext == NULL ? 1 : 100;
    return STATUS_SUCCESS;
}

static void QueryTables(void)
{
    ULONG number = 0, missing = 5, fallback = 9;
    WCHAR room[16];
    UNICODE_STRING text = {0, sizeof room, room}, made = {0};
    struct {
        LONG Size;
        UCHAR Data[12];
    } block = {-8, {0}};
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {NULL, RTL_QUERY_REGISTRY_SUBKEY, L"Parameters", NULL, 0, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK, L"Number", &number,
         REG_DWORD << 24 | REG_NONE, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Missing", &missing, REG_DWORD, &fallback, sizeof fallback},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Text", &text, 0, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Text", &made, 0, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Bytes", &block, 0, NULL, 0},
        {CountValue, 0, NULL, NULL, 0, NULL, 0},
        {CountValue, 0, L"Number", &Called, 0, NULL, 0},
        {NULL, 0, NULL, NULL, 0, NULL, 0},
    };
    Called = 0;
    CHECK_STATUS(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"some", table, &Called, NULL),
                 STATUS_SUCCESS);
    CHECK_EQ(number, 7);
    CHECK_EQ(missing, 9);
    CHECK_EQ(text.Length, 10);
    CHECK_EQ(room[1], 0xE9);
    CHECK_EQ(made.Length, 10);
    CHECK_MEM(&block, "12345678", 8);
    CHECK_EQ(Called, 103);
    RtlFreeUnicodeString(&made);
}

static NTSTATUS QueryOne(ULONG Flags, PCWSTR Name, ULONG Type, PVOID Target)
{
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {NULL, Flags | RTL_QUERY_REGISTRY_DIRECT, Name, Target, Type, NULL, 0},
        {NULL, 0, NULL, NULL, 0, NULL, 0}};
    return RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"some\\Parameters", table, NULL, NULL);
}

static void QueryFailures(void)
{
    ULONG number = 0;
    WCHAR room[2];
    UNICODE_STRING text = {0, sizeof room, room};
    LONG small[2] = {-4, 0};
    CHECK_STATUS(QueryOne(RTL_QUERY_REGISTRY_REQUIRED, L"Missing", 0, &number), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(QueryOne(RTL_QUERY_REGISTRY_TYPECHECK, L"Text", REG_DWORD << 24, &number),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(QueryOne(0, L"Text", 0, &text), STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(QueryOne(0, L"Bytes", 0, small), STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(QueryOne(0, NULL, 0, &number), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(QueryOne(RTL_QUERY_REGISTRY_DELETE, L"Number", 0, &number), STATUS_SUCCESS);
    CHECK_EQ(number, 7);
    CHECK_STATUS(QueryOne(RTL_QUERY_REGISTRY_REQUIRED, L"Number", 0, &number), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, (PWSTR)L"other"), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(
        RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, L"other", L"V", REG_DWORD, &number, sizeof number),
        STATUS_SUCCESS);
    CHECK_STATUS(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, (PWSTR)L"other"), STATUS_SUCCESS);
    CHECK_STATUS(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, L"other", L"V"), STATUS_SUCCESS);
    CHECK_STATUS(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"nothere", NULL, NULL, NULL),
                 STATUS_OBJECT_NAME_NOT_FOUND);
}

const struct WdmTest WdmTests[] = {
    {"keys and values", KeysAndValues},          {"set, enumerate, delete", SetEnumerateDelete},
    {"driver keys and access", DriverKeys},      {"query tables", QueryTables},
    {"failures of query tables", QueryFailures}, {NULL, NULL},
};
void (*const WdmTestSetup)(void) = Setup;
void (*const WdmTestTeardown)(void) = Teardown;
