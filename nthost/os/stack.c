// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/os/os.h"

#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unwind.h>

static const struct os_tracer *tracer;

void os_trace_with(const struct os_tracer *new_tracer)
{
    __atomic_store_n(&tracer, new_tracer, __ATOMIC_RELEASE);
}

unsigned os_stack(void **frames, unsigned count)
{
    const struct os_tracer *other = __atomic_load_n(&tracer, __ATOMIC_ACQUIRE);
    if (other != NULL) {
        return other->stack(frames, count);
    }
    int depth = backtrace(frames, (int)count);
    return depth < 0 ? 0 : (unsigned)depth;
}

struct walk {
    void **frames;
    unsigned count, capacity;
    uintptr_t limit;
};

static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *argument)
{
    struct walk *walk = argument;
    if (_Unwind_GetCFA(context) > walk->limit) { // where the frame before this one ends
        walk->count -= walk->count != 0;
        return _URC_END_OF_STACK;
    }
    if (walk->count == walk->capacity) {
        return _URC_END_OF_STACK;
    }
    walk->frames[walk->count++] = (void *)_Unwind_GetIP(context);
    return _URC_NO_REASON;
}

unsigned os_stack_below(void **frames, unsigned count, const void *limit)
{
    struct walk walk = {frames, 0, count, limit != NULL ? (uintptr_t)limit : UINTPTR_MAX};
    (void)_Unwind_Backtrace(take_frame, &walk);
    return walk.count;
}

struct symbol {
    const char *name;
    uintptr_t offset;
};

static bool search_table(const char *image, const ElfW(Shdr) * table, const char *strings, uintptr_t address,
                         struct symbol *found)
{
    const ElfW(Sym) *symbols = (const void *)(image + table->sh_offset);
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
        const ElfW(Sym) *symbol = &symbols[i];
        if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && address >= symbol->st_value &&
            address < symbol->st_value + symbol->st_size) {
            *found = (struct symbol){strings + symbol->st_name, address - symbol->st_value};
            return true;
        }
    }
    return false;
}

// dladdr() knows only dynamic symbols; static routines of drivers are in the file's own table.
static bool search_image(const char *image, uintptr_t address, struct symbol *found)
{
    const ElfW(Ehdr) *header = (const void *)image;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
        return false;
    }
    const ElfW(Shdr) *sections = (const void *)(image + header->e_shoff);
    for (unsigned i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type == SHT_SYMTAB) {
            return search_table(image, &sections[i], image + sections[sections[i].sh_link].sh_offset, address,
                                found);
        }
    }
    return false;
}

static void describe_in_file(const Dl_info *info, uintptr_t address, char *text, size_t size)
{
    const char *path =
        info->dli_fname != NULL && strchr(info->dli_fname, '/') != NULL ? info->dli_fname : "/proc/self/exe";
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0) {
        return;
    }
    if (fstat(file, &status) == 0 && status.st_size > (off_t)sizeof(ElfW(Ehdr))) {
        char *image = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        struct symbol found;
        if (image != MAP_FAILED) {
            if (search_image(image, address, &found)) {
                snprintf(text, size, "%s+0x%zx", found.name, (size_t)found.offset);
            }
            munmap(image, (size_t)status.st_size);
        }
    }
    close(file);
}

void os_describe(const void *address, char *text, size_t size)
{
    Dl_info info;
    const struct link_map *map = NULL;
    const struct os_tracer *other = __atomic_load_n(&tracer, __ATOMIC_ACQUIRE);
    if (other != NULL && other->describe(address, text, size)) {
        return;
    }
    snprintf(text, size, "%p", address);
    if (dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0) {
        return;
    }
    if (info.dli_sname != NULL) {
        snprintf(text, size, "%s+0x%zx", info.dli_sname,
                 (size_t)((uintptr_t)address - (uintptr_t)info.dli_saddr));
        return;
    }
    describe_in_file(&info, (uintptr_t)address - (map != NULL ? map->l_addr : 0), text, size);
}
