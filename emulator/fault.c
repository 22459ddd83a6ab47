// SPDX-License-Identifier: MIT
// A reader that errs on purpose: one fault at a time, at the boundary of messages.
#include "emulator/reader.h"

#include <string.h>

enum { PLACE_OUT = 1, PLACE_IN = 2, PLACE_INTERRUPT = 4, EXTENSION_US = 1000000 };

static const uint8_t places[] = {
    [EMU_FAULT_NONE] = 0,
    [EMU_FAULT_DROP] = PLACE_IN,
    [EMU_FAULT_LATE] = PLACE_IN,
    [EMU_FAULT_EXTEND] = PLACE_IN,
    [EMU_FAULT_TYPE] = PLACE_IN,
    [EMU_FAULT_SLOT] = PLACE_IN,
    [EMU_FAULT_SEQUENCE] = PLACE_IN,
    [EMU_FAULT_ERROR] = PLACE_IN,
    [EMU_FAULT_LENGTH] = PLACE_IN,
    [EMU_FAULT_TRUNCATE] = PLACE_IN,
    [EMU_FAULT_STALL_IN] = PLACE_IN,
    [EMU_FAULT_STALL_OUT] = PLACE_OUT,
    [EMU_FAULT_DEAF] = PLACE_OUT,
    [EMU_FAULT_HOLD] = PLACE_IN | PLACE_OUT,
    [EMU_FAULT_LOSE] = PLACE_INTERRUPT,
    [EMU_FAULT_REPEAT] = PLACE_INTERRUPT,
    [EMU_FAULT_OVERCURRENT] = PLACE_INTERRUPT,
    [EMU_FAULT_BUSY] = 0,
};

void emu_fault(struct emu_reader *reader, const struct emu_fault *fault)
{
    reader->model.fault = *fault;
    if (fault->kind >= sizeof places) {
        reader->model.fault.kind = EMU_FAULT_NONE;
    }
    reader->fault_seen = 0;
    reader->fault_until = 0;
    reader->fault_strikes = reader->fault_holds = reader->fault_repeated = false;
}

static bool strikes(struct emu_reader *reader, unsigned place, uint8_t command)
{
    const struct emu_fault *fault = &reader->model.fault;
    if ((places[fault->kind] & place) == 0 || (fault->command != 0 && fault->command != command)) {
        return false;
    }
    uint32_t seen = reader->fault_seen++;
    return seen >= fault->skip && (fault->count == 0 || seen - fault->skip < fault->count);
}

bool emu_fault_out(struct emu_reader *reader, const uint8_t *data, size_t length, enum emu_status *status)
{
    if (!reader->fault_holds && (length == 0 || !strikes(reader, PLACE_OUT, data[0]))) {
        return false;
    }
    switch (reader->model.fault.kind) {
    case EMU_FAULT_STALL_OUT:
        reader->halted_out = true;
        *status = EMU_STALL;
        return true;
    case EMU_FAULT_HOLD:
        reader->fault_holds = true;
        *status = EMU_NAK;
        return true;
    default: // deaf
        *status = EMU_OK;
        return true;
    }
}

// The command that the oldest reply answers; 0: one that was refused at the door.
static uint8_t answered(const struct emu_reader *reader)
{
    const struct reply *reply = &reader->replies[reader->reply_first];
    return reply->slot != NULL ? reply->slot->command : 0;
}

static void extension(const struct emu_reader *reader, uint8_t *data, size_t *length)
{
    uint8_t header[HEADER_LENGTH];
    memcpy(header, reader->replies[reader->reply_first].header, sizeof header);
    memset(header + 1, 0, 4);
    header[7] = (uint8_t)(0x80 | (header[7] & 3));
    header[8] = (uint8_t)reader->model.fault.argument;
    header[9] = 0;
    *length = *length < sizeof header ? *length : sizeof header;
    memcpy(data, header, *length);
}

