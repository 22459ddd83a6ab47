// SPDX-License-Identifier: MIT
// What the kernel needs from Linux, as plain C: both WDM sources and libc sources include this. Times are in
// 100 ns.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OS_FOREVER UINT64_MAX

// clock.c
uint64_t os_uptime(void);      // monotonic
uint64_t os_system_time(void); // UTC since 1601-01-01

// futex.c: words are shared only within the process
void os_wait(const uint32_t *word, uint32_t expected,
             uint64_t deadline);               // may return for no reason; `deadline` in uptime
void os_wake(const uint32_t *word, int count); // only the address is used: the memory may be gone already
void os_yield(void);

// thread.c: host threads are kept for reuse, since a life cycle of a device may start several
typedef void os_routine(void *argument);
int os_thread_start(os_routine *routine, void *argument);
_Noreturn void os_thread_leave(void); // ends the routine os_thread_start() began
void os_at_thread_exit(os_routine *routine,
                       void *argument); // for the calling thread; one per thread, NULL: none
void os_threads_join(void);             // ends the kept threads; all routines have returned

// memory.c
void os_keep_memory(void);                        // freed memory stays with the process: devices come and go
void *os_allocate(size_t size, size_t alignment); // not zeroed
void os_free(void *memory);
enum os_access { OS_ACCESS_NONE, OS_ACCESS_READ, OS_ACCESS_WRITE };
void *os_map(size_t size); // whole pages, zeroed
void os_unmap(void *memory, size_t size);
void os_protect(void *memory, size_t size, enum os_access access);
bool os_is_mapped(const void *address);
void os_poison(const void *memory, size_t size); // tells AddressSanitizer, if there
void os_unpoison(const void *memory, size_t size);

// stack.c
unsigned os_stack(void **frames, unsigned count);
// The same, without the callers whose frames lie above `limit` on the stack.
unsigned os_stack_below(void **frames, unsigned count, const void *limit);
void os_describe(const void *address, char *text, size_t size); // "routine+0x12 (module)"
// Who knows code that the C library's tools do not; NULL: nobody.
struct os_tracer {
    unsigned (*stack)(void **frames, unsigned count);
    bool (*describe)(const void *address, char *text, size_t size); // false: not that code
};
void os_trace_with(const struct os_tracer *tracer);

// report.c
void os_print(const char *text); // to stderr
_Noreturn void os_abort(void);
bool os_has_asan(void);
// Called for SIGSEGV and SIGBUS; true: resume the instruction, false: the handler that was there before.
// NULL: none.
typedef bool os_fault_handler(const void *address, bool write, const void *instruction);
void os_on_fault(os_fault_handler *handler);
