// SPDX-License-Identifier: MIT
#include "nthost/loader/module.h"

#include <errno.h>
#include <sys/mman.h>

#include "nthost/loader/error.h"

static int protection(uint32_t flags)
{
    // Old build kits mark INIT and PAGE writable and executable; code that is bound need not be written any
    // more.
    if ((flags & IMAGE_SECTION_EXECUTE) != 0) {
        return PROT_READ | PROT_EXEC;
    }
    return (flags & IMAGE_SECTION_WRITE) != 0 ? PROT_READ | PROT_WRITE : PROT_READ;
}

int module_protect(struct loader_module *module, struct loader_error *error)
{
    const struct image *image = &module->image;
    // Gaps between sections stay out of reach.
    int failed = mprotect(module->base, image->size, PROT_NONE);
    failed |= mprotect(module->base, image->header_size, PROT_READ);
    for (unsigned i = 0; i < image->section_count; i++) {
        const struct image_section *section = &image->sections[i];
        failed |= mprotect(module->base + section->rva, section->size, protection(section->flags));
    }
    return failed == 0 ? 0 : error_set(error, -EPERM, "this system does not let its pages be executable");
}
