// SPDX-License-Identifier: MIT
#include "reader/registry.h"

#define VALUE_ROOM 128

// FALSE: no such value, or not of this type.
static BOOLEAN ValueRead(HANDLE Key, PCWSTR Name, ULONG Type, PKEY_VALUE_PARTIAL_INFORMATION Value,
                         ULONG Size)
{
    UNICODE_STRING name;
    ULONG length;

    RtlInitUnicodeString(&name, Name);
    return NT_SUCCESS(ZwQueryValueKey(Key, &name, KeyValuePartialInformation, Value, Size, &length)) &&
           Value->Type == Type;
}

static VOID NameRead(HANDLE Key, PCWSTR Value, PUSB_NAME Name)
{
    union {
        KEY_VALUE_PARTIAL_INFORMATION Header;
        UCHAR Room[VALUE_ROOM];
    } value;
    const UCHAR *text = value.Header.Data;

    if (!ValueRead(Key, Value, REG_SZ, &value.Header, sizeof(value))) {
        return;
    }
    Name->Length = 0;
    for (ULONG i = 0; i + 1 < value.Header.DataLength && Name->Length < USB_NAME_MAX; i += sizeof(WCHAR)) {
        if (text[i] == 0 && text[i + 1] == 0) {
            break;
        }
        Name->Text[Name->Length++] = text[i + 1] == 0 && text[i] < 0x7F ? text[i] : '?';
    }
}

VOID RegistryRead(PREADER Reader)
{
    union {
        KEY_VALUE_PARTIAL_INFORMATION Header;
        UCHAR Room[VALUE_ROOM];
    } value;
    HANDLE key;
    ULONG enable = 0;

    Reader->EscapeEnabled = FALSE;
    if (!NT_SUCCESS(IoOpenDeviceRegistryKey(Reader->Physical, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &key))) {
        return;
    }
    if (ValueRead(key, L"EscapeCommandEnable", REG_DWORD, &value.Header, sizeof(value)) &&
        value.Header.DataLength == sizeof(enable)) {
        RtlCopyMemory(&enable, value.Header.Data, sizeof(enable));
    }
    Reader->EscapeEnabled = enable != 0;
    NameRead(key, L"VendorName", &Reader->Usb.Vendor);
    NameRead(key, L"IfdType", &Reader->Usb.Product);
    ZwClose(key);
}
