// SPDX-License-Identifier: MIT
// The client's requests, each of which may run into the event.
#include "tests/reader/boundary_session.h"

#include <string.h>

#include "rig/scard.h"
#include "rig/status.h"

enum { SILENCE_US = 900000, HANG_US = 120000000, REPLY_MAX = 600 }; // silence: beyond what polling takes

enum { LEGAL_MAX = 4 };

// What comes after the event tells of the card's and the reader's new state. IO_TIMEOUT: a token says that a
// card interrupted amid a command is mute (with the library of the other choices).
static const nt_status legal[BOUNDARY_EVENTS][LEGAL_MAX] = {
    [BOUNDARY_EJECT] = {RIG_STATUS_NO_MEDIA, RIG_STATUS_INVALID_DEVICE_STATE},
    [BOUNDARY_CANCEL] = {RIG_STATUS_CANCELLED, RIG_STATUS_INVALID_DEVICE_STATE},
    [BOUNDARY_CLOSE] = {RIG_STATUS_CANCELLED, RIG_STATUS_INVALID_DEVICE_STATE},
    [BOUNDARY_SLEEP_S1] = {RIG_STATUS_CANCELLED, RIG_STATUS_INVALID_DEVICE_STATE, RIG_STATUS_IO_TIMEOUT},
    [BOUNDARY_SLEEP_S3] = {RIG_STATUS_CANCELLED, RIG_STATUS_INVALID_DEVICE_STATE, RIG_STATUS_IO_TIMEOUT},
    [BOUNDARY_SLEEP_S4] = {RIG_STATUS_CANCELLED, RIG_STATUS_INVALID_DEVICE_STATE, RIG_STATUS_IO_TIMEOUT},
    [BOUNDARY_STOP] = {RIG_STATUS_CANCELLED, RIG_STATUS_INVALID_DEVICE_STATE, RIG_STATUS_IO_TIMEOUT},
    [BOUNDARY_REMOVE] = {RIG_STATUS_SUCCESS},
    // before SURPRISE_REMOVAL comes only the transfers know
    [BOUNDARY_UNPLUG] = {RIG_STATUS_INVALID_DEVICE_STATE, RIG_STATUS_DEVICE_NOT_CONNECTED,
                         RIG_STATUS_DELETE_PENDING, RIG_STATUS_DEVICE_REMOVED},
};

static bool is_legal(nt_status status)
{
    bool found = rig_status_ok(status);
    for (size_t i = 0; i < LEGAL_MAX && boundary_session.struck; i++) {
        found |= legal[boundary_session.event][i] == status;
    }
    return found;
}

static bool comes_back(void)
{
    return boundary_session.run->event >= BOUNDARY_SLEEP_S1 && boundary_session.run->event <= BOUNDARY_REMOVE;
}

// What ran into the event must end with it, unless the reader comes back by itself; a silent reader speaks
// again afterwards.
static nt_status finish(nt_request *request, bool must_end, size_t *returned)
{
    bool before = !boundary_session.struck;
    bool waits = boundary_session.run->held && before && boundary_session.run->event != BOUNDARY_EVENTS;
    if (waits && !nt_request_wait(request, SILENCE_US)) {
        boundary_strike(NULL);
        if (must_end && !comes_back()) {
            (void)nt_request_wait(request, 2 * (int64_t)BOUNDARY_LIMIT_US);
            boundary_took(boundary_session.struck_at, "the request");
        }
        boundary_fault(EMU_FAULT_NONE, 0);
    }
    if (!nt_request_wait(request, HANG_US)) {
        boundary_wrong("a request hangs");
        nt_request_cancel(request);
    } else if (before && boundary_session.struck && must_end && !comes_back() &&
               !boundary_session.run->held) {
        boundary_took(boundary_session.struck_at, "the request");
    }
    boundary_session.current = NULL;
    nt_status status = nt_request_end(request, returned);
    if (!is_legal(status)) {
        boundary_wrong("status %08X", status);
    }
    return status;
}

static nt_status ask(uint32_t code, const void *in, size_t in_length, void *out, size_t room,
                     size_t *returned)
{
    if (boundary_session.file == NULL || boundary_session.run->wrong[0] != '\0') {
        return RIG_STATUS_CANCELLED;
    }
    boundary_session.current = nt_device_control_start(boundary_session.file, code, in, in_length, out, room);
    return finish(boundary_session.current, true, returned);
}

bool boundary_power(enum rig_power action)
{
    uint32_t minor = action;
    uint8_t atr[RIG_ATR_MAX];
    size_t length = 0;
    return rig_status_ok(
        ask(RIG_IOCTL_POWER, &minor, sizeof minor, atr, action == RIG_POWER_DOWN ? 0 : sizeof atr, &length));
}

bool boundary_protocol(void)
{
    uint32_t mask = RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1, selected = 0;
    size_t length;
    bool chosen =
        rig_status_ok(ask(RIG_IOCTL_SET_PROTOCOL, &mask, sizeof mask, &selected, sizeof selected, &length));
    boundary_session.protocol = chosen ? selected : boundary_session.protocol;
    return chosen;
}

static bool transmit(const uint8_t *command, size_t length)
{
    uint32_t buffer[REPLY_MAX / 4] = {boundary_session.protocol, 8};
    size_t returned;
    memcpy(&buffer[2], command, length);
    return rig_status_ok(ask(RIG_IOCTL_TRANSMIT, buffer, 8 + length, buffer, sizeof buffer, &returned));
}

void boundary_track(uint32_t code)
{
    if (boundary_session.file != NULL && boundary_session.tracking == NULL) {
        boundary_session.tracking = nt_device_control_begin(boundary_session.file, code, NULL, 0, NULL, 0);
    }
}

void boundary_end_tracking(void)
{
    nt_request *request = boundary_session.tracking;
    boundary_session.tracking = NULL;
    if (request != NULL) {
        (void)finish(request,
                     boundary_session.run->event == BOUNDARY_CLOSE ||
                         boundary_session.run->event == BOUNDARY_UNPLUG,
                     NULL);
    }
}

void boundary_work(void)
{
    static const uint8_t neither[] = {0x80, 0xE0, 0x00, 0x00, 0x00};
    static const uint8_t out[] = {0x80, 0xE0, 0x40, 0x00, 0x10};
    static const uint8_t in[] = {0x80, 0xE0, 0x80, 0x00, 0x03, 1, 2, 3};
    static const uint8_t both[] = {0x80, 0xE0, 0xC0, 0x00, 0x03, 1, 2, 3, 0x00};
    static const uint8_t get[] = {0x00, 0xC0, 0x00, 0x00, 0x03};
    static const uint8_t short_in[5 + 255] = {0x80, 0xE0, 0x80, 0x00, 255};
    static const uint8_t long_in[7 + 300] = {0x80, 0xE0, 0x80, 0x00, 0x00, 300 >> 8, 300 & 0xFF};
    bool extended =
        boundary_session.protocol == RIG_PROTOCOL_T1 && (boundary_session.run->kind->features & 0x20000) == 0;
    bool t0 = boundary_session.protocol == RIG_PROTOCOL_T0;
    boundary_session.step = "commands";
    (void)transmit(neither, sizeof neither - !t0);
    (void)transmit(out, sizeof out);
    (void)transmit(in, sizeof in);
    (void)transmit(both, sizeof both - t0);
    if (t0) {
        (void)transmit(get, sizeof get);
    }
    boundary_session.step = "a long command";
    (void)transmit(extended ? long_in : short_in, extended ? sizeof long_in : sizeof short_in);
}
