// SPDX-License-Identifier: MIT
#include "reader/registry.h"

#define VALUE_ROOM 128

#define IDLE_PERIOD       5000u // ms without requests before the reader may sleep
#define IDLE_PERIOD_LEAST 100u
#define IDLE_PERIOD_MOST  3600000u

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

static ULONG NumberRead(HANDLE Key, PCWSTR Name, ULONG Default)
{
    union {
        KEY_VALUE_PARTIAL_INFORMATION Header;
        UCHAR Room[VALUE_ROOM];
    } value;
    ULONG number = Default;

    if (ValueRead(Key, Name, REG_DWORD, &value.Header, sizeof(value)) &&
        value.Header.DataLength == sizeof(number)) {
        RtlCopyMemory(&number, value.Header.Data, sizeof(number));
    }
    return number;
}

VOID RegistryRead(PREADER Reader)
{
    HANDLE key;

    Reader->EscapeEnabled = FALSE;
    Reader->QuirksDisabled = 0;
    Reader->Idle.Period = 0;
    if (!NT_SUCCESS(IoOpenDeviceRegistryKey(Reader->Physical, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &key))) {
        return;
    }
    Reader->EscapeEnabled = NumberRead(key, L"EscapeCommandEnable", 0) != 0;
    Reader->QuirksDisabled = NumberRead(key, L"QuirksDisabled", 0);
    if (NumberRead(key, L"SelectiveSuspendEnabled", 0) != 0) {
        Reader->Idle.Period = NumberRead(key, L"SelectiveSuspendTimeout", IDLE_PERIOD);
        Reader->Idle.Period = min(max(Reader->Idle.Period, IDLE_PERIOD_LEAST), IDLE_PERIOD_MOST);
    }
    NameRead(key, L"VendorName", &Reader->Usb.Vendor);
    NameRead(key, L"IfdType", &Reader->Usb.Product);
    ZwClose(key);
}
