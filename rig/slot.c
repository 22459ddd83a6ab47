// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE // explicit_bzero
#include "rig/scard.h"

#include <stdlib.h>
#include <string.h>

#include "rig/status.h"

// SCARD_IO_REQUEST
struct io_request {
    uint32_t protocol, pci_length;
};

nt_status rig_slot_state(nt_file *file, enum rig_state *state)
{
    uint32_t value = RIG_STATE_UNKNOWN;
    size_t returned = 0;
    nt_status status = nt_device_control(file, RIG_IOCTL_GET_STATE, NULL, 0, &value, sizeof value, &returned);
    *state = rig_status_ok(status) && value <= RIG_STATE_SPECIFIC ? (enum rig_state)value : RIG_STATE_UNKNOWN;
    return status;
}

nt_status rig_slot_power(nt_file *file, enum rig_power action, uint8_t atr[RIG_ATR_MAX], size_t *length)
{
    uint32_t minor = action;
    *length = 0;
    size_t returned = 0;
    size_t room = action == RIG_POWER_DOWN ? 0 : RIG_ATR_MAX;
    nt_status status = nt_device_control(file, RIG_IOCTL_POWER, &minor, sizeof minor, atr, room, &returned);
    if (rig_status_ok(status) && returned <= room) {
        *length = returned;
    }
    return status;
}

nt_status rig_slot_set_protocol(nt_file *file, uint32_t mask, uint32_t *selected)
{
    size_t returned = 0;
    *selected = 0;
    return nt_device_control(file, RIG_IOCTL_SET_PROTOCOL, &mask, sizeof mask, selected, sizeof *selected,
                             &returned);
}

static nt_status take_reply(const uint8_t *buffer, size_t returned, uint8_t *reply, size_t room,
                            size_t *length)
{
    if (returned < sizeof(struct io_request)) {
        return RIG_STATUS_UNSUCCESSFUL;
    }
    size_t bytes = returned - sizeof(struct io_request);
    if (bytes > room) {
        return RIG_STATUS_BUFFER_TOO_SMALL;
    }
    memcpy(reply, buffer + sizeof(struct io_request), bytes);
    *length = bytes;
    return RIG_STATUS_SUCCESS;
}

nt_status rig_slot_transmit(nt_file *file, uint32_t protocol, const uint8_t *command, size_t length,
                            uint8_t *reply, size_t *reply_length)
{
    const struct io_request header = {protocol, sizeof header};
    size_t room = *reply_length;
    size_t larger = length > room ? length : room;
    uint8_t *buffer = malloc(sizeof header + larger);
    *reply_length = 0;
    if (buffer == NULL) {
        return RIG_STATUS_INSUFFICIENT_RESOURCES;
    }
    memcpy(buffer, &header, sizeof header);
    memcpy(buffer + sizeof header, command, length);
    size_t returned = 0;
    nt_status status = nt_device_control(file, RIG_IOCTL_TRANSMIT, buffer, sizeof header + length, buffer,
                                         sizeof header + room, &returned);
    if (rig_status_ok(status)) {
        status = take_reply(buffer, returned, reply, room, reply_length);
    }
    size_t sent = sizeof header + length;                      // the rest of the room has not been written to
    explicit_bzero(buffer, returned > sent ? returned : sent); // may hold a PIN
    free(buffer);
    return status;
}

nt_status rig_slot_attribute(nt_file *file, uint32_t tag, void *value, size_t *length)
{
    size_t room = *length;
    *length = 0;
    size_t returned = 0;
    nt_status status =
        nt_device_control(file, RIG_IOCTL_GET_ATTRIBUTE, &tag, sizeof tag, value, room, &returned);
    if (rig_status_ok(status) && returned <= room) {
        *length = returned;
    }
    return status;
}

nt_status rig_slot_set_attribute(nt_file *file, uint32_t tag, const void *value, size_t length)
{
    uint8_t request[sizeof tag + RIG_ATTRIBUTE_MAX];
    if (length > RIG_ATTRIBUTE_MAX) {
        return RIG_STATUS_INVALID_PARAMETER;
    }
    memcpy(request, &tag, sizeof tag);
    memcpy(request + sizeof tag, value, length);
    size_t returned;
    return nt_device_control(file, RIG_IOCTL_SET_ATTRIBUTE, request, sizeof tag + length, NULL, 0, &returned);
}
