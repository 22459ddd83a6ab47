// SPDX-License-Identifier: MIT
// lectern scenario: runs scripts of what happens to readers.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/jobs.h"
#include "rig/scenario/scenario.h"
#include "tools/command.h"
#include "tools/prove.h"

static int run(const struct command *command, int argc, char **argv);

const struct command scenario_command = {
    "scenario",
    "run a scenario: plug, open, power, transmit, unplug, ...",
    "usage: lectern scenario [OPTION]... FILE...\n"
    "\n"
    "Runs each FILE, a script with one statement a line (docs/scenarios.md), on the driver in a process of "
    "its own,\n"
    "with the verifier on and on a virtual clock: waiting takes no time, and a seed gives the same run "
    "again.\n"
    "Prints one line a run; the exit status is 1 when one failed.\n"
    "\n"
    "  --seed S         the seed of the scheduler (0: no preemption)\n"
    "  --unplug N|all   pull every reader out before the Nth statement; all: run once for each N. From then "
    "on\n"
    "                   what is asked of the reader must say that it is gone, whatever the script expects\n"
    "  --explore N      run it in every order of its threads with up to N preemptions\n"
    "  --faults F       all, stack, nth:K, chance:P (in a million) or a plan, as allocation:fail:nth=3: what "
    "a driver\n"
    "                   calls fails, comes late or is cancelled, one call a run\n"
    "                   In these runs answers do not count: broken rules, crashes, hangs and leaks do\n"
    "  --limit N        no more than N such runs\n"
    "  --schedule S     the run that --explore found: POINT.OPTION,...\n"
    "  --models FILE    take reader models from FILE instead of the installed readers.tsv\n"
    "  --driver D       native: the driver as built into this program; or an x64 driver image, FILE.sys, "
    "with its\n"
    "                   smclib.sys beside it; or the folder of lectern.sys\n"
    "  --verbose        show each statement, with the virtual time and the driver's messages, on stderr\n"
    "  --json           print one JSON array\n",
    run,
};

enum { SECONDS_MAX = 120 };

struct script {
    const char *file;
    struct rig_scenario *scenario;
};

struct job {
    const struct script *script;
    struct rig_scenario_options options;
};

struct runs {
    const struct command *command;
    const struct options *given;
    struct job *jobs;
    size_t count, room;
    size_t *statements; // that each job ran
    size_t failed;
    cJSON *list; // NULL: print
};

// ---- in the child ----

static void print_trace(void *context, const char *line)
{
    (void)context;
    (void)fprintf(stderr, "%s\n", line);
}

static void print_report(void *context, const char *report)
{
    const struct job *job = context;
    (void)fprintf(stderr, "%s:%u: seed %llu, unplug at %zu:\n%s", job->script->file, rig_scenario_line(),
                  (unsigned long long)job->options.seed, job->options.unplug_at, report);
}

// One line for the parent: how many statements, how long, where and why it failed.
static bool run_job(void *context, size_t index, FILE *out)
{
    struct rig_scenario_outcome outcome;
    const struct runs *runs = context;
    struct job *job = &runs->jobs[index];
    job->options.context = job;
    rig_scenario_run(job->script->scenario, &job->options, &outcome);
    if (outcome.passed && !nt_schedule_kept()) {
        outcome.passed = false;
        (void)snprintf(outcome.reason, sizeof outcome.reason,
                       "the run does not come to every departure of the schedule, which is of another run");
    }
    (void)fprintf(out, "%zu %llu %u %s\n", outcome.statements, (unsigned long long)outcome.virtual_us,
                  outcome.line, outcome.reason);
    return outcome.passed;
}

// ---- in the parent ----

struct outcome {
    unsigned long long statements, virtual_us;
    unsigned line;
    char reason[1100];
};

