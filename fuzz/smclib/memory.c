// SPDX-License-Identifier: MIT
#include "fuzz/smclib/memory.h"

#include <stdlib.h>

void *fuzz_allocate(unsigned long long length)
{
    void *memory = malloc(length);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

void fuzz_free(void *memory)
{
    free(memory);
}
