// SPDX-License-Identifier: MIT
// lectern report: what ran inside a process that serves readers.
#include <stdio.h>

#include "tools/command.h"

static int run(const struct command *command, int argc, char **argv);

const struct command report_command = {
    "report",
    "what ran where readers are served: driver routines, IRPs, CCID messages",
    "usage: lectern report [--control PATH] [--json]\n"
    "\n"
    "Says which routines of the reader driver ran and how often, how many IRPs were completed, and what "
    "each\n"
    "reader saw on its USB pipes, in a process that serves readers.\n"
    "\n"
    "  --control PATH   the control socket, instead of the environment variable LECTERN_CONTROL\n"
    "  --json           print one JSON object\n",
    run,
};

static double number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void print_report(const cJSON *report)
{
    const cJSON *item;
    (void)fputs("Driver routines:", stdout);
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(report, "routines"))
    {
        (void)printf(" %s %.0f%s", item->string, item->valuedouble, item->next != NULL ? "," : "");
    }
    (void)printf("\nIRPs completed: %.0f\n", number(report, "irps"));
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(report, "readers"))
    {
        (void)printf("CCID messages, reader %.0f: %.0f commands, %.0f responses (%.0f time extensions), "
                     "%.0f notifications; %.0f APDUs reached a card\n",
                     number(item, "reader"), number(item, "commands"), number(item, "responses"),
                     number(item, "timeExtensions"), number(item, "notifications"),
                     number(item, "cardCommands"));
    }
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    int first = options_parse(command, argc, argv, "oj", &options);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    const char *path = control_path(&options);
    if (first < argc || path == NULL) {
        return complain(command, EXIT_USAGE, "%s",
                        path == NULL ? "where? give --control PATH or set LECTERN_CONTROL"
                                     : "no argument is expected");
    }
    cJSON *report = control_request(command, path, "report");
    if (report == NULL) {
        return EXIT_FAILED;
    }
    if (options.json) {
        return print_json(command, report);
    }
    print_report(report);
    cJSON_Delete(report);
    return EXIT_DONE;
}
