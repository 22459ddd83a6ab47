// SPDX-License-Identifier: MIT
// The files of the ISO 7816-4 application and where their content lies.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum file_kind {
    FILE_DF,
    FILE_TRANSPARENT,
    FILE_LINEAR,
    FILE_GENERATED
}; // generated: read-only, byte i is i + (i >> 8)

struct file {
    uint16_t id, parent;
    uint8_t kind, sfi;
    bool needs_pin;        // to update
    uint16_t offset, size; // in the storage; a linear file's size is that of all its records
    uint8_t record;        // bytes of one record
    uint8_t name_length;   // DF name (AID)
    const uint8_t *name;
};

enum { FILE_MF = 0x3F00, FILE_STORAGE = 1024 };

void card_files_format(uint8_t *storage);
const struct file *card_files_by_id(uint16_t id, uint16_t parent);
const struct file *card_files_by_sfi(uint8_t sfi, uint16_t parent);
const struct file *card_files_by_name(const uint8_t *name, size_t length);
const struct file *card_files_root(void);
size_t card_files_read(const struct file *file, const uint8_t *storage, size_t offset, uint8_t *data,
                       size_t length);
// File control parameters with the outer tag, 6F or 62; returns their length (below 64).
size_t card_files_control(const struct file *file, uint8_t tag, uint8_t *data);
