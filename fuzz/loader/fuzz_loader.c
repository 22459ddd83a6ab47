// SPDX-License-Identifier: MIT
// Any bytes as an image: loaded, looked through in every way that executes none of it, unloaded.
#include <stdlib.h>
#include <string.h>

#include "nthost/loader/decode.h"
#include "nthost/loader/seh/unwind.h"

enum { STACK_WORDS = 512 };

// Every other name is known, so that both outcomes of binding are seen.
static void *resolve(void *context, const char *module, const char *name)
{
    (void)module;
    return strlen(name) % 2 == 0 ? context : NULL;
}

static uint8_t irql_read(void *context)
{
    return *(uint8_t *)context;
}

static void irql_write(void *context, uint8_t irql)
{
    *(uint8_t *)context = irql;
}

static void fatal(void *context, const struct loader_fault *fault)
{
    (void)context;
    (void)fault;
    abort();
}

static void unwind_function(const struct loader_module *module, const struct runtime_function *function)
{
    static uint64_t stack_words[STACK_WORDS];
    struct unwind_stack stack = {(uintptr_t)stack_words, (uintptr_t)(stack_words + STACK_WORDS)};
    uint32_t places[] = {function->begin, function->begin + (function->end - function->begin) / 2,
                         function->end - 1};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct seh_context context = {.rip = (uintptr_t)module->base + places[i]};
        struct unwind_result result;
        struct decoded decoded;
        for (unsigned r = 0; r < 16; r++) {
            context.registers[r] = (uintptr_t)(stack_words + STACK_WORDS / 2);
        }
        (void)unwind_image(module, function, UNWIND_EXCEPTION_HANDLER, &stack, &context, &result);
        size_t room = module->image.size - places[i] < 15 ? module->image.size - places[i] : 15;
        const uint8_t *code = module_span(module, places[i], room);
        if (code != NULL) {
            decode(code, room, &decoded);
        }
    }
}

static void look_through(loader_module *module)
{
    char text[LOADER_LINE];
    for (size_t i = 0; i < module->export_count; i++) {
        const struct module_export *export = &module->exports[i];
        (void)loader_export(module, export->name, export->ordinal);
    }
    for (size_t i = 0; i < module->function_count; i++) {
        const struct runtime_function *function = &module->functions[i];
        if (module_function_at(module, function->begin) != function) {
            abort();
        }
        unwind_function(module, function);
    }
    for (size_t rva = 0; rva < module->image.size; rva += module->image.size / 16) {
        (void)loader_describe((uintptr_t)module->base + rva, text, sizeof text);
    }
    (void)loader_entry(module);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static uint8_t kernel_page[4096];
    struct loader_host host = {.context = kernel_page,
                               .resolve = resolve,
                               .irql_read = irql_read,
                               .irql_write = irql_write,
                               .shared_data = kernel_page,
                               .fatal = fatal};
    (void)argc;
    (void)argv;
    return loader_start(&host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    loader_module *module = NULL;
    struct loader_error error = {0};
    int result = loader_load_memory(data, size, "fuzz.sys", &module, &error);
    if (result == 0) {
        look_through(module);
        (void)loader_unload(module);
    } else if (error.text[0] == '\0' || strchr(error.text, '\n') != NULL) {
        abort();
    }
    loader_error_clear(&error);
    return 0;
}
