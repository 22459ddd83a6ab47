// SPDX-License-Identifier: MIT
// A mapped image, and the steps from file to running driver. After a failed step the module is only freed.
#pragma once
#include "nthost/loader/image.h"

struct module_export {
    char *name;    // NULL: by ordinal only
    char *forward; // "ntoskrnl.ExFreePool", or NULL
    uint32_t rva;
    uint32_t ordinal;
};

struct module_symbol {
    uint32_t rva;
    char *name;
};

// RUNTIME_FUNCTION of the x64 exception handling ABI.
struct runtime_function {
    uint32_t begin;
    uint32_t end;
    uint32_t unwind;
};

struct loader_module {
    char name[64];
    struct image image;
    uint8_t *base;
    // Copies: the driver may overwrite or discard its own tables. Sorted by name (unnamed last).
    struct module_export *exports;
    size_t export_count;
    struct module_symbol *symbols; // sorted by address
    size_t symbol_count;
    const struct runtime_function *functions; // checked at load, in a section that is not writable
    size_t function_count;
    struct loader_module *bound[LOADER_MODULES]; // the images it imports from
    size_t bound_count;
    size_t references; // images bound to this one
    bool retired;      // has no name any more
};

// Memory inside one section, or NULL.
uint8_t *module_span(const struct loader_module *module, uint32_t rva, uint64_t length);
// A terminated string inside one section, not empty and at most `limit` bytes with its terminator, or NULL.
const char *module_string(const struct loader_module *module, uint32_t rva, size_t limit);
bool module_executable(const struct loader_module *module, uint32_t rva);

int module_map(struct loader_module *module, const uint8_t *file, struct loader_error *error);
void module_unmap(struct loader_module *module);
int module_relocate(struct loader_module *module, struct loader_error *error);
int module_read_exports(struct loader_module *module, struct loader_error *error);
int module_bind(struct loader_module *module, struct loader_error *error);
int module_set_cookie(struct loader_module *module, struct loader_error *error);
void module_replace_shared_data(struct loader_module *module);
int module_check_functions(struct loader_module *module, struct loader_error *error);
int module_read_symbols(struct loader_module *module, const uint8_t *file, size_t length,
                        struct loader_error *error);
// "x.debug" beside "x.sys", if it is there and of this image.
void module_read_debug(struct loader_module *module, const char *path);
void module_take_debug(struct loader_module *module, const uint8_t *bytes, size_t length); // such a file
int module_protect(struct loader_module *module, struct loader_error *error);

void module_free_exports(struct loader_module *module);
void module_free_symbols(struct loader_module *module);

const struct module_export *module_find_export(const struct loader_module *module, const char *name,
                                               unsigned ordinal);
const struct module_symbol *module_symbol_at(const struct loader_module *module, uint32_t rva);
const struct runtime_function *module_function_at(const struct loader_module *module, uint32_t rva);

// The address that an import or a forwarder stands for, or NULL; `name` NULL: by ordinal. `*provider` is the
// image it lies in, NULL: the host.
void *bind_resolve(const char *module_name, const char *name, unsigned ordinal,
                   struct loader_module **provider);
void *bind_export(struct loader_module *module, const char *name, unsigned ordinal,
                  struct loader_module **provider);

// The loaded images. Reading is lock-free, since a signal handler does it; changes are serialised by the
// caller.
int registry_add(struct loader_module *module);
void registry_remove(struct loader_module *module);
void registry_retire(struct loader_module *module);
struct loader_module *registry_by_name(const char *name);
struct loader_module *registry_at(uintptr_t address);
bool registry_empty(void);

// The kernel's side, NULL before loader_start.
const struct loader_host *loader_host(void);
