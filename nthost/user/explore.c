// SPDX-License-Identifier: MIT
// One schedule after the other, with one preemption more each round. A run records where it could be departed
// from; from each of these points beyond its last departure another run departs, except where the same has
// been reached in an equivalent order before.
#include "nthost/os/child.h"
#include "nthost/user/nthost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPORT_SIZE = 0x10000,
    POINTS_MAX = 1 << 18,
    FIRST_ROOM = 1 << 12,
    FAILURES_MAX = 50,
    OPTIONS_MAX = 1 << 20
};

struct shared { // with the child that runs
    struct nt_schedule schedule;
    struct nt_trace trace; // last: it grows
};

struct point { // to depart from
    uint32_t at;
    uint32_t options : 31, free : 1;
};

struct run { // that can be departed from
    struct run *next;
    struct nt_schedule schedule;
    uint32_t count;
    struct point points[];
};

struct runs {
    struct run *first, **end;
};

struct explorer {
    const struct nt_exploration *what;
    struct nt_exploration_result *result;
    struct shared *shared;
    struct os_worker worker;
    unsigned preemptions; // of this round
    uint64_t total;
    int error;
    bool stopped; // by a limit
    bool cut;     // a schedule had no room for another departure
    char *report;
    uint64_t *seen; // 0: free
    size_t seen_count, seen_room;
    struct point *points; // of the run that has just ended
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

static size_t find_seen(const struct explorer *explorer, uint64_t state)
{
    size_t at = (size_t)state & (explorer->seen_room - 1);
    while (explorer->seen[at] != 0 && explorer->seen[at] != state) {
        at = (at + 1) & (explorer->seen_room - 1);
    }
    return at;
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
        if (old.seen[i] != 0) {
            explorer->seen[find_seen(explorer, old.seen[i])] = old.seen[i];
        }
    }
    free(old.seen);
    return true;
}

// Who was there first had at least as many preemptions left.
static bool is_seen(struct explorer *explorer, uint64_t state)
{
    if (2 * explorer->seen_count >= explorer->seen_room && !grow_seen(explorer)) {
        return false;
    }
    size_t at = find_seen(explorer, state | 1);
    if (explorer->seen[at] != 0) {
        return true;
    }
    explorer->seen[at] = state | 1;
    explorer->seen_count++;
    return false;
}

// ---- one schedule ----

static void note_failure(struct explorer *explorer, const struct nt_schedule *schedule, enum os_child_end end)
{
    uint64_t switches = explorer->shared->trace.switches;
    bool shorter = schedule->count < explorer->failed.count ||
                   (schedule->count == explorer->failed.count && switches < explorer->failed_switches);
    if (explorer->result->failures++ == 0 || shorter) {
        char *report = explorer->report;
        explorer->report = explorer->failed_report;
        explorer->failed_report = report;
        explorer->failed = *schedule;
        explorer->failed_end = (enum nt_end)end;
        explorer->failed_switches = switches;
    }
}

static bool may_go_on(const struct explorer *explorer)
{
    return explorer->error == 0 && !explorer->stopped;
}

static bool passes(struct explorer *explorer, const struct nt_schedule *schedule)
{
    const struct nt_exploration *what = explorer->what;
    explorer->shared->schedule = *schedule;
    if (explorer->worker.pid == 0 && os_worker_start(&explorer->worker, run_shared, explorer) != 0) {
        explorer->error = -EAGAIN;
        return false;
    }
    enum os_child_end end = os_worker_run(&explorer->worker, explorer->report, REPORT_SIZE);
    explorer->result->schedules[explorer->preemptions]++;
    explorer->total++;
    if (what->progress != NULL) {
        what->progress(what->context, explorer->total);
    }
    if (end != OS_CHILD_DONE) {
        note_failure(explorer, schedule, end);
    }
    explorer->stopped =
        (what->limit != 0 && explorer->total >= what->limit) || explorer->result->failures >= FAILURES_MAX;
    return end == OS_CHILD_DONE;
}

// ---- where a run can be departed from ----

