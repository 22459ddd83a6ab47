// SPDX-License-Identifier: MIT
// A scenario in every order and with every fault: --explore, --faults, --schedule.
#pragma once
#include "tools/command.h"

struct rig_scenario;

struct prove_choices {
    const struct command *command;
    const char *driver; // NULL: native
    uint64_t seed, limit, bound;
    const char *faults;
    bool explores;
    struct nt_fault_plan plans[3];
    size_t plan_count;
    bool once; // of the only plan: no sweep
};

// EXIT_DONE, or after a complaint. With --schedule the kernels of this process keep to it from now on.
int prove_parse(const struct command *command, const struct options *options, struct prove_choices *choices);
// Prints one line for each of what was asked for, or adds it to the list; reports go to stderr.
int prove_script(const struct prove_choices *choices, const char *file, const struct rig_scenario *scenario,
                 cJSON *list, size_t *failed);