// The reply is held back until its time; true: not yet.
static bool held_back(struct emu_reader *reader, uint64_t now)
{
    if (reader->fault_until > now) {
        return true;
    }
    reader->fault_until = 0;
    return false;
}

static bool decide(struct emu_reader *reader, uint64_t now)
{
    reader->fault_strikes = strikes(reader, PLACE_IN, answered(reader));
    if (!reader->fault_strikes) {
        return false;
    }
    switch (reader->model.fault.kind) {
    case EMU_FAULT_LATE:
        reader->fault_until = now + reader->model.fault.argument;
        return true;
    case EMU_FAULT_EXTEND:
        reader->fault_until = now + EXTENSION_US;
        return true;
    case EMU_FAULT_DROP:
        emu_drop_reply(reader);
        return true;
    case EMU_FAULT_HOLD:
        reader->fault_holds = true;
        return true;
    case EMU_FAULT_STALL_IN:
        emu_drop_reply(reader);
        reader->halted_in = true;
        return true;
    default:
        return false;
    }
}

bool emu_fault_in(struct emu_reader *reader, uint64_t now, uint8_t *data, size_t *length,
                  enum emu_status *status)
{
    size_t room = *length;
    *status = EMU_NAK;
    *length = 0;
    if (reader->fault_holds || reader->reply_count == 0) {
        return true;
    }
    if (reader->fault_until == 0) {
        bool settled = decide(reader, now);
        *status = reader->halted_in ? EMU_STALL : EMU_NAK;
        *length = settled ? 0 : room;
        return settled;
    }
    if (held_back(reader, now)) {
        return true;
    }
    *length = room;
    *status = EMU_OK;
    if (reader->model.fault.kind == EMU_FAULT_EXTEND) {
        extension(reader, data, length);
        return true;
    }
    return false;
}

void emu_fault_reply(struct emu_reader *reader, uint8_t *data, size_t *length)
{
    static const uint8_t offsets[] = {[EMU_FAULT_TYPE] = 0, [EMU_FAULT_SLOT] = 5, [EMU_FAULT_SEQUENCE] = 6};
    const struct emu_fault *fault = &reader->model.fault;
    if (!reader->fault_strikes || *length < HEADER_LENGTH) {
        return;
    }
    reader->fault_strikes = false;
    switch (fault->kind) {
    case EMU_FAULT_TYPE:
    case EMU_FAULT_SLOT:
    case EMU_FAULT_SEQUENCE:
        data[offsets[fault->kind]] ^= (uint8_t)fault->argument;
        break;
    case EMU_FAULT_ERROR:
        memset(data + 1, 0, 4);
        data[7] = (uint8_t)(0x40 | (data[7] & 3));
        data[8] = (uint8_t)fault->argument;
        *length = HEADER_LENGTH;
        break;
    case EMU_FAULT_LENGTH:
        for (unsigned i = 0; i < 4; i++) {
            data[1 + i] = (uint8_t)(fault->argument >> 8 * i);
        }
        break;
    case EMU_FAULT_TRUNCATE:
        *length = *length < fault->argument ? *length : fault->argument;
        break;
    default:
        return;
    }
    if (reader->reply_taken != 0) {
        emu_drop_reply(reader); // the rest of it is not sent
    }
}

// The reply that was held back is the one that an abort ends.
void emu_fault_abort(struct emu_reader *reader)
{
    reader->fault_until = 0;
    reader->fault_strikes = false;
    if (reader->model.fault.kind == EMU_FAULT_EXTEND) {
        reader->model.fault.kind = EMU_FAULT_NONE;
    }
}

enum emu_fault_kind emu_fault_notify(struct emu_reader *reader)
{
    if (reader->fault_repeated) { // the second of two
        reader->fault_repeated = false;
        return EMU_FAULT_NONE;
    }
    if (!strikes(reader, PLACE_INTERRUPT, 0)) {
        return EMU_FAULT_NONE;
    }
    reader->fault_repeated = reader->model.fault.kind == EMU_FAULT_REPEAT;
    return reader->model.fault.kind;
}
