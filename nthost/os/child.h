// SPDX-License-Identifier: MIT
// Runs that may end the process, in a process of their own.
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum os_child_end {
    OS_CHILD_DONE,   // the routine returned 0
    OS_CHILD_FAILED, // it returned something else, or the process left early
    OS_CHILD_BROKE,  // it was ended by a signal: a bug check, a crash, a sanitizer's finding
    OS_CHILD_HUNG,   // no os_child_alive() in time
};

// Runs routine(argument) in a child. `output` gets the end of what it wrote to stdout and stderr. No other
// thread may run. -1: no child could be made.
int os_child(int (*routine)(void *argument), void *argument, char *output, size_t size);
// A child that runs routine(argument) each time it is asked to, until one of them ends it.
struct os_worker {
    int pid; // 0: none
    int ours, theirs, output;
};
int os_worker_start(struct os_worker *worker, int (*routine)(void *argument), void *argument); // 0 or -1
// `output` as os_child() has it, of this run. BROKE, HUNG, or FAILED with pid 0: it is gone.
enum os_child_end os_worker_run(struct os_worker *worker, char *output, size_t size);
enum os_child_end os_worker_end(struct os_worker *worker, char *output, size_t size);

void os_child_alive(
    unsigned seconds); // within the child: it is hung when this time passes without another call

void *os_share(size_t size); // zeroed memory that children share; NULL: none
void os_unshare(void *memory, size_t size);
