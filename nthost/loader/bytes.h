// SPDX-License-Identifier: MIT
// Little-endian reads at any alignment.
#pragma once
#include <stdint.h>
#include <string.h>

static inline uint16_t read_u16(const void *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint32_t read_u32(const void *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t read_u64(const void *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}
