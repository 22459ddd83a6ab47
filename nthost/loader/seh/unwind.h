// SPDX-License-Identifier: MIT
// One frame at a time: of images by .pdata and .xdata, of host code by .eh_frame.
#pragma once
#include <stdbool.h>

#include "nthost/loader/module.h"
#include "nthost/loader/seh/context.h"

enum { UNWIND_EXCEPTION_HANDLER = 1, UNWIND_TERMINATION_HANDLER = 2, UNWIND_CHAINED = 4 };
enum { UNWIND_CHAIN_LIMIT = 32 };

enum unwind_operation {
    UNWIND_PUSH_NONVOLATILE = 0,
    UNWIND_ALLOCATE_LARGE = 1,
    UNWIND_ALLOCATE_SMALL = 2,
    UNWIND_SET_FRAME = 3,
    UNWIND_SAVE_NONVOLATILE = 4,
    UNWIND_SAVE_NONVOLATILE_FAR = 5,
    UNWIND_EPILOG = 6,
    UNWIND_SPARE = 7,
    UNWIND_SAVE_XMM128 = 8,
    UNWIND_SAVE_XMM128_FAR = 9,
    UNWIND_PUSH_MACHINE_FRAME = 10,
};

// UNWIND_INFO, its arrays behind it.
struct unwind_info {
    uint8_t version_flags;
    uint8_t prolog_size;
    uint8_t code_count;
    uint8_t frame; // register, offset in 16 bytes
    struct {
        uint8_t prolog_offset;
        uint8_t operation; // and its 4-bit operand
    } codes[];
};

static inline unsigned unwind_flags(const struct unwind_info *info)
{
    return info->version_flags >> 3;
}

// What follows the codes: a chained function, or the handler's RVA and its data.
static inline const uint8_t *unwind_tail(const struct unwind_info *info)
{
    return (const uint8_t *)&info->codes[(info->code_count + 1u) & ~1u];
}

// How many 16-bit slots the code takes, 0: unknown.
unsigned unwind_slots(const struct unwind_info *info, unsigned index);

struct unwind_stack { // the only memory the unwinder reads through a stack pointer
    uintptr_t low;
    uintptr_t high;
};
const void *unwind_read(const struct unwind_stack *stack, uint64_t address, size_t size);

struct unwind_result {
    uint64_t establisher;
    seh_handler *handler; // NULL: none of the wanted kind for this place in the function
    const void *handler_data;
};

// Takes `context` from within a function of `module` to its caller. `wanted`: kinds of handler to report. 0
// or -EFAULT.
int unwind_image(const struct loader_module *module, const struct runtime_function *function, unsigned wanted,
                 const struct unwind_stack *stack, struct seh_context *context, struct unwind_result *result);
// The same for host code; `call`: rip is a return address, so the call lies before it. -ENOENT: no frame
// description, or the outermost frame.
int unwind_host(const struct unwind_stack *stack, bool call, struct seh_context *context);
