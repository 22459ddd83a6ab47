// SPDX-License-Identifier: MIT
// A reader with any descriptors is plugged, used if its driver starts, and unplugged.
#include "fuzz/reader/session.h"
#include "rig/models.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t requests[] = {0, 4, 8, 10, 11, 13, 12, 3};
    static const char *const cards[] = {"", "t0", "t1", "t1"};
    struct emu_model model = *rig_default_model();
    struct hostile_input input = {data, size};
    struct session session;
    session_boot();
    uint8_t shape = hostile_take(&input);
    model.endpoints = shape & 3;
    model.interface_protocol = shape >> 2 & 3;
    model.interface_number = shape >> 4 & 1;
    hostile.descriptor_flags = hostile_take(&input);
    hostile.descriptors = input;
    for (size_t i = 0; i < EMU_CCID_DESCRIPTOR && 18 + i < input.left; i++) {
        model.ccid[i] = input.data[18 + i]; // where a plain reader has its own: the emulator acts by it
    }
    model.ccid[4] %= EMU_SLOTS_MAX;
    if (session_plug(&session, &model, cards[shape >> 5 & 3])) {
        for (size_t i = 0; i < sizeof requests; i++) {
            session_request(&session, requests[i]);
        }
    }
    session_unplug(&session);
    hostile = (struct hostile){0};
    return 0;
}
