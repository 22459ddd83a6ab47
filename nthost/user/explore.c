// SPDX-License-Identifier: MIT
// One schedule after the other, with one departure more each round. A run records where it could be departed
// from; its departures beyond the last one are the schedules of the next round, except where the same has
// been reached in an equivalent order before.
#include "nthost/os/child.h"
#include "nthost/user/nthost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_SIZE = 0x10000, POINTS_MAX = 1 << 18, FIRST_ROOM = 1 << 12, FAILURES_MAX = 50 };

struct shared { // with the child that runs
    struct nt_schedule schedule;
    struct nt_trace trace; // last: it grows
};

struct seen {
    uint64_t state; // 0: free
    unsigned left;  // departures
};

struct explorer {
    const struct nt_exploration *what;
    struct nt_exploration_result *result;
    struct shared *shared;
    struct os_worker worker;
    unsigned bound; // of this round
    uint64_t total;
    int error;
    bool stopped; // by a limit
    char *report;
    struct seen *seen;
    size_t seen_count, seen_room;
    // The shortest that failed in this round.
    struct nt_schedule failed;
    enum nt_end failed_end;
    uint64_t failed_switches;
    char *failed_report;
};

// ---- in the child ----

static int run_shared(void *argument)
{
    const struct explorer *explorer = argument;
    struct shared *shared = explorer->shared;
    os_child_alive(NT_RUN_SECONDS);
    nt_schedule_use(&shared->schedule);
    nt_schedule_trace(&shared->trace);
    bool passed = explorer->what->run(explorer->what->context);
    os_child_alive(0);
    return passed ? 0 : 1;
}

// ---- states seen before ----

static struct seen *find_seen(const struct explorer *explorer, uint64_t state)
{
    size_t at = (size_t)state & (explorer->seen_room - 1);
    while (explorer->seen[at].state != 0 && explorer->seen[at].state != state) {
        at = (at + 1) & (explorer->seen_room - 1);
    }
    return &explorer->seen[at];
}

static bool grow_seen(struct explorer *explorer)
{
    struct explorer old = *explorer;
    explorer->seen_room = old.seen_room == 0 ? FIRST_ROOM : 2 * old.seen_room;
    explorer->seen = calloc(explorer->seen_room, sizeof *explorer->seen);
    if (explorer->seen == NULL) {
        *explorer = old;
        explorer->error = -ENOMEM;
        return false;
    }
    for (size_t i = 0; i < old.seen_room; i++) {
        if (old.seen[i].state != 0) {
            *find_seen(explorer, old.seen[i].state) = old.seen[i];
        }
    }
    free(old.seen);
    return true;
}

// Whether as many departures have been, or will be, tried from here.
static bool is_seen(struct explorer *explorer, uint64_t state, unsigned left)
{
    if (2 * explorer->seen_count >= explorer->seen_room && !grow_seen(explorer)) {
        return false;
    }
    struct seen *seen = find_seen(explorer, state | 1);
    if (seen->state != 0 && seen->left >= left) {
        return true;
    }
    explorer->seen_count += seen->state == 0;
    *seen = (struct seen){state | 1, left};
    return false;
}

// ---- one schedule ----

static void note_failure(struct explorer *explorer, const struct nt_schedule *schedule, enum os_child_end end)
{
    uint64_t switches = explorer->shared->trace.switches;
    if (explorer->result->failures++ == 0 || switches < explorer->failed_switches) {
        char *report = explorer->report;
        explorer->report = explorer->failed_report;
        explorer->failed_report = report;
        explorer->failed = *schedule;
        explorer->failed_end = (enum nt_end)end;
        explorer->failed_switches = switches;
    }
}

static bool run_schedule(struct explorer *explorer, const struct nt_schedule *schedule)
{
    const struct nt_exploration *what = explorer->what;
    explorer->shared->schedule = *schedule;
    if (explorer->worker.pid == 0 && os_worker_start(&explorer->worker, run_shared, explorer) != 0) {
        explorer->error = -EAGAIN;
        return false;
    }
    enum os_child_end end = os_worker_run(&explorer->worker, explorer->report, REPORT_SIZE);
    if (schedule->count == explorer->bound) {
        explorer->result->schedules[explorer->bound]++;
        explorer->total++;
    }
    if (what->progress != NULL) {
        what->progress(what->context, explorer->total);
    }
    if (end != OS_CHILD_DONE) {
        note_failure(explorer, schedule, end);
    }
    if ((what->limit != 0 && explorer->total >= what->limit) || explorer->result->failures >= FAILURES_MAX) {
        explorer->stopped = true;
    }
    return end == OS_CHILD_DONE;
}

