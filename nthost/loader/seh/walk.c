// SPDX-License-Identifier: MIT
#include "nthost/loader/seh/dispatch.h"

#include "nthost/loader/bytes.h"
#include "nthost/loader/thread.h"

enum { STEP_LIMIT = 4096 };

void seh_walk_begin(struct seh_walk *walk, const struct seh_context *context)
{
    walk->context = *context;
    walk->call = *thread_calls();
    walk->nested_to = 0;
    walk->steps = 0;
    thread_stack(&walk->stack);
}

static bool passed_call(const struct seh_walk *walk)
{
    return walk->call != NULL && walk->context.registers[SEH_RSP] > (uintptr_t)walk->call;
}

static bool pop_return_address(struct seh_walk *walk)
{
    const void *source = unwind_read(&walk->stack, walk->context.registers[SEH_RSP], 8);
    if (source == NULL) {
        return false;
    }
    walk->context.rip = read_u64(source);
    walk->context.registers[SEH_RSP] += 8;
    return true;
}

// Beyond the dispatcher's own frames the stack continues where the exception it dispatched happened; the
// frame an unwind was stopped in continues behind the scope it had reached.
static bool pass_call(struct seh_walk *walk, struct seh_frame *frame)
{
    const struct seh_call *call = walk->call;
    walk->call = call->previous;
    if (call->unwinding) {
        *frame = *call->frame;
        frame->scope_index = call->dispatcher->scope_index;
        frame->collided = true;
        walk->context = frame->after;
        while (passed_call(walk)) {
            walk->call = walk->call->previous; // the dispatch which that unwind belonged to is over
        }
        return true;
    }
    if (call->frame->unwound.establisher > walk->nested_to) {
        walk->nested_to = call->frame->unwound.establisher;
    }
    walk->context = *call->origin;
    return false;
}

static bool step_host(struct seh_walk *walk, bool first)
{
    if (unwind_host(&walk->stack, true, &walk->context) == 0) {
        return true;
    }
    // A call through a wild pointer faults at its target; the caller's address is on top of the stack.
    return first && pop_return_address(walk);
}

static bool step_image(struct seh_walk *walk, unsigned wanted, struct seh_frame *frame)
{
    uint32_t rva = (uint32_t)(walk->context.rip - (uintptr_t)frame->module->base);
    frame->function = module_function_at(frame->module, rva);
    if (frame->function == NULL) {
        return pop_return_address(walk);
    }
    return unwind_image(frame->module, frame->function, wanted, &walk->stack, &walk->context,
                        &frame->unwound) == 0;
}

bool seh_walk_next(struct seh_walk *walk, unsigned wanted, struct seh_frame *frame)
{
    while (passed_call(walk)) {
        if (pass_call(walk, frame)) {
            return true;
        }
    }
    frame->module = registry_at(walk->context.rip);
    frame->function = NULL;
    frame->before = walk->context;
    frame->unwound = (struct unwind_result){.establisher = walk->context.registers[SEH_RSP]};
    frame->scope_index = 0;
    frame->collided = false;
    bool stepped =
        frame->module != NULL ? step_image(walk, wanted, frame) : step_host(walk, walk->steps == 0);
    frame->after = walk->context;
    frame->nested = frame->unwound.establisher <= walk->nested_to;
    return stepped && walk->steps++ < STEP_LIMIT;
}

size_t seh_trace(const struct seh_context *context, uintptr_t *frames, size_t capacity)
{
    struct seh_walk walk;
    struct seh_frame frame;
    size_t depth = 0;
    seh_walk_begin(&walk, context);
    while (depth < capacity) {
        frames[depth++] = walk.context.rip;
        if (!seh_walk_next(&walk, 0, &frame)) {
            break;
        }
    }
    return depth;
}

size_t loader_backtrace(uintptr_t *frames, size_t capacity)
{
    struct seh_context context;
    struct unwind_stack stack;
    seh_capture(&context);
    thread_stack(&stack);
    bool caller = unwind_host(&stack, true, &context) == 0;
    return caller ? seh_trace(&context, frames, capacity) : 0;
}
