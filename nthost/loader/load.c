// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/loader/module.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nthost/loader/error.h"
#include "nthost/loader/file.h"

// Of loading and unloading; an image's libraries are loaded while it is.
static pthread_mutex_t load_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void release_bound(struct loader_module *module)
{
    for (size_t i = 0; i < module->bound_count; i++) {
        module->bound[i]->references--;
    }
    module->bound_count = 0;
}

static void release_module(struct loader_module *module)
{
    release_bound(module);
    module_free_symbols(module);
    module_free_exports(module);
    module_unmap(module);
    free(module);
}

static int build_module(struct loader_module *module, const uint8_t *file, size_t length,
                        struct loader_error *error)
{
    static int (*const steps[])(struct loader_module *, struct loader_error *) = {
        module_relocate, module_read_exports, module_set_cookie, module_bind, module_check_functions};
    int result = image_parse(file, length, &module->image, error);
    if (result == 0) {
        result = module_map(module, file, error);
    }
    if (result == 0) {
        module_replace_shared_data(module);
    }
    for (size_t i = 0; result == 0 && i < sizeof steps / sizeof steps[0]; i++) {
        result = steps[i](module, error);
    }
    if (result == 0) {
        result = module_read_symbols(module, file, length, error);
    }
    return result == 0 ? module_protect(module, error) : result;
}

static int load_locked(const uint8_t *file, size_t length, const char *name, struct loader_module **out,
                       struct loader_error *error)
{
    if (registry_by_name(name) != NULL) {
        return error_set(error, -EEXIST, "an image of this name is loaded");
    }
    struct loader_module *module = calloc(1, sizeof *module);
    if (module == NULL) {
        return error_set(error, -ENOMEM, "out of memory");
    }
    snprintf(module->name, sizeof module->name, "%s", name);
    int result = build_module(module, file, length, error);
    if (result == 0 && (result = registry_add(module)) != 0) {
        (void)error_set(error, result, "%d images are loaded, there is no room for more", LOADER_MODULES);
    }
    if (result != 0) {
        release_module(module);
        return result;
    }
    *out = module;
    return 0;
}

int loader_load_memory(const void *bytes, size_t length, const char *name, loader_module **module,
                       struct loader_error *error)
{
    loader_error_clear(error);
    int result;
    if (strlen(name) >= sizeof(*module)->name) {
        result = error_set(error, -ENAMETOOLONG, "the name is too long");
    } else if (length > IMAGE_LIMIT) {
        result = error_refuse(error, "larger than any driver");
    } else {
        pthread_mutex_lock(&load_lock);
        result = load_locked(bytes, length, name, module, error);
        pthread_mutex_unlock(&load_lock);
    }
    if (result != 0) {
        error_name(error, name);
    }
    return result;
}

int loader_load_file(const char *path, loader_module **module, struct loader_error *error)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    uint8_t *bytes = NULL;
    size_t length = 0;
    loader_error_clear(error);
    int result = file_read(path, &bytes, &length);
    if (result == 0) {
        result = loader_load_memory(bytes, length, name, module, error);
        if (result == 0 && (*module)->image.symbol_count == 0) {
            module_read_debug(*module, path); // names only make reports better
        }
    } else {
        (void)error_set(error, result, "cannot be read: %s", strerror(-result));
        error_name(error, name);
    }
    free(bytes);
    return result;
}

int loader_retire(loader_module *module)
{
    pthread_mutex_lock(&load_lock);
    int result = module->references != 0 ? -EBUSY : 0;
    if (result == 0) {
        registry_retire(module);
        release_bound(module);
    }
    pthread_mutex_unlock(&load_lock);
    return result;
}

int loader_unload(loader_module *module)
{
    pthread_mutex_lock(&load_lock);
    int result = module->references != 0 ? -EBUSY : 0;
    if (result == 0) {
        registry_remove(module);
        release_module(module);
    }
    pthread_mutex_unlock(&load_lock);
    return result;
}

bool loader_in_use(const loader_module *module)
{
    pthread_mutex_lock(&load_lock);
    bool used = module->references != 0;
    pthread_mutex_unlock(&load_lock);
    return used;
}

const char *loader_name(const loader_module *module)
{
    return module->name;
}

void *loader_base(const loader_module *module)
{
    return module->base;
}

size_t loader_size(const loader_module *module)
{
    return module->image.size;
}

void *loader_entry(const loader_module *module)
{
    return module->image.entry != 0 ? module->base + module->image.entry : NULL;
}

void *loader_export(loader_module *module, const char *name, unsigned ordinal)
{
    struct loader_module *provider;
    return bind_export(module, name, ordinal, &provider);
}

loader_module *loader_module_at(uintptr_t address)
{
    return registry_at(address);
}
