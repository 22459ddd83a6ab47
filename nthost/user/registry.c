// SPDX-License-Identifier: MIT
#include "nthost/cm/cm.h"
#include "nthost/user/user.h"

enum { USER_KEY_MAX = 512, USER_NAME_MAX = 128, USER_STRING_MAX = 2048 };

static int set_value(const char *key_path, const char *name, ULONG type, const void *data, size_t length)
{
    static const WCHAR prefix[] = CM_CONTROL_SET;
    enum { PREFIX = sizeof prefix / sizeof prefix[0] - 1 };
    WCHAR path_buffer[USER_KEY_MAX], name_buffer[USER_NAME_MAX];
    UNICODE_STRING path, value;
    CM_KEY *key;
    if (length > MAXULONG / 2 || !user_widen(key_path, path_buffer + PREFIX, USER_KEY_MAX - PREFIX, &path) ||
        !user_widen(name, name_buffer, USER_NAME_MAX, &value)) {
        return -USER_EINVAL;
    }
    RtlCopyMemory(path_buffer, prefix, sizeof prefix - sizeof(WCHAR));
    path.Buffer = path_buffer;
    path.Length = (USHORT)(path.Length + sizeof prefix - sizeof(WCHAR));
    NTSTATUS status = CmOpen(NULL, &path, TRUE, &key, NULL);
    if (NT_SUCCESS(status)) {
        status = CmSetValue(key, &value, type, data, (ULONG)length);
        ObDereferenceObject(key);
    }
    return user_errno(status);
}

int local_registry_set_dword(const char *key, const char *name, uint32_t value)
{
    KiEnter();
    return set_value(key, name, REG_DWORD, &value, sizeof value);
}

int local_registry_set_string(const char *key, const char *name, const char *value)
{
    WCHAR buffer[USER_STRING_MAX];
    UNICODE_STRING wide;
    KiEnter();
    if (!user_widen(value, buffer, USER_STRING_MAX, &wide)) {
        return -USER_EINVAL;
    }
    return set_value(key, name, REG_SZ, buffer, wide.Length + sizeof(WCHAR));
}

int local_registry_set_binary(const char *key, const char *name, const void *data, size_t length)
{
    KiEnter();
    return set_value(key, name, REG_BINARY, data, length);
}
