// SPDX-License-Identifier: MIT
// Walking a stack of driver and host frames, and the two passes over it: the search for a handler and the
// unwind.
#pragma once
#include "nthost/loader/seh/unwind.h"

struct seh_frame {
    const struct loader_module *module;      // NULL: host code
    const struct runtime_function *function; // NULL: a leaf
    struct seh_context before;               // within the frame
    struct seh_context after;                // in its caller
    struct unwind_result unwound;
    uint32_t scope_index; // where its scope table is to be continued
    bool collided;        // an earlier unwind was stopped in it
    bool nested;          // below a handler that itself raised
};

// A handler being called; lies on the stack in the frame that calls it.
struct seh_call {
    struct seh_call *previous;
    const struct seh_context *origin; // what was dispatched
    const struct seh_frame *frame;
    const struct seh_dispatcher *dispatcher;
    bool unwinding;
};

struct seh_walk {
    struct seh_context context;
    struct unwind_stack stack;
    struct seh_call *call; // the innermost that was not passed yet
    uint64_t nested_to;
    unsigned steps;
};

void seh_walk_begin(struct seh_walk *walk, const struct seh_context *context);
bool seh_walk_next(struct seh_walk *walk, unsigned wanted,
                   struct seh_frame *frame); // false: the outermost was passed
size_t seh_trace(const struct seh_context *context, uintptr_t *frames, size_t capacity);

_Noreturn void seh_dispatch(struct seh_record *record, struct seh_context *context);
_Noreturn void seh_unwind(struct seh_context *context, uint64_t target_frame, uint64_t target_ip,
                          struct seh_record *record, uint64_t value);
// To a context further out on this thread's stack: the handlers in between are no longer being called.
_Noreturn void seh_resume(const struct seh_context *context);
_Noreturn void seh_fatal(enum loader_fault_kind kind, uint32_t code, const struct seh_context *context,
                         const struct seh_record *record);
_Noreturn void seh_report(struct loader_fault *fault);