// ---- all schedules that begin with one ----

struct points {
    struct nt_trace_point *at; // options 1: not to be departed from
    uint32_t first, end;
};

static bool take_points(struct explorer *explorer, const struct nt_schedule *schedule, struct points *points)
{
    const struct nt_trace *trace = &explorer->shared->trace;
    points->first = schedule->count == 0 ? 0 : schedule->departures[schedule->count - 1].point + 1;
    points->end = (uint32_t)(trace->points < POINTS_MAX ? trace->points : POINTS_MAX);
    explorer->stopped = explorer->stopped || trace->points > POINTS_MAX;
    explorer->result->points = schedule->count == 0 ? trace->points : explorer->result->points;
    points->at = calloc((size_t)points->end + 1, sizeof *points->at);
    if (points->at == NULL) {
        explorer->error = -ENOMEM;
        return false;
    }
    memcpy(points->at, trace->at, points->end * sizeof *points->at);
    for (uint32_t i = points->first; i < points->end; i++) {
        if (is_seen(explorer, points->at[i].state, explorer->bound - schedule->count)) {
            explorer->result->pruned += schedule->count + 1 == explorer->bound;
            points->at[i].options = 1;
        }
    }
    return true;
}

static void explore_from(struct explorer *explorer, const struct nt_schedule *schedule)
{
    struct points points;
    if (!run_schedule(explorer, schedule) || schedule->count == explorer->bound ||
        !take_points(explorer, schedule, &points)) {
        return;
    }
    struct nt_schedule next = *schedule;
    struct nt_departure *departure = &next.departures[next.count++];
    for (departure->point = points.first; departure->point < points.end; departure->point++) {
        for (departure->option = 1; departure->option < points.at[departure->point].options;
             departure->option++) {
            if (explorer->stopped || explorer->error != 0) {
                break;
            }
            explore_from(explorer, &next); // as deep as the bound
        }
    }
    free(points.at);
}

// ---- rounds ----

static void explore_rounds(struct explorer *explorer)
{
    const struct nt_schedule none = {.count = 0};
    struct nt_exploration_result *result = explorer->result;
    while (explorer->error == 0 && !explorer->stopped && result->failures == 0 &&
           explorer->bound <= explorer->what->bound) {
        free(explorer->seen);
        explorer->seen = NULL;
        explorer->seen_count = explorer->seen_room = 0;
        result->pruned = 0;
        explore_from(explorer, &none);
        explorer->bound++;
    }
    result->finished = !explorer->stopped && explorer->error == 0;
}

// What its runs left behind in the process counts as well.
static void end_worker(struct explorer *explorer)
{
    if (explorer->worker.pid == 0) {
        return;
    }
    enum os_child_end end = os_worker_end(&explorer->worker, explorer->report, REPORT_SIZE);
    if (end != OS_CHILD_DONE && explorer->result->failures == 0) {
        const struct nt_schedule none = {.count = 0};
        note_failure(explorer, &none, end);
    }
}

int nt_explore(const struct nt_exploration *exploration, struct nt_exploration_result *result)
{
    const size_t size = sizeof(struct shared) + POINTS_MAX * sizeof(struct nt_trace_point);
    struct explorer explorer = {.what = exploration, .result = result, .shared = os_share(size)};
    *result = (struct nt_exploration_result){0};
    explorer.report = malloc(REPORT_SIZE);
    explorer.failed_report = malloc(REPORT_SIZE);
    explorer.error = exploration->bound > NT_BOUND_MAX ? -EINVAL : 0;
    if (explorer.shared == NULL || explorer.report == NULL || explorer.failed_report == NULL) {
        explorer.error = -ENOMEM;
    } else {
        explorer.shared->trace.room = POINTS_MAX;
        explore_rounds(&explorer);
        end_worker(&explorer);
    }
    if (result->failures != 0 && exploration->failed != NULL) {
        exploration->failed(exploration->context, &explorer.failed, explorer.failed_end,
                            explorer.failed_report);
    }
    if (explorer.shared != NULL) {
        os_unshare(explorer.shared, size);
    }
    free(explorer.report);
    free(explorer.failed_report);
    free(explorer.seen);
    return explorer.error;
}
