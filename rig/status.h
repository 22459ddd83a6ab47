// SPDX-License-Identifier: MIT
// NTSTATUS values that host code tells apart, and their names for people.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "nthost/user/nthost.h"

#define RIG_STATUS_SUCCESS                0x00000000u
#define RIG_STATUS_UNSUCCESSFUL           0xC0000001u
#define RIG_STATUS_INVALID_PARAMETER      0xC000000Du
#define RIG_STATUS_NO_SUCH_DEVICE         0xC000000Eu
#define RIG_STATUS_INVALID_DEVICE_REQUEST 0xC0000010u
#define RIG_STATUS_UNRECOGNIZED_MEDIA     0xC0000014u
#define RIG_STATUS_ACCESS_DENIED          0xC0000022u
#define RIG_STATUS_BUFFER_TOO_SMALL       0xC0000023u
#define RIG_STATUS_OBJECT_NAME_NOT_FOUND  0xC0000034u
#define RIG_STATUS_DELETE_PENDING         0xC0000056u
#define RIG_STATUS_INSUFFICIENT_RESOURCES 0xC000009Au
#define RIG_STATUS_DEVICE_NOT_CONNECTED   0xC000009Du
#define RIG_STATUS_IO_TIMEOUT             0xC00000B5u
#define RIG_STATUS_NOT_SUPPORTED          0xC00000BBu
#define RIG_STATUS_DEVICE_DOES_NOT_EXIST  0xC00000C0u
#define RIG_STATUS_CANCELLED              0xC0000120u
#define RIG_STATUS_NO_MEDIA               0xC0000178u
#define RIG_STATUS_INVALID_DEVICE_STATE   0xC0000184u
#define RIG_STATUS_DEVICE_REMOVED         0xC00002B6u

bool rig_status_ok(nt_status status);   // a success or informational status
bool rig_status_gone(nt_status status); // the reader is no more
// "STATUS_NO_MEDIA"; one without a name is written into `buffer` in hex.
const char *rig_status_name(nt_status status, char buffer[16]);
// The other way round; "STATUS_0xC0000001" stands for one without a name. False: no such name.
bool rig_status_named(const char *name, nt_status *status);
