// SPDX-License-Identifier: MIT
// Scenarios: what happens to readers and what clients ask of them, one statement a line (docs/scenarios.md),
// run on the virtual clock with the verifier on.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rig_scenario;

// `file` is only a name for messages; `models` as in rig/models.h. NULL: `error` says which line is wrong and
// what would be right.
struct rig_scenario *rig_scenario_parse(const char *file, const char *text, size_t length, const char *models,
                                        char *error, size_t error_size);
void rig_scenario_free(struct rig_scenario *scenario);

struct rig_scenario_options {
    uint64_t seed; // of the scheduler, as nt_options has it
    size_t
        unplug_at; // every reader is pulled out before this statement, counted from 1 as they run; 0: never
    bool tolerant; // as if the scenario began with `tolerate`: only broken rules and hangs are failures
    void (*trace)(void *context, const char *line);      // each statement and how it ended; NULL: not wanted
    void (*bugcheck)(void *context, const char *report); // a broken rule: called before the process aborts
    void *context;
};

struct rig_scenario_outcome {
    bool passed;
    size_t statements; // that ran
    uint64_t virtual_us;
    unsigned line; // of the failure
    char reason[1024];
};

// Boots the kernel, runs, shuts down: one at a time per process.
void rig_scenario_run(const struct rig_scenario *scenario, const struct rig_scenario_options *options,
                      struct rig_scenario_outcome *outcome);
// The statement that runs, for who has to report that the process ends within it; 0: none.
unsigned rig_scenario_line(void);