static void take_outcome(const struct rig_job_result *result, struct outcome *outcome)
{
    int at = 0;
    *outcome = (struct outcome){0};
    if (sscanf(result->text, "%llu %llu %u %n", &outcome->statements, &outcome->virtual_us, &outcome->line,
               &at) == 3) {
        (void)snprintf(outcome->reason, sizeof outcome->reason, "%.*s", (int)strcspn(result->text + at, "\n"),
                       result->text + at);
    }
    if (result->died != NULL) {
        (void)snprintf(outcome->reason, sizeof outcome->reason, "the process %s", result->died);
    }
}

static void add_json(const struct runs *runs, const struct job *job, const struct outcome *outcome,
                     bool passed)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "scenario", job->script->file);
    cJSON_AddNumberToObject(object, "seed", (double)job->options.seed);
    if (job->options.unplug_at != 0) {
        cJSON_AddNumberToObject(object, "unplugAt", (double)job->options.unplug_at);
    }
    cJSON_AddBoolToObject(object, "passed", passed);
    cJSON_AddNumberToObject(object, "statements", (double)outcome->statements);
    cJSON_AddNumberToObject(object, "virtualMicroseconds", (double)outcome->virtual_us);
    if (!passed) {
        cJSON_AddNumberToObject(object, "line", outcome->line);
        cJSON_AddStringToObject(object, "reason", outcome->reason);
    }
    cJSON_AddItemToArray(runs->list, object);
}

static void print_outcome(const struct job *job, const struct outcome *outcome, bool passed)
{
    char where[64] = "";
    if (job->options.unplug_at != 0) {
        (void)snprintf(where, sizeof where, ", unplugged at %zu", job->options.unplug_at);
    }
    if (passed) {
        (void)printf("ok      %s%s: %llu statements, %llu.%03llu s\n", job->script->file, where,
                     outcome->statements, outcome->virtual_us / 1000000, outcome->virtual_us / 1000 % 1000);
    } else {
        (void)printf("FAILED  %s:%u%s: %s (seed %llu)\n", job->script->file, outcome->line, where,
                     outcome->reason, (unsigned long long)job->options.seed);
    }
}

static void show_result(void *context, const struct rig_job_result *result)
{
    struct outcome outcome;
    struct runs *runs = context;
    const struct job *job = &runs->jobs[result->index];
    bool passed = result->succeeded && result->died == NULL;
    take_outcome(result, &outcome);
    runs->statements[result->index] = (size_t)outcome.statements;
    runs->failed += !passed;
    if (runs->list != NULL) {
        add_json(runs, job, &outcome, passed);
    } else {
        print_outcome(job, &outcome, passed);
    }
}

static bool add_job(struct runs *runs, const struct script *script, uint64_t seed, size_t unplug_at)
{
    if (runs->count == runs->room) {
        size_t room = 2 * runs->room + 16;
        struct job *jobs = realloc(runs->jobs, room * sizeof *jobs);
        if (jobs == NULL) {
            return false;
        }
        runs->jobs = jobs;
        runs->room = room;
    }
    runs->jobs[runs->count++] = (struct job){
        .script = script,
        .options = {.seed = seed,
                    .unplug_at = unplug_at,
                    .tolerant = runs->given->schedule != NULL,
                    .trace = runs->given->verbose ? print_trace : NULL,
                    .bugcheck = print_report},
    };
    return true;
}

static int run_jobs(struct runs *runs)
{
    runs->statements = calloc(runs->count + 1, sizeof *runs->statements);
    int error = runs->statements != NULL ? rig_jobs(runs->count, 0, SECONDS_MAX, run_job, show_result, runs)
                                         : -ENOMEM;
    return error == 0 ? EXIT_DONE : complain(runs->command, EXIT_FAILED, "%s", strerror(-error));
}

// The runs so far told how many statements there are to unplug before.
static int run_unplugged(struct runs *runs)
{
    size_t count = runs->count;
    const size_t *statements = runs->statements;
    struct job *first = runs->jobs;
    runs->jobs = NULL;
    runs->count = runs->room = 0;
    bool added = true;
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 1; added && at <= statements[i]; at++) {
            added = add_job(runs, first[i].script, first[i].options.seed, at);
        }
    }
    free(runs->statements);
    free(first);
    runs->statements = NULL;
    return added ? run_jobs(runs) : complain(runs->command, EXIT_FAILED, "out of memory");
}

