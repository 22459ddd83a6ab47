// SPDX-License-Identifier: MIT
// The measured operations: WDM code behind plain C.
#pragma once

struct operation {
    const char *name;
    void (*prepare)(void);
    void (*run)(void); // once; every run does the same work
};

extern const struct operation operations[]; // ends with a NULL name

void operations_begin(void); // the kernel must be booted
void operations_end(void);
