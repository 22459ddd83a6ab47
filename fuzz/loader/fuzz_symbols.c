// SPDX-License-Identifier: MIT
// Any bytes as the .debug file of an image with the same sections; then every name is looked up.
#include <stdlib.h>
#include <string.h>

#include "nthost/loader/error.h"
#include "nthost/loader/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const struct loader_module *module, size_t size)
{
    for (size_t i = 0; i < module->symbol_count; i++) {
        const struct module_symbol *symbol = &module->symbols[i];
        const struct module_symbol *found = module_symbol_at(module, symbol->rva);
        if (found == NULL || found->rva != symbol->rva || strlen(found->name) > size ||
            (i > 0 && symbol->rva < symbol[-1].rva)) {
            abort();
        }
    }
    (void)module_symbol_at(module, 0);
    (void)module_symbol_at(module, UINT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct loader_module module = {.name = "fuzz.sys"};
    struct loader_error ignored = {0};
    if (image_parse(data, size, &module.image, &ignored) == 0) {
        module_take_debug(&module, data, size);
        look_up(&module, size);
        module_free_symbols(&module);
    }
    loader_error_clear(&ignored);
    return 0;
}
