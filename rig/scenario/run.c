// SPDX-License-Identifier: MIT
// One statement after the other.
#include "rig/scenario/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned running_line;

unsigned rig_scenario_line(void)
{
    return running_line;
}

void scn_fail(struct scn_run *run, const struct scn_statement *statement, const char *format, ...)
{
    struct rig_scenario_outcome *outcome = run->outcome;
    va_list arguments;
    if (run->failed || run->tolerant) {
        return; // the first is the reason
    }
    run->failed = true;
    outcome->line = statement->line;
    int length = snprintf(outcome->reason, sizeof outcome->reason, "%s: ", statement->verb->name);
    va_start(arguments, format);
    // clang-tidy 14 does not see the va_start above. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized)
    (void)vsnprintf(outcome->reason + length, sizeof outcome->reason - (size_t)length, format, arguments);
    va_end(arguments);
}

struct scn_reader *scn_reader_of(struct scn_run *run, const struct scn_statement *statement)
{
    if (statement->reader[0] == '\0') {
        if (run->latest == NULL) {
            scn_fail(run, statement, "no reader yet, `plug` comes first");
        }
        return run->latest;
    }
    for (size_t i = 0; i < SCN_READERS_MAX; i++) {
        if (strcmp(run->readers[i].name, statement->reader) == 0) {
            return &run->readers[i];
        }
    }
    scn_fail(run, statement, "no reader '%s' was plugged", statement->reader);
    return NULL;
}

void scn_repeat(struct scn_run *run, const struct scn_statement *statement)
{
    size_t at = (size_t)(statement - run->scenario->statements);
    run->rounds[at] = statement->number;
    if (statement->number == 0) {
        run->next = statement->other_end + 1;
    }
}

void scn_end(struct scn_run *run, const struct scn_statement *statement)
{
    if (--run->rounds[statement->other_end] != 0) {
        run->next = statement->other_end + 1;
    }
}

void scn_delay(struct scn_run *run, const struct scn_statement *statement)
{
    (void)run;
    nt_sleep_us(statement->number * 1000);
}

void scn_tolerate(struct scn_run *run, const struct scn_statement *statement)
{
    (void)statement;
    run->tolerant = true;
}

static void trace(const struct scn_run *run, const struct scn_statement *statement)
{
    char text[2048]; // a whole reason after a whole line
    if (run->options->trace != NULL) {
        uint64_t now = nt_now_us();
        (void)snprintf(text, sizeof text, "%6llu.%06llu %4u  %s%s%s", (unsigned long long)(now / 1000000),
                       (unsigned long long)(now % 1000000), statement->line, statement->source,
                       run->failed ? "  <- " : "", run->failed ? run->outcome->reason : "");
        run->options->trace(run->options->context, text);
    }
}

static void run_statements(struct scn_run *run)
{
    while (!run->failed && run->next < run->scenario->count) {
        const struct scn_statement *statement = &run->scenario->statements[run->next++];
        running_line = statement->line;
        if (++run->outcome->statements == run->options->unplug_at) {
            scn_pull_all(run);
        }
        statement->verb->run(run, statement);
        trace(run, statement);
    }
}

static void close_all(struct scn_run *run)
{
    for (size_t i = 0; i < SCN_READERS_MAX; i++) {
        for (size_t slot = 0; slot < EMU_SLOTS_MAX; slot++) {
            if (run->readers[i].slots[slot].file != NULL) {
                nt_close(run->readers[i].slots[slot].file);
            }
        }
    }
}

static void run_booted(struct scn_run *run)
{
    run_statements(run);
    scn_requests_cancel(run);
    close_all(run);
    scn_requests_end(run);
    run->outcome->virtual_us = nt_now_us();
    rig_shutdown();
    running_line = 0;
}

void rig_scenario_run(const struct rig_scenario *scenario, const struct rig_scenario_options *options,
                      struct rig_scenario_outcome *outcome)
{
    const struct nt_options kernel = {.clock = NT_CLOCK_VIRTUAL,
                                      .seed = options->seed,
                                      .verifier = true,
                                      .print = options->trace,
                                      .bugcheck = options->bugcheck,
                                      .context = options->context};
    struct scn_run *run = calloc(1, sizeof *run);
    uint64_t *rounds = calloc(scenario->count + 1, sizeof *rounds);
    *outcome = (struct rig_scenario_outcome){0};
    nt_status status = run != NULL && rounds != NULL ? rig_boot(&kernel) : RIG_STATUS_INSUFFICIENT_RESOURCES;
    if (run != NULL && rig_status_ok(status)) {
        *run = (struct scn_run){.scenario = scenario,
                                .options = options,
                                .outcome = outcome,
                                .tolerant = options->tolerant,
                                .rounds = rounds};
        run_booted(run);
        outcome->passed = !run->failed;
    } else {
        char buffer[16];
        const char *refusal = rig_refusal();
        (void)snprintf(outcome->reason, sizeof outcome->reason, "the kernel did not start: %s %.*s",
                       rig_status_name(status, buffer), (int)strcspn(refusal, "\n"), refusal);
    }
    free(rounds);
    free(run);
}
