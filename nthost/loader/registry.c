// SPDX-License-Identifier: MIT
#include "nthost/loader/module.h"

#include <errno.h>
#include <stdatomic.h>
#include <strings.h>

static _Atomic(struct loader_module *) modules[LOADER_MODULES];

int registry_add(struct loader_module *module)
{
    for (size_t i = 0; i < LOADER_MODULES; i++) {
        if (atomic_load_explicit(&modules[i], memory_order_relaxed) == NULL) {
            atomic_store_explicit(&modules[i], module, memory_order_release);
            return 0;
        }
    }
    return -ENOSPC;
}

void registry_remove(struct loader_module *module)
{
    for (size_t i = 0; i < LOADER_MODULES; i++) {
        if (atomic_load_explicit(&modules[i], memory_order_relaxed) == module) {
            atomic_store_explicit(&modules[i], NULL, memory_order_release);
        }
    }
}

void registry_retire(struct loader_module *module)
{
    module->retired = true; // names are asked for only by who loads
}

struct loader_module *registry_by_name(const char *name)
{
    for (size_t i = 0; i < LOADER_MODULES; i++) {
        struct loader_module *module = atomic_load_explicit(&modules[i], memory_order_acquire);
        if (module != NULL && !module->retired && strcasecmp(module->name, name) == 0) {
            return module;
        }
    }
    return NULL;
}

struct loader_module *registry_at(uintptr_t address)
{
    for (size_t i = 0; i < LOADER_MODULES; i++) {
        struct loader_module *module = atomic_load_explicit(&modules[i], memory_order_acquire);
        if (module != NULL && address - (uintptr_t)module->base < module->image.size) {
            return module;
        }
    }
    return NULL;
}

bool registry_empty(void)
{
    for (size_t i = 0; i < LOADER_MODULES; i++) {
        if (atomic_load_explicit(&modules[i], memory_order_acquire) != NULL) {
            return false;
        }
    }
    return true;
}
