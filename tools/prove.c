// SPDX-License-Identifier: MIT
#include "tools/prove.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rig/scenario/scenario.h"

struct proof {
    const struct prove_choices *choices;
    const char *file;
    const struct rig_scenario *scenario;
    cJSON *list;
    bool terminal;
    uint64_t shown;
    char schedule[NT_SCHEDULE_TEXT_MAX]; // the one that fails
};

enum { DRIVER_TEXT_MAX = 4200 };

// ---- one run, in a child ----

static void print_report(void *context, const char *report)
{
    const struct proof *proof = context;
    (void)fprintf(stderr, "%s:%u:\n%s", proof->file, rig_scenario_line(), report);
}

static bool run_tolerant(void *context)
{
    struct proof *proof = context;
    const struct rig_scenario_options options = {
        .seed = proof->choices->seed, .tolerant = true, .bugcheck = print_report, .context = proof};
    struct rig_scenario_outcome outcome;
    struct nt_fault_counts counts;
    rig_scenario_run(proof->scenario, &options, &outcome);
    nt_faults_count(&counts);
    // A kernel whose bus could not start ran nothing.
    if (outcome.passed || (outcome.statements == 0 && counts.injected != 0)) {
        return true;
    }
    (void)fprintf(stderr, "%s:%u: %s\n", proof->file, outcome.line, outcome.reason);
    return false;
}

// ---- orders ----

static void show_progress(void *context, uint64_t schedules)
{
    struct proof *proof = context;
    if (proof->terminal && schedules >= proof->shown + 100) {
        proof->shown = schedules;
        (void)fprintf(stderr, "\r%s: %llu schedules ", proof->file, (unsigned long long)schedules);
    }
}

static const char *end_text(enum nt_end end)
{
    return end == NT_END_HUNG ? "hangs" : end == NT_END_BROKE ? "breaks a rule or crashes" : "fails";
}

// What makes it another run, to be given again.
static const char *driver_option(const struct proof *proof, char text[DRIVER_TEXT_MAX])
{
    const char *driver = proof->choices->driver;
    (void)snprintf(text, DRIVER_TEXT_MAX, "%s%s", driver != NULL ? " --driver " : "",
                   driver != NULL ? driver : "");
    return text;
}

static void show_schedule(void *context, const struct nt_schedule *schedule, enum nt_end end,
                          const char *report)
{
    struct proof *proof = context;
    char driver[DRIVER_TEXT_MAX];
    nt_schedule_print(schedule, proof->schedule);
    (void)fprintf(stderr,
                  "%s\n%s: the schedule %s %s. Again, with a stop at each departure and each switch:\n"
                  "  gdb -ex 'set follow-fork-mode child' -ex 'break KiDepart' -ex 'break os_context_switch' "
                  "-ex run --args lectern scenario%s --schedule %s %s\n",
                  report, proof->file, proof->schedule, end_text(end), driver_option(proof, driver),
                  proof->schedule, proof->file);
}

static void list_exploration(struct proof *proof, const struct nt_exploration_result *result)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *schedules = cJSON_AddArrayToObject(object, "schedules");
    cJSON_AddStringToObject(object, "scenario", proof->file);
    for (uint64_t i = 0; i <= proof->choices->bound; i++) {
        cJSON_AddItemToArray(schedules, cJSON_CreateNumber((double)result->schedules[i]));
    }
    cJSON_AddNumberToObject(object, "points", (double)result->points);
    cJSON_AddNumberToObject(object, "pruned", (double)result->pruned);
    cJSON_AddBoolToObject(object, "finished", result->finished);
    cJSON_AddBoolToObject(object, "passed", result->failures == 0);
    if (result->failures != 0) {
        cJSON_AddStringToObject(object, "schedule", proof->schedule);
    }
    cJSON_AddItemToArray(proof->list, object);
}

static void print_exploration(const struct proof *proof, const struct nt_exploration_result *result)
{
    (void)printf("%s  %s: %llu", result->failures == 0 ? "ok    " : "FAILED", proof->file,
                 (unsigned long long)result->schedules[0]);
    for (uint64_t i = 1; i <= proof->choices->bound; i++) {
        (void)printf(" + %llu", (unsigned long long)result->schedules[i]);
    }
    (void)printf(" schedules at %llu points, %llu pruned, %s", (unsigned long long)result->points,
                 (unsigned long long)result->pruned, result->finished ? "all" : "not all");
    if (result->failures != 0) {
        (void)printf("; %llu fail, the shortest is %s", (unsigned long long)result->failures,
                     proof->schedule);
    }
    (void)printf("\n");
}

static int explore(struct proof *proof, size_t *failed)
{
    const struct prove_choices *choices = proof->choices;
    const struct nt_exploration exploration = {.run = run_tolerant,
                                               .bound = (unsigned)choices->bound,
                                               .limit = choices->limit,
                                               .failed = show_schedule,
                                               .progress = show_progress,
                                               .context = proof};
    struct nt_exploration_result result;
    int error = nt_explore(&exploration, &result);
    if (proof->shown != 0) {
        (void)fprintf(stderr, "\r\033[K");
    }
    if (error != 0) {
        return complain(choices->command, EXIT_FAILED, "%s: %s", proof->file, strerror(-error));
    }
    *failed += result.failures != 0;
    if (proof->list != NULL) {
        list_exploration(proof, &result);
    } else {
        print_exploration(proof, &result);
    }
    return EXIT_DONE;
}

// ---- faults ----

