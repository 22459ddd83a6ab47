// SPDX-License-Identifier: MIT
// An ISO 7816-4 application: files, one PIN, a challenge, and commands to try an interface device with.
#include "emulator/card/filesystem.h"

#include <string.h>

static void fs_reset(void *memory)
{
    struct state *state = memory;
    state->df = FILE_MF;
    state->ef = NULL;
    state->record = 0;
    state->verified = false;
}

static void fs_insert(void *memory, const struct card_type *type)
{
    (void)type;
    struct state *state = memory;
    card_files_format(state->storage);
    card_pin_insert(state);
    fs_reset(state);
}

static const struct file *walk(uint16_t from, const uint8_t *path, size_t length)
{
    const struct file *file = NULL;
    uint16_t parent = from;
    for (size_t i = 0; i + 2 <= length; i += 2) {
        file = card_files_by_id((uint16_t)(path[i] << 8 | path[i + 1]), parent);
        if (file == NULL || (i + 2 < length && file->kind != FILE_DF)) {
            return NULL;
        }
        parent = file->id;
    }
    return file;
}

static const struct file *find_by_id(const struct state *state, uint16_t id)
{
    if (id == FILE_MF) {
        return card_files_root();
    }
    const struct file *file = card_files_by_id(id, state->df);
    if (file == NULL) {
        file = card_files_by_id(id, FILE_MF); // the parent: there is one level of DFs
    }
    return file;
}

// ISO 7816-4:2005 table 39.
static const struct file *find(const struct state *state, const struct card_command *command)
{
    const uint8_t *data = command->data;
    size_t length = command->nc;
    const struct file *file = NULL;
    switch (command->p1) {
    case 0x00:
        return length == 0 ? card_files_root() : find_by_id(state, (uint16_t)(data[0] << 8 | data[1]));
    case 0x01:
        file = card_files_by_id((uint16_t)(data[0] << 8 | data[1]), state->df);
        return file != NULL && file->kind == FILE_DF ? file : NULL;
    case 0x02:
        file = card_files_by_id((uint16_t)(data[0] << 8 | data[1]), state->df);
        return file != NULL && file->kind != FILE_DF ? file : NULL;
    case 0x03:
        return card_files_root();
    case 0x04:
        return card_files_by_name(data, length);
    case 0x08:
        return walk(FILE_MF, data, length);
    default:
        return walk(state->df, data, length);
    }
}

static bool select_length_valid(const struct card_command *command)
{
    switch (command->p1) {
    case 0x00:
        return command->nc == 0 || command->nc == 2;
    case 0x01:
    case 0x02:
        return command->nc == 2;
    case 0x03:
        return command->nc == 0;
    case 0x04:
        return command->nc >= 1 && command->nc <= 16;
    default:
        return command->nc != 0 && command->nc % 2 == 0;
    }
}

static uint16_t select_file(struct state *state, const struct card_command *command,
                            struct card_response *response)
{
    uint8_t form = command->p2 & 0x0C;
    bool known = command->p1 <= 0x04 || command->p1 == 0x08 || command->p1 == 0x09;
    if (!known || (command->p2 & 0xF3) != 0 || form == 0x08) {
        return 0x6A86;
    }
    if (!select_length_valid(command)) {
        return 0x6A87;
    }
    const struct file *file = find(state, command);
    if (file == NULL) {
        return 0x6A82;
    }
    state->df = file->kind == FILE_DF ? file->id : file->parent;
    state->ef = file->kind == FILE_DF ? NULL : file;
    state->record = 0;
    if (form != 0x0C && command->ne != 0) {
        response->length = card_files_control(file, form == 0 ? 0x6F : 0x62, response->data);
        response->length = response->length < command->ne ? response->length : command->ne;
    }
    return 0x9000;
}

// The EF and the offset of P1-P2, ISO 7816-4:2005 7.2.2; makes an EF named by SFI current.
static uint16_t locate(struct state *state, const struct card_command *command, size_t *offset)
{
    *offset = (size_t)command->p1 << 8 | command->p2;
    if ((command->p1 & 0x80) != 0) {
        if ((command->p1 & 0x60) != 0) {
            return 0x6A86;
        }
        const struct file *file = card_files_by_sfi(command->p1 & 0x1F, state->df);
        if (file == NULL) {
            return 0x6A82;
        }
        state->ef = file;
        *offset = command->p2;
    }
    if (state->ef == NULL) {
        return 0x6986;
    }
    if (state->ef->kind == FILE_LINEAR) {
        return 0x6981;
    }
    return *offset >= state->ef->size ? 0x6B00 : 0x9000;
}

