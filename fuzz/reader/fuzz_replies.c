// SPDX-License-Identifier: MIT
// Sessions with a reader whose every bulk message is what the input makes of it.
#include "fuzz/reader/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { REQUESTS_MAX = 8 };
    uint8_t requests[REQUESTS_MAX];
    struct hostile_input input = {data, size};
    session_boot();
    struct session *session = session_reader(hostile_take(&input));
    size_t count = hostile_take_bytes(&input, requests, sizeof requests);
    hostile.replies = input;
    for (size_t i = 0; i < count; i++) {
        session_request(session, requests[i]);
    }
    session_recover(session);
    return 0;
}
