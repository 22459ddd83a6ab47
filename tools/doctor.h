// SPDX-License-Identifier: MIT
// What lectern doctor's checks share: a root to look below, and findings.
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/command.h"

enum doctor_result { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_PROBLEM };

struct doctor {
    const char *root; // "" or a folder to take for /
    cJSON *checks;    // NULL: findings are printed
    unsigned problems;
};

// `cure`: one sentence, "" for none.
void doctor_say(struct doctor *doctor, enum doctor_result result, const char *check, const char *cure,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
bool doctor_path(const struct doctor *doctor, char path[PATH_MAX], const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// A small file below the root, one line without its end. False: there is none.
bool doctor_line(const struct doctor *doctor, char *line, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// Whether a file below the root has the text.
bool doctor_has(const struct doctor *doctor, const char *text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool doctor_exists(const struct doctor *doctor, const char *path);

// doctorusb.c: every reader on USB; returns how many there are.
unsigned doctor_usb(struct doctor *doctor);
// doctorbundle.c: which handler pcscd takes for a reader.
void doctor_bundles(struct doctor *doctor, const char *reader, unsigned vendor, unsigned product);
bool doctor_enabled(const struct doctor *doctor); // the handler of Lectern, for real readers
// doctorpcsc.c: pcscd and what it says.
void doctor_pcscd(struct doctor *doctor);
