// SPDX-License-Identifier: MIT
#include "nthost/os/context.h"

#include "nthost/os/asan.h"
#include "nthost/os/os.h"

#include <stdint.h>

#ifdef HAVE_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

enum { STACK_SIZE = 1 << 20, GUARD_SIZE = 4096 };

// At the low end of a kept stack, above its guard.
struct kept {
    struct kept *next;
};

static struct kept *kept;
static struct os_context *previous; // who switched, for the one switched to

// What the System V ABI has a callee keep; code of the other ABI keeps more by itself.
void os_context_jump(void **save, void *load);
void os_context_start(void);
__asm__(".text\n"
        ".globl os_context_jump\n"
        ".hidden os_context_jump\n"
        ".type os_context_jump, @function\n"
        "os_context_jump:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    subq $8, %rsp\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size os_context_jump, . - os_context_jump\n"
        ".globl os_context_start\n"
        ".hidden os_context_start\n"
        ".type os_context_start, @function\n"
        "os_context_start:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n" // the outermost frame
        "    movq %r12, %rdi\n"
        "    movq %r13, %rsi\n"
        "    callq *%r14\n"
        "    ud2\n"
        "    .cfi_endproc\n"
        ".size os_context_start, . - os_context_start\n");

bool os_contexts_work(void)
{
#if defined(__SANITIZE_THREAD__)
    return false;
#elif defined(__has_feature)
    return !__has_feature(thread_sanitizer);
#else
    return true;
#endif
}

static void begin_switch(struct os_context *from, const struct os_context *to, bool leaves)
{
    previous = leaves ? NULL : from;
#ifdef HAVE_ASAN
    __sanitizer_start_switch_fiber(leaves ? NULL : &from->fake, to->bottom, to->size);
#else
    (void)to;
#endif
}

static void end_switch(void *fake)
{
#ifdef HAVE_ASAN
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(fake, &bottom, &size);
    if (previous != NULL) {
        previous->bottom = bottom;
        previous->size = size;
    }
#else
    (void)fake;
#endif
}

static void enter(void (*routine)(void *), void *argument)
{
    end_switch(NULL);
    routine(argument);
}

void os_context_switch(struct os_context *from, struct os_context *to)
{
    begin_switch(from, to, false);
    os_context_jump(&from->sp, to->sp);
    end_switch(from->fake);
}

// Nobody takes the stack from the list before the switch is done: who has the baton is the only one.
static void keep_stack(struct os_context *context)
{
    struct kept *stack = context->stack;
    stack->next = kept;
    kept = stack;
}

void os_context_leave(struct os_context *from, struct os_context *to)
{
    void *sp;
    begin_switch(from, to, true);
    keep_stack(from);
    os_context_jump(&sp, to->sp);
    __builtin_unreachable();
}

static struct kept *take_stack(void)
{
    struct kept *stack = kept;
    if (stack != NULL) {
        kept = stack->next;
        os_unpoison(stack, STACK_SIZE - GUARD_SIZE);
        return stack;
    }
    char *memory = os_map(STACK_SIZE);
    if (memory == NULL) {
        return NULL;
    }
    os_protect(memory, GUARD_SIZE, OS_ACCESS_NONE);
    return (struct kept *)(memory + GUARD_SIZE);
}

bool os_context_make(struct os_context *context, void (*routine)(void *), void *argument)
{
    struct kept *stack = take_stack();
    if (stack == NULL) {
        return false;
    }
    *context = (struct os_context){.bottom = stack, .size = STACK_SIZE - GUARD_SIZE, .stack = stack};
    uintptr_t *top = (uintptr_t *)(void *)((char *)stack + context->size);
    *--top = 0;
    *--top = 0; // keeps the stack aligned for the call
    *--top = (uintptr_t)os_context_start;
    *--top = 0;                   // rbp
    *--top = 0;                   // rbx
    *--top = (uintptr_t)routine;  // r12
    *--top = (uintptr_t)argument; // r13
    *--top = (uintptr_t)enter;    // r14
    *--top = 0;                   // r15
    *--top = 0x037F00001F80;      // the control words at reset: all exceptions masked
    context->sp = top;
    return true;
}

void os_contexts_free(void)
{
    while (kept != NULL) {
        struct kept *stack = kept;
        kept = stack->next;
        os_unmap((char *)stack - GUARD_SIZE, STACK_SIZE);
    }
}
