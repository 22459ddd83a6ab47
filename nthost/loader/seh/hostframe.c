// SPDX-License-Identifier: MIT
// Host frames between a raise in a kernel routine and the driver that called it. Exceptions are not handled
// in host code, it is only passed; its ms_abi routines save what Win64 wants kept, XMM6 to XMM15 included.
#include "nthost/loader/seh/unwind.h"

#include <errno.h>
#include <string.h>

#include "nthost/loader/bytes.h"
#include "nthost/loader/seh/dwarf.h"

enum { EXPRESSION_STACK = 8 };

struct host_frame {
    const struct unwind_stack *stack;
    const struct seh_context *before;
    uint64_t cfa;
};

struct expression {
    const uint8_t *at;
    const uint8_t *end;
    uint64_t values[EXPRESSION_STACK];
    unsigned depth;
};

static uint64_t *register_at(const struct seh_context *context, unsigned number)
{
    static const uint8_t order[16] = {SEH_RAX, SEH_RDX, SEH_RCX, SEH_RBX, SEH_RSI, SEH_RDI, SEH_RBP, SEH_RSP,
                                      8,       9,       10,      11,      12,      13,      14,      15};
    const uint64_t *at = number < 16 ? &context->registers[order[number]] : &context->rip;
    return (uint64_t *)at;
}

static int64_t read_operand(struct expression *expression, bool is_signed)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte = 0x80;
    while ((byte & 0x80) != 0 && expression->at < expression->end && shift < 63) {
        byte = *expression->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    }
    if (is_signed && (byte & 0x40) != 0) {
        value |= ~0ull << shift;
    }
    return (int64_t)value;
}

static int push(struct expression *expression, uint64_t value)
{
    if (expression->depth >= EXPRESSION_STACK) {
        return -ENOENT;
    }
    expression->values[expression->depth++] = value;
    return 0;
}

static int combine(struct expression *expression, uint8_t opcode)
{
    if (expression->depth < 2) {
        return -ENOENT;
    }
    uint64_t right = expression->values[--expression->depth];
    uint64_t *left = &expression->values[expression->depth - 1];
    switch (opcode) {
    case 0x1a: // DW_OP_and
        *left &= right;
        return 0;
    case 0x1c: // DW_OP_minus
        *left -= right;
        return 0;
    case 0x22: // DW_OP_plus
        *left += right;
        return 0;
    case 0x24: // DW_OP_shl
        *left = right < 64 ? *left << right : 0;
        return 0;
    case 0x2a: // DW_OP_ge
        *left = (int64_t)*left >= (int64_t)right;
        return 0;
    default:
        return -ENOENT;
    }
}

// What gcc, clang and the linker's procedure linkage table use.
static int evaluate_step(const struct host_frame *frame, struct expression *expression)
{
    uint8_t opcode = *expression->at++;
    if (opcode >= 0x30 && opcode <= 0x4f) { // DW_OP_lit0 to 31
        return push(expression, opcode - 0x30u);
    }
    if (opcode >= 0x70 && opcode <= 0x80) { // DW_OP_breg0 to 16
        return push(expression,
                    *register_at(frame->before, opcode - 0x70u) + (uint64_t)read_operand(expression, true));
    }
    if (opcode == 0x08 && expression->at < expression->end) { // DW_OP_const1u
        return push(expression, *expression->at++);
    }
    if (opcode == 0x06 && expression->depth > 0) { // DW_OP_deref
        uint64_t *top = &expression->values[expression->depth - 1];
        const void *source = unwind_read(frame->stack, *top, 8);
        *top = source != NULL ? read_u64(source) : 0;
        return source != NULL ? 0 : -EFAULT;
    }
    if (opcode == 0x23 && expression->depth > 0) { // DW_OP_plus_uconst
        expression->values[expression->depth - 1] += (uint64_t)read_operand(expression, false);
        return 0;
    }
    return combine(expression, opcode);
}

static int evaluate(const struct host_frame *frame, const struct dwarf_rule *rule, uint64_t *value)
{
    struct expression expression = {.at = rule->expression, .end = rule->expression + rule->expression_size};
    // A register's expression starts with the CFA on its stack; the CFA's own does not, but cannot see the
    // difference.
    int result = push(&expression, frame->cfa);
    while (result == 0 && expression.at < expression.end) {
        result = evaluate_step(frame, &expression);
    }
    *value = expression.depth > 0 ? expression.values[expression.depth - 1] : 0;
    return result;
}

static int load(const struct host_frame *frame, uint64_t address, void *target, size_t size)
{
    const void *source = unwind_read(frame->stack, address, size);
    if (source == NULL) {
        return -EFAULT;
    }
    memcpy(target, source, size);
    return 0;
}

static int restore_register(const struct host_frame *frame, const struct dwarf_rule *rule, void *target,
                            size_t size)
{
    uint64_t value = frame->cfa + (uint64_t)rule->offset;
    int result = 0;
    switch (rule->kind) {
    case DWARF_OFFSET:
        return load(frame, value, target, size);
    case DWARF_EXPRESSION:
        result = evaluate(frame, rule, &value);
        return result != 0 ? result : load(frame, value, target, size);
    case DWARF_VALUE_EXPRESSION:
        result = evaluate(frame, rule, &value);
        break;
    case DWARF_REGISTER:
        value = *register_at(frame->before, (unsigned)rule->offset);
        break;
    case DWARF_VALUE_OFFSET:
        break;
    default:
        return 0;
    }
    memcpy(target, &value, sizeof value);
    return result;
}

static int compute_cfa(struct host_frame *frame, const struct dwarf_row *row)
{
    if (row->cfa.kind == DWARF_VALUE_EXPRESSION) {
        return evaluate(frame, &row->cfa, &frame->cfa);
    }
    frame->cfa = *register_at(frame->before, row->cfa_register) + (uint64_t)row->cfa.offset;
    return 0;
}

int unwind_host(const struct unwind_stack *stack, bool call, struct seh_context *context)
{
    struct dwarf_row row;
    if (dwarf_find_row(context->rip, call, &row) != 0 || row.rules[DWARF_RETURN].kind == DWARF_UNDEFINED) {
        return -ENOENT;
    }
    const struct seh_context before = *context;
    struct host_frame frame = {.stack = stack, .before = &before};
    int result = compute_cfa(&frame, &row);
    context->registers[SEH_RSP] = frame.cfa;
    for (unsigned i = 0; result == 0 && i < DWARF_REGISTERS; i++) {
        void *target =
            i < DWARF_XMM0 ? (void *)register_at(context, i) : (void *)&context->xmm[i - DWARF_XMM0];
        result = restore_register(&frame, &row.rules[i], target, i < DWARF_XMM0 ? 8 : 16);
    }
    return result;
}
