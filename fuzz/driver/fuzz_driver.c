// SPDX-License-Identifier: MIT
// The reader driver whole, under the verifier, the seeded scheduler and the virtual clock: sequences of what
// users, the PnP manager, the power manager, cards and readers do. Any answer is right; a broken rule, what
// the sanitizers see, a request that never ends and what is left at unload are not.
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/driver/generate.h"
#include "rig/scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *running; // the scenario

static void show_scenario(void)
{
    if (running != NULL) {
        fprintf(stderr, "---- the scenario ----\n%s----\n", running);
    }
}

static void report_breach(void *context, const char *report)
{
    (void)context;
    fprintf(stderr, "%s\n", report);
    show_scenario();
}

static _Noreturn void fail(const char *why)
{
    fprintf(stderr, "%s\n", why);
    show_scenario();
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[512];
    size_t length;
    struct rig_scenario_outcome outcome;
    struct rig_scenario_options options = {.bugcheck = report_breach};
    char *text =
        driver_scenario(data, size < DRIVER_INPUT_MAX ? size : DRIVER_INPUT_MAX, &options.seed, &length);
    if (text == NULL) {
        fail("out of memory");
    }
    running = text;
    struct rig_scenario *scenario = rig_scenario_parse("input", text, length, NULL, error, sizeof error);
    if (scenario == NULL) {
        fail(error);
    }
    rig_scenario_run(scenario, &options, &outcome);
    if (!outcome.passed) {
        fail(outcome.reason);
    }
    rig_scenario_free(scenario);
    running = NULL;
    free(text);
    return 0;
}
