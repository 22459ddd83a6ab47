// SPDX-License-Identifier: MIT
// lectern sweep: every reader of the table through a whole life with every card.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig/jobs.h"
#include "rig/models.h"
#include "rig/scenario/scenario.h"
#include "rig/sweep.h"
#include "tools/command.h"

static int run(const struct command *command, int argc, char **argv);

const struct command sweep_command = {
    "sweep",
    "every reader model through a whole life with every card",
    "usage: lectern sweep [OPTION]...\n"
    "\n"
    "For each reader model: plug, start, and for each card that keeps to ISO 7816-3: insert, ATR, protocol, "
    "APDUs\n"
    "of cases 1 to 4, extended ones where reader and card allow, warm reset, power down, remove; then "
    "removal\n"
    "during an APDU, sleep and resume, stop and restart, the last slot, unplug. A card that does not suit "
    "the reader\n"
    "must be refused. Runs on the virtual clock with the verifier on, each model in a process of its own.\n"
    "Prints one line a model; the exit status is 1 when one failed.\n"
    "\n"
    "  --model NAME     only this one\n"
    "  --models FILE    take reader models from FILE instead of the installed readers.tsv\n"
    "  --driver D       native: the driver as built into this program; or an x64 driver image, FILE.sys, "
    "with its\n"
    "                   smclib.sys beside it; or the folder of lectern.sys\n"
    "  --seed S         the seed of the scheduler (0: no preemption)\n"
    "  --show           print the scenario of each model instead of running it; `lectern scenario` runs "
    "them\n"
    "  --verbose        show each statement on stderr\n"
    "  --json           print one JSON object\n",
    run,
};

enum { SECONDS_MAX = 300 };

struct sweep {
    const struct command *command;
    const struct options *options;
    struct emu_model *models;
    size_t count, room, failed;
    bool lost; // a model for lack of memory
    uint64_t seed;
    cJSON *list; // NULL: print
    bool terminal;
};

// ---- in the child ----

static void print_trace(void *context, const char *line)
{
    (void)context;
    (void)fprintf(stderr, "%s\n", line);
}

static void print_report(void *context, const char *report)
{
    const struct emu_model *model = context;
    (void)fprintf(stderr, "%s, line %u of its scenario (lectern sweep --show --model '%s'):\n%s", model->name,
                  rig_scenario_line(), model->name, report);
}

static struct rig_scenario *make_scenario(const struct sweep *sweep, const struct emu_model *model, FILE *out)
{
    char *text = NULL, error[1024] = "out of memory";
    size_t length = 0;
    struct rig_scenario *scenario = NULL;
    FILE *script = open_memstream(&text, &length);
    if (script != NULL) {
        rig_sweep_write(model, script);
        if (fclose(script) == 0) {
            scenario =
                rig_scenario_parse(model->name, text, length, sweep->options->models, error, sizeof error);
        }
    }
    free(text);
    if (scenario == NULL) {
        (void)fprintf(out, "0 %s\n", error);
    }
    return scenario;
}

static bool run_model(void *context, size_t index, FILE *out)
{
    const struct sweep *sweep = context;
    struct emu_model *model = &sweep->models[index];
    struct rig_scenario_outcome outcome;
    const struct rig_scenario_options options = {.seed = sweep->seed,
                                                 .trace = sweep->options->verbose ? print_trace : NULL,
                                                 .bugcheck = print_report,
                                                 .context = model};
    struct rig_scenario *scenario = make_scenario(sweep, model, out);
    if (scenario == NULL) {
        return false;
    }
    rig_scenario_run(scenario, &options, &outcome);
    rig_scenario_free(scenario);
    (void)fprintf(out, "%zu ", outcome.statements);
    if (!outcome.passed) {
        (void)fprintf(out, "line %u: %s", outcome.line, outcome.reason);
    }
    return outcome.passed;
}

// ---- in the parent ----

static void add_json(const struct sweep *sweep, const char *model, bool passed, size_t statements,
                     const char *reason)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", model);
    cJSON_AddBoolToObject(object, "ok", passed);
    cJSON_AddNumberToObject(object, "statements", (double)statements);
    if (!passed) {
        cJSON_AddStringToObject(object, "reason", reason);
    }
    cJSON_AddItemToArray(sweep->list, object);
}

static void show_progress(const struct sweep *sweep, size_t done)
{
    if (sweep->terminal) {
        (void)fprintf(stderr, "\r%zu of %zu models, %zu failed%s", done, sweep->count, sweep->failed,
                      done == sweep->count ? "\r\033[K" : "");
        (void)fflush(stderr);
    }
}

