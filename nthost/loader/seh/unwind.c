// SPDX-License-Identifier: MIT
// Virtual unwinding by the x64 exception handling ABI. The tables were checked at load (pdata.c); the stack
// is checked here. Synchronous exceptions cannot hit an epilogue's instructions, so epilogues are not
// decoded.
#include "nthost/loader/seh/unwind.h"

#include <errno.h>
#include <string.h>

#include "nthost/loader/bytes.h"

const void *unwind_read(const struct unwind_stack *stack, uint64_t address, size_t size)
{
    bool inside = address >= stack->low && address < stack->high && stack->high - address >= size;
    return inside ? (const void *)(uintptr_t)address : NULL;
}

struct step {
    const struct unwind_info *info;
    const struct unwind_stack *stack;
    struct seh_context *context;
    uint64_t frame;     // what SAVE offsets count from
    bool machine_frame; // rip and rsp came from one
};

static int load(const struct step *step, uint64_t address, void *target, size_t size)
{
    const void *source = unwind_read(step->stack, address, size);
    if (source == NULL) {
        return -EFAULT;
    }
    memcpy(target, source, size);
    return 0;
}

static uint64_t frame_register(const struct unwind_info *info, const struct seh_context *context)
{
    return context->registers[info->frame & 15] - (info->frame >> 4) * 16ull;
}

static int pop_machine_frame(struct step *step, bool error_code)
{
    uint64_t at = step->context->registers[SEH_RSP] + (error_code ? 8 : 0);
    int result = load(step, at, &step->context->rip, 8);
    result |= load(step, at + 24, &step->context->registers[SEH_RSP], 8);
    step->machine_frame = true;
    return result;
}

static int undo(struct step *step, unsigned index)
{
    uint64_t *registers = step->context->registers;
    const uint8_t *operands = (const uint8_t *)&step->info->codes[index + 1];
    unsigned operand = step->info->codes[index].operation >> 4;
    int result = 0;
    switch (step->info->codes[index].operation & 15) {
    case UNWIND_PUSH_NONVOLATILE:
        result = load(step, registers[SEH_RSP], &registers[operand], 8);
        registers[SEH_RSP] += 8;
        break;
    case UNWIND_ALLOCATE_LARGE:
        registers[SEH_RSP] += operand == 0 ? read_u16(operands) * 8ull : read_u32(operands);
        break;
    case UNWIND_ALLOCATE_SMALL:
        registers[SEH_RSP] += operand * 8ull + 8;
        break;
    case UNWIND_SET_FRAME:
        registers[SEH_RSP] = frame_register(step->info, step->context);
        break;
    case UNWIND_SAVE_NONVOLATILE:
        result = load(step, step->frame + read_u16(operands) * 8ull, &registers[operand], 8);
        break;
    case UNWIND_SAVE_NONVOLATILE_FAR:
        result = load(step, step->frame + read_u32(operands), &registers[operand], 8);
        break;
    case UNWIND_SAVE_XMM128:
        result = load(step, step->frame + read_u16(operands) * 16ull, &step->context->xmm[operand], 16);
        break;
    case UNWIND_SAVE_XMM128_FAR:
        result = load(step, step->frame + read_u32(operands), &step->context->xmm[operand], 16);
        break;
    case UNWIND_PUSH_MACHINE_FRAME:
        result = pop_machine_frame(step, operand == 1);
        break;
    default:
        break; // epilogue descriptions
    }
    return result;
}

static bool frame_established(const struct unwind_info *info, uint32_t offset)
{
    if ((info->frame & 15) == 0) {
        return false;
    }
    if (offset >= info->prolog_size) {
        return true;
    }
    for (unsigned i = 0; i < info->code_count; i += unwind_slots(info, i)) {
        if ((info->codes[i].operation & 15) == UNWIND_SET_FRAME) {
            return offset >= info->codes[i].prolog_offset;
        }
    }
    return false;
}

static int undo_prolog(struct step *step, uint32_t offset)
{
    int result = 0;
    for (unsigned i = 0; result == 0 && i < step->info->code_count; i += unwind_slots(step->info, i)) {
        if (offset >= step->info->codes[i].prolog_offset) {
            result = undo(step, i);
        }
    }
    return result;
}

int unwind_image(const struct loader_module *module, const struct runtime_function *function, unsigned wanted,
                 const struct unwind_stack *stack, struct seh_context *context, struct unwind_result *result)
{
    struct step step = {.stack = stack, .context = context};
    uint32_t rva = (uint32_t)(context->rip - (uintptr_t)module->base);
    struct runtime_function part = *function;
    uint32_t offset = rva - part.begin;
    for (bool primary = true;; primary = false) {
        step.info = (const struct unwind_info *)(module->base + part.unwind);
        if (primary) {
            bool framed = frame_established(step.info, offset);
            result->establisher = framed ? frame_register(step.info, context) : context->registers[SEH_RSP];
            step.frame = result->establisher;
        }
        // The parts that are chained to lie before this one: all of their prologue has run.
        if (undo_prolog(&step, primary ? offset : UINT32_MAX) != 0) {
            return -EFAULT;
        }
        if (unwind_flags(step.info) != UNWIND_CHAINED) {
            break;
        }
        memcpy(&part, unwind_tail(step.info), sizeof part);
        offset = UINT32_MAX;
    }
    bool covered = (unwind_flags(step.info) & wanted) != 0 && offset >= step.info->prolog_size;
    const uint8_t *tail = unwind_tail(step.info);
    result->handler = covered ? (seh_handler *)(uintptr_t)(module->base + read_u32(tail)) : NULL;
    result->handler_data = covered ? tail + 4 : NULL;
    if (step.machine_frame) {
        return 0;
    }
    int failed = load(&step, context->registers[SEH_RSP], &context->rip, 8);
    context->registers[SEH_RSP] += 8;
    return failed;
}
