// SPDX-License-Identifier: MIT
// What a kernel does to an image besides relocating and binding it.
#include "nthost/loader/module.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "nthost/loader/bytes.h"
#include "nthost/loader/error.h"

enum { LOAD_CONFIG_COOKIE = 0x58, LOAD_CONFIG_SIZE = 0x60 };
#define DEFAULT_COOKIE     0x00002b992ddfa232ull // what the compiler's library puts there
#define SHARED_DATA        0xfffff78000000000ull // KUSER_SHARED_DATA in every NT kernel
#define SHARED_DATA_LENGTH 0x1000

int module_set_cookie(struct loader_module *module, struct loader_error *error)
{
    const struct image_directory *directory = &module->image.directories[IMAGE_LOAD_CONFIG];
    if (directory->size == 0) {
        return 0;
    }
    const uint8_t *config = module_span(module, directory->rva, 4);
    if (config == NULL || module_span(module, directory->rva, read_u32(config)) == NULL) {
        return error_refuse(error, "the load configuration leaves its section");
    }
    uint64_t address = read_u32(config) >= LOAD_CONFIG_SIZE ? read_u64(config + LOAD_CONFIG_COOKIE) : 0;
    if (address == 0) {
        return 0;
    }
    uint64_t rva = address - (uint64_t)(uintptr_t)module->base;
    const struct image_section *section =
        rva < module->image.size ? image_section_at(&module->image, (uint32_t)rva, sizeof address) : NULL;
    if (section == NULL || (section->flags & IMAGE_SECTION_WRITE) == 0) {
        return error_refuse(error, "the security cookie is not in writable data");
    }
    uint64_t cookie;
    if (getrandom(&cookie, sizeof cookie, 0) != (ssize_t)sizeof cookie) {
        return error_set(error, -EIO, "no random number for the security cookie");
    }
    cookie &= 0x0000ffffffffffffull; // the upper 16 bits are zero: a string overrun cannot forge them
    if (cookie == DEFAULT_COOKIE || cookie == 0) {
        cookie = DEFAULT_COOKIE + 1;
    }
    memcpy(module->base + rva, &cookie, sizeof cookie);
    return 0;
}

// KeQuerySystemTime and KeQueryTickCount are inlined as loads from a fixed kernel address; the address is
// always an 8-byte constant, in code or in a pointer.
void module_replace_shared_data(struct loader_module *module)
{
    const struct loader_host *host = loader_host();
    if (host == NULL || host->shared_data == NULL) {
        return;
    }
    for (unsigned i = 0; i < module->image.section_count; i++) {
        const struct image_section *section = &module->image.sections[i];
        uint8_t *start = module->base + section->rva;
        for (uint32_t at = 0; at + sizeof(uint64_t) <= section->file_size; at++) {
            uint64_t offset = read_u64(start + at) - SHARED_DATA;
            if (offset < SHARED_DATA_LENGTH) {
                uint64_t replacement = (uint64_t)(uintptr_t)host->shared_data + offset;
                memcpy(start + at, &replacement, sizeof replacement);
                at += sizeof replacement - 1;
            }
        }
    }
}
