// SPDX-License-Identifier: MIT
#include "rig/scenario/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_MAX = RIG_REPLY_MAX };

static int digit(char character)
{
    static const char digits[] = "0123456789abcdef";
    char lower = character >= 'A' && character <= 'F' ? (char)(character - 'A' + 'a') : character;
    const char *found = lower != '\0' ? strchr(digits, lower) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

static bool append(struct scn_pattern *pattern, uint16_t item, size_t times)
{
    if (times > PATTERN_MAX - pattern->length) {
        return false;
    }
    uint16_t *items = realloc(pattern->items, (pattern->length + times) * sizeof *items);
    if (items == NULL) {
        return false;
    }
    pattern->items = items;
    for (size_t i = 0; i < times; i++) {
        items[pattern->length++] = item;
    }
    return true;
}

static bool has_gap(const struct scn_pattern *pattern)
{
    for (size_t i = 0; i < pattern->length; i++) {
        if (pattern->items[i] == SCN_GAP) {
            return true;
        }
    }
    return false;
}

// As the emulated cards count: low byte of i plus its high byte.
static bool append_sequence(struct scn_pattern *pattern, size_t times)
{
    size_t first = pattern->length;
    if (!append(pattern, 0, times)) {
        return false;
    }
    for (size_t i = 0; i < times; i++) {
        pattern->items[first + i] = (uint8_t)(i + (i >> 8));
    }
    return true;
}

static const char *add_repeated(struct scn_pattern *pattern, const char *word, const char *star)
{
    uint64_t times;
    size_t length = (size_t)(star - word);
    if (!scn_number(star + 1, PATTERN_MAX, &times) || times == 0) {
        return "the number after * is not from 1 to 65538";
    }
    if (length == 3 && strncmp(word, "seq", 3) == 0) {
        return append_sequence(pattern, (size_t)times) ? NULL : "too long";
    }
    if (length == 2 && strncmp(word, "..", 2) == 0) {
        return append(pattern, SCN_ANY, (size_t)times) ? NULL : "too long";
    }
    int high = length == 2 ? digit(word[0]) : -1, low = length == 2 ? digit(word[1]) : -1;
    if (high < 0 || low < 0) {
        return "before * stands one byte in hex, .. or seq";
    }
    return append(pattern, (uint16_t)(high << 4 | low), (size_t)times) ? NULL : "too long";
}

static const char *add_digits(struct scn_pattern *pattern, const char *word)
{
    while (*word != '\0') {
        if (*word == ':') {
            word++;
            continue;
        }
        int high = digit(word[0]), low = high >= 0 ? digit(word[1]) : -1;
        if (low < 0) {
            return "not bytes in hex";
        }
        if (!append(pattern, (uint16_t)(high << 4 | low), 1)) {
            return "too long";
        }
        word += 2;
    }
    return NULL;
}

const char *scn_pattern_add(struct scn_pattern *pattern, const char *word)
{
    const char *star = strchr(word, '*');
    if (star != NULL) {
        return add_repeated(pattern, word, star);
    }
    if (strcmp(word, "..") == 0) {
        return append(pattern, SCN_ANY, 1) ? NULL : "too long";
    }
    if (strcmp(word, "...") == 0) {
        return has_gap(pattern) ? "... stands at most once" : append(pattern, SCN_GAP, 1) ? NULL : "too long";
    }
    return add_digits(pattern, word);
}

static bool matches(const uint16_t *items, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (items[i] != SCN_ANY && items[i] != bytes[i]) {
            return false;
        }
    }
    return true;
}

bool scn_pattern_matches(const struct scn_pattern *pattern, const uint8_t *bytes, size_t length)
{
    size_t head = 0;
    while (head < pattern->length && pattern->items[head] != SCN_GAP) {
        head++;
    }
    if (head == pattern->length) {
        return length == head && matches(pattern->items, bytes, head);
    }
    size_t tail = pattern->length - head - 1;
    return length >= head + tail && matches(pattern->items, bytes, head) &&
           matches(pattern->items + head + 1, bytes + length - tail, tail);
}

uint8_t *scn_pattern_bytes(const struct scn_pattern *pattern)
{
    uint8_t *bytes = malloc(pattern->length != 0 ? pattern->length : 1);
    for (size_t i = 0; bytes != NULL && i < pattern->length; i++) {
        if (pattern->items[i] > UINT8_MAX) {
            free(bytes);
            return NULL;
        }
        bytes[i] = (uint8_t)pattern->items[i];
    }
    return bytes;
}

enum { PRINTED_MAX = 40 }; // items; a message shows how something began

static size_t print_more(char *text, size_t size, size_t at, size_t length)
{
    if (at < size && length > PRINTED_MAX) {
        at += (size_t)snprintf(text + at, size - at, " (%zu in all)", length);
    }
    return at;
}

void scn_pattern_print(const struct scn_pattern *pattern, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < pattern->length && i < PRINTED_MAX && at < size; i++) {
        const char *space = i == 0 ? "" : " ";
        uint16_t item = pattern->items[i];
        at += (size_t)(item > UINT8_MAX
                           ? snprintf(text + at, size - at, "%s%s", space, item == SCN_ANY ? ".." : "...")
                           : snprintf(text + at, size - at, "%s%02X", space, item));
    }
    (void)print_more(text, size, at, pattern->length);
}

void scn_bytes_print(const uint8_t *bytes, size_t length, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < length && i < PRINTED_MAX && at < size; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%02X", i == 0 ? "" : " ", bytes[i]);
    }
    (void)print_more(text, size, at, length);
}
