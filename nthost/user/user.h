// SPDX-License-Identifier: MIT
// Inside the user side: text in, text out.
#pragma once
#include "nthost/io/io.h"
#include "nthost/user/nthost.h"

// The host's numbers: errno.h is mingw-w64's here.
enum {
    USER_ENOENT = 2,
    USER_ENOEXEC = 8,
    USER_ENOMEM = 12,
    USER_EEXIST = 17,
    USER_EINVAL = 22,
    USER_EALREADY = 114
};

// UTF-8 to UTF-16 in a buffer of the caller's; FALSE: too long or malformed. The result is terminated.
BOOLEAN user_widen(const char *text, WCHAR *buffer, unsigned characters, UNICODE_STRING *wide);
// UTF-16 to UTF-8, cut where the buffer ends, always terminated.
void user_narrow(PCUNICODE_STRING wide, char *text, size_t size);
int user_errno(NTSTATUS status);
