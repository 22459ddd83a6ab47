// SPDX-License-Identifier: MIT
// Stacks that one thread of the host switches between: a switch costs nanoseconds where waking a thread costs
// microseconds.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct os_context {
    void *sp;           // while it does not run
    const void *bottom; // of its stack, for AddressSanitizer
    size_t size;
    void *fake;
    void *stack; // from os_context_make(); NULL: the host thread's own
};

// False where switching is not possible: ThreadSanitizer knows threads only.
bool os_contexts_work(void);
// Gives the context a stack; the first switch to it calls the routine, which never returns. False: no memory.
bool os_context_make(struct os_context *context, void (*routine)(void *argument), void *argument);
// Saves the caller in `from` and goes on in `to`; returns when somebody switches to `from`, on whatever
// thread.
void os_context_switch(struct os_context *from, struct os_context *to);
_Noreturn void os_context_leave(struct os_context *from, struct os_context *to); // `from` need not outlive it
void os_contexts_free(void); // the stacks kept for reuse; none is in use
