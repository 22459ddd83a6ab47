// SPDX-License-Identifier: MIT
#include "nthost/loader/module.h"

#include <string.h>

#include "nthost/loader/bytes.h"
#include "nthost/loader/error.h"

enum { BLOCK_HEADER = 8, RELOCATION_NONE = 0, RELOCATION_DIR64 = 10 };

static int apply(struct loader_module *module, uint32_t page, uint16_t entry, uint64_t delta,
                 struct loader_error *error)
{
    unsigned type = entry >> 12;
    if (type == RELOCATION_NONE) {
        return 0;
    }
    if (type != RELOCATION_DIR64) {
        return error_refuse(error, "relocation of type %u, x86-64 images have none", type);
    }
    uint32_t rva = page + (entry & 0xfff);
    const struct image_directory *table = &module->image.directories[IMAGE_RELOCATION];
    uint8_t *target = module_span(module, rva, sizeof(uint64_t));
    // A table that relocates itself would be read differently from how it was checked.
    if (target == NULL || (rva + sizeof(uint64_t) > table->rva && rva < table->rva + table->size)) {
        return error_refuse(error, "relocation at %#x lies outside the sections", rva);
    }
    uint64_t value = read_u64(target) + delta;
    memcpy(target, &value, sizeof value);
    return 0;
}

static int apply_block(struct loader_module *module, const uint8_t *block, uint32_t size, uint64_t delta,
                       struct loader_error *error)
{
    int result = 0;
    for (uint32_t at = BLOCK_HEADER; result == 0 && at < size; at += 2) {
        result = apply(module, read_u32(block), read_u16(block + at), delta, error);
    }
    return result;
}

int module_relocate(struct loader_module *module, struct loader_error *error)
{
    const struct image_directory *table = &module->image.directories[IMAGE_RELOCATION];
    uint64_t delta = (uint64_t)(uintptr_t)module->base - module->image.preferred_base;
    if (table->size == 0) {
        return 0; // nothing in it is absolute; stripped relocations were refused with the headers
    }
    const uint8_t *blocks = module_span(module, table->rva, table->size);
    if (blocks == NULL) {
        return error_refuse(error, "the relocation table lies outside the sections");
    }
    for (uint32_t at = 0; table->size - at >= BLOCK_HEADER;) {
        uint32_t page = read_u32(blocks + at);
        uint32_t size = read_u32(blocks + at + 4);
        if (size == 0 && page == 0) {
            break; // padding of some linkers
        }
        if (size < BLOCK_HEADER || size % 2 != 0 || size > table->size - at || page % IMAGE_PAGE != 0 ||
            page >= module->image.size) {
            return error_refuse(error, "relocation block at +%#x is malformed", at);
        }
        int result = apply_block(module, blocks + at, size, delta, error);
        if (result != 0) {
            return result;
        }
        at += size;
    }
    return 0;
}
