// SPDX-License-Identifier: MIT
// From a fuzzer's bytes to a scenario (docs/scenarios.md): every input is one, and near inputs are near
// scenarios.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { DRIVER_INPUT_MAX = 1024 };

// The text, to be freed; NULL: no memory. `*seed` is the scheduler's, `*length` the text's.
char *driver_scenario(const uint8_t *data, size_t size, uint64_t *seed, size_t *length);