static uint16_t read_binary(struct state *state, const struct card_command *command,
                            struct card_response *response)
{
    size_t offset;
    if (command->nc != 0 || command->ne == 0) {
        return 0x6700;
    }
    uint16_t sw = locate(state, command, &offset);
    if (sw != 0x9000) {
        return sw;
    }
    response->length = card_files_read(state->ef, state->storage, offset, response->data, command->ne);
    return response->length < command->ne && !command->ne_any ? 0x6282 : 0x9000;
}

static uint16_t update_allowed(const struct state *state)
{
    return state->ef->kind == FILE_GENERATED || (state->ef->needs_pin && !state->verified) ? 0x6982 : 0x9000;
}

static uint16_t update_binary(struct state *state, const struct card_command *command,
                              struct card_response *response)
{
    (void)response;
    size_t offset;
    if (command->nc == 0) {
        return 0x6700;
    }
    uint16_t sw = locate(state, command, &offset);
    sw = sw == 0x9000 ? update_allowed(state) : sw;
    if (sw != 0x9000) {
        return sw;
    }
    if (command->nc > state->ef->size - offset) {
        return 0x6A84;
    }
    memcpy(state->storage + state->ef->offset + offset, command->data, command->nc);
    return 0x9000;
}

// The record of P1-P2, ISO 7816-4:2005 7.3.2: by number only.
static uint16_t locate_record(struct state *state, const struct card_command *command)
{
    uint8_t sfi = command->p2 >> 3, number = command->p1;
    if ((command->p2 & 7) != 4) {
        return 0x6A86;
    }
    const struct file *file = sfi == 0 ? state->ef : card_files_by_sfi(sfi, state->df);
    if (file == NULL) {
        return sfi == 0 ? 0x6986 : 0x6A82;
    }
    if (file->kind != FILE_LINEAR) {
        return 0x6981;
    }
    if (file != state->ef) {
        state->ef = file;
        state->record = 0;
    }
    number = number == 0 ? state->record : number;
    if (number == 0 || (size_t)number * file->record > file->size) {
        return 0x6A83;
    }
    state->record = number;
    return 0x9000;
}

static size_t record_offset(const struct state *state)
{
    return (size_t)(state->record - 1) * state->ef->record;
}

static uint16_t read_record(struct state *state, const struct card_command *command,
                            struct card_response *response)
{
    if (command->nc != 0 || command->ne == 0) {
        return 0x6700;
    }
    uint16_t sw = locate_record(state, command);
    if (sw != 0x9000) {
        return sw;
    }
    size_t wanted = command->ne < state->ef->record ? command->ne : state->ef->record;
    response->length =
        card_files_read(state->ef, state->storage, record_offset(state), response->data, wanted);
    return 0x9000;
}

static uint16_t update_record(struct state *state, const struct card_command *command,
                              struct card_response *response)
{
    (void)response;
    uint16_t sw = locate_record(state, command);
    if (sw != 0x9000) {
        return sw;
    }
    if (command->nc != state->ef->record) {
        return 0x6700;
    }
    memcpy(state->storage + state->ef->offset + record_offset(state), command->data, command->nc);
    return 0x9000;
}

struct instruction {
    uint8_t cla, ins;
    bool data;
    card_handler *run;
};

static const struct instruction instructions[] = {
    {0x00, 0xA4, true, select_file},     {0x00, 0xB0, false, read_binary},
    {0x00, 0xD6, true, update_binary},   {0x00, 0xB2, false, read_record},
    {0x00, 0xDC, true, update_record},   {0x00, 0x20, true, card_verify},
    {0x00, 0x24, true, card_change_pin}, {0x00, 0x84, false, card_get_challenge},
    {0x80, 0x10, false, card_work},      {0x80, 0xE0, true, card_echo},
};

static const struct instruction *find_instruction(uint8_t cla, uint8_t ins)
{
    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++) {
        if (instructions[i].cla == cla && instructions[i].ins == ins) {
            return &instructions[i];
        }
    }
    return NULL;
}

static bool fs_takes_data(const void *memory, const uint8_t *header)
{
    (void)memory;
    const struct instruction *instruction = find_instruction(header[0], header[1]);
    if (instruction == NULL) {
        return false;
    }
    return instruction->run == card_echo ? (header[2] & 0x80) != 0 : instruction->data;
}

static void fs_execute(void *memory, const struct card_command *command, struct card_response *response)
{
    struct state *state = memory;
    if (command->cla != 0x00 && command->cla != 0x80) {
        response->sw = 0x6E00;
        return;
    }
    const struct instruction *instruction = find_instruction(command->cla, command->ins);
    response->sw = instruction == NULL ? 0x6D00 : instruction->run(state, command, response);
}

const struct card_application card_filesystem = {
    .state_size = sizeof(struct state),
    .insert = fs_insert,
    .reset = fs_reset,
    .takes_data = fs_takes_data,
    .execute = fs_execute,
};
