// SPDX-License-Identifier: MIT
// Between the sources of the sweep: the session that runs.
#pragma once
#include "rig/scard.h"
#include "tests/reader/boundary.h"

enum { BOUNDARY_LIMIT_US = 1000 };

extern struct boundary_session {
    struct boundary_run *run;
    enum boundary_event event; // the run's, also when it is over
    nt_file *file;
    nt_request *current, *tracking;
    uint32_t protocol;
    bool struck, over; // the event has begun, and what follows from it is done
    bool closed;       // by the event
    uint64_t struck_at;
    const char *step;
} boundary_session;

// The first is the reason.
void boundary_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
void boundary_took(uint64_t since, const char *what); // at most the limit
void boundary_fault(enum emu_fault_kind kind, uint32_t skip);
void boundary_strike(void *context); // the event happens

bool boundary_power(enum rig_power action);
bool boundary_protocol(void);
void boundary_work(void); // commands of each case, and one that is chained
void boundary_track(uint32_t code);
void boundary_end_tracking(void);
