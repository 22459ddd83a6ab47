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
void os_child_alive(
    unsigned seconds); // within the child: it is hung when this time passes without another call

void *os_share(size_t size); // zeroed memory that children share; NULL: none
void os_unshare(void *memory, size_t size);
