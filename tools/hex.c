// SPDX-License-Identifier: MIT
#include "tools/hex.h"

#include <stdbool.h>
#include <string.h>

static int digit(char character)
{
    static const char digits[] = "0123456789abcdef";
    char lower = character >= 'A' && character <= 'F' ? (char)(character - 'A' + 'a') : character;
    const char *found = lower != '\0' ? strchr(digits, lower) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

int hex_parse(const char *text, uint8_t *bytes, size_t capacity, const char **wrong)
{
    size_t length = 0;
    while (*text != '\0') {
        if (*text == ' ' || *text == ':') {
            text++;
            continue;
        }
        int high = digit(text[0]);
        int low = high >= 0 ? digit(text[1]) : -1;
        if (low < 0) {
            bool cut = high >= 0 && (text[1] == '\0' || text[1] == ' ' || text[1] == ':');
            *wrong = cut ? "odd number of hex digits" : "not hex digits";
            return -1;
        }
        if (length == capacity) {
            *wrong = "too long";
            return -1;
        }
        bytes[length++] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (length == 0) {
        *wrong = "empty";
        return -1;
    }
    return (int)length;
}

void hex_print(const uint8_t *bytes, size_t length, char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
        *text++ = ' ';
    }
    text[length > 0 ? -1 : 0] = '\0';
}
