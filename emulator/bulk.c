// SPDX-License-Identifier: MIT
// Bulk messages: the door where they come in, the replies, and the abort sequence.
#include "emulator/reader.h"

#include <string.h>

enum { COMMAND_OK = 0x00, COMMAND_FAILED = 0x40, COMMAND_EXTENSION = 0x80, ANY_LENGTH = 0xFF };

struct command {
    uint8_t type, reply;
    uint8_t length; // of abData
    bool abortable;
    void (*run)(struct slot *slot, uint64_t now, const struct request *request);
};

// CCID 1.1 table 6.1-1.
static const struct command commands[] = {
    {MSG_SET_PARAMETERS, MSG_PARAMETERS, ANY_LENGTH, false, emu_set_parameters},
    {MSG_POWER_ON, MSG_DATA_BLOCK, 0, true, emu_power_on},
    {MSG_POWER_OFF, MSG_SLOT_STATUS, 0, false, emu_power_off},
    {MSG_GET_SLOT_STATUS, MSG_SLOT_STATUS, 0, false, emu_get_slot_status},
    {MSG_SECURE, MSG_DATA_BLOCK, ANY_LENGTH, true, emu_secure},
    {MSG_T0_APDU, MSG_SLOT_STATUS, 0, false, emu_t0_apdu},
    {MSG_ESCAPE, MSG_ESCAPE_REPLY, ANY_LENGTH, true, emu_escape},
    {MSG_GET_PARAMETERS, MSG_PARAMETERS, 0, false, emu_get_parameters},
    {MSG_RESET_PARAMETERS, MSG_PARAMETERS, 0, false, emu_reset_parameters},
    {MSG_CLOCK, MSG_SLOT_STATUS, 0, false, emu_clock},
    {MSG_XFR_BLOCK, MSG_DATA_BLOCK, ANY_LENGTH, true, emu_xfr_block},
    {MSG_MECHANICAL, MSG_SLOT_STATUS, 0, true, emu_mechanical},
    {MSG_SET_RATE, MSG_RATE, 8, false, emu_set_rate},
};

static const struct command *find(uint8_t type)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (commands[i].type == type) {
            return &commands[i];
        }
    }
    return NULL;
}

// The kind of the answer to a message nobody knows is open; firmware uses the slot status.
static uint8_t reply_type(uint8_t type)
{
    const struct command *command = find(type);
    return command != NULL ? command->reply : MSG_SLOT_STATUS;
}

static struct reply *push(struct emu_reader *reader, uint8_t type, uint8_t slot, uint8_t sequence)
{
    struct reply *reply = &reader->replies[(reader->reply_first + reader->reply_count++) % REPLIES_MAX];
    memset(reply, 0, sizeof *reply);
    reply->header[0] = type;
    reply->header[5] = slot;
    reply->header[6] = sequence;
    return reply;
}

static void set_length(struct reply *reply, const uint8_t *data, uint32_t length)
{
    reply->data = data;
    reply->length = length;
    for (unsigned i = 0; i < 4; i++) {
        reply->header[1 + i] = (uint8_t)(length >> 8 * i);
    }
}

// A failure that has no part in the slot's running command.
static void reject(struct emu_reader *reader, const struct request *request, uint8_t icc_status,
                   uint8_t error)
{
    struct reply *reply = push(reader, reply_type(request->type), request->header[5], request->sequence);
    reply->header[7] = (uint8_t)(COMMAND_FAILED | icc_status);
    reply->header[8] = error;
}

static struct reply *final_reply(struct slot *slot)
{
    struct reply *reply = push(slot->reader, reply_type(slot->command), slot->number, slot->sequence);
    reply->slot = slot;
    reply->header[7] = emu_slot_status(slot);
    slot->answered = true;
    return reply;
}

void emu_answer(struct slot *slot, uint8_t parameter, const uint8_t *data, uint32_t length)
{
    struct reply *reply = final_reply(slot);
    reply->header[9] = parameter;
    set_length(reply, data, length);
}

void emu_fail(struct slot *slot, uint8_t error)
{
    struct reply *reply = final_reply(slot);
    reply->header[7] |= COMMAND_FAILED;
    reply->header[8] = error;
}

void emu_extend(struct slot *slot, uint8_t multiplier)
{
    if (slot->extension_queued) {
        return; // the host has not even read the last one
    }
    struct reply *reply = push(slot->reader, reply_type(slot->command), slot->number, slot->sequence);
    reply->slot = slot;
    reply->extension = slot->extension_queued = true;
    reply->header[7] = (uint8_t)(COMMAND_EXTENSION | emu_slot_status(slot));
    reply->header[8] = multiplier;
}

// ---- abort, CCID 1.1 5.3.1 and 6.1.13 ----

static void stop_running(struct slot *slot)
{
    const struct command *command = find(slot->command);
    if (slot->command == 0 || slot->answered || (command != NULL && !command->abortable)) {
        return;
    }
    slot->chain_in = slot->chain_out = slot->typing = false;
    emu_fail(slot, ERR_ABORTED);
}

