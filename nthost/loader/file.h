// SPDX-License-Identifier: MIT
#pragma once
#include <stddef.h>
#include <stdint.h>

// A whole regular file, at most IMAGE_LIMIT bytes, to be freed also after a failure. 0 or negative errno.
int file_read(const char *path, uint8_t **bytes, size_t *length);
