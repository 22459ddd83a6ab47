// SPDX-License-Identifier: MIT
// The unwind data of an image is checked once, when it is loaded; it must not be writable, so it stays as
// checked.
#include "nthost/loader/module.h"

#include "nthost/loader/bytes.h"
#include "nthost/loader/error.h"
#include "nthost/loader/seh/unwind.h"

unsigned unwind_slots(const struct unwind_info *info, unsigned index)
{
    unsigned version = info->version_flags & 7;
    unsigned operand = info->codes[index].operation >> 4;
    switch (info->codes[index].operation & 15) {
    case UNWIND_PUSH_NONVOLATILE:
    case UNWIND_ALLOCATE_SMALL:
    case UNWIND_SET_FRAME:
        return 1;
    case UNWIND_ALLOCATE_LARGE:
        return operand <= 1 ? 2 + operand : 0;
    case UNWIND_SAVE_NONVOLATILE:
    case UNWIND_SAVE_XMM128:
        return 2;
    case UNWIND_SAVE_NONVOLATILE_FAR:
    case UNWIND_SAVE_XMM128_FAR:
        return 3;
    case UNWIND_EPILOG:
        return version == 2 ? 1 : 2;
    case UNWIND_SPARE:
        return 3;
    case UNWIND_PUSH_MACHINE_FRAME:
        return operand <= 1 ? 1 : 0;
    default:
        return 0;
    }
}

static const void *read_only(const struct loader_module *module, uint32_t rva, uint64_t length)
{
    const struct image_section *section = image_section_at(&module->image, rva, length);
    bool fixed = section != NULL && ((section->flags & IMAGE_SECTION_WRITE) == 0 ||
                                     (section->flags & IMAGE_SECTION_EXECUTE) != 0);
    return fixed ? module->base + rva : NULL;
}

static bool codes_valid(const struct unwind_info *info)
{
    for (unsigned i = 0; i < info->code_count;) {
        unsigned slots = unwind_slots(info, i);
        bool frame = (info->codes[i].operation & 15) != UNWIND_SET_FRAME || (info->frame & 15) != 0;
        if (slots == 0 || i + slots > info->code_count || !frame) {
            return false;
        }
        i += slots;
    }
    return true;
}

// NULL: not usable.
static const struct unwind_info *info_at(const struct loader_module *module, uint32_t rva)
{
    const struct unwind_info *info = read_only(module, rva, sizeof *info);
    if (info == NULL || rva % 4 != 0 || (info->version_flags & 7) == 0 || (info->version_flags & 7) > 2) {
        return NULL;
    }
    unsigned flags = unwind_flags(info);
    uint64_t tail = (uint64_t)(unwind_tail(info) - (const uint8_t *)info);
    uint64_t tail_size = (flags & UNWIND_CHAINED) != 0 ? sizeof(struct runtime_function) : flags != 0 ? 4 : 0;
    if (flags > UNWIND_CHAINED || read_only(module, rva, tail + tail_size) == NULL || !codes_valid(info)) {
        return NULL;
    }
    bool handler =
        flags == 0 || flags == UNWIND_CHAINED || module_executable(module, read_u32(unwind_tail(info)));
    return handler ? info : NULL;
}

static bool function_valid(const struct loader_module *module, const struct runtime_function *function)
{
    struct runtime_function part = *function;
    for (unsigned depth = 0; depth < UNWIND_CHAIN_LIMIT; depth++) {
        const struct unwind_info *info = info_at(module, part.unwind);
        bool code = part.begin < part.end && module_executable(module, part.begin) &&
                    module_span(module, part.begin, part.end - part.begin) != NULL;
        if (info == NULL || !code) {
            return false;
        }
        if (unwind_flags(info) != UNWIND_CHAINED) {
            return true;
        }
        memcpy(&part, unwind_tail(info), sizeof part);
    }
    return false;
}

int module_check_functions(struct loader_module *module, struct loader_error *error)
{
    const struct image_directory *directory = &module->image.directories[IMAGE_EXCEPTION];
    if (directory->size == 0) {
        return 0;
    }
    const struct runtime_function *functions = read_only(module, directory->rva, directory->size);
    size_t count = directory->size / sizeof *functions;
    if (functions == NULL || directory->rva % 4 != 0 || directory->size % sizeof *functions != 0) {
        return error_refuse(error, "the exception directory is malformed or writable");
    }
    for (size_t i = 0; i < count; i++) {
        if (!function_valid(module, &functions[i]) || (i > 0 && functions[i].begin < functions[i - 1].end)) {
            return error_refuse(error, "unwind data of the function at %#x is malformed", functions[i].begin);
        }
    }
    module->functions = functions;
    module->function_count = count;
    return 0;
}

const struct runtime_function *module_function_at(const struct loader_module *module, uint32_t rva)
{
    size_t low = 0;
    size_t high = module->function_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct runtime_function *function = &module->functions[middle];
        if (rva < function->begin) {
            high = middle;
        } else if (rva >= function->end) {
            low = middle + 1;
        } else {
            return function;
        }
    }
    return NULL;
}
