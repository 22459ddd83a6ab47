// SPDX-License-Identifier: MIT
#include "nthost/loader/module.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "nthost/loader/error.h"

#define GUARD_PAGES                                                                                          \
    ((size_t)2 * IMAGE_PAGE) // one on either side: an overrun of the first or last section faults

uint8_t *module_span(const struct loader_module *module, uint32_t rva, uint64_t length)
{
    return image_section_at(&module->image, rva, length) != NULL ? module->base + rva : NULL;
}

const char *module_string(const struct loader_module *module, uint32_t rva, size_t limit)
{
    const struct image_section *section = image_section_at(&module->image, rva, 1);
    if (section == NULL) {
        return NULL;
    }
    size_t room = section->rva + section->size - rva;
    const char *string = (const char *)module->base + rva;
    if (*string == '\0' || memchr(string, 0, room < limit ? room : limit) == NULL) {
        return NULL;
    }
    return string;
}

bool module_executable(const struct loader_module *module, uint32_t rva)
{
    const struct image_section *section = image_section_at(&module->image, rva, 1);
    return section != NULL && (section->flags & IMAGE_SECTION_EXECUTE) != 0;
}

int module_map(struct loader_module *module, const uint8_t *file, struct loader_error *error)
{
    const struct image *image = &module->image;
    uint8_t *reserved =
        mmap(NULL, image->size + GUARD_PAGES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) {
        return error_set(error, -ENOMEM, "no %#x bytes of address space", image->size);
    }
    module->base = reserved + IMAGE_PAGE;
    if (mprotect(module->base, image->size, PROT_READ | PROT_WRITE) != 0) {
        return error_set(error, -ENOMEM, "no %#x bytes of memory", image->size);
    }
    memcpy(module->base, file, image->header_size);
    for (unsigned i = 0; i < image->section_count; i++) {
        const struct image_section *section = &image->sections[i];
        memcpy(module->base + section->rva, file + section->file_offset, section->file_size);
    }
    return 0;
}

void module_unmap(struct loader_module *module)
{
    if (module->base != NULL) {
        munmap(module->base - IMAGE_PAGE, module->image.size + GUARD_PAGES);
        module->base = NULL;
    }
}