static void show_fault(void *context, const struct nt_fault_plan *plan, enum nt_end end, const char *report)
{
    const struct proof *proof = context;
    char text[NT_FAULT_TEXT_MAX], driver[DRIVER_TEXT_MAX];
    nt_fault_print(plan, text);
    (void)fprintf(stderr, "%s\n%s %s. Again: lectern scenario%s --seed %llu --faults %s %s\n", report,
                  proof->file, end_text(end), driver_option(proof, driver),
                  (unsigned long long)proof->choices->seed, text, proof->file);
}

static void list_sweep(struct proof *proof, const char *text, const struct nt_sweep_result *result)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "scenario", proof->file);
    cJSON_AddStringToObject(object, "faults", text);
    cJSON_AddNumberToObject(object, "runs", (double)result->runs);
    cJSON_AddNumberToObject(object, "sites", (double)result->sites);
    cJSON_AddNumberToObject(object, "occurrences", (double)result->occurrences);
    cJSON_AddBoolToObject(object, "passed", result->failures == 0);
    cJSON_AddItemToArray(proof->list, object);
}

static int sweep(struct proof *proof, const struct nt_fault_plan *plan, size_t *failed)
{
    const struct prove_choices *choices = proof->choices;
    char text[NT_FAULT_TEXT_MAX];
    const struct nt_sweep sweep = {.plan = *plan,
                                   .run = run_tolerant,
                                   .failed = show_fault,
                                   .context = proof,
                                   .limit = choices->once ? 1 : choices->limit};
    struct nt_sweep_result result;
    int error = nt_fault_sweep(&sweep, &result);
    if (error != 0) {
        return complain(choices->command, EXIT_FAILED, "%s: %s", proof->file, strerror(-error));
    }
    *failed += result.failures != 0;
    nt_fault_print(plan, text);
    if (proof->list != NULL) {
        list_sweep(proof, text, &result);
    } else {
        (void)printf("%s  %s: %s: %llu runs, %llu sites, %llu calls; %llu fail\n",
                     result.failures == 0 ? "ok    " : "FAILED", proof->file, text,
                     (unsigned long long)result.runs, (unsigned long long)result.sites,
                     (unsigned long long)result.occurrences, (unsigned long long)result.failures);
    }
    return EXIT_DONE;
}

int prove_script(const struct prove_choices *choices, const char *file, const struct rig_scenario *scenario,
                 cJSON *list, size_t *failed)
{
    struct proof proof = {
        .choices = choices, .file = file, .scenario = scenario, .list = list, .terminal = isatty(2) == 1};
    int result = EXIT_DONE;
    for (size_t i = 0; i < choices->plan_count && result == EXIT_DONE; i++) {
        result = sweep(&proof, &choices->plans[i], failed);
    }
    return result == EXIT_DONE && choices->explores ? explore(&proof, failed) : result;
}

// ---- the command line ----

static bool add_plan(struct prove_choices *choices, const char *format, const char *number)
{
    char text[NT_FAULT_TEXT_MAX];
    int length = snprintf(text, sizeof text, "%s%s", format, number);
    return length < (int)sizeof text && nt_fault_parse(text, &choices->plans[choices->plan_count++]) == 0;
}

static bool parse_faults(const char *text, struct prove_choices *choices)
{
    if (strcmp(text, "all") == 0 || strcmp(text, "stack") == 0) {
        const char *which = strcmp(text, "all") == 0 ? "nth=1" : "site=1";
        return add_plan(choices, "all:fail:", which) && add_plan(choices, "all:late=50000:", which) &&
               add_plan(choices, "all:cancel=0:", which);
    }
    choices->once = true;
    if (strncmp(text, "nth:", 4) == 0) {
        return add_plan(choices, "all:fail:nth=", text + 4);
    }
    if (strncmp(text, "chance:", 7) == 0) {
        char chance[64];
        int length = snprintf(chance, sizeof chance, "%s/%llu", text + 7, (unsigned long long)choices->seed);
        return length < (int)sizeof chance && add_plan(choices, "all:fail:chance=", chance);
    }
    return add_plan(choices, text, "");
}

static int parse_exploration(const struct options *options, struct prove_choices *choices)
{
    const struct command *command = choices->command;
    choices->explores = options->explore != NULL;
    if (choices->explores &&
        (!parse_number(options->explore, &choices->bound) || choices->bound > NT_BOUND_MAX)) {
        return complain(command, EXIT_USAGE, "--explore is a number up to %d, not '%s'", NT_BOUND_MAX,
                        options->explore);
    }
    if ((choices->explores || options->schedule != NULL) && choices->seed != 0) {
        return complain(command, EXIT_USAGE, "a seed and schedules exclude each other");
    }
    if (options->limit != NULL && (!parse_number(options->limit, &choices->limit) || choices->limit == 0)) {
        return complain(command, EXIT_USAGE, "--limit is a number from 1, not '%s'", options->limit);
    }
    return EXIT_DONE;
}

int prove_parse(const struct command *command, const struct options *options, struct prove_choices *choices)
{
    struct nt_schedule schedule;
    choices->command = command;
    choices->driver = options->driver;
    int result = parse_exploration(options, choices);
    if (result == EXIT_DONE && options->faults != NULL && !parse_faults(options->faults, choices)) {
        result = complain(command, EXIT_USAGE, "--faults is all, stack, nth:K, chance:P or a plan, not '%s'",
                          options->faults);
    }
    if (result == EXIT_DONE && options->schedule != NULL) {
        if (nt_schedule_parse(options->schedule, &schedule) != 0) {
            return complain(command, EXIT_USAGE, "--schedule is POINT.OPTION,... or none, not '%s'",
                            options->schedule);
        }
        nt_schedule_use(&schedule);
    }
    return result;
}
