// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE
#include "nthost/os/os.h"

#include "nthost/os/asan.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#endif

void os_keep_memory(void)
{
    enum { MAPPED_FROM = 16 << 20, KEPT = 256 << 20 };
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
    mallopt(M_TRIM_THRESHOLD, KEPT);
}

void *os_allocate(size_t size, size_t alignment)
{
    if (alignment <= 16) {
        return malloc(size);
    }
    void *memory = NULL;
    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
}

void os_free(void *memory)
{
    free(memory);
}

void *os_map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void os_unmap(void *memory, size_t size)
{
    munmap(memory, size);
}

void os_protect(void *memory, size_t size, enum os_access access)
{
    static const int flags[] = {[OS_ACCESS_NONE] = PROT_NONE,
                                [OS_ACCESS_READ] = PROT_READ,
                                [OS_ACCESS_WRITE] = PROT_READ | PROT_WRITE};
    if (mprotect(memory, size, flags[access]) != 0) {
        os_print("nthost: mprotect failed: too many mappings\n");
        os_abort();
    }
}

bool os_is_mapped(const void *address)
{
    const uintptr_t page = 4096;
    unsigned char resident;
    return mincore((void *)((uintptr_t)address & ~(page - 1)), page, &resident) == 0;
}

void os_poison(const void *memory, size_t size)
{
#ifdef HAVE_ASAN
    ASAN_POISON_MEMORY_REGION(memory, size);
#else
    (void)memory;
    (void)size;
#endif
}

void os_unpoison(const void *memory, size_t size)
{
#ifdef HAVE_ASAN
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
#else
    (void)memory;
    (void)size;
#endif
}
