// SPDX-License-Identifier: MIT
// Headers of the Microsoft Portable Executable format, as the Windows kernel accepts them for a driver.
#include "nthost/loader/image.h"

#include <string.h>

#include "nthost/loader/bytes.h"
#include "nthost/loader/error.h"

enum {
    FILE_RELOCATIONS_STRIPPED = 0x0001,
    FILE_EXECUTABLE = 0x0002,
    MAGIC_PE32_PLUS = 0x20b,
    SUBSYSTEM_NATIVE = 1,
    MACHINE_AMD64 = 0x8664,
    FILE_HEADER_SIZE = 24, // signature included
    OPTIONAL_FIXED_SIZE = 112,
    SECTION_HEADER_SIZE = 40,
    SYMBOL_SIZE = 18,
};

struct reader {
    const uint8_t *file;
    size_t length;
    const uint8_t *header; // at "PE\0\0"
    const uint8_t *optional;
    const uint8_t *section_table;
    struct loader_error *error;
};

static const char *machine_name(uint16_t machine)
{
    switch (machine) {
    case 0x014c:
        return "x86 (32 bit)";
    case 0x01c0:
    case 0x01c4:
        return "ARM";
    case 0xaa64:
        return "ARM64";
    case 0x0200:
        return "Itanium";
    default:
        return "an unknown machine";
    }
}

static int find_header(struct reader *reader)
{
    if (reader->length < 64 || read_u16(reader->file) != 0x5a4d) {
        return error_refuse(reader->error, "not a PE image: no MZ header");
    }
    uint32_t offset = read_u32(reader->file + 0x3c);
    if (offset < 64 || offset % 4 != 0 || offset > reader->length ||
        reader->length - offset < FILE_HEADER_SIZE + OPTIONAL_FIXED_SIZE) {
        return error_refuse(reader->error, "not a PE image: e_lfanew %#x leads nowhere", offset);
    }
    reader->header = reader->file + offset;
    if (read_u32(reader->header) != 0x4550) {
        return error_refuse(reader->error, "not a PE image: no PE signature");
    }
    reader->optional = reader->header + FILE_HEADER_SIZE;
    return 0;
}

static int check_file_header(struct reader *reader, struct image *image)
{
    const uint8_t *header = reader->header;
    uint16_t machine = read_u16(header + 4);
    if (machine != MACHINE_AMD64) {
        return error_refuse(reader->error, "built for %s (machine %04x), not for x86-64",
                            machine_name(machine), machine);
    }
    image->section_count = read_u16(header + 6);
    if (image->section_count == 0 || image->section_count > IMAGE_SECTIONS) {
        return error_refuse(reader->error, "%u sections", image->section_count);
    }
    uint16_t flags = read_u16(header + 22);
    if ((flags & FILE_EXECUTABLE) == 0) {
        return error_refuse(reader->error, "not marked executable: a link failed or this is an object file");
    }
    if ((flags & FILE_RELOCATIONS_STRIPPED) != 0) {
        return error_refuse(reader->error, "its relocations are stripped: it runs at one address only");
    }
    image->symbol_offset = read_u32(header + 12);
    image->symbol_count = read_u32(header + 16);
    if (image->symbol_offset == 0) {
        image->symbol_count = 0;
    }
    // The string table, at least its length, follows the symbols.
    uint64_t symbols_end = (uint64_t)image->symbol_offset + (uint64_t)image->symbol_count * SYMBOL_SIZE + 4;
    if (image->symbol_count != 0 &&
        (symbols_end > reader->length ||
         read_u32(reader->file + symbols_end - 4) > reader->length - symbols_end + 4)) {
        return error_refuse(reader->error, "cut off: the symbol table is not all there");
    }
    return 0;
}

static int check_sizes(struct reader *reader, struct image *image)
{
    const uint8_t *optional = reader->optional;
    uint32_t section_alignment = read_u32(optional + 32);
    uint32_t file_alignment = read_u32(optional + 36);
    if (section_alignment != IMAGE_PAGE) {
        return error_refuse(reader->error, "section alignment %#x, only 0x1000 can be mapped",
                            section_alignment);
    }
    if (file_alignment < 32 || file_alignment > IMAGE_PAGE || (file_alignment & (file_alignment - 1)) != 0) {
        return error_refuse(reader->error, "file alignment %#x", file_alignment);
    }
    image->size = read_u32(optional + 56);
    if (image->size == 0 || image->size > IMAGE_LIMIT || image->size % IMAGE_PAGE != 0) {
        return error_refuse(reader->error, "image size %#x", image->size);
    }
    image->header_size = read_u32(optional + 60);
    size_t table_end =
        (size_t)(reader->section_table - reader->file) + (size_t)image->section_count * SECTION_HEADER_SIZE;
    if (image->header_size < table_end || image->header_size > reader->length ||
        image->header_size > image->size) {
        return error_refuse(reader->error, "header size %#x", image->header_size);
    }
    return 0;
}

