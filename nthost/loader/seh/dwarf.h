// SPDX-License-Identifier: MIT
// Call frame information of host code: the rules of one row (DWARF 5, 6.4; LSB 5.0, 10.6 for .eh_frame).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DWARF_RSP = 7, DWARF_RETURN = 16, DWARF_XMM0 = 17, DWARF_REGISTERS = 33 };

enum dwarf_rule_kind {
    DWARF_SAME,
    DWARF_UNDEFINED,
    DWARF_OFFSET, // at CFA + offset
    DWARF_VALUE_OFFSET,
    DWARF_REGISTER,
    DWARF_EXPRESSION, // at the address it computes
    DWARF_VALUE_EXPRESSION,
};

struct dwarf_rule {
    enum dwarf_rule_kind kind;
    int64_t offset; // or the register's number
    const uint8_t *expression;
    size_t expression_size;
};

struct dwarf_row {
    struct dwarf_rule cfa; // DWARF_REGISTER: `cfa_register` + offset, or DWARF_VALUE_EXPRESSION
    unsigned cfa_register;
    struct dwarf_rule rules[DWARF_REGISTERS];
};

// The row for `pc`. `call`: pc is a return address. 0 or -ENOENT.
int dwarf_find_row(uintptr_t pc, bool call, struct dwarf_row *row);
