// SPDX-License-Identifier: MIT
// Something happens at every boundary of messages: before each transfer that the driver sends (control, bulk
// and interrupt, from the first descriptor on), and while the reader is silent after each message. Each run
// is a kernel of its own, so what is lost, leaked or left hanging shows at its end.
#include <stdio.h>
#include <string.h>

#include "rig/jobs.h"
#include "tests/reader/boundary.h"
#include "tests/support/hosttest.h"

static const struct boundary_kind kinds[] = {
    {"characters, T=0", 0x00000038, 271, 3, 0, 0, "t0"},
    {"TPDU, T=0", 0x00010038, 271, 3, 0, 0, "t0"},
    {"TPDU, T=1", 0x00010038, 271, 3, 0, 0, "t1"},
    {"short APDU, T=0", 0x000200BA, 271, 3, 0, 0, "t0"},
    {"short APDU, no interrupt pipe", 0x000200BA, 271, 2, 0, 0, "t1"},
    {"extended APDU, T=1", 0x000400BA, 65554, 3, 0, 0, "t1"},
    {"extended APDU, chained", 0x000400BA, 271, 3, 0, 0, "t1"},
    {"two slots", 0x000200BA, 271, 3, 0, 1, "t0"},
    {"ICCD version A", 0x0001003A, 271, 0, 1, 0, "t0"},
    {"ICCD version B", 0x000400BA, 271, 1, 2, 0, "t1"},
};
enum {
    KINDS = sizeof kinds / sizeof kinds[0],
    WAYS = 2,
    JOBS = KINDS * BOUNDARY_EVENTS * WAYS,
    SEEDS = 3,
    JOB_SECONDS = 300,
    BOUNDARIES_MIN = 9000, // fewer, and the sweep has lost its way
};

// Version A has no slot to take a card out of; without an interrupt pipe a silent reader tells of no removal;
// tokens have no messages that could be held.
static bool applies(const struct boundary_run *run)
{
    bool token = run->kind->endpoints < 2;
    return !(run->event == BOUNDARY_EJECT &&
             (run->held ? run->kind->endpoints < 3 : run->kind->endpoints == 0)) &&
           !(run->held && token);
}

static bool sweep(void *context, size_t index, FILE *out)
{
    struct boundary_run run = {.kind = &kinds[index / WAYS / BOUNDARY_EVENTS],
                               .event = (enum boundary_event)(index / WAYS % BOUNDARY_EVENTS),
                               .held = index % WAYS != 0};
    uint64_t last, total = 0;
    (void)context;
    if (!applies(&run)) {
        return true;
    }
    while (run.wrong[0] == '\0' && run.seed < SEEDS) {
        run.boundary = 0;
        boundary_run(&run);
        last = run.boundaries;
        total += last;
        while (run.wrong[0] == '\0' && run.boundary < last) {
            run.boundary++;
            boundary_run(&run);
        }
        run.seed++;
    }
    fprintf(out, "%6llu boundaries, %6llu met, longest %6llu us: %s%s, %s %s\n", (unsigned long long)total,
            (unsigned long long)run.calls, (unsigned long long)run.longest_us, run.kind->name,
            run.held ? ", silent reader" : "", boundary_events[run.event], run.wrong);
    return run.wrong[0] == '\0';
}

struct total {
    unsigned long long boundaries, met;
    bool failed;
};

static void add(void *context, const struct rig_job_result *result)
{
    struct total *total = context;
    unsigned long long boundaries = 0, met = 0;
    if (sscanf(result->text, "%llu boundaries, %llu met", &boundaries, &met) == 2) {
        total->boundaries += boundaries;
        total->met += met;
    }
    total->failed |= !result->succeeded;
    print_message("%s", result->text);
    if (result->died != NULL) {
        print_message("job %zu %s\n", result->index, result->died);
    }
}

static void test_every_boundary(void **state)
{
    struct total total = {0};
    (void)state;
    assert_int_equal(rig_jobs(JOBS, 0, JOB_SECONDS, sweep, add, &total), 0);
    print_message("%llu boundaries, %llu met\n", total.boundaries, total.met);
    assert_false(total.failed);
    assert_true(total.boundaries >= BOUNDARIES_MIN);
    assert_true(total.met >= BOUNDARIES_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_boundary)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