static int check_optional_header(struct reader *reader, struct image *image)
{
    const uint8_t *optional = reader->optional;
    uint16_t size = read_u16(reader->header + 20);
    size_t room = reader->length - (size_t)(optional - reader->file);
    if (read_u16(optional) != MAGIC_PE32_PLUS) {
        return error_refuse(reader->error, "optional header magic %#x is not PE32+", read_u16(optional));
    }
    uint32_t directory_count = read_u32(optional + 108);
    if (directory_count > IMAGE_DIRECTORIES || size < OPTIONAL_FIXED_SIZE + 8 * directory_count ||
        size > room || size % 4 != 0) {
        return error_refuse(reader->error, "optional header of %u bytes for %u directories", size,
                            directory_count);
    }
    reader->section_table = optional + size;
    if ((room - size) / SECTION_HEADER_SIZE < image->section_count) {
        return error_refuse(reader->error, "cut off: the section table is not all there");
    }
    uint16_t subsystem = read_u16(optional + 68);
    if (subsystem != SUBSYSTEM_NATIVE) {
        return error_refuse(reader->error, "subsystem %u: not a driver but a user-mode or firmware image",
                            subsystem);
    }
    image->preferred_base = read_u64(optional + 24);
    if (image->preferred_base % 0x10000 != 0) {
        return error_refuse(reader->error, "image base %#llx", (unsigned long long)image->preferred_base);
    }
    image->entry = read_u32(optional + 16);
    return check_sizes(reader, image);
}

static int check_directories(struct reader *reader, struct image *image)
{
    static const struct {
        enum image_directory_index index;
        const char *name;
    } unsupported[] = {
        {IMAGE_TLS, "thread local storage"}, {IMAGE_DELAY_IMPORT, "delay imports"}, {IMAGE_CLR, ".NET code"}};
    unsigned count = read_u32(reader->optional + 108);
    for (unsigned i = 0; i < count; i++) {
        struct image_directory *directory = &image->directories[i];
        const uint8_t *entry = reader->optional + OPTIONAL_FIXED_SIZE + (size_t)i * 8;
        directory->rva = read_u32(entry);
        directory->size = read_u32(entry + 4);
        uint64_t limit = i == IMAGE_SECURITY ? reader->length : image->size;
        if ((uint64_t)directory->rva + directory->size > limit) {
            return error_refuse(reader->error, "data directory %u lies outside the image", i);
        }
    }
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++) {
        if (image->directories[unsupported[i].index].size != 0) {
            return error_refuse(reader->error, "uses %s, which no driver may", unsupported[i].name);
        }
    }
    return 0;
}

static void read_section(const uint8_t *header, struct image_section *section)
{
    memcpy(section->name, header, 8);
    section->size = read_u32(header + 8);
    section->rva = read_u32(header + 12);
    section->file_size = read_u32(header + 16);
    section->file_offset = read_u32(header + 20);
    section->flags = read_u32(header + 36);
    if (section->file_offset == 0) {
        section->file_size = 0; // some linkers leave the size of .bss here
    }
    if (section->size == 0) {
        section->size = section->file_size;
    }
}

static int check_sections(struct reader *reader, struct image *image)
{
    uint64_t free_from = image->header_size;
    for (unsigned i = 0; i < image->section_count; i++) {
        struct image_section *section = &image->sections[i];
        read_section(reader->section_table + (size_t)i * SECTION_HEADER_SIZE, section);
        if (section->size == 0 || section->rva % IMAGE_PAGE != 0 || section->rva < free_from ||
            (uint64_t)section->rva + section->size > image->size) {
            return error_refuse(reader->error,
                                "section %s at %#x with %#x bytes overlaps or leaves the image",
                                section->name, section->rva, section->size);
        }
        if ((uint64_t)section->file_offset + section->file_size > reader->length) {
            return error_refuse(reader->error, "cut off: section %s is not all there", section->name);
        }
        if ((section->flags & IMAGE_SECTION_READ) == 0) {
            return error_refuse(reader->error, "section %s is not readable", section->name);
        }
        if (section->file_size > section->size) {
            section->file_size = section->size;
        }
        free_from = (uint64_t)section->rva + section->size;
    }
    return 0;
}

static int check_entry(struct reader *reader, const struct image *image)
{
    const struct image_section *section = image_section_at(image, image->entry, 1);
    if (image->entry != 0 && (section == NULL || (section->flags & IMAGE_SECTION_EXECUTE) == 0)) {
        return error_refuse(reader->error, "entry point %#x is not in code", image->entry);
    }
    return 0;
}

int image_parse(const uint8_t *file, size_t length, struct image *image, struct loader_error *error)
{
    struct reader reader = {.file = file, .length = length, .error = error};
    memset(image, 0, sizeof *image);
    static int (*const checks[])(struct reader *, struct image *) = {check_file_header, check_optional_header,
                                                                     check_directories, check_sections};
    int result = find_header(&reader);
    for (size_t i = 0; result == 0 && i < sizeof checks / sizeof checks[0]; i++) {
        result = checks[i](&reader, image);
    }
    return result == 0 ? check_entry(&reader, image) : result;
}

const struct image_section *image_section_at(const struct image *image, uint32_t rva, uint64_t length)
{
    for (unsigned i = 0; i < image->section_count; i++) {
        const struct image_section *section = &image->sections[i];
        if (rva >= section->rva && (uint64_t)rva + length <= (uint64_t)section->rva + section->size) {
            return section;
        }
    }
    return NULL;
}
