// SPDX-License-Identifier: MIT
// The Windows program of the suite: installs, and runs scenarios on the kernel it is started on.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/scenario/scenario.h"
#include "tests/wine/install.h"
#include "tests/wine/unable.h"

enum { SKIPPED = 77, FILE_MAX = 1 << 20 };

static struct {
    const char *reason;
    unsigned line;
} unable;

void unable_note(const char *reason)
{
    if (unable.reason == NULL) {
        unable.reason = reason;
        unable.line = rig_scenario_line();
    }
}

const char *unable_reason(void)
{
    return unable.reason;
}

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(FILE_MAX);
    *length = file != NULL && text != NULL ? fread(text, 1, FILE_MAX, file) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    return text;
}

static void show(void *context, const char *line)
{
    (void)context;
    (void)printf("%s\n", line);
}

static int tell(const struct rig_scenario_outcome *outcome)
{
    if (unable.reason != NULL) {
        (void)printf("from line %u on: %s\n", unable.line, unable.reason);
        return SKIPPED;
    }
    if (!outcome->passed) {
        (void)printf("line %u: %s\n", outcome->line, outcome->reason);
        return EXIT_FAILURE;
    }
    (void)printf("%u statements\n", (unsigned)outcome->statements);
    return EXIT_SUCCESS;
}

static int run_scenario(const char *path)
{
    char error[512] = "cannot be read";
    size_t length;
    char *text = read_file(path, &length);
    struct rig_scenario *scenario =
        length != 0 ? rig_scenario_parse(path, text, length, NULL, error, sizeof error) : NULL;
    free(text);
    if (scenario == NULL) {
        (void)printf("%s: %s\n", path, error);
        return EXIT_FAILURE;
    }
    const struct rig_scenario_options options = {.trace = show};
    struct rig_scenario_outcome outcome;
    rig_scenario_run(scenario, &options, &outcome);
    rig_scenario_free(scenario);
    return tell(&outcome);
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: scenario FILE | section INF | driver INF | device ID INF | "
                          "remove ID\n");
    return EXIT_FAILURE;
}

int main(int count, char **words)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    const char *verb = count > 2 ? words[1] : "";
    bool done;
    if (count == 3 && strcmp(verb, "scenario") == 0) {
        return run_scenario(words[2]);
    }
    if (count == 3 && strcmp(verb, "section") == 0) {
        done = install_section(words[2]);
    } else if (count == 3 && strcmp(verb, "driver") == 0) {
        done = install_driver(words[2]);
    } else if (count == 4 && strcmp(verb, "device") == 0) {
        done = install_root_device(words[2], words[3]);
    } else if (count == 3 && strcmp(verb, "remove") == 0) {
        done = remove_root_device(words[2]);
    } else {
        return usage();
    }
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
