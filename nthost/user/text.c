// SPDX-License-Identifier: MIT
#include "nthost/user/user.h"

// One code point; returns its length in bytes, 0: malformed.
static unsigned decode(const unsigned char *text, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned length = text[0] < 0x80       ? 1
                      : text[0] >> 5 == 6  ? 2
                      : text[0] >> 4 == 14 ? 3
                      : text[0] >> 3 == 30 ? 4
                                           : 0;
    *point = length == 1 ? text[0] : text[0] & (0x7Fu >> length);
    for (unsigned i = 1; i < length; i++) {
        if (text[i] >> 6 != 2) {
            return 0;
        }
        *point = *point << 6 | (text[i] & 0x3Fu);
    }
    return length != 0 && *point >= least[length] && *point < 0x110000 && *point >> 11 != 0x1B ? length : 0;
}

BOOLEAN user_widen(const char *text, WCHAR *buffer, unsigned characters, UNICODE_STRING *wide)
{
    unsigned used = 0;
    while (*text != 0) {
        uint32_t point;
        unsigned length = decode((const unsigned char *)text, &point);
        if (length == 0 || used + 2 >= characters) {
            return FALSE;
        }
        if (point >= 0x10000) {
            buffer[used++] = (WCHAR)(0xD800 + ((point - 0x10000) >> 10));
            point = 0xDC00 + (point & 0x3FF);
        }
        buffer[used++] = (WCHAR)point;
        text += length;
    }
    buffer[used] = 0;
    *wide = (UNICODE_STRING){(USHORT)(used * sizeof(WCHAR)), (USHORT)((used + 1) * sizeof(WCHAR)), buffer};
    return TRUE;
}

static unsigned encode(uint32_t point, char bytes[4])
{
    unsigned length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (unsigned i = length; i-- > 1; point >>= 6) {
        bytes[i] = (char)(0x80 | (point & 0x3F));
    }
    bytes[0] = (char)(lead[length] | point);
    return length;
}

void user_narrow(PCUNICODE_STRING wide, char *text, size_t size)
{
    size_t used = 0;
    for (unsigned i = 0; i < wide->Length / sizeof(WCHAR); i++) {
        uint32_t point = wide->Buffer[i];
        char bytes[4];
        BOOLEAN pair =
            point >> 10 == 0x36 && i + 1 < wide->Length / sizeof(WCHAR) && wide->Buffer[i + 1] >> 10 == 0x37;
        if (pair) {
            point = 0x10000 + ((point & 0x3FF) << 10) + (wide->Buffer[++i] & 0x3FFu);
        }
        unsigned length = encode(point, bytes);
        if (used + length >= size) {
            break;
        }
        for (unsigned j = 0; j < length; j++) {
            text[used++] = bytes[j];
        }
    }
    text[used] = 0;
}

int user_errno(NTSTATUS status)
{
    switch (status) {
    case STATUS_INSUFFICIENT_RESOURCES:
        return -USER_ENOMEM;
    case STATUS_OBJECT_NAME_COLLISION:
    case STATUS_IMAGE_ALREADY_LOADED:
        return -USER_EEXIST;
    case STATUS_INVALID_IMAGE_FORMAT:
        return -USER_ENOEXEC;
    case STATUS_DRIVER_ENTRYPOINT_NOT_FOUND:
    case STATUS_OBJECT_NAME_NOT_FOUND:
        return -USER_ENOENT;
    default:
        return NT_SUCCESS(status) ? 0 : -USER_EINVAL;
    }
}