// Of its trace: those after its last departure that no other run has reached in an equivalent order.
static uint32_t take_points(struct explorer *explorer, const struct nt_schedule *schedule)
{
    const struct nt_trace *trace = &explorer->shared->trace;
    uint32_t end = (uint32_t)(trace->points < POINTS_MAX ? trace->points : POINTS_MAX), count = 0;
    uint32_t first = schedule->count == 0 ? 0 : schedule->departures[schedule->count - 1].point + 1;
    explorer->stopped = explorer->stopped || trace->points > POINTS_MAX;
    for (uint32_t i = first; i < end; i++) {
        const struct nt_trace_point *point = &trace->at[i];
        if (!point->free && explorer->preemptions == explorer->what->bound) {
            continue;
        }
        if (is_seen(explorer, point->state)) {
            explorer->result->pruned++;
            continue;
        }
        uint32_t options = point->options < OPTIONS_MAX ? point->options : OPTIONS_MAX;
        explorer->points[count++] = (struct point){i, options, point->free};
    }
    return count;
}

static void add_run(struct explorer *explorer, const struct nt_schedule *schedule, struct runs *runs)
{
    uint32_t count = take_points(explorer, schedule);
    explorer->cut = explorer->cut || (count != 0 && schedule->count == NT_DEPARTURES_MAX);
    if (count == 0 || schedule->count == NT_DEPARTURES_MAX) {
        return;
    }
    struct run *run = malloc(sizeof *run + count * sizeof run->points[0]);
    if (run == NULL) {
        explorer->error = -ENOMEM;
        return;
    }
    *run = (struct run){.schedule = *schedule, .count = count};
    memcpy(run->points, explorer->points, count * sizeof run->points[0]);
    *runs->end = run;
    runs->end = &run->next;
}

// Runs it at each of its points, those that preempt or those that do not, with every other option.
static void depart(struct explorer *explorer, const struct run *run, bool preempting, struct runs *runs)
{
    struct nt_schedule next = run->schedule;
    struct nt_departure *departure = &next.departures[next.count++];
    for (uint32_t i = 0; i < run->count; i++) {
        if (run->points[i].free == preempting) {
            continue;
        }
        departure->point = run->points[i].at;
        for (departure->option = 1; departure->option < run->points[i].options; departure->option++) {
            if (may_go_on(explorer) && passes(explorer, &next)) {
                add_run(explorer, &next, runs);
            }
        }
    }
}

// ---- rounds ----

static void empty(struct runs *runs)
{
    while (runs->first != NULL) {
        struct run *run = runs->first;
        runs->first = run->next;
        free(run);
    }
    runs->end = &runs->first;
}

// With as many preemptions as there are, and any number of other departures; the fewest first.
static void explore_free(struct explorer *explorer, struct runs *runs)
{
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): explore_rounds empties the list
    for (const struct run *run = runs->first; run != NULL && may_go_on(explorer); run = run->next) {
        if (explorer->result->failures == 0 || run->schedule.count < explorer->failed.count) {
            depart(explorer, run, false, runs);
        }
    }
}

static void explore_rounds(struct explorer *explorer)
{
    const struct nt_schedule none = {.count = 0};
    struct nt_exploration_result *result = explorer->result;
    struct runs runs = {NULL, &runs.first}, next = {NULL, &next.first};
    if (passes(explorer, &none)) {
        result->points = explorer->shared->trace.points;
        add_run(explorer, &none, &runs);
    }
    explore_free(explorer, &runs);
    while (may_go_on(explorer) && result->failures == 0 && explorer->preemptions < explorer->what->bound) {
        explorer->preemptions++;
        for (const struct run *run = runs.first; run != NULL && may_go_on(explorer); run = run->next) {
            depart(explorer, run, true, &next);
        }
        empty(&runs);
        explore_free(explorer, &next);
        runs = next;
        next = (struct runs){NULL, &next.first};
    }
    empty(&runs);
    result->finished = may_go_on(explorer) && !explorer->cut;
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
    explorer.points = malloc(POINTS_MAX * sizeof *explorer.points);
    explorer.error = exploration->bound > NT_BOUND_MAX ? -EINVAL : 0;
    if (explorer.shared == NULL || explorer.report == NULL || explorer.failed_report == NULL ||
        explorer.points == NULL) {
        explorer.error = -ENOMEM;
    } else if (explorer.error == 0) {
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
    free(explorer.points);
    return explorer.error;
}
