// SPDX-License-Identifier: MIT
#pragma once
#include <stddef.h>
#include <stdint.h>

// Hex digits, bytes optionally separated by spaces or colons. Returns the bytes written; -1 with `*wrong`
// saying why.
int hex_parse(const char *text, uint8_t *bytes, size_t capacity, const char **wrong);
// "90 00"; `text` needs 3 * length bytes, at least 1.
void hex_print(const uint8_t *bytes, size_t length, char *text);