// ---- the command line ----

struct choices {
    struct prove_choices prove;
    uint64_t seed;
    size_t unplug_at;
    bool unplug_all;
};

static int parse_choices(const struct command *command, const struct options *options,
                         struct choices *choices)
{
    uint64_t number = 0;
    *choices = (struct choices){0};
    choices->unplug_all = options->unplug != NULL && strcmp(options->unplug, "all") == 0;
    if (options->unplug != NULL && !choices->unplug_all &&
        (!parse_number(options->unplug, &number) || number == 0)) {
        return complain(command, EXIT_USAGE, "--unplug is a number from 1 or all, not '%s'", options->unplug);
    }
    choices->unplug_at = (size_t)number;
    int result = parse_seed(command, options, &choices->seed);
    if (result == EXIT_DONE) {
        choices->prove.seed = choices->seed;
        result = prove_parse(command, options, &choices->prove);
    }
    return result == EXIT_DONE ? check_driver(command, options) : result;
}

static int parse_script(const struct command *command, const struct options *options, const char *file,
                        struct script *script)
{
    char error[1024];
    size_t length;
    int reason = 0;
    char *text = read_file(file, &length, &reason);
    if (text == NULL) {
        return complain(command, EXIT_FAILED, "%s: %s", file, strerror(reason));
    }
    script->file = file;
    script->scenario = rig_scenario_parse(file, text, length, options->models, error, sizeof error);
    free(text);
    return script->scenario != NULL ? EXIT_DONE : complain(command, EXIT_USAGE, "%s", error);
}

static int run_scripts(struct runs *runs, const struct script *scripts, size_t count,
                       const struct choices *choices)
{
    for (size_t i = 0; i < count; i++) {
        if (!add_job(runs, &scripts[i], choices->seed, choices->unplug_at)) {
            return complain(runs->command, EXIT_FAILED, "out of memory");
        }
    }
    int result = run_jobs(runs);
    for (size_t i = 0; i < count && result == EXIT_DONE && runs->failed == 0; i++) {
        const struct script *script = &scripts[i];
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are as many scripts as count says
        result = prove_script(&choices->prove, script->file, script->scenario, runs->list, &runs->failed);
    }
    return result == EXIT_DONE && choices->unplug_all && runs->failed == 0 ? run_unplugged(runs) : result;
}

static int run_parsed(const struct command *command, const struct options *options,
                      const struct script *scripts, size_t count, const struct choices *choices)
{
    struct runs runs = {.command = command, .given = options};
    runs.list = options->json ? cJSON_CreateArray() : NULL;
    int result = run_scripts(&runs, scripts, count, choices);
    if (runs.list != NULL && print_json(command, runs.list) != EXIT_DONE) {
        result = EXIT_FAILED;
    }
    free(runs.jobs);
    free(runs.statements);
    return result == EXIT_DONE && runs.failed != 0 ? EXIT_FAILED : result;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    struct choices choices = {0};
    int first = options_parse(command, argc, argv, "tdeujvxlyk", &options);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    if (first == argc) {
        return complain(command, EXIT_USAGE, "no file given, see `lectern scenario --help`");
    }
    size_t count = (size_t)(argc - first);
    struct script *scripts = calloc(count, sizeof *scripts);
    int result = scripts != NULL ? parse_choices(command, &options, &choices)
                                 : complain(command, EXIT_FAILED, "out of memory");
    for (size_t i = 0; scripts != NULL && i < count && result == EXIT_DONE; i++) {
        result = parse_script(command, &options, argv[first + (int)i], &scripts[i]);
    }
    if (result == EXIT_DONE) {
        result = run_parsed(command, &options, scripts, count, &choices);
    }
    for (size_t i = 0; scripts != NULL && i < count; i++) {
        rig_scenario_free(scripts[i].scenario);
    }
    free(scripts);
    return result;
}
