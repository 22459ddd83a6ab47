// SPDX-License-Identifier: MIT
// The order of calls and the flags are those of "x64 exception handling" (Microsoft's ABI documentation): a
// nested exception searches the frames below the handler again, a collided unwind goes on behind the scope it
// stopped in.
#include "nthost/loader/seh/dispatch.h"

#include "nthost/loader/thread.h"

// Never inlined: its frame is how the walk notices that it leaves a handler.
static __attribute__((noinline)) int call_handler(struct seh_record *record, const struct seh_frame *frame,
                                                  struct seh_context *origin, uint64_t target_ip)
{
    struct seh_context scratch = frame->before;
    struct seh_dispatcher dispatcher = {
        .control_pc = frame->before.rip,
        .image_base = (uintptr_t)frame->module->base,
        .function = frame->function,
        .establisher = frame->unwound.establisher,
        .target_ip = target_ip,
        .context = &scratch,
        .handler = frame->unwound.handler,
        .handler_data = frame->unwound.handler_data,
        .scope_index = frame->scope_index,
    };
    struct seh_call call = {
        .previous = *thread_calls(),
        .origin = origin,
        .frame = frame,
        .dispatcher = &dispatcher,
        .unwinding = (record->flags & SEH_UNWINDING) != 0,
    };
    *thread_calls() = &call;
    int disposition = frame->unwound.handler(record, frame->unwound.establisher, origin, &dispatcher);
    *thread_calls() = call.previous;
    return disposition;
}

_Noreturn void seh_dispatch(struct seh_record *record, struct seh_context *context)
{
    struct seh_walk walk;
    struct seh_frame frame;
    seh_walk_begin(&walk, context);
    while (seh_walk_next(&walk, UNWIND_EXCEPTION_HANDLER, &frame)) {
        if (frame.unwound.handler == NULL) {
            continue;
        }
        record->flags &= ~(uint32_t)SEH_NESTED_CALL;
        record->flags |= frame.nested ? SEH_NESTED_CALL : 0;
        int disposition = call_handler(record, &frame, context, 0);
        if (disposition == SEH_CONTINUE_EXECUTION) {
            if ((record->flags & SEH_NONCONTINUABLE) != 0) {
                seh_fatal(LOADER_FAULT_EXCEPTION, STATUS_NONCONTINUABLE_EXCEPTION, context, record);
            }
            seh_resume(context);
        }
        if (disposition != SEH_CONTINUE_SEARCH) {
            seh_fatal(LOADER_FAULT_UNWIND, STATUS_INVALID_DISPOSITION, &frame.before, record);
        }
    }
    seh_fatal(LOADER_FAULT_EXCEPTION, record->code, context, record);
}

static void call_termination(struct seh_record *record, struct seh_frame *frame, uint64_t target_ip,
                             bool target)
{
    record->flags &= ~(uint32_t)(SEH_TARGET_UNWIND | SEH_COLLIDED_UNWIND);
    record->flags |= (target ? SEH_TARGET_UNWIND : 0) | (frame->collided ? SEH_COLLIDED_UNWIND : 0);
    struct seh_context origin = frame->before;
    if (call_handler(record, frame, &origin, target_ip) != SEH_CONTINUE_SEARCH) {
        seh_fatal(LOADER_FAULT_UNWIND, STATUS_INVALID_DISPOSITION, &frame->before, record);
    }
}

_Noreturn void seh_unwind(struct seh_context *context, uint64_t target_frame, uint64_t target_ip,
                          struct seh_record *record, uint64_t value)
{
    struct seh_record plain = {.code = STATUS_UNWIND, .address = context->rip};
    if (record == NULL) {
        record = &plain;
    }
    record->flags |= SEH_UNWINDING | (target_frame == 0 ? SEH_EXIT_UNWIND : 0);
    struct seh_walk walk;
    struct seh_frame frame;
    seh_walk_begin(&walk, context);
    while (seh_walk_next(&walk, UNWIND_TERMINATION_HANDLER, &frame)) {
        if (frame.function == NULL) {
            continue;
        }
        bool target = frame.unwound.establisher == target_frame;
        if (target_frame != 0 && frame.unwound.establisher > target_frame) {
            break;
        }
        if (frame.unwound.handler != NULL) {
            call_termination(record, &frame, target_ip, target);
        }
        if (target) {
            frame.before.rip = target_ip;
            frame.before.registers[SEH_RAX] = value;
            seh_resume(&frame.before);
        }
    }
    seh_fatal(LOADER_FAULT_UNWIND, STATUS_INVALID_UNWIND_TARGET, context, record);
}

_Noreturn void seh_resume(const struct seh_context *context)
{
    struct seh_call **calls = thread_calls();
    while (*calls != NULL && (uintptr_t)*calls < context->registers[SEH_RSP]) {
        *calls = (*calls)->previous;
    }
    seh_restore(context);
}
