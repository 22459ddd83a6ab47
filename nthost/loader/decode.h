// SPDX-License-Identifier: MIT
// The instructions that fault in user mode though they are legal in a kernel.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decode_kind {
    DECODE_OTHER, // not privileged: the fault is its own
    DECODE_READ_IRQL,
    DECODE_WRITE_IRQL,
    DECODE_PORT_READ,
    DECODE_PORT_WRITE,
    DECODE_FAST_FAIL,  // int 29h
    DECODE_ASSERTION,  // int 2ch
    DECODE_BREAKPOINT, // int3, int 2dh
    DECODE_PRIVILEGED,
};

struct decoded {
    enum decode_kind kind;
    unsigned length;     // of the instruction
    unsigned register_;  // of a CR8 access
    unsigned width;      // of a port access, in bytes
    bool immediate_port; // else the port is in dx
    uint8_t port;
    uint8_t opcode; // the first byte that is no prefix
};

void decode(const uint8_t *code, size_t length, struct decoded *result);
