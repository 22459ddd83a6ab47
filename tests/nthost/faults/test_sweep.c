// SPDX-License-Identifier: MIT
// Sweeps find what fails, and the reader driver survives them.
#include <stdio.h>

#include "rig/status.h"
#include "tests/nthost/faults/life.h"
#include "tests/support/hosttest.h"

// ---- sweeps themselves: runs that go wrong at one fault each ----

enum { PASSES, FAILS, CRASHES, HANGS };

static const struct {
    uint64_t n;
    enum nt_end end;
} expected[] = {{2, NT_END_FAILED}, {4, NT_END_BROKE}};

static unsigned seen;

static bool goes_wrong(void *context)
{
    struct life life = {.rounds = 1};
    struct nt_fault_counts counts;
    (void)context;
    (void)life_run(&life);
    nt_faults_count(&counts);
    if (counts.injected != 0) {
        static uint64_t runs; // in this child
        runs++;
        fprintf(stderr, "a run with a fault\n");
        if (seen == 0 && runs == 2) {
            return false;
        }
        if (seen == 1 && runs == 2) {
            abort();
        }
    }
    return true;
}

static void note_failure(void *context, const struct nt_fault_plan *plan, enum nt_end end, const char *report)
{
    (void)context;
    if (seen >= 2) {
        fail_msg("%s", report);
    }
    assert_int_equal(plan->n, expected[seen].n);
    assert_int_equal(end, expected[seen].end);
    assert_non_null(strstr(report, "a run with a fault"));
    seen++;
}

static void test_failures_are_told(void **state)
{
    const struct nt_sweep sweep = {.plan = {.mode = NT_FAULT_NTH, .kinds = NT_FAULT_ALLOCATION},
                                   .run = goes_wrong,
                                   .failed = note_failure,
                                   .limit = 8};
    struct nt_sweep_result result;
    (void)state;
    assert_int_equal(nt_fault_sweep(&sweep, &result), 0);
    assert_int_equal(seen, 2);
    assert_int_equal(result.failures, 2);
    assert_int_equal(result.runs, 8);
}

// ---- the reader ----

static void show_failure(void *context, const struct nt_fault_plan *plan, enum nt_end end, const char *report)
{
    char text[NT_FAULT_TEXT_MAX];
    (void)context;
    nt_fault_print(plan, text);
    print_error("%s (end %d):\n%s\n", text, (int)end, report);
}

static void sweep_reader(const char *text, uint64_t least)
{
    struct life life = {.rounds = 2, .sleeps = true};
    struct nt_sweep sweep = {.run = life_run, .failed = show_failure, .context = &life};
    struct nt_sweep_result result;
    assert_int_equal(nt_fault_parse(text, &sweep.plan), 0);
    assert_int_equal(nt_fault_sweep(&sweep, &result), 0);
    print_message("%s: %llu runs, %llu sites, %llu occurrences\n", text, (unsigned long long)result.runs,
                  (unsigned long long)result.sites, (unsigned long long)result.occurrences);
    assert_int_equal(result.failures, 0);
    assert_true(result.runs > result.sites);
    assert_true(result.sites >= least);
}

static void test_reader_failures(void **state)
{
    (void)state;
    sweep_reader("all:fail:site=1", 50);
}

static void test_reader_lateness(void **state)
{
    (void)state;
    sweep_reader("all:late=300000:site=1", 10);
    sweep_reader("all:late=20000000:site=1", 10);
}

static void test_reader_cancelling(void **state)
{
    (void)state;
    sweep_reader("all:cancel=0:site=1", 10);
    sweep_reader("all:cancel=1500:site=1", 10);
}

static void test_reader_persistent(void **state)
{
    static const char *const plans[] = {"allocation:fail:from=", "transfer:fail:from=", "wait:fail:from="};
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        for (unsigned n = 1; n < 60; n += 7) {
            char text[NT_FAULT_TEXT_MAX];
            struct nt_fault_plan plan;
            struct life life = {.rounds = 1, .sleeps = true};
            (void)snprintf(text, sizeof text, "%s%u", plans[i], n);
            assert_int_equal(nt_fault_parse(text, &plan), 0);
            nt_faults_plan(&plan);
            assert_true(life_run(&life));
        }
    }
    nt_faults_plan(NULL);
}

static void test_reader_chances(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 30; seed++) {
        struct nt_fault_plan plan = {.mode = NT_FAULT_CHANCE,
                                     .kinds = NT_FAULT_ALL & ~NT_FAULT_CALL,
                                     .effect = (enum nt_fault_effect)(seed % 3),
                                     .chance = 50000,
                                     .seed = seed,
                                     .late_us = 1000};
        struct life life = {.rounds = 2, .sleeps = true, .seed = seed};
        nt_faults_plan(&plan);
        assert_true(life_run(&life));
    }
    nt_faults_plan(NULL);
}

// A fault is the same one in every run.
static void test_transfers_repeat(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 20; n++) {
        struct nt_fault_plan plan = {
            .mode = NT_FAULT_NTH, .kinds = NT_FAULT_TRANSFER, .effect = NT_FAULT_FAIL, .n = n};
        struct life life = {.rounds = 1};
        struct nt_fault_counts counts[2];
        nt_status status[2];
        for (unsigned i = 0; i < 2; i++) {
            nt_faults_plan(&plan);
            assert_true(life_run(&life));
            nt_faults_count(&counts[i]);
            status[i] = life.last;
        }
        assert_int_equal(counts[0].injected, 1);
        assert_int_equal(counts[0].occurrences, counts[1].occurrences);
        assert_int_equal(counts[0].sites, counts[1].sites);
        assert_int_equal(status[0], status[1]);
    }
    nt_faults_plan(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures_are_told), cmocka_unit_test(test_reader_failures),
        cmocka_unit_test(test_reader_lateness),   cmocka_unit_test(test_reader_cancelling),
        cmocka_unit_test(test_reader_persistent), cmocka_unit_test(test_reader_chances),
        cmocka_unit_test(test_transfers_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
