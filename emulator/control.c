// SPDX-License-Identifier: MIT
// The control endpoint: standard requests of USB 2.0 9.4 and class requests of CCID 1.1 5.3.
#include "emulator/reader.h"

#include <string.h>

enum {
    IN = 0x80,
    CLASS = 0x20,
    DEVICE = 0x00,
    INTERFACE = 0x01,
    ENDPOINT = 0x02,
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    SET_ADDRESS = 5,
    GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11,
    FEATURE_HALT = 0,
    FEATURE_REMOTE_WAKEUP = 1,
    CCID_ABORT = 1,
    CCID_CLOCKS = 2,
    CCID_RATES = 3,
};

static enum emu_status give(const struct emu_setup *setup, const uint8_t *from, size_t length, uint8_t *data,
                            size_t *room)
{
    size_t moved = length < setup->length ? length : setup->length;
    moved = moved < *room ? moved : *room;
    memcpy(data, from, moved);
    *room = moved;
    return EMU_OK;
}

static bool *halt_of(struct emu_reader *reader, uint16_t endpoint)
{
    switch (endpoint) {
    case EMU_EP_OUT:
        return reader->model.endpoints >= 2 ? &reader->halted_out : NULL;
    case EMU_EP_IN:
        return reader->model.endpoints >= 2 ? &reader->halted_in : NULL;
    case EMU_EP_INTERRUPT:
        return (reader->model.endpoints & 1) != 0 ? &reader->halted_interrupt : NULL;
    default:
        return NULL;
    }
}

static bool own_interface(const struct emu_reader *reader, const struct emu_setup *setup)
{
    return reader->configured && setup->index == reader->model.interface_number;
}

static enum emu_status get_status(struct emu_reader *reader, const struct emu_setup *setup, uint8_t *data,
                                  size_t *room)
{
    uint8_t status[2] = {0, 0};
    switch (setup->request_type & 0x1F) {
    case DEVICE:
        status[0] = reader->wake_enabled ? 2 : 0;
        break;
    case INTERFACE:
        if (!own_interface(reader, setup)) {
            return EMU_STALL;
        }
        break;
    default: {
        const bool *halted = halt_of(reader, setup->index);
        if (setup->index != 0 && (halted == NULL || !reader->configured)) {
            return EMU_STALL;
        }
        status[0] = halted != NULL && *halted;
    }
    }
    return give(setup, status, sizeof status, data, room);
}

static enum emu_status feature(struct emu_reader *reader, const struct emu_setup *setup, bool value)
{
    if ((setup->request_type & 0x1F) == DEVICE && setup->value == FEATURE_REMOTE_WAKEUP) {
        if ((reader->features & FEATURE_WAKE_UP) == 0) {
            return EMU_STALL;
        }
        reader->wake_enabled = value;
        return EMU_OK;
    }
    bool *halted = halt_of(reader, setup->index);
    if ((setup->request_type & 0x1F) != ENDPOINT || setup->value != FEATURE_HALT || halted == NULL) {
        return EMU_STALL;
    }
    *halted = value;
    if (setup->index == EMU_EP_OUT && !value) {
        reader->gathered = 0;
    }
    return EMU_OK;
}

static enum emu_status standard(struct emu_reader *reader, uint64_t now, const struct emu_setup *setup,
                                uint8_t *data, size_t *room)
{
    uint8_t descriptor[512];
    switch (setup->request) {
    case GET_STATUS:
        return get_status(reader, setup, data, room);
    case CLEAR_FEATURE:
    case SET_FEATURE:
        return feature(reader, setup, setup->request == SET_FEATURE);
    case GET_DESCRIPTOR: {
        size_t length = emu_descriptor(reader, setup->value, descriptor);
        return length == 0 ? EMU_STALL : give(setup, descriptor, length, data, room);
    }
    case GET_CONFIGURATION:
        descriptor[0] = reader->configured ? 1 : 0;
        return give(setup, descriptor, 1, data, room);
    case SET_CONFIGURATION:
        if (setup->value > 1) {
            return EMU_STALL;
        }
        emu_configure(reader, now, setup->value == 1);
        return EMU_OK;
    case GET_INTERFACE:
        descriptor[0] = 0;
        return own_interface(reader, setup) ? give(setup, descriptor, 1, data, room) : EMU_STALL;
    case SET_INTERFACE:
        if (!own_interface(reader, setup) || setup->value != 0) {
            return EMU_STALL;
        }
        reader->halted_out = reader->halted_in = reader->halted_interrupt = false;
        return EMU_OK;
    case SET_ADDRESS:
        return EMU_OK;
    default:
        return EMU_STALL;
    }
}

static enum emu_status table(const struct emu_setup *setup, const uint32_t *values, size_t count,
                             uint8_t *data, size_t *room)
{
    uint8_t bytes[4 * EMU_RATES_MAX];
    if (count == 0 || count > EMU_RATES_MAX) {
        return EMU_STALL;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < 4; k++) {
            bytes[4 * i + k] = (uint8_t)(values[i] >> 8 * k);
        }
    }
    return give(setup, bytes, 4 * count, data, room);
}

static enum emu_status class_request(struct emu_reader *reader, uint64_t now, const struct emu_setup *setup,
                                     uint8_t *data, size_t *room)
{
    const struct emu_model *model = &reader->model;
    bool in = (setup->request_type & IN) != 0;
    if (reader->fault_holds) {
        return EMU_NAK;
    }
    if ((setup->request_type & 0x1F) != INTERFACE || !own_interface(reader, setup)) {
        return EMU_STALL;
    }
    if (!in && setup->request == CCID_ABORT && (setup->value & 0xFF) < reader->slot_count) {
        emu_abort_control(&reader->slots[setup->value & 0xFF], (uint8_t)(setup->value >> 8));
        return EMU_OK;
    }
    if (in && setup->request == CCID_CLOCKS) {
        return table(setup, model->clocks_khz, model->clock_count, data, room);
    }
    if (in && setup->request == CCID_RATES) {
        return table(setup, model->rates_bps, model->rate_count, data, room);
    }
    return reader->transport == TRANSPORT_BULK ? EMU_STALL : emu_iccd_request(reader, now, setup, data, room);
}

enum emu_status emu_control(struct emu_reader *reader, uint64_t now_us, const struct emu_setup *setup,
                            uint8_t *data, size_t *length)
{
    enum emu_status status;
    emu_pump(reader, now_us);
    reader->statistics.controls++;
    size_t room = *length < setup->length ? *length : setup->length;
    if ((setup->request_type & 0x60) == CLASS) {
        status = class_request(reader, now_us, setup, data, &room);
    } else if ((setup->request_type & 0x60) == 0) {
        status = standard(reader, now_us, setup, data, &room);
    } else {
        status = EMU_STALL;
    }
    *length = status == EMU_OK && (setup->request_type & IN) != 0 ? room : 0;
    return status;
}
