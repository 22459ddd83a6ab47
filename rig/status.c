// SPDX-License-Identifier: MIT
#include "rig/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct status_name {
    nt_status status;
    const char *name;
};

static const struct status_name names[] = {
    {0x00000000u, "STATUS_SUCCESS"},
    {0x00000102u, "STATUS_TIMEOUT"},
    {0x00000103u, "STATUS_PENDING"},
    {0x80000005u, "STATUS_BUFFER_OVERFLOW"},
    {0x80000011u, "STATUS_DEVICE_BUSY"},
    {0x80000028u, "STATUS_PLUGPLAY_QUERY_VETOED"},
    {0xC0000001u, "STATUS_UNSUCCESSFUL"},
    {0xC0000002u, "STATUS_NOT_IMPLEMENTED"},
    {0xC0000008u, "STATUS_INVALID_HANDLE"},
    {0xC000000Du, "STATUS_INVALID_PARAMETER"},
    {0xC000000Eu, "STATUS_NO_SUCH_DEVICE"},
    {0xC0000010u, "STATUS_INVALID_DEVICE_REQUEST"},
    {0xC0000013u, "STATUS_NO_MEDIA_IN_DEVICE"},
    {0xC0000014u, "STATUS_UNRECOGNIZED_MEDIA"},
    {0xC0000016u, "STATUS_MORE_PROCESSING_REQUIRED"},
    {0xC0000017u, "STATUS_NO_MEMORY"},
    {0xC0000022u, "STATUS_ACCESS_DENIED"},
    {0xC0000023u, "STATUS_BUFFER_TOO_SMALL"},
    {0xC0000034u, "STATUS_OBJECT_NAME_NOT_FOUND"},
    {0xC0000035u, "STATUS_OBJECT_NAME_COLLISION"},
    {0xC0000043u, "STATUS_SHARING_VIOLATION"},
    {0xC0000056u, "STATUS_DELETE_PENDING"},
    {0xC0000059u, "STATUS_REVISION_MISMATCH"},
    {0xC000009Au, "STATUS_INSUFFICIENT_RESOURCES"},
    {0xC000009Cu, "STATUS_DEVICE_DATA_ERROR"},
    {0xC000009Du, "STATUS_DEVICE_NOT_CONNECTED"},
    {0xC00000A3u, "STATUS_DEVICE_NOT_READY"},
    {0xC00000B5u, "STATUS_IO_TIMEOUT"},
    {0xC00000BBu, "STATUS_NOT_SUPPORTED"},
    {0xC00000AEu, "STATUS_PIPE_BUSY"},
    {0xC000014Bu, "STATUS_PIPE_BROKEN"},
    {0xC00000C0u, "STATUS_DEVICE_DOES_NOT_EXIST"},
    {0xC00000E5u, "STATUS_INTERNAL_ERROR"},
    {0xC00000EFu, "STATUS_INVALID_PARAMETER_1"},
    {0xC00000F0u, "STATUS_INVALID_PARAMETER_2"},
    {0xC0000120u, "STATUS_CANCELLED"},
    {0xC0000178u, "STATUS_NO_MEDIA"},
    {0xC0000182u, "STATUS_DEVICE_CONFIGURATION_ERROR"},
    {0xC0000184u, "STATUS_INVALID_DEVICE_STATE"},
    {0xC0000185u, "STATUS_IO_DEVICE_ERROR"},
    {0xC0000186u, "STATUS_DEVICE_PROTOCOL_ERROR"},
    {0xC0000272u, "STATUS_NO_MATCH"},
    {0xC00002B6u, "STATUS_DEVICE_REMOVED"},
};

bool rig_status_ok(nt_status status)
{
    return (status & 0x80000000u) == 0;
}

bool rig_status_gone(nt_status status)
{
    switch (status) {
    case RIG_STATUS_NO_SUCH_DEVICE:
    case RIG_STATUS_OBJECT_NAME_NOT_FOUND:
    case RIG_STATUS_DELETE_PENDING:
    case RIG_STATUS_DEVICE_NOT_CONNECTED:
    case RIG_STATUS_DEVICE_DOES_NOT_EXIST:
    case RIG_STATUS_DEVICE_REMOVED:
        return true;
    default:
        return false;
    }
}

const char *rig_status_name(nt_status status, char buffer[16])
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].status == status) {
            return names[i].name;
        }
    }
    (void)snprintf(buffer, 16, "0x%08X", status);
    return buffer;
}

bool rig_status_named(const char *name, nt_status *status)
{
    static const char numbered[] = "STATUS_0x";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].name, name) == 0) {
            *status = names[i].status;
            return true;
        }
    }
    size_t prefix = sizeof numbered - 1;
    if (strncmp(name, numbered, prefix) != 0 || strspn(name + prefix, "0123456789ABCDEFabcdef") != 8 ||
        name[prefix + 8] != '\0') {
        return false;
    }
    *status = (nt_status)strtoul(name + prefix, NULL, 16);
    return true;
}
