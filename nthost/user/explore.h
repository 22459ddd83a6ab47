// SPDX-License-Identifier: MIT
// Every order in which a run's threads may come. On the virtual clock a run is its schedule: the thread that
// runs goes on until it waits, then the one that waits longest for its turn runs. A departure is a point
// where it goes otherwise; a preemption is one where the thread could have gone on. Part of nthost.h.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nthost/user/faults.h"

// At a point there are options: 0 is no departure. Where a thread could go on, 1 to n let the n others that
// are ready go first, and n + 1 lets time pass to the next timer; where it waits, another than the first goes
// on; where a DPC is queued, 1 is another processor.
struct nt_departure {
    uint32_t point, option; // points are counted from 0
};

enum { NT_DEPARTURES_MAX = 64, NT_SCHEDULE_TEXT_MAX = NT_DEPARTURES_MAX * 22 + 2 };

struct nt_schedule {
    unsigned count;
    struct nt_departure departures[NT_DEPARTURES_MAX]; // by point
};

// "17.1,240.2"; "none" is the run without departures. 0 or -EINVAL.
int nt_schedule_parse(const char *text, struct nt_schedule *schedule);
void nt_schedule_print(const struct nt_schedule *schedule, char text[NT_SCHEDULE_TEXT_MAX]);
// The kernels booted from now on, with the virtual clock and seed 0, keep to it; NULL: to none, which is
// faster than an empty one.
void nt_schedule_use(const struct nt_schedule *schedule);
// Whether the last run came to each departure of its schedule: else the schedule is of another run.
bool nt_schedule_kept(void);

// What a run under a schedule met; for who explores.
struct nt_trace_point {
    uint64_t state; // equal: what happened so far differs only in the order of what commutes
    uint32_t options;
    bool free; // no choice preempts a thread
};
struct nt_trace {
    uint64_t points, switches; // all, also those for which there is no room
    uint64_t room;
    struct nt_trace_point at[];
};
void nt_schedule_trace(struct nt_trace *trace); // NULL: not wanted

typedef void nt_schedule_visitor(void *context, const struct nt_schedule *schedule, enum nt_end end,
                                 const char *report);

enum { NT_BOUND_MAX = 8 };

struct nt_exploration {
    nt_run *run;
    unsigned bound;              // preemptions, at most
    uint64_t limit;              // of schedules, 0: none
    nt_schedule_visitor *failed; // the shortest schedule that fails, once; may be NULL
    void (*progress)(void *context, uint64_t schedules); // may be NULL
    void *context;
};

struct nt_exploration_result {
    uint64_t schedules[NT_BOUND_MAX + 1]; // run, by preemptions
    uint64_t pruned;                      // points not departed from, being reached in an equivalent order
    uint64_t points, failures;            // points: of the run without departures
    bool finished;                        // up to the bound, or to the preemptions of the first failure
};

// In child processes; the kernel must not be booted, and no other thread run. Fewest preemptions first, of
// these the fewest departures: it ends with those of the first failure. 0 or negative errno.
int nt_explore(const struct nt_exploration *exploration, struct nt_exploration_result *result);
