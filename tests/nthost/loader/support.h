// SPDX-License-Identifier: MIT
// A kernel of a few routines, and the images built for these tests.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nthost/loader/loader.h"

#define MS_ABI __attribute__((ms_abi))

enum { EVENT_LIMIT = 64 };

struct kernel {
    uint8_t irql;
    unsigned irql_writes;
    uint32_t port_value; // what a port reads as
    uint16_t port;       // the last one accessed
    uint32_t written;
    unsigned width;
    char events[EVENT_LIMIT * 3]; // HostNote's numbers, "1 2 3"
    int variable;
    uint8_t shared_data[4096];
};
extern struct kernel kernel;

void kernel_reset(void);
int kernel_start(void **state); // loader_start, loader_thread_enter
int kernel_stop(void **state);
// cmocka takes the signals for the time of a test; this runs the test `*state` with the loader's.
void run_with_signals(void **state);
#define LOADER_TEST(test, setup, teardown)                                                                   \
    {                                                                                                        \
#test, run_with_signals, setup, teardown, (void *)(uintptr_t)(test)                                  \
    }

struct bytes {
    uint8_t *data;
    size_t length;
};
struct bytes read_image(const char *name); // "mingw/ldruse.sys"; the test fails when it is not there
loader_module *load_image(const char *name);
// An export as a function pointer of type `type`.
#define EXPORT(module, name, type) ((type)(uintptr_t)find_export(module, name))
void *find_export(loader_module *module, const char *name);

// Runs `routine` in a child process and returns the fault that ended it; the test fails when none did.
struct loader_fault fault_of(void (*routine)(const void *argument), const void *argument);
