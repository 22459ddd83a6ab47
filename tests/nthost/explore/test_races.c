// SPDX-License-Identifier: MIT
// Exploration finds races by the book with one departure, replays them, and finds nothing in their repaired
// forms.
#include <stdio.h>
#include <string.h>

#include "tests/nthost/explore/racy.h"
#include "tests/support/hosttest.h"

struct found {
    struct nt_schedule schedule;
    enum nt_end end;
    char report[0x10000];
    unsigned times;
    nt_run *run;
    int race;
};

static void take_failure(void *context, const struct nt_schedule *schedule, enum nt_end end,
                         const char *report)
{
    struct found *found = context;
    found->schedule = *schedule;
    found->end = end;
    found->times++;
    (void)snprintf(found->report, sizeof found->report, "%s", report);
}

static void take_end(void *context, const struct nt_fault_plan *plan, enum nt_end end, const char *report)
{
    struct found *found = context;
    (void)plan, (void)report;
    assert_int_equal(end, found->end);
    found->times++;
}

static bool run_found(void *context)
{
    struct found *found = context;
    return found->run(&found->race);
}

static void explore(struct found *found, unsigned bound, uint64_t limit, struct nt_exploration_result *result)
{
    const struct nt_exploration exploration = {
        .run = run_found, .bound = bound, .limit = limit, .failed = take_failure, .context = found};
    assert_int_equal(nt_explore(&exploration, result), 0);
}

// A child that inherits the schedule ends in the same way, in the one run it makes.
static void expect_replay(struct found *found)
{
    const struct nt_sweep sweep = {
        .plan = {.mode = NT_FAULT_NTH, .kinds = NT_FAULT_ALLOCATION, .n = UINT32_MAX},
        .run = run_found,
        .failed = take_end,
        .context = found};
    struct nt_sweep_result result;
    nt_schedule_use(&found->schedule);
    assert_int_equal(nt_fault_sweep(&sweep, &result), 0);
    nt_schedule_use(NULL);
    assert_int_equal(result.failures, 1);
    assert_int_equal(found->times, 2);
}

// With one departure, by what the report says; and no run without a preemption fails.
static void expect_race(nt_run *run, int race, enum nt_end end, const char *text)
{
    static struct found found;
    struct nt_exploration_result result;
    found = (struct found){.run = run, .race = race};
    explore(&found, 2, 0, &result);
    print_message("%llu schedules at %llu points, %llu fail\n", (unsigned long long)result.schedules[1],
                  (unsigned long long)result.points, (unsigned long long)result.failures);
    assert_int_equal(found.times, 1);
    assert_int_equal(found.schedule.count, 1);
    assert_int_equal(found.end, end);
    assert_true(result.schedules[0] > 0);
    assert_int_equal(result.schedules[2], 0); // the shortest are enough
    assert_true(result.finished);
    if (text != NULL && strstr(found.report, text) == NULL) {
        fail_msg("%s", found.report);
    }
    expect_replay(&found);
}

static void expect_none(nt_run *run, int race, unsigned bound)
{
    static struct found found;
    struct nt_exploration_result result;
    found = (struct found){.run = run, .race = race};
    explore(&found, bound, 3000, &result);
    print_message("%llu + %llu schedules, %llu pruned\n", (unsigned long long)result.schedules[1],
                  (unsigned long long)result.schedules[2], (unsigned long long)result.pruned);
    if (found.times != 0) {
        fail_msg("%s", found.report);
    }
    assert_true(result.schedules[1] > 0);
}

static void test_lost_cancel(void **state)
{
    (void)state;
    expect_race(RunRacyDriver, RACE_LOST_CANCEL, NT_END_BROKE, "IrpCancelIgnored");
}

static void test_two_completions(void **state)
{
    (void)state;
    expect_race(RunRacyDriver, RACE_TWO_COMPLETIONS, NT_END_BROKE, "complete");
}

static void test_missed_event(void **state)
{
    (void)state;
    expect_race(RunMissedEvent, 0, NT_END_BROKE, "every thread waits");
}

static void test_unlocked_queue(void **state)
{
    (void)state;
    expect_race(RunUnlockedQueue, 0, NT_END_FAILED, NULL);
}

// One preemption, at an interlocked operation, and one choice that preempts nobody.
static void test_meeting(void **state)
{
    static struct found found;
    struct nt_exploration_result result;
    (void)state;
    found = (struct found){.run = RunMeeting};
    explore(&found, 0, 0, &result);
    assert_int_equal(result.failures, 0);
    assert_true(result.finished);
    explore(&found, 1, 0, &result);
    assert_int_equal(found.times, 1);
    assert_int_equal(found.schedule.count, 2);
    assert_true(result.schedules[1] > 0);
    expect_replay(&found);
}

static void count_end(void *context, const struct nt_fault_plan *plan, enum nt_end end, const char *report)
{
    struct found *found = context;
    (void)plan, (void)end, (void)report;
    found->times++;
}

// What exploration is for: how many of as many seeds as bound 1 has schedules find the same.
static unsigned count_seeds(struct found *found, uint64_t seeds)
{
    const struct nt_sweep sweep = {
        .plan = {.mode = NT_FAULT_NTH, .kinds = NT_FAULT_ALLOCATION, .n = UINT32_MAX},
        .run = run_found,
        .failed = count_end,
        .context = found};
    found->times = 0;
    for (RaceSeed = 1; RaceSeed <= seeds; RaceSeed++) {
        struct nt_sweep_result result;
        assert_int_equal(nt_fault_sweep(&sweep, &result), 0);
    }
    RaceSeed = 0;
    return found->times;
}

static void test_seeds(void **state)
{
    static struct found races[] = {{.run = RunRacyDriver, .race = RACE_LOST_CANCEL},
                                   {.run = RunRacyDriver, .race = RACE_TWO_COMPLETIONS},
                                   {.run = RunMissedEvent},
                                   {.run = RunUnlockedQueue},
                                   {.run = RunMeeting}};
    (void)state;
    for (size_t i = 0; i < sizeof races / sizeof races[0]; i++) {
        print_message("race %zu: %u of 200 seeds\n", i, count_seeds(&races[i], 200));
        assert_true(races[i].times < 200);
    }
}

static void test_repaired(void **state)
{
    (void)state;
    expect_none(RunRacyDriver, RACE_NONE, 1);
    expect_none(RunLockedQueue, 0, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_cancel),  cmocka_unit_test(test_two_completions),
        cmocka_unit_test(test_missed_event), cmocka_unit_test(test_unlocked_queue),
        cmocka_unit_test(test_meeting),      cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_repaired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
