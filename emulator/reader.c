// SPDX-License-Identifier: MIT
// A reader's life: plugged, configured, suspended; cards in and out; what waits to be read.
#include "emulator/reader.h"

#include <string.h>

uint32_t emu_dword(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static unsigned slots_of(const struct emu_model *model)
{
    unsigned count = model->ccid[4] + 1u;
    return count < EMU_SLOTS_MAX ? count : EMU_SLOTS_MAX;
}

size_t emu_reader_size(const struct emu_model *model)
{
    return sizeof(struct emu_reader) + slots_of(model) * sizeof(struct slot);
}

static enum level level_of(uint32_t features)
{
    if ((features & 0x40000) != 0) {
        return LEVEL_EXTENDED;
    }
    if ((features & 0x20000) != 0) {
        return LEVEL_SHORT;
    }
    return (features & 0x10000) != 0 ? LEVEL_TPDU : LEVEL_CHARACTER;
}

static void terminate(struct emu_model *model)
{
    model->name[EMU_NAME_MAX - 1] = '\0';
    model->manufacturer[EMU_NAME_MAX - 1] = '\0';
    model->product[EMU_NAME_MAX - 1] = '\0';
    model->serial[EMU_NAME_MAX - 1] = '\0';
    model->clock_count = model->clock_count < EMU_RATES_MAX ? model->clock_count : EMU_RATES_MAX;
    model->rate_count = model->rate_count < EMU_RATES_MAX ? model->rate_count : EMU_RATES_MAX;
}

static enum transport transport_of(const struct emu_model *model)
{
    if (model->endpoints >= 2) {
        return TRANSPORT_BULK; // whatever the protocol says: some readers say 1 or 2 and mean 0
    }
    return model->interface_protocol == 1 ? TRANSPORT_ICCD_A : TRANSPORT_ICCD_B;
}

struct emu_reader *emu_reader_init(void *memory, const struct emu_model *model)
{
    struct emu_reader *reader = memory;
    memset(reader, 0, emu_reader_size(model));
    reader->model = *model;
    terminate(&reader->model);
    reader->slot_count = slots_of(model);
    reader->features = emu_dword(model->ccid + 40);
    emu_flawed_begin(reader);
    reader->level = level_of(reader->features);
    reader->transport = transport_of(model);
    if (reader->transport == TRANSPORT_ICCD_B && reader->level == LEVEL_SHORT) {
        reader->level = LEVEL_EXTENDED; // tokens chain at either level
    }
    emu_fault(reader, &model->fault);
    emu_user(reader, &(struct emu_user){"1234", "1234", "1234", 0, 2000000});
    uint32_t announced = emu_dword(model->ccid + 44);
    reader->message_max = announced < MESSAGE_MIN_MAX ? MESSAGE_MIN_MAX : announced;
    reader->message_max = reader->message_max > MESSAGE_MAX ? MESSAGE_MAX : reader->message_max;
    for (unsigned i = 0; i < reader->slot_count; i++) {
        reader->slots[i].reader = reader;
        reader->slots[i].number = (uint8_t)i;
        emu_slot_power_off(&reader->slots[i]);
    }
    return reader;
}

static void drop_everything(struct emu_reader *reader)
{
    reader->reply_count = 0;
    reader->reply_taken = 0;
    reader->gathered = 0;
    reader->flaw_until = 0;
    reader->emptied = false;
    reader->hardware_error_pending = false;
    reader->halted_out = reader->halted_in = reader->halted_interrupt = false;
    for (unsigned i = 0; i < reader->slot_count; i++) {
        struct slot *slot = &reader->slots[i];
        slot->command = 0;
        slot->answered = slot->extension_queued = slot->typing = false;
        slot->abort_state = ABORT_NONE;
        emu_slot_power_off(slot);
    }
}

// A card that is there when the host comes is news to it, CCID 1.1 6.3.1.
static void announce(struct emu_reader *reader, uint64_t now)
{
    for (unsigned i = 0; i < reader->slot_count; i++) {
        reader->slots[i].changed = reader->slots[i].card.type != NULL;
        emu_slot_auto_activate(&reader->slots[i], now);
    }
}

void emu_configure(struct emu_reader *reader, uint64_t now, bool configured)
{
    drop_everything(reader);
    reader->configured = configured;
    reader->iso_mode = false;
    if (configured) {
        announce(reader, now);
    }
}

void emu_reader_reset(struct emu_reader *reader, uint64_t now_us)
{
    reader->wake_enabled = reader->suspended = false;
    emu_configure(reader, now_us, false);
}

void emu_suspend(struct emu_reader *reader, uint64_t now_us, bool suspended)
{
    if (suspended == reader->suspended) {
        return;
    }
    reader->suspended = suspended;
    reader->moved = false;
    if (suspended) {
        reader->statistics.suspends++;
    } else {
        reader->statistics.resumes++;
    }
    for (unsigned i = 0; suspended && i < reader->slot_count; i++) {
        reader->moved |= reader->slots[i].changed;
    }
    emu_configure(reader, now_us, reader->configured);
}

bool emu_wakes(const struct emu_reader *reader)
{
    return reader->suspended && reader->wake_enabled && reader->moved;
}

void emu_pump(struct emu_reader *reader, uint64_t now)
{
    for (unsigned i = 0; i < reader->slot_count; i++) {
        emu_exchange_pump(&reader->slots[i], now);
    }
}

uint64_t emu_next_event(const struct emu_reader *reader)
{
    uint64_t next = reader->fault_until != 0 ? reader->fault_until : EMU_NEVER;
    next = reader->flaw_until != 0 && reader->flaw_until < next ? reader->flaw_until : next;
    for (unsigned i = 0; i < reader->slot_count; i++) {
        uint64_t at = emu_exchange_next(&reader->slots[i]);
        next = at < next ? at : next;
    }
    return next;
}

// Room for every slot's extension and final reply stays reserved.
bool emu_reply_room(const struct emu_reader *reader)
{
    return reader->reply_count + 2 * reader->slot_count < REPLIES_MAX;
}

static void reply_read(struct emu_reader *reader, struct reply *reply)
{
    reader->statistics.responses++;
    reader->statistics.time_extensions += reply->extension ? 1 : 0;
    if (reply->slot != NULL && reply->extension) {
        reply->slot->extension_queued = false;
    } else if (reply->slot != NULL) {
        reply->slot->command = 0;
        reply->slot->answered = false;
    }
    reader->reply_first = (reader->reply_first + 1) % REPLIES_MAX;
    reader->reply_count--;
    reader->reply_taken = 0;
}

void emu_drop_reply(struct emu_reader *reader)
{
    reply_read(reader, &reader->replies[reader->reply_first]);
}

void emu_drop_replies(struct emu_reader *reader)
{
    while (reader->reply_count != 0) {
        emu_drop_reply(reader);
    }
}

static enum emu_status bulk_in(struct emu_reader *reader, uint8_t *data, size_t *length)
{
    if (reader->reply_count == 0) {
        *length = 0;
        return EMU_NAK;
    }
    struct reply *reply = &reader->replies[reader->reply_first];
    size_t room = *length, moved = 0;
    if (reader->reply_taken < HEADER_LENGTH) {
        size_t rest = HEADER_LENGTH - reader->reply_taken;
        moved = rest < room ? rest : room;
        memcpy(data, reply->header + reader->reply_taken, moved);
        reader->reply_taken += (uint32_t)moved;
    }
    if (reader->reply_taken >= HEADER_LENGTH && moved < room && reply->length != 0) {
        size_t from = reader->reply_taken - HEADER_LENGTH;
        size_t rest = reply->length - from < room - moved ? reply->length - from : room - moved;
        memcpy(data + moved, reply->data + from, rest);
        moved += rest;
        reader->reply_taken += (uint32_t)rest;
    }
    if (reader->reply_taken == HEADER_LENGTH + reply->length) {
        reply_read(reader, reply);
    }
    *length = moved;
    reader->statistics.bytes_in += moved;
    return EMU_OK;
}

// RDR_to_PC_NotifySlotChange and RDR_to_PC_HardwareError, CCID 1.1 6.3.
static enum emu_status interrupt_in(struct emu_reader *reader, uint8_t *data, size_t *length)
{
    static const uint8_t overcurrent[4] = {0x51, 0, 0, 0x01};
    uint8_t message[1 + EMU_SLOTS_MAX / 4] = {0x50};
    size_t size = 1 + (reader->slot_count + 3) / 4;
    bool changed = false;
    enum emu_fault_kind fault = EMU_FAULT_NONE;
    for (unsigned i = 0; i < reader->slot_count; i++) {
        struct slot *slot = &reader->slots[i];
        unsigned bits = (slot->card.type != NULL ? 1u : 0u) | (slot->changed ? 2u : 0u);
        message[1 + i / 4] |= (uint8_t)(bits << 2 * (i % 4));
        changed |= slot->changed && reader->flaws[EMU_FLAW_PRESENT] == 0;
    }
    const uint8_t *from = message;
    if (reader->hardware_error_pending) {
        from = reader->hardware_error;
        size = sizeof reader->hardware_error;
        reader->hardware_error_pending = false;
    } else if (!changed) {
        *length = 0;
        return EMU_NAK;
    } else {
        fault = emu_fault_notify(reader);
        for (unsigned i = 0; i < reader->slot_count; i++) {
            reader->slots[i].changed &= fault == EMU_FAULT_REPEAT;
        }
    }
    if (fault == EMU_FAULT_LOSE) {
        *length = 0;
        return EMU_NAK;
    }
    if (fault == EMU_FAULT_OVERCURRENT) {
        from = overcurrent;
        size = sizeof overcurrent;
    }
    *length = *length < size ? *length : size;
    memcpy(data, from, *length);
    reader->statistics.notifications++;
    return EMU_OK;
}

enum emu_status emu_in(struct emu_reader *reader, uint64_t now_us, uint8_t endpoint, uint8_t *data,
                       size_t *length)
{
    emu_pump(reader, now_us);
    bool bulk = endpoint == EMU_EP_IN && reader->model.endpoints >= 2;
    bool interrupt = endpoint == EMU_EP_INTERRUPT && (reader->model.endpoints & 1) != 0;
    if (!reader->configured || (!bulk && !interrupt)) {
        *length = 0;
        return EMU_GONE;
    }
    if (bulk ? reader->halted_in : reader->halted_interrupt) {
        *length = 0;
        return EMU_STALL;
    }
    if (!bulk && reader->fault_holds) {
        *length = 0;
        return EMU_NAK;
    }
    if (!bulk) {
        return interrupt_in(reader, data, length);
    }
    enum emu_status status = EMU_OK;
    if (reader->reply_taken == 0 && emu_flawed_reply(reader, now_us, length, &status)) {
        return status;
    }
    if (reader->reply_taken == 0 && emu_fault_in(reader, now_us, data, length, &status)) {
        return status;
    }
    bool first = reader->reply_taken == 0;
    status = bulk_in(reader, data, length);
    if (first && status == EMU_OK) {
        emu_fault_reply(reader, data, length);
    }
    return status;
}

enum emu_status emu_out(struct emu_reader *reader, uint64_t now_us, uint8_t endpoint, const uint8_t *data,
                        size_t length)
{
    emu_pump(reader, now_us);
    if (!reader->configured || endpoint != EMU_EP_OUT || reader->model.endpoints < 2) {
        return EMU_GONE;
    }
    if (reader->halted_out) {
        return EMU_STALL;
    }
    if (!emu_reply_room(reader)) {
        return EMU_NAK;
    }
    enum emu_status status = EMU_OK;
    if (reader->gathered == 0 && emu_fault_out(reader, data, length, &status)) {
        return status;
    }
    reader->statistics.bytes_out += length;
    return emu_bulk_out(reader, now_us, data, length);
}

unsigned emu_slots(const struct emu_reader *reader)
{
    return reader->slot_count;
}

const char *emu_card_name(size_t index)
{
    const struct card_type *type = card_type_at(index);
    return type == NULL ? NULL : type->name;
}

const char *emu_card_description(size_t index)
{
    const struct card_type *type = card_type_at(index);
    return type == NULL ? NULL : type->description;
}

int emu_insert(struct emu_reader *reader, uint64_t now_us, unsigned slot, const char *card)
{
    emu_pump(reader, now_us);
    const struct card_type *type = card_type_named(card);
    if (slot >= reader->slot_count) {
        return -1;
    }
    if (type == NULL) {
        return -2;
    }
    if (reader->slots[slot].card.type != NULL) {
        return -3;
    }
    card_insert(&reader->slots[slot].card, type);
    reader->slots[slot].changed = reader->moved = true;
    if (reader->configured && !reader->suspended) {
        emu_slot_auto_activate(&reader->slots[slot], now_us);
    }
    return 0;
}

int emu_remove(struct emu_reader *reader, uint64_t now_us, unsigned number)
{
    emu_pump(reader, now_us);
    if (number >= reader->slot_count) {
        return -1;
    }
    struct slot *slot = &reader->slots[number];
    if (slot->card.type == NULL) {
        return -3;
    }
    reader->statistics.card_commands += slot->card.commands;
    slot->card.commands = 0;
    emu_slot_power_off(slot);
    slot->card.type = NULL;
    slot->changed = reader->moved = true;
    if (slot->command != 0 && !slot->answered) {
        emu_fail(slot, ERR_MUTE);
    }
    return 0;
}

void emu_reader_statistics(const struct emu_reader *reader, struct emu_statistics *statistics)
{
    *statistics = reader->statistics;
    for (unsigned i = 0; i < reader->slot_count; i++) {
        statistics->card_commands += reader->slots[i].card.commands;
    }
}
