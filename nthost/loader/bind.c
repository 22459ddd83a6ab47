// SPDX-License-Identifier: MIT
// Imports: by name, by ordinal, of routines and of data (both are an address in the IAT), through forwarders.
#include "nthost/loader/module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nthost/loader/bytes.h"
#include "nthost/loader/error.h"
#include "nthost/loader/seh/routines.h"

enum {
    DESCRIPTOR_SIZE = 20,
    DESCRIPTOR_LIMIT = 64,
    IMPORT_LIMIT = 16384,
    NAME_LIMIT = 512,
    MODULE_LIMIT = 64
};
enum { FORWARD_LIMIT = 8 }; // forwarders in a row
#define THUNK_ORDINAL (1ull << 63)

struct binding {
    struct loader_module *module;
    struct loader_error *error;
    char from[MODULE_LIMIT]; // the module imported from; a copy, since slots may lie over a hostile image's
                             // names
    unsigned total;
};

static void *resolve(const char *module_name, const char *name, unsigned ordinal,
                     struct loader_module **provider, unsigned depth);

// "smclib.SmartcardExit", "ntoskrnl.#12": the extension is left out.
static void *follow(const char *forward, struct loader_module **provider, unsigned depth)
{
    static const char *const extensions[] = {"sys", "exe", "dll"};
    const char *dot = strrchr(forward, '.');
    if (depth >= FORWARD_LIMIT || dot - forward >= MODULE_LIMIT - 4 || dot[1] == '\0') {
        return NULL;
    }
    char *end = NULL;
    unsigned long ordinal = dot[1] == '#' ? strtoul(dot + 2, &end, 10) : 0;
    if (end != NULL && (end == dot + 2 || *end != '\0' || ordinal > UINT16_MAX)) {
        return NULL;
    }
    const char *name = end == NULL ? dot + 1 : NULL;
    void *address = NULL;
    for (size_t i = 0; address == NULL && i < sizeof extensions / sizeof extensions[0]; i++) {
        char module_name[MODULE_LIMIT];
        snprintf(module_name, sizeof module_name, "%.*s.%s", (int)(dot - forward), forward, extensions[i]);
        address = resolve(module_name, name, (unsigned)ordinal, provider, depth + 1);
    }
    return address;
}

static void *export_address(struct loader_module *module, const char *name, unsigned ordinal,
                            struct loader_module **provider, unsigned depth)
{
    const struct module_export *export = module_find_export(module, name, ordinal);
    if (export == NULL) {
        return NULL;
    }
    if (export->forward != NULL) {
        return follow(export->forward, provider, depth);
    }
    *provider = module;
    return module->base + export->rva;
}

static void *resolve(const char *module_name, const char *name, unsigned ordinal,
                     struct loader_module **provider, unsigned depth)
{
    *provider = NULL;
    struct loader_module *module = registry_by_name(module_name);
    if (module != NULL) {
        return export_address(module, name, ordinal, provider, depth);
    }
    const struct loader_host *host = loader_host();
    if (name == NULL || host == NULL) {
        return NULL; // the kernel's own ordinals differ from build to build, nobody may bind to them
    }
    // Exception handling comes first: the host's own ExRaiseStatus may know nothing of handlers in images.
    void *address = seh_routine(module_name, name);
    return address != NULL ? address : host->resolve(host->context, module_name, name);
}

void *bind_resolve(const char *module_name, const char *name, unsigned ordinal,
                   struct loader_module **provider)
{
    return resolve(module_name, name, ordinal, provider, 0);
}

void *bind_export(struct loader_module *module, const char *name, unsigned ordinal,
                  struct loader_module **provider)
{
    return export_address(module, name, ordinal, provider, 0);
}

static int note_provider(struct loader_module *module, struct loader_module *provider)
{
    for (size_t i = 0; provider != NULL && i < module->bound_count; i++) {
        if (module->bound[i] == provider) {
            return 0;
        }
    }
    if (provider != NULL) {
        // At most LOADER_MODULES images are loaded, so the array cannot overflow.
        module->bound[module->bound_count++] = provider;
        provider->references++;
    }
    return 0;
}

