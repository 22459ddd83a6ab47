// SPDX-License-Identifier: MIT
// Names for addresses: the exports and the COFF symbol table that mingw left in, or that was stripped into a
// file beside. For reports only.
#include "nthost/loader/module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nthost/loader/bytes.h"
#include "nthost/loader/error.h"
#include "nthost/loader/file.h"

enum { SYMBOL_SIZE = 18, SYMBOL_LIMIT = 65536, SHORT_NAME = 8, TYPE_FUNCTION = 0x20 };
enum { CLASS_EXTERNAL = 2, CLASS_STATIC = 3 };

static int add_symbol(struct loader_module *module, uint32_t rva, const char *name, size_t length)
{
    char *copy = strndup(name, length);
    if (copy == NULL) {
        return -ENOMEM;
    }
    module->symbols[module->symbol_count++] = (struct module_symbol){.rva = rva, .name = copy};
    return 0;
}

// The sections of `module` are also those that the symbols refer to.
static int add_coff_symbol(struct loader_module *module, const uint8_t *symbol, const char *strings,
                           size_t room)
{
    uint16_t section = read_u16(symbol + 12);
    uint8_t class = symbol[16];
    if (section == 0 || section > module->image.section_count ||
        (module->image.sections[section - 1].flags & IMAGE_SECTION_EXECUTE) == 0) {
        return 0;
    }
    // Labels of assembler sources have no type.
    bool function = read_u16(symbol + 14) == TYPE_FUNCTION && class == CLASS_STATIC;
    if (!function && class != CLASS_EXTERNAL) {
        return 0;
    }
    uint32_t rva = module->image.sections[section - 1].rva + read_u32(symbol + 8);
    if (read_u32(symbol) != 0) {
        return add_symbol(module, rva, (const char *)symbol, SHORT_NAME);
    }
    uint32_t offset = read_u32(symbol + 4);
    return offset < room ? add_symbol(module, rva, strings + offset, strnlen(strings + offset, room - offset))
                         : 0;
}

static int read_coff(struct loader_module *module, const struct image *image, const uint8_t *file,
                     size_t length)
{
    const uint8_t *table = file + image->symbol_offset;
    const uint8_t *strings = table + (size_t)image->symbol_count * SYMBOL_SIZE;
    int result = 0;
    for (uint32_t i = 0; result == 0 && i < image->symbol_count && module->symbol_count < SYMBOL_LIMIT; i++) {
        const uint8_t *symbol = table + (size_t)i * SYMBOL_SIZE;
        result = add_coff_symbol(module, symbol, (const char *)strings, (size_t)(file + length - strings));
        i += symbol[17]; // auxiliary records
    }
    return result;
}

static int by_address(const void *left, const void *right)
{
    const struct module_symbol *a = left;
    const struct module_symbol *b = right;
    return (a->rva > b->rva) - (a->rva < b->rva);
}

static int read_symbols(struct loader_module *module, const struct image *image, const uint8_t *file,
                        size_t length)
{
    size_t coff = image->symbol_count < SYMBOL_LIMIT ? image->symbol_count : SYMBOL_LIMIT;
    module->symbols = calloc(coff + module->export_count + 1, sizeof *module->symbols);
    int result = module->symbols != NULL ? read_coff(module, image, file, length) : -ENOMEM;
    for (size_t i = 0; result == 0 && i < module->export_count; i++) {
        const struct module_export *export = &module->exports[i];
        if (export->name != NULL && export->forward == NULL) {
            result = add_symbol(module, export->rva, export->name, strlen(export->name));
        }
    }
    if (result == 0) {
        qsort(module->symbols, module->symbol_count, sizeof *module->symbols, by_address);
    }
    return result;
}

int module_read_symbols(struct loader_module *module, const uint8_t *file, size_t length,
                        struct loader_error *error)
{
    int result = read_symbols(module, &module->image, file, length);
    return result == 0 ? 0 : error_set(error, result, "out of memory");
}

static bool same_layout(const struct image *image, const struct image *debug)
{
    bool same = image->entry == debug->entry && image->section_count <= debug->section_count;
    for (unsigned i = 0; same && i < image->section_count; i++) {
        const struct image_section *left = &image->sections[i];
        const struct image_section *right = &debug->sections[i];
        same = left->rva == right->rva && left->size == right->size && strcmp(left->name, right->name) == 0;
    }
    return same;
}

void module_take_debug(struct loader_module *module, const uint8_t *bytes, size_t length)
{
    struct loader_error ignored = {0};
    struct image debug;
    if (image_parse(bytes, length, &debug, &ignored) == 0 && same_layout(&module->image, &debug)) {
        module_free_symbols(module);
        (void)read_symbols(module, &debug, bytes, length);
    }
}

void module_read_debug(struct loader_module *module, const char *path)
{
    static const char extension[] = ".debug";
    uint8_t *bytes = NULL;
    size_t length = 0;
    const char *dot = strrchr(path, '.');
    size_t stem = dot != NULL && strchr(dot, '/') == NULL ? (size_t)(dot - path) : strlen(path);
    char *name = malloc(stem + sizeof extension);
    if (name != NULL) {
        memcpy(name, path, stem);
        memcpy(name + stem, extension, sizeof extension);
    }
    if (name != NULL && file_read(name, &bytes, &length) == 0) {
        module_take_debug(module, bytes, length);
    }
    free(bytes);
    free(name);
}

void module_free_symbols(struct loader_module *module)
{
    for (size_t i = 0; i < module->symbol_count; i++) {
        free(module->symbols[i].name);
    }
    free(module->symbols);
    module->symbols = NULL;
    module->symbol_count = 0;
}

const struct module_symbol *module_symbol_at(const struct loader_module *module, uint32_t rva)
{
    size_t low = 0;
    size_t high = module->symbol_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (module->symbols[middle].rva <= rva) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? NULL : &module->symbols[low - 1];
}

bool loader_describe(uintptr_t address, char *text, size_t size)
{
    const struct loader_module *module = registry_at(address);
    if (module == NULL) {
        snprintf(text, size, "0x%zx", (size_t)address);
        return false;
    }
    uint32_t rva = (uint32_t)(address - (uintptr_t)module->base);
    const struct module_symbol *symbol = module_symbol_at(module, rva);
    if (symbol != NULL) {
        snprintf(text, size, "%s!%s+0x%x", module->name, symbol->name, rva - symbol->rva);
    } else {
        snprintf(text, size, "%s+0x%x", module->name, rva);
    }
    return true;
}
