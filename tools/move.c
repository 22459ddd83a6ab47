// SPDX-License-Identifier: MIT
// lectern insert, eject, unplug: move cards and readers where they are served.
#include <stdio.h>
#include <string.h>

#include "tools/command.h"

enum { REQUEST_BYTES = 200 };

#define WHERE_HELP                                                                                           \
    "  --control PATH   the control socket, instead of the environment variable LECTERN_CONTROL\n"           \
    "  --reader N       the reader's number in `lectern list`; needed when there are several\n"

static int run(const struct command *command, int argc, char **argv);

const struct command insert_command = {
    "insert",
    "put a card into a served reader",
    "usage: lectern insert [OPTION]... CARD\n"
    "\n"
    "Puts CARD (see `lectern cards`) into a reader of a process that serves readers.\n"
    "\n" WHERE_HELP "  --slot N         the slot (0)\n",
    run,
};

const struct command eject_command = {
    "eject",
    "pull the card out of a served reader",
    "usage: lectern eject [OPTION]...\n"
    "\n"
    "Pulls the card out of a reader of a process that serves readers.\n"
    "\n" WHERE_HELP "  --slot N         the slot (0)\n",
    run,
};

const struct command unplug_command = {
    "unplug",
    "unplug a served reader",
    "usage: lectern unplug [OPTION]...\n"
    "\n"
    "Unplugs a reader of a process that serves readers, as if its cable had been pulled.\n"
    "\n" WHERE_HELP,
    run,
};

static int request(const struct command *command, const struct options *options, const char *card)
{
    char line[REQUEST_BYTES];
    const char *path = control_path(options);
    if (path == NULL) {
        return complain(command, EXIT_USAGE, "where? give --control PATH or set LECTERN_CONTROL");
    }
    const char *reader = options->reader != NULL ? options->reader : "any";
    const char *slot = command == &unplug_command ? "" : options->slot != NULL ? options->slot : "0";
    int length = snprintf(line, sizeof line, "%s %s %s %s", command->name, reader, slot, card);
    if (length < 0 || length >= REQUEST_BYTES || strpbrk(line, "\r\n") != NULL) {
        return complain(command, EXIT_USAGE, "an argument is too long or holds a line break");
    }
    cJSON *reply = control_request(command, path, line);
    cJSON_Delete(reply);
    return reply != NULL ? EXIT_DONE : EXIT_FAILED;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    int first = options_parse(command, argc, argv, command == &unplug_command ? "or" : "ors", &options);
    int operands = command == &insert_command ? 1 : 0;
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    if (argc - first != operands) {
        return complain(command, EXIT_USAGE, "%s, see `lectern %s --help`",
                        operands == 1 ? "one card is expected" : "no argument is expected", command->name);
    }
    return request(command, &options, operands == 1 ? argv[first] : "");
}
