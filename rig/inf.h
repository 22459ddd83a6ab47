// SPDX-License-Identifier: MIT
// What an INF file says of a driver for x64: which service, which file, which registry values, for a hardware
// id.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INF_NAME_MAX = 128, INF_ID_MAX = 200, INF_DATA_MAX = 1024, INF_VALUES_MAX = 64, INF_FILES_MAX = 16 };

struct inf; // the text, by sections

// UTF-8, ANSI, or UTF-16 with its mark. NULL: `error` says why in one line.
struct inf *inf_parse(const char *text, size_t length, char *error, size_t error_size);
void inf_free(struct inf *inf);

// Lines of a section, in order; sections of one name are one.
struct inf_line {
    const char *section, *key; // key: before '=', NULL when there is none
    char **values;             // strings filled in, quotes taken off
    size_t count;
};
// `section` in any case; `at` starts 0. NULL: no more.
const struct inf_line *inf_next(const struct inf *inf, const char *section, size_t *at);
bool inf_has(const struct inf *inf, const char *section);

enum inf_type { INF_STRING, INF_DWORD, INF_BINARY };
struct inf_value {
    bool hardware; // below the device's key, else the service's
    char key[INF_ID_MAX], name[INF_NAME_MAX];
    enum inf_type type;
    uint32_t length;
    uint8_t data[INF_DATA_MAX]; // a string with its terminator
};

struct inf_driver {
    char service[INF_NAME_MAX], image[INF_NAME_MAX]; // "lectern", "lectern.sys"
    char files[INF_FILES_MAX][INF_NAME_MAX];         // what is copied, the image perhaps among them
    size_t file_count;
    struct inf_value values[INF_VALUES_MAX];
    size_t value_count;
    size_t left_out; // values of kinds that nothing here can set, or that are too many
};

// 0 or -ENOENT: `error` says in one line what the file lacks.
int inf_find_driver(const struct inf *inf, const char *hardware_id, struct inf_driver *driver, char *error,
                    size_t error_size);
