// SPDX-License-Identifier: MIT
// Included before every source of the program: what the scenarios' sources use beyond Windows' C library.
#pragma once
#include <stdlib.h>
#include <string.h>

static inline void explicit_bzero(void *memory, size_t length)
{
    for (volatile unsigned char *byte = memory; length != 0; length--) {
        *byte++ = 0;
    }
}

static inline char *strndup(const char *text, size_t most)
{
    size_t length = strnlen(text, most);
    char *copy = malloc(length + 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

static inline char *strsep(char **rest, const char *separators)
{
    char *word = *rest;
    if (word != NULL) {
        char *end = word + strcspn(word, separators);
        *rest = *end != '\0' ? end + 1 : NULL;
        *end = '\0';
    }
    return word;
}
