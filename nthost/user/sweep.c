// SPDX-License-Identifier: MIT
// One run after the other, each with one fault more along the way, until a run no longer meets its own. Runs
// share a child process until one of them ends it.
#include "nthost/os/child.h"
#include "nthost/user/nthost.h"

#include <errno.h>
#include <stdlib.h>

enum { REPORT_SIZE = 0x10000 };

struct progress {              // shared with the children
    struct nt_fault_plan plan; // of the run under way
    struct nt_sweep_result result;
    bool done;
};

struct sweeper {
    const struct nt_sweep *sweep;
    struct progress *progress;
};

static bool run_once(const struct nt_sweep *sweep, struct progress *progress)
{
    struct nt_fault_counts counts;
    os_child_alive(NT_RUN_SECONDS);
    nt_faults_plan(&progress->plan);
    bool passed = sweep->run(sweep->context);
    nt_faults_count(&counts);
    progress->done = counts.injected == 0;
    return passed;
}

static int run_on(void *argument)
{
    struct sweeper *sweeper = argument;
    struct progress *progress = sweeper->progress;
    uint64_t limit = sweeper->sweep->limit;
    while (!progress->done && (limit == 0 || progress->result.runs < limit)) {
        progress->result.runs++;
        if (!run_once(sweeper->sweep, progress)) {
            return 1;
        }
        progress->plan.n++;
    }
    return 0;
}

static int run_plain(void *argument)
{
    struct sweeper *sweeper = argument;
    struct progress *progress = sweeper->progress;
    struct nt_fault_plan count = sweeper->sweep->plan;
    struct nt_fault_counts counts;
    count.mode = NT_FAULT_NONE;
    os_child_alive(NT_RUN_SECONDS);
    nt_faults_plan(&count);
    bool passed = sweeper->sweep->run(sweeper->sweep->context);
    nt_faults_count(&counts);
    progress->result.occurrences = counts.occurrences;
    progress->result.sites = counts.sites;
    return passed ? 0 : 1;
}

static void tell(const struct sweeper *sweeper, const struct nt_fault_plan *plan, int end, const char *report)
{
    sweeper->progress->result.failures++;
    if (sweeper->sweep->failed != NULL) {
        sweeper->sweep->failed(sweeper->sweep->context, plan, (enum nt_end)end, report);
    }
}

static int sweep_all(struct sweeper *sweeper, char *report)
{
    struct progress *progress = sweeper->progress;
    uint64_t limit = sweeper->sweep->limit;
    while (!progress->done && (limit == 0 || progress->result.runs < limit)) {
        int end = os_child(run_on, sweeper, report, REPORT_SIZE);
        if (end < 0) {
            return -EAGAIN;
        }
        if (end != OS_CHILD_DONE) {
            tell(sweeper, &progress->plan, end, report);
            progress->plan.n++;
        }
    }
    return 0;
}

static int sweep_from(struct sweeper *sweeper, char *report)
{
    struct nt_fault_plan none = {.mode = NT_FAULT_NONE};
    int end = os_child(run_plain, sweeper, report, REPORT_SIZE);
    if (end < 0) {
        return -EAGAIN;
    }
    if (end != OS_CHILD_DONE) { // with faults it can only be worse
        tell(sweeper, &none, end, report);
        return 0;
    }
    return sweep_all(sweeper, report);
}

int nt_fault_sweep(const struct nt_sweep *sweep, struct nt_sweep_result *result)
{
    struct sweeper sweeper = {sweep, os_share(sizeof *sweeper.progress)};
    char *report = malloc(REPORT_SIZE);
    int error = -ENOMEM;
    *result = (struct nt_sweep_result){0};
    if (sweeper.progress != NULL && report != NULL) {
        sweeper.progress->plan = sweep->plan;
        sweeper.progress->plan.n = sweep->plan.n != 0 ? sweep->plan.n : 1;
        error = sweep_from(&sweeper, report);
        *result = sweeper.progress->result;
    }
    if (sweeper.progress != NULL) {
        os_unshare(sweeper.progress, sizeof *sweeper.progress);
    }
    free(report);
    return error;
}