static void abort_complete(struct slot *slot)
{
    slot->abort_state = ABORT_NONE;
    struct reply *reply = push(slot->reader, MSG_SLOT_STATUS, slot->number, slot->abort_sequence);
    reply->header[7] = emu_slot_status(slot);
}

void emu_abort_control(struct slot *slot, uint8_t sequence)
{
    stop_running(slot);
    emu_fault_abort(slot->reader);
    slot->reader->flaw_until = 0;
    if (slot->abort_state == ABORT_BULK && slot->abort_sequence == sequence) {
        abort_complete(slot);
        return;
    }
    slot->abort_state = ABORT_CONTROL;
    slot->abort_sequence = sequence;
}

static void abort_bulk(struct slot *slot, uint8_t sequence)
{
    stop_running(slot);
    if (slot->abort_state == ABORT_CONTROL && slot->abort_sequence == sequence) {
        abort_complete(slot);
        return;
    }
    slot->abort_state = ABORT_BULK;
    slot->abort_sequence = sequence;
}

// ---- incoming ----

static unsigned busy_slots(const struct emu_reader *reader)
{
    unsigned busy = 0;
    for (unsigned i = 0; i < reader->slot_count; i++) {
        busy += reader->slots[i].command != 0 ? 1 : 0;
    }
    return busy;
}

static bool busy(const struct slot *slot)
{
    const struct emu_model *model = &slot->reader->model;
    unsigned most = model->fault.kind == EMU_FAULT_BUSY ? model->fault.argument : model->ccid[53];
    return slot->command != 0 || busy_slots(slot->reader) >= (most == 0 ? 1 : most);
}

void emu_run(struct slot *slot, uint64_t now, const struct request *request)
{
    struct emu_reader *reader = slot->reader;
    const struct command *command = find(request->type);
    if (request->type == MSG_ABORT) {
        abort_bulk(slot, request->sequence);
    } else if (slot->abort_state != ABORT_NONE) {
        reject(reader, request, emu_slot_status(slot), ERR_ABORTED);
    } else if (busy(slot)) {
        reject(reader, request, emu_slot_status(slot), ERR_SLOT_BUSY);
    } else if (command == NULL) {
        reject(reader, request, emu_slot_status(slot), ERR_NOT_SUPPORTED);
    } else if (now < slot->auto_until && request->type != MSG_GET_SLOT_STATUS) {
        reject(reader, request, emu_slot_status(slot), ERR_AUTO_SEQUENCE);
    } else if (command->length != ANY_LENGTH && request->length != command->length) {
        reject(reader, request, emu_slot_status(slot), ERR_LENGTH);
    } else {
        slot->command = request->type;
        slot->sequence = request->sequence;
        slot->answered = false;
        emu_flawed_command(slot, now, request);
        command->run(slot, now, request);
    }
}

static void message(struct emu_reader *reader, uint64_t now, const uint8_t *bytes, size_t length)
{
    struct request request = {bytes[0], bytes[6], bytes, bytes + HEADER_LENGTH, emu_dword(bytes + 1)};
    reader->statistics.commands++;
    if (bytes[5] >= reader->slot_count) {
        reject(reader, &request, 2, ERR_SLOT);
        return;
    }
    struct slot *slot = &reader->slots[bytes[5]];
    if (length != HEADER_LENGTH + (uint64_t)request.length || length > reader->message_max) {
        reject(reader, &request, emu_slot_status(slot), ERR_LENGTH);
        return;
    }
    emu_run(slot, now, &request);
}

static bool unfinished(const struct emu_reader *reader, const uint8_t *bytes, size_t length, size_t last)
{
    if (last == 0 || last % PACKET_MAX != 0) {
        return false; // a short packet ends a message
    }
    uint64_t whole = HEADER_LENGTH + (uint64_t)emu_dword(bytes + 1);
    return length < whole && whole <= reader->message_max;
}

enum emu_status emu_bulk_out(struct emu_reader *reader, uint64_t now, const uint8_t *data, size_t length)
{
    const uint8_t *bytes = data;
    size_t whole = length;
    if (length == 0 && reader->gathered == 0) {
        return EMU_OK; // the empty packet after a message of whole packets
    }
    if (reader->gathered != 0) {
        size_t room = sizeof reader->message - reader->gathered;
        size_t moved = length < room ? length : room;
        memcpy(reader->message + reader->gathered, data, moved);
        bytes = reader->message;
        whole = reader->gathered + moved;
    }
    if (whole < HEADER_LENGTH) {
        reader->halted_out = true; // no slot and no sequence number to answer to
        return EMU_STALL;
    }
    if (unfinished(reader, bytes, whole, length)) {
        if (reader->gathered == 0) {
            memcpy(reader->message, data, length);
        }
        reader->gathered = (uint32_t)whole;
        return EMU_OK;
    }
    message(reader, now, bytes, whole);
    memset(reader->message, 0, reader->gathered); // it may have held a PIN
    reader->gathered = 0;
    return EMU_OK;
}
