// SPDX-License-Identifier: MIT
#include "emulator/card/files.h"

#include <string.h>

// Not registered: F0 marks a proprietary AID, ISO 7816-5. "LECTERN" 01.
static const uint8_t application_name[] = {0xF0, 'L', 'E', 'C', 'T', 'E', 'R', 'N', 0x01};

enum { DIR_RECORD = 32, DF_ID = 0x5000, GENERATED_SIZE = 61440 };

static const struct file files[] = {
    {.id = FILE_MF, .kind = FILE_DF},
    {.id = 0x2F00,
     .parent = FILE_MF,
     .kind = FILE_LINEAR,
     .sfi = 30,
     .size = DIR_RECORD,
     .record = DIR_RECORD},
    {.id = 0x2F01, .parent = FILE_MF, .kind = FILE_TRANSPARENT, .offset = 32, .size = 16},
    {.id = DF_ID,
     .parent = FILE_MF,
     .kind = FILE_DF,
     .name = application_name,
     .name_length = sizeof application_name},
    {.id = 0x5001, .parent = DF_ID, .kind = FILE_TRANSPARENT, .sfi = 1, .offset = 64, .size = 400},
    {.id = 0x5002,
     .parent = DF_ID,
     .kind = FILE_TRANSPARENT,
     .sfi = 2,
     .offset = 464,
     .size = 64,
     .needs_pin = true},
    {.id = 0x5003, .parent = DF_ID, .kind = FILE_LINEAR, .sfi = 3, .offset = 528, .size = 128, .record = 32},
    {.id = 0x5004, .parent = DF_ID, .kind = FILE_GENERATED, .sfi = 4, .size = GENERATED_SIZE},
};

enum { COUNT = sizeof files / sizeof *files };

void card_files_format(uint8_t *storage)
{
    static const uint8_t dir[] = {0x61, 21,   0x4F, 9,   0xF0, 'L', 'E', 'C', 'T', 'E', 'R', 'N',
                                  0x01, 0x50, 8,    'F', 'i',  'l', 'e', 's', ' ', ' ', ' '};
    static const uint8_t atr[] = {0x43, 0x01, 0x00, 0x47, 0x03, 0xFC, 0x21, 0x40}; // ISO 7816-4:2005 8.2.1.1
    memset(storage, 0, FILE_STORAGE);
    memcpy(storage, dir, sizeof dir);
    memcpy(storage + 32, atr, sizeof atr);
    for (size_t i = 64; i < 656; i++) {
        storage[i] = (uint8_t)i;
    }
}

const struct file *card_files_root(void)
{
    return &files[0];
}

const struct file *card_files_by_id(uint16_t id, uint16_t parent)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (files[i].id == id && files[i].parent == parent) {
            return &files[i];
        }
    }
    return NULL;
}

const struct file *card_files_by_sfi(uint8_t sfi, uint16_t parent)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (sfi != 0 && files[i].sfi == sfi && files[i].parent == parent) {
            return &files[i];
        }
    }
    return NULL;
}

const struct file *card_files_by_name(const uint8_t *name, size_t length)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (length != 0 && length <= files[i].name_length && memcmp(files[i].name, name, length) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

size_t card_files_read(const struct file *file, const uint8_t *storage, size_t offset, uint8_t *data,
                       size_t length)
{
    size_t there = file->size - offset;
    size_t moved = length < there ? length : there;
    if (file->kind != FILE_GENERATED) {
        memcpy(data, storage + file->offset + offset, moved);
        return moved;
    }
    for (size_t i = 0; i < moved; i++) {
        data[i] = (uint8_t)((offset + i) + ((offset + i) >> 8));
    }
    return moved;
}

static size_t tlv(uint8_t *at, uint8_t tag, const uint8_t *value, size_t length)
{
    at[0] = tag;
    at[1] = (uint8_t)length;
    memcpy(at + 2, value, length);
    return length + 2;
}

size_t card_files_control(const struct file *file, uint8_t tag, uint8_t *data)
{
    static const uint8_t descriptor[] = {
        [FILE_DF] = 0x38, [FILE_TRANSPARENT] = 0x01, [FILE_LINEAR] = 0x02, [FILE_GENERATED] = 0x01};
    const uint8_t size[2] = {(uint8_t)(file->size >> 8), (uint8_t)file->size};
    const uint8_t kind[5] = {descriptor[file->kind], 0x21, 0, file->record,
                             file->record != 0 ? (uint8_t)(file->size / file->record) : 0};
    const uint8_t id[2] = {(uint8_t)(file->id >> 8), (uint8_t)file->id};
    const uint8_t sfi = (uint8_t)(file->sfi << 3), active = 0x05;
    size_t at = 2;
    if (file->kind != FILE_DF) {
        at += tlv(data + at, 0x80, size, 2);
    }
    at += tlv(data + at, 0x82, kind, file->record != 0 ? 5 : 1);
    at += tlv(data + at, 0x83, id, 2);
    if (file->name_length != 0) {
        at += tlv(data + at, 0x84, file->name, file->name_length);
    }
    if (file->sfi != 0) {
        at += tlv(data + at, 0x88, &sfi, 1);
    }
    at += tlv(data + at, 0x8A, &active, 1);
    data[0] = tag;
    data[1] = (uint8_t)(at - 2);
    return at;
}
