// SPDX-License-Identifier: MIT
#pragma once
#include "loader.h"

// Writes the line and returns -ENOEXEC, so that a refusal is one statement.
__attribute__((format(printf, 2, 3))) int error_refuse(struct loader_error *error, const char *format, ...);
__attribute__((format(printf, 3, 4))) int error_set(struct loader_error *error, int code, const char *format,
                                                    ...);
// Puts "name: " before the line.
void error_name(struct loader_error *error, const char *name);
int error_missing(struct loader_error *error, const char *module, const char *import);
