// SPDX-License-Identifier: MIT
// Interrupt messages of any bytes and fates, before, between and during what clients ask.
#include "fuzz/reader/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 64, STEPS_MAX = 24 };

static void interrupt(struct session *session, struct hostile_input *input, uint8_t choice, bool now)
{
    static const enum emu_status fates[] = {EMU_OK, EMU_OK, EMU_STALL, EMU_GONE};
    static uint8_t message[MESSAGE_MAX];
    hostile.interrupt_length = hostile_take_bytes(input, message, sizeof message);
    hostile.interrupt_status = fates[choice % (sizeof fates / sizeof fates[0])];
    hostile.interrupt = message;
    if (now) {
        session_nudge(session);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hostile_input input = {data, size};
    session_boot();
    struct session *session = session_reader(hostile_take(&input));
    for (unsigned i = 0; i < STEPS_MAX && input.left != 0; i++) {
        uint8_t choice = hostile_take(&input);
        if (choice < 0x80) {
            session_request(session, choice);
        } else {
            interrupt(session, &input, choice / 2, choice % 2 == 0);
        }
    }
    session_recover(session);
    return 0;
}
