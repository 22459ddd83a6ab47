// SPDX-License-Identifier: MIT
// A hostile host: bytes become messages, control requests, card moves and passing time. Whatever they are,
// what the emulated reader answers must be well formed.
#pragma once
#include <stddef.h>
#include <stdint.h>

void storm(const uint8_t *input, size_t length);
