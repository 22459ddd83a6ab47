// SPDX-License-Identifier: MIT
// The export directory, copied at load: afterwards the driver may write over it.
#include "nthost/loader/module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nthost/loader/bytes.h"
#include "nthost/loader/error.h"

enum { DIRECTORY_SIZE = 40, EXPORT_LIMIT = 8192, NAME_LIMIT = 512 };

struct export_directory {
    uint32_t ordinal_base;
    uint32_t function_count;
    uint32_t name_count;
    const uint8_t *functions;
    const uint8_t *names;
    const uint8_t *ordinals;
};

static int open_directory(const struct loader_module *module, struct export_directory *directory)
{
    const uint8_t *raw = module_span(module, module->image.directories[IMAGE_EXPORT].rva, DIRECTORY_SIZE);
    if (raw == NULL) {
        return -ENOEXEC;
    }
    directory->ordinal_base = read_u32(raw + 16);
    directory->function_count = read_u32(raw + 20);
    directory->name_count = read_u32(raw + 24);
    if (directory->function_count > EXPORT_LIMIT || directory->name_count > EXPORT_LIMIT ||
        directory->ordinal_base > UINT16_MAX) {
        return -ENOEXEC;
    }
    directory->functions = module_span(module, read_u32(raw + 28), 4ull * directory->function_count);
    directory->names = module_span(module, read_u32(raw + 32), 4ull * directory->name_count);
    directory->ordinals = module_span(module, read_u32(raw + 36), 2ull * directory->name_count);
    bool functions = directory->function_count == 0 || directory->functions != NULL;
    bool names = directory->name_count == 0 || (directory->names != NULL && directory->ordinals != NULL);
    return functions && names ? 0 : -ENOEXEC;
}

static int add_export(struct loader_module *module, const struct export_directory *directory, uint32_t index,
                      const char *name)
{
    const struct image_directory *range = &module->image.directories[IMAGE_EXPORT];
    uint32_t rva = read_u32(directory->functions + 4ull * index);
    struct module_export *export = &module->exports[module->export_count];
    *export = (struct module_export){.rva = rva, .ordinal = directory->ordinal_base + index};
    module->export_count++;
    if (name != NULL && (export->name = strdup(name)) == NULL) {
        return -ENOMEM;
    }
    if (rva >= range->rva && rva - range->rva < range->size) {
        const char *forward = module_string(module, rva, NAME_LIMIT);
        if (forward == NULL || strchr(forward, '.') == NULL) {
            return -ENOEXEC;
        }
        export->forward = strdup(forward);
        return export->forward != NULL ? 0 : -ENOMEM;
    }
    return module_span(module, rva, 1) != NULL ? 0 : -ENOEXEC;
}

static int copy_named(struct loader_module *module, const struct export_directory *directory, uint8_t *seen)
{
    for (uint32_t i = 0; i < directory->name_count; i++) {
        const char *name = module_string(module, read_u32(directory->names + 4ull * i), NAME_LIMIT);
        uint16_t index = read_u16(directory->ordinals + 2ull * i);
        if (name == NULL || index >= directory->function_count) {
            return -ENOEXEC;
        }
        seen[index] = 1;
        int result = add_export(module, directory, index, name);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

static int copy_unnamed(struct loader_module *module, const struct export_directory *directory,
                        const uint8_t *seen)
{
    for (uint32_t i = 0; i < directory->function_count; i++) {
        // A zero is a hole between ordinals.
        if (seen[i] != 0 || read_u32(directory->functions + 4ull * i) == 0) {
            continue;
        }
        int result = add_export(module, directory, i, NULL);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

static int by_name(const void *left, const void *right)
{
    const struct module_export *a = left;
    const struct module_export *b = right;
    if (a->name == NULL || b->name == NULL) {
        return (a->name == NULL) - (b->name == NULL);
    }
    return strcmp(a->name, b->name);
}

static int copy_exports(struct loader_module *module)
{
    struct export_directory directory;
    int result = open_directory(module, &directory);
    if (result != 0) {
        return result;
    }
    module->exports =
        calloc((size_t)directory.function_count + directory.name_count + 1, sizeof *module->exports);
    uint8_t *seen = calloc((size_t)directory.function_count + 1, 1);
    result = module->exports == NULL || seen == NULL ? -ENOMEM : copy_named(module, &directory, seen);
    if (result == 0) {
        result = copy_unnamed(module, &directory, seen);
    }
    free(seen);
    return result;
}

int module_read_exports(struct loader_module *module, struct loader_error *error)
{
    if (module->image.directories[IMAGE_EXPORT].size == 0) {
        return 0;
    }
    int result = copy_exports(module);
    if (result != 0) {
        return error_set(error, result,
                         result == -ENOMEM ? "out of memory" : "the export table is malformed");
    }
    qsort(module->exports, module->export_count, sizeof *module->exports, by_name);
    return 0;
}

void module_free_exports(struct loader_module *module)
{
    for (size_t i = 0; i < module->export_count; i++) {
        free(module->exports[i].name);
        free(module->exports[i].forward);
    }
    free(module->exports);
}

const struct module_export *module_find_export(const struct loader_module *module, const char *name,
                                               unsigned ordinal)
{
    if (name != NULL) {
        struct module_export wanted = {.name = (char *)name};
        return module->export_count == 0 ? NULL
                                         : bsearch(&wanted, module->exports, module->export_count,
                                                   sizeof *module->exports, by_name);
    }
    for (size_t i = 0; i < module->export_count; i++) {
        if (module->exports[i].ordinal == ordinal) {
            return &module->exports[i];
        }
    }
    return NULL;
}
