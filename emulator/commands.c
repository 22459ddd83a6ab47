// SPDX-License-Identifier: MIT
// The messages that need no card to answer.
#include "emulator/reader.h"

#include <string.h>

enum { CLOCK_RESTART = 0, CLOCK_STOP = 1, MECHANICAL_EJECT = 2 };

// CCID 1.1 6.2.2: 0 running, 1 stopped low, 2 stopped high.
static uint8_t clock_status(const struct slot *slot)
{
    if (!slot->clock_stopped) {
        return 0;
    }
    return slot->parameters.clock_stop == 2 ? 2 : 1;
}

void emu_get_slot_status(struct slot *slot, uint64_t now, const struct request *request)
{
    (void)now;
    (void)request;
    emu_answer(slot, clock_status(slot), NULL, 0);
}

void emu_clock(struct slot *slot, uint64_t now, const struct request *request)
{
    (void)now;
    if ((slot->reader->features & FEATURE_CLOCK_STOP) == 0) {
        emu_fail(slot, ERR_NOT_SUPPORTED);
    } else if (!slot->active) {
        emu_fail(slot, ERR_MUTE);
    } else if (request->header[7] > CLOCK_STOP) {
        emu_fail(slot, ERR_BYTE7);
    } else {
        slot->clock_stopped = request->header[7] == CLOCK_STOP;
        emu_answer(slot, clock_status(slot), NULL, 0);
    }
}

void emu_t0_apdu(struct slot *slot, uint64_t now, const struct request *request)
{
    (void)now;
    const uint8_t *changes = request->header + 7;
    if (slot->reader->level < LEVEL_SHORT || (slot->reader->model.ccid[6] & 1) == 0) {
        emu_fail(slot, ERR_NOT_SUPPORTED);
        return;
    }
    if (changes[0] > 3) {
        emu_fail(slot, ERR_BYTE7);
        return;
    }
    if ((changes[0] & 1) != 0) {
        slot->class_get_response = changes[1];
    }
    if ((changes[0] & 2) != 0) {
        slot->class_envelope = changes[2];
    }
    emu_answer(slot, clock_status(slot), NULL, 0);
}

// Vendor specific by definition; this vendor's readers send everything back.
void emu_escape(struct slot *slot, uint64_t now, const struct request *request)
{
    (void)now;
    memcpy(slot->response_data, request->data, request->length);
    emu_answer(slot, 0, slot->response_data, request->length);
}

// dwMechanical: 1 accept, 2 eject, 4 capture, 8 lock and unlock; bFunction counts from 1.
void emu_mechanical(struct slot *slot, uint64_t now, const struct request *request)
{
    static const uint8_t needed[6] = {0, 1, 2, 4, 8, 8};
    uint32_t mechanical = emu_dword(slot->reader->model.ccid + 36);
    uint8_t function = request->header[7];
    if (mechanical == 0) {
        emu_fail(slot, ERR_NOT_SUPPORTED);
        return;
    }
    if (function == 0 || function > 5 || (mechanical & needed[function]) == 0) {
        emu_fail(slot, ERR_BYTE7);
        return;
    }
    emu_answer(slot, clock_status(slot), NULL, 0);
    if (function == MECHANICAL_EJECT) {
        (void)emu_remove(slot->reader, now, slot->number); // an empty slot has nothing to eject
    }
}