static void show_result(void *context, const struct rig_job_result *result)
{
    struct sweep *sweep = context;
    const char *model = sweep->models[result->index].name;
    bool passed = result->succeeded && result->died == NULL;
    char died[128] = "";
    int at = 0;
    size_t statements = 0;
    if (sscanf(result->text, "%zu %n", &statements, &at) != 1) {
        at = 0;
    }
    if (result->died != NULL) {
        (void)snprintf(died, sizeof died, "the process %s", result->died);
    }
    const char *reason = died[0] != '\0' ? died : result->text + at;
    sweep->failed += !passed;
    if (sweep->list != NULL) {
        add_json(sweep, model, passed, statements, reason);
    } else if (passed) {
        (void)printf("ok      %s: %zu statements\n", model, statements);
    } else {
        (void)printf("FAILED  %s: %s\n", model, reason);
    }
    show_progress(sweep, result->index + 1);
}

static void add_model(void *context, const struct emu_model *model)
{
    struct sweep *sweep = context;
    const char *wanted = sweep->options->model;
    if (wanted != NULL ? strcmp(wanted, model->name) != 0 : strcmp(RIG_DEFAULT_MODEL, model->name) == 0) {
        return; // the table's models, which the built-in one is none of, unless it is asked for
    }
    if (sweep->count == sweep->room) {
        size_t room = 2 * sweep->room + 64;
        struct emu_model *models = realloc(sweep->models, room * sizeof *models);
        if (models == NULL) {
            sweep->lost = true;
            return;
        }
        sweep->models = models;
        sweep->room = room;
    }
    sweep->models[sweep->count++] = *model;
}

static int find_models(struct sweep *sweep)
{
    char error[512];
    if (rig_models(sweep->options->models, add_model, sweep, error, sizeof error) != 0) {
        return complain(sweep->command, EXIT_FAILED, "%s", error);
    }
    if (sweep->lost) {
        return complain(sweep->command, EXIT_FAILED, "out of memory");
    }
    if (sweep->count == 0) {
        const char *model = sweep->options->model;
        return model != NULL ? complain(sweep->command, EXIT_FAILED,
                                        "no model '%s', `lectern models` lists them", model)
                             : complain(sweep->command, EXIT_FAILED, "the table has no models");
    }
    return EXIT_DONE;
}

static int show_scripts(const struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->count; i++) {
        rig_sweep_write(&sweep->models[i], stdout);
    }
    return EXIT_DONE;
}

static int run_sweep(struct sweep *sweep)
{
    sweep->list = sweep->options->json ? cJSON_CreateArray() : NULL;
    sweep->terminal = isatty(STDERR_FILENO) != 0 && !sweep->options->verbose;
    int error = rig_jobs(sweep->count, 0, SECONDS_MAX, run_model, show_result, sweep);
    if (error != 0) {
        cJSON_Delete(sweep->list);
        return complain(sweep->command, EXIT_FAILED, "%s", strerror(-error));
    }
    int result = sweep->failed == 0 ? EXIT_DONE : EXIT_FAILED;
    if (sweep->list == NULL) {
        (void)printf("%zu models, %zu ok, %zu failed\n", sweep->count, sweep->count - sweep->failed,
                     sweep->failed);
        return result;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "results", sweep->list);
    cJSON_AddNumberToObject(object, "models", (double)sweep->count);
    cJSON_AddNumberToObject(object, "ok", (double)(sweep->count - sweep->failed));
    cJSON_AddNumberToObject(object, "failed", (double)sweep->failed);
    return print_json(sweep->command, object) == EXIT_DONE ? result : EXIT_FAILED;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    int first = options_parse(command, argc, argv, "mtdewjv", &options);
    struct sweep sweep = {.command = command, .options = &options};
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    if (first < argc) {
        return complain(command, EXIT_USAGE, "'%s' is not expected, see `lectern sweep --help`", argv[first]);
    }
    int result = parse_seed(command, &options, &sweep.seed);
    if (result == EXIT_DONE) {
        result = check_driver(command, &options);
    }
    if (result == EXIT_DONE) {
        result = find_models(&sweep);
    }
    if (result == EXIT_DONE) {
        result = options.show ? show_scripts(&sweep) : run_sweep(&sweep);
    }
    free(sweep.models);
    return result;
}
