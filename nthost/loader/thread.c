// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/loader/thread.h"

#include <asm/prctl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIGNAL_STACK = 64 << 10, SIGNAL_STACK_LEAST = 16 << 10 };

// KPCR of x64 as far as inlined code reads it; the other fields are zero.
struct kpcr {
    uint64_t unused;
    uint64_t stack_base;  // NtTib.StackBase, +08h
    uint64_t stack_limit; // NtTib.StackLimit, +10h
    struct kpcr *self;    // +18h
    void *prcb;           // CurrentPrcb, +20h
    uint8_t gap[0x180 - 0x28];
    uint32_t mxcsr; // KPRCB, +180h
    uint8_t legacy_number;
    uint8_t gap_number[3];
    void *thread; // KPRCB.CurrentThread, +188h
    uint8_t rest[0x1000 - 0x190];
};
_Static_assert(offsetof(struct kpcr, mxcsr) == 0x180, "KPCR.Prcb");
_Static_assert(offsetof(struct kpcr, thread) == 0x188, "KPRCB.CurrentThread");

struct thread {
    struct kpcr *kpcr; // NULL: not entered
    struct unwind_stack stack;
    void *signal_stack; // NULL: it was there before
    stack_t previous_signal_stack;
    struct seh_call *calls;
};

// A signal handler reads it: no lazy allocation on first use.
static _Thread_local struct thread current __attribute__((tls_model("initial-exec")));

static int find_stack(struct unwind_stack *stack)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    int result = pthread_getattr_np(pthread_self(), &attributes);
    if (result != 0) {
        return -result;
    }
    result = pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    stack->low = (uintptr_t)low;
    stack->high = (uintptr_t)low + size;
    return -result;
}

// ASan gives its threads a signal stack and frees, at their end, the one it finds: a usable one is left in
// place.
static int set_signal_stack(void)
{
    if (sigaltstack(NULL, &current.previous_signal_stack) != 0) {
        return -errno;
    }
    if ((current.previous_signal_stack.ss_flags & SS_DISABLE) == 0 &&
        current.previous_signal_stack.ss_size >= SIGNAL_STACK_LEAST) {
        return 0;
    }
    void *memory = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    stack_t stack = {.ss_sp = memory, .ss_size = SIGNAL_STACK};
    if (sigaltstack(&stack, NULL) != 0) {
        int result = -errno;
        munmap(memory, SIGNAL_STACK);
        return result;
    }
    current.signal_stack = memory;
    return 0;
}

static void reset_signal_stack(void)
{
    if (current.signal_stack != NULL) {
        (void)sigaltstack(&current.previous_signal_stack, NULL);
        munmap(current.signal_stack, SIGNAL_STACK);
        current.signal_stack = NULL;
    }
}

int loader_thread_enter(void *kthread)
{
    if (current.kpcr != NULL) {
        return -EALREADY;
    }
    struct kpcr *kpcr = mmap(NULL, sizeof *kpcr, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (kpcr == MAP_FAILED) {
        return -errno;
    }
    int result = find_stack(&current.stack);
    if (result == 0) {
        result = set_signal_stack();
    }
    if (result == 0) {
        kpcr->self = kpcr;
        kpcr->prcb = (uint8_t *)kpcr + offsetof(struct kpcr, mxcsr);
        kpcr->thread = kthread;
        kpcr->stack_base = current.stack.high;
        kpcr->stack_limit = current.stack.low;
        // glibc keeps its thread pointer in FS on x86-64; GS is free.
        result = syscall(SYS_arch_prctl, ARCH_SET_GS, kpcr) == 0 ? 0 : -errno;
    }
    if (result != 0) {
        reset_signal_stack();
        munmap(kpcr, sizeof *kpcr);
        return result;
    }
    current.kpcr = kpcr;
    return 0;
}

void loader_thread_leave(void)
{
    if (current.kpcr == NULL) {
        return;
    }
    (void)syscall(SYS_arch_prctl, ARCH_SET_GS, NULL);
    reset_signal_stack();
    munmap(current.kpcr, sizeof *current.kpcr);
    memset(&current, 0, sizeof current);
}

bool thread_entered_stack(struct unwind_stack *stack)
{
    *stack = current.stack;
    return current.kpcr != NULL;
}

void thread_stack(struct unwind_stack *stack)
{
    if (!thread_entered_stack(stack) && find_stack(stack) != 0) {
        *stack = (struct unwind_stack){0};
    }
}

struct seh_call **thread_calls(void)
{
    return &current.calls;
}
