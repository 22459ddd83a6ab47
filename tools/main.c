// SPDX-License-Identifier: MIT
#include "tools/command.h"

#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
    &apdu_command,   &list_command,  &cards_command,  &models_command, &atr_command,
    &insert_command, &eject_command, &unplug_command, &report_command, &scenario_command,
    &sweep_command,  &run_command,   &trace_command,  &doctor_command,
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i]->name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int help(void)
{
    (void)puts("usage: lectern COMMAND [OPTION]... [ARGUMENT]...\n"
               "       lectern --help | --version\n"
               "\n"
               "Runs the Lectern reader driver in this process, on emulated readers and cards.\n"
               "\n"
               "Commands:");
    for (size_t i = 0; i < COMMANDS; i++) {
        (void)printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)puts("\n`lectern COMMAND --help` says more. Exit status: 0 done, 1 the reader or card failed, 2 "
               "wrong usage.");
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        return complain(NULL, EXIT_USAGE, "no command given, see `lectern --help`");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return help();
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)puts("lectern " LECTERN_VERSION);
        return EXIT_DONE;
    }
    const struct command *command = find_command(argv[1]);
    if (command != NULL) {
        return command->run(command, argc - 1, argv + 1);
    }
    return complain(NULL, EXIT_USAGE, "unknown command '%s', see `lectern --help`", argv[1]);
}
