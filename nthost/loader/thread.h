// SPDX-License-Identifier: MIT
// What a thread that runs driver code has: a KPCR behind GS, a signal stack, its stack's bounds.
#pragma once
#include "nthost/loader/seh/unwind.h"

struct seh_call;

// The bounds of the calling thread's stack. Not for signal handlers.
void thread_stack(struct unwind_stack *stack);
// The same in a signal handler: false when the thread never entered.
bool thread_entered_stack(struct unwind_stack *stack);
// The innermost exception handler that this thread is in; NULL: none.
struct seh_call **thread_calls(void);
