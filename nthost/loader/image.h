// SPDX-License-Identifier: MIT
// What the headers of a PE32+ driver image say, checked against the file they came from.
#pragma once
#include "loader.h"

enum { IMAGE_PAGE = 4096, IMAGE_SECTIONS = 96, IMAGE_DIRECTORIES = 16 };
enum { IMAGE_LIMIT = 64 << 20 }; // bytes, of the file and of the mapped image

enum image_directory_index {
    IMAGE_EXPORT = 0,
    IMAGE_IMPORT = 1,
    IMAGE_EXCEPTION = 3,
    IMAGE_SECURITY = 4, // a file offset, not an RVA
    IMAGE_RELOCATION = 5,
    IMAGE_TLS = 9,
    IMAGE_LOAD_CONFIG = 10,
    IMAGE_DELAY_IMPORT = 13,
    IMAGE_CLR = 14,
};

#define IMAGE_SECTION_EXECUTE 0x20000000u
#define IMAGE_SECTION_READ    0x40000000u
#define IMAGE_SECTION_WRITE   0x80000000u

struct image_section {
    char name[9];
    uint32_t rva;
    uint32_t size; // in memory, what the file does not fill is zero
    uint32_t file_offset;
    uint32_t file_size; // at most `size`
    uint32_t flags;
};

struct image_directory {
    uint32_t rva;
    uint32_t size;
};

struct image {
    uint64_t preferred_base;
    uint32_t size;
    uint32_t header_size;
    uint32_t entry; // RVA, 0: none
    uint32_t symbol_offset;
    uint32_t symbol_count;
    unsigned section_count;
    struct image_section sections[IMAGE_SECTIONS];
    struct image_directory directories[IMAGE_DIRECTORIES]; // size 0: absent
};

int image_parse(const uint8_t *file, size_t length, struct image *image, struct loader_error *error);
// The section that holds all of [rva, rva + length), or NULL.
const struct image_section *image_section_at(const struct image *image, uint32_t rva, uint64_t length);
