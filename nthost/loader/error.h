// SPDX-License-Identifier: MIT
#pragma once
#include <errno.h>

#include "loader.h"

// Writes the line and returns `code`, so that a refusal is one statement.
__attribute__((format(printf, 3, 4))) int error_set(struct loader_error *error, int code, const char *format,
                                                    ...);
// The value in plain sight, for analysers.
#define error_refuse(error, ...) ((void)error_set(error, -ENOEXEC, __VA_ARGS__), -ENOEXEC)
// Puts "name: " before the line.
void error_name(struct loader_error *error, const char *name);
int error_missing(struct loader_error *error, const char *module, const char *import);
