// SPDX-License-Identifier: MIT
// The life of a reader, told so that any step may fail: what cannot be done is left out.
#pragma once
#include "nthost/user/nthost.h"

struct life {
    uint64_t seed;
    unsigned rounds;
    bool sleeps;    // and is stopped and removed in between
    nt_status last; // of the last round's commands; 0: all of them succeeded
};

bool life_run(void *life); // nt_run: false when the last round fails although no fault was injected in it
