// SPDX-License-Identifier: MIT
// The syntax of INF files: sections, lines, continuations, comments, quotes, %strings%.
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rig/inf.h"

enum { LINES_MAX = 20000, VALUES_MAX = 64, LINE_MAX_BYTES = 4096, SECTION_MAX = 256 };

struct inf {
    struct inf_line *lines;
    size_t count, room;
};

// ---- text ----

// UTF-16 as UTF-8; what is no character becomes a question mark.
static char *from_utf16(const unsigned char *bytes, size_t length, bool big, size_t *out_length)
{
    char *out = malloc(length / 2 * 3 + 1);
    size_t used = 0;
    for (size_t at = 0; out != NULL && at + 1 < length; at += 2) {
        unsigned unit =
            big ? (unsigned)bytes[at] << 8 | bytes[at + 1] : bytes[at] | (unsigned)bytes[at + 1] << 8;
        if (unit < 0x80) {
            out[used++] = (char)unit;
        } else if (unit < 0x800) {
            out[used++] = (char)(0xC0 | unit >> 6);
            out[used++] = (char)(0x80 | (unit & 0x3F));
        } else if (unit >> 11 != 0x1B) {
            out[used++] = (char)(0xE0 | unit >> 12);
            out[used++] = (char)(0x80 | (unit >> 6 & 0x3F));
            out[used++] = (char)(0x80 | (unit & 0x3F));
        } else {
            out[used++] = '?';
        }
    }
    *out_length = used;
    return out;
}

static char *plain_text(const char *text, size_t length, size_t *out_length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    if (length >= 2 && ((bytes[0] == 0xFF && bytes[1] == 0xFE) || (bytes[0] == 0xFE && bytes[1] == 0xFF))) {
        return from_utf16(bytes + 2, length - 2, bytes[0] == 0xFE, out_length);
    }
    size_t mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    char *copy = malloc(length + 1);
    if (copy != NULL) {
        memcpy(copy, text + mark, length - mark);
        *out_length = length - mark;
    }
    return copy;
}

// ---- one line ----

struct reader {
    const char *at, *end;
    unsigned number; // of the line
    char section[SECTION_MAX];
    char *error;
    size_t error_size;
};

static int refuse(const struct reader *reader, const char *what)
{
    (void)snprintf(reader->error, reader->error_size, "line %u: %s", reader->number, what);
    return -EINVAL;
}

// The next line without its comment, continued lines joined. False: the text has ended; `*length` < 0: too
// long.
static bool next_line(struct reader *reader, char line[LINE_MAX_BYTES], int *length)
{
    bool quoted = false, comment = false;
    size_t used = 0;
    line[0] = '\0';
    if (reader->at == reader->end) {
        return false;
    }
    for (reader->number++; reader->at < reader->end; reader->at++) {
        char c = *reader->at;
        if (c == '\n') {
            while (used > 0 && isspace((unsigned char)line[used - 1])) {
                used--;
            }
            if (used == 0 || line[used - 1] != '\\' || quoted) {
                reader->at++;
                break;
            }
            used--; // the line goes on
            comment = false;
            reader->number++;
            continue;
        }
        quoted = c == '"' && !comment ? !quoted : quoted;
        comment = comment || (c == ';' && !quoted);
        if (!comment && c != '\0' && used < LINE_MAX_BYTES) {
            line[used++] = c;
        }
    }
    *length = used < LINE_MAX_BYTES ? (int)used : -1;
    line[used < LINE_MAX_BYTES ? used : 0] = '\0';
    return true;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) {
        text++;
    }
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) {
        *--end = '\0';
    }
    return text;
}

// Up to an unquoted `separator`, which is cut out; NULL: it is not there.
static char *split(char *text, char separator)
{
    bool quoted = false;
    for (; *text != '\0'; text++) {
        quoted = *text == '"' ? !quoted : quoted;
        if (*text == separator && !quoted) {
            *text = '\0';
            return text + 1;
        }
    }
    return NULL;
}

// Quotes go, doubled ones are one, spaces outside of them go at both ends.
static char *unquote(char *text)
{
    char *word = trim(text), *out = word;
    bool quoted = false;
    for (const char *in = word; *in != '\0'; in++) {
        if (*in != '"') {
            *out++ = *in;
        } else if (quoted && in[1] == '"') {
            *out++ = *in++;
        } else {
            quoted = !quoted;
        }
    }
    *out = '\0';
    return word;
}

static int add_values(struct inf_line *line, char *text)
{
    while (text != NULL && line->count < VALUES_MAX) {
        char *rest = split(text, ',');
        line->values[line->count] = strdup(unquote(text));
        if (line->values[line->count++] == NULL) {
            return -ENOMEM;
        }
        text = rest;
    }
    return 0;
}