static int bind_slot(struct binding *binding, uint64_t thunk, uint8_t *slot)
{
    char ordinal_text[8];
    const char *name = NULL;
    unsigned ordinal = (unsigned)(thunk & 0xffff);
    if ((thunk & THUNK_ORDINAL) != 0) {
        snprintf(ordinal_text, sizeof ordinal_text, "#%u", ordinal);
    } else if (thunk <= UINT32_MAX - 2) {
        name = module_string(binding->module, (uint32_t)thunk + 2, NAME_LIMIT); // a 16-bit hint comes first
    }
    if (name == NULL && (thunk & ~0xffffull) != THUNK_ORDINAL) {
        return error_refuse(binding->error, "an import from %.60s has no name", binding->from);
    }
    struct loader_module *provider;
    void *address = bind_resolve(binding->from, name, ordinal, &provider);
    if (address == NULL) {
        return error_missing(binding->error, binding->from, name != NULL ? name : ordinal_text);
    }
    uint64_t value = (uint64_t)(uintptr_t)address;
    memcpy(slot, &value, sizeof value);
    return note_provider(binding->module, provider);
}

static int bind_table(struct binding *binding, uint32_t lookup, uint32_t address_table)
{
    for (;; lookup += 8, address_table += 8) {
        const uint8_t *entry = module_span(binding->module, lookup, 8);
        uint8_t *slot = module_span(binding->module, address_table, 8);
        if (entry == NULL || slot == NULL) {
            return error_refuse(binding->error, "the import table of %.60s leaves its section",
                                binding->from);
        }
        uint64_t thunk = read_u64(entry);
        if (thunk == 0) {
            return 0;
        }
        if (++binding->total > IMPORT_LIMIT) {
            return error_refuse(binding->error, "more than %u imports", IMPORT_LIMIT);
        }
        int result = bind_slot(binding, thunk, slot);
        if (result != 0) {
            return result;
        }
    }
}

static void need_module(const char *name)
{
    const struct loader_host *host = loader_host();
    if (host != NULL && host->need != NULL && registry_by_name(name) == NULL) {
        host->need(host->context, name);
    }
}

static int bind_descriptors(struct binding *binding)
{
    uint32_t rva = binding->module->image.directories[IMAGE_IMPORT].rva;
    for (unsigned i = 0; i < DESCRIPTOR_LIMIT; i++, rva += DESCRIPTOR_SIZE) {
        const uint8_t *descriptor = module_span(binding->module, rva, DESCRIPTOR_SIZE);
        if (descriptor == NULL) {
            return error_refuse(binding->error, "the import directory leaves its section");
        }
        uint32_t lookup = read_u32(descriptor);
        uint32_t name = read_u32(descriptor + 12);
        uint32_t address_table = read_u32(descriptor + 16);
        if (name == 0 && address_table == 0) {
            return 0;
        }
        const char *from_text = module_string(binding->module, name, sizeof binding->from);
        if (from_text == NULL) {
            return error_refuse(binding->error, "import descriptor %u has no module name", i);
        }
        snprintf(binding->from, sizeof binding->from, "%s", from_text);
        need_module(binding->from);
        // Linkers before 1996 left the lookup table out.
        int result = bind_table(binding, lookup != 0 ? lookup : address_table, address_table);
        if (result != 0) {
            return result;
        }
    }
    return error_refuse(binding->error, "imports from more than %u modules", DESCRIPTOR_LIMIT);
}

int module_bind(struct loader_module *module, struct loader_error *error)
{
    struct binding binding = {.module = module, .error = error};
    if (module->image.directories[IMAGE_IMPORT].size == 0) {
        return 0;
    }
    int result = bind_descriptors(&binding);
    if (result == -ENOMEM) {
        return error_set(error, result, "out of memory");
    }
    if (result != 0 || error->missing_count == 0) {
        return result;
    }
    return error_set(error, -ENOENT, "%zu import%s missing, first %.150s", error->missing_count,
                     error->missing_count == 1 ? " is" : "s are", error->missing[0]);
}
