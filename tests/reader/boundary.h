// SPDX-License-Identifier: MIT
// A whole session with one reader that something breaks into: what the client does, what happens to the
// reader, and what must come of it.
#pragma once
#include "emulator/emulator.h"
#include "nthost/user/nthost.h"

struct boundary_kind {
    const char *name;
    uint32_t features, message;
    uint8_t endpoints, protocol, last_slot; // of the descriptors
    const char *card;
};

enum boundary_event {
    BOUNDARY_EJECT,
    BOUNDARY_CANCEL,
    BOUNDARY_CLOSE,
    BOUNDARY_SLEEP_S1,
    BOUNDARY_SLEEP_S3,
    BOUNDARY_SLEEP_S4,
    BOUNDARY_STOP,
    BOUNDARY_REMOVE, // which is refused
    BOUNDARY_UNPLUG,
    BOUNDARY_EVENTS
};
extern const char *const boundary_events[BOUNDARY_EVENTS];

struct boundary_run {
    const struct boundary_kind *kind;
    enum boundary_event event;
    bool held;                  // the reader falls silent at the boundary; else the event meets the transfer
    uint64_t seed;              // of the schedule
    uint64_t boundary;          // counted from 1; 0: only count
    uint64_t boundaries;        // out: how many there are
    uint64_t longest_us, calls; // out: from the event to its own end and that of what it met
    char wrong[256];            // out: empty, or what is
};
// Boots, runs, shuts down.
void boundary_run(struct boundary_run *run);