static int add_line(struct inf *inf, const struct reader *reader, char *text)
{
    if (inf->count == inf->room) {
        size_t room = inf->room == 0 ? 256 : 2 * inf->room;
        struct inf_line *lines =
            room <= (size_t)2 * LINES_MAX ? realloc(inf->lines, room * sizeof *lines) : NULL;
        if (lines == NULL) {
            return refuse(reader, "the file is too long");
        }
        inf->lines = lines;
        inf->room = room;
    }
    struct inf_line *line = &inf->lines[inf->count++];
    *line =
        (struct inf_line){.section = strdup(reader->section), .values = calloc(VALUES_MAX, sizeof(char *))};
    char *values = split(text, '=');
    if (values != NULL) {
        line->key = strdup(unquote(text));
    }
    if (line->section == NULL || line->values == NULL || (values != NULL && line->key == NULL)) {
        return refuse(reader, "out of memory");
    }
    return add_values(line, values != NULL ? values : text);
}

static int read_line(struct inf *inf, struct reader *reader, char *line)
{
    char *text = trim(line);
    if (*text == '\0') {
        return 0;
    }
    if (*text == '[') {
        char *end = strrchr(text, ']');
        if (end == NULL || end - text >= SECTION_MAX) {
            return refuse(reader, "a section's name does not end");
        }
        *end = '\0';
        (void)snprintf(reader->section, sizeof reader->section, "%s", unquote(text + 1));
        return 0;
    }
    return reader->section[0] != '\0' ? add_line(inf, reader, text)
                                      : refuse(reader, "it belongs to no section");
}

// ---- strings ----

static const char *find_string(const struct inf *inf, const char *name, size_t length)
{
    static const char *const sections[] = {"Strings", "Strings.0409"};
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        size_t at = 0;
        for (const struct inf_line *line; (line = inf_next(inf, sections[i], &at)) != NULL;) {
            if (line->key != NULL && line->count > 0 && strlen(line->key) == length &&
                strncasecmp(line->key, name, length) == 0) {
                return line->values[0];
            }
        }
    }
    return NULL;
}

// %name% becomes its string, %% one %; what is no string, as %13% for a folder, stays. NULL: out of memory.
static char *fill_in(const struct inf *inf, const char *text)
{
    char filled[LINE_MAX_BYTES];
    size_t used = 0;
    while (*text != '\0' && used < sizeof filled - 1) {
        const char *end = *text == '%' ? strchr(text + 1, '%') : NULL;
        size_t length = end != NULL ? (size_t)(end - text - 1) : 0;
        const char *string = end == NULL ? NULL : length == 0 ? "%" : find_string(inf, text + 1, length);
        if (string == NULL) {
            filled[used++] = *text++;
            continue;
        }
        int written = snprintf(filled + used, sizeof filled - used, "%s", string);
        used += (size_t)written < sizeof filled - used ? (size_t)written : sizeof filled - used - 1;
        text = end + 1;
    }
    filled[used] = '\0';
    return strdup(filled);
}

static int fill_in_all(struct inf *inf)
{
    for (size_t i = 0; i < inf->count; i++) {
        struct inf_line *line = &inf->lines[i];
        bool strings = strncasecmp(line->section, "Strings", strlen("Strings")) == 0;
        for (size_t j = 0; j < line->count && !strings; j++) {
            char *filled = fill_in(inf, line->values[j]);
            if (filled == NULL) {
                return -ENOMEM;
            }
            free(line->values[j]);
            line->values[j] = filled;
        }
    }
    return 0;
}

// ---- the file ----

void inf_free(struct inf *inf)
{
    if (inf == NULL) {
        return;
    }
    for (size_t i = 0; i < inf->count; i++) {
        for (size_t j = 0; j < inf->lines[i].count; j++) {
            free(inf->lines[i].values[j]);
        }
        free(inf->lines[i].values);
        free((char *)inf->lines[i].key);
        free((char *)inf->lines[i].section);
    }
    free(inf->lines);
    free(inf);
}

static int read_all(struct inf *inf, struct reader *reader)
{
    char line[LINE_MAX_BYTES] = "";
    int length, error = 0;
    while (error == 0 && next_line(reader, line, &length)) {
        error = length < 0 ? refuse(reader, "it is too long") : read_line(inf, reader, line);
    }
    return error == 0 ? fill_in_all(inf) : error;
}

struct inf *inf_parse(const char *text, size_t length, char *error, size_t error_size)
{
    size_t plain_length = 0;
    struct inf *inf = calloc(1, sizeof *inf);
    char *plain = plain_text(text, length, &plain_length);
    (void)snprintf(error, error_size, "out of memory");
    if (inf != NULL && plain != NULL) {
        struct reader reader = {
            .at = plain, .end = plain + plain_length, .error = error, .error_size = error_size};
        if (read_all(inf, &reader) == 0) {
            free(plain);
            return inf;
        }
    }
    free(plain);
    inf_free(inf);
    return NULL;
}

const struct inf_line *inf_next(const struct inf *inf, const char *section, size_t *at)
{
    while (*at < inf->count) {
        const struct inf_line *line = &inf->lines[(*at)++];
        if (strcasecmp(line->section, section) == 0) {
            return line;
        }
    }
    return NULL;
}

bool inf_has(const struct inf *inf, const char *section)
{
    size_t at = 0;
    return inf_next(inf, section, &at) != NULL;
}
