// SPDX-License-Identifier: MIT
// lectern cards: what can be put into an emulated reader.
#include <stdio.h>

#include "emulator/emulator.h"
#include "tools/command.h"

static int run(const struct command *command, int argc, char **argv);

const struct command cards_command = {
    "cards",
    "list the emulated cards",
    "usage: lectern cards [--json]\n"
    "\n"
    "Lists the cards that --card, `lectern insert` and DEVICENAME's card= know.\n",
    run,
};

static cJSON *describe(void)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; emu_card_name(i) != NULL; i++) {
        cJSON *card = cJSON_CreateObject();
        cJSON_AddStringToObject(card, "card", emu_card_name(i));
        cJSON_AddStringToObject(card, "description", emu_card_description(i));
        cJSON_AddItemToArray(list, card);
    }
    return list;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    int first = options_parse(command, argc, argv, "j", &options);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    if (first < argc) {
        return complain(command, EXIT_USAGE, "'%s' is not expected, see `lectern cards --help`", argv[first]);
    }
    if (options.json) {
        return print_json(command, describe());
    }
    for (size_t i = 0; emu_card_name(i) != NULL; i++) {
        (void)printf("%-14s %s\n", emu_card_name(i), emu_card_description(i));
    }
    return EXIT_DONE;
}
