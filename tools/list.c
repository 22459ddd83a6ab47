// SPDX-License-Identifier: MIT
// lectern list: readers and what is in them, where they are served or in this process.
#include <stdio.h>

#include "rig/describe.h"
#include "rig/rig.h"
#include "rig/status.h"
#include "tools/command.h"

static int run(const struct command *command, int argc, char **argv);

const struct command list_command = {
    "list",
    "list the readers, their driver and their slots",
    "usage: lectern list [OPTION]...\n"
    "\n"
    "Lists the readers served where --control or LECTERN_CONTROL says; without either, plugs one reader "
    "here,\n"
    "lets the driver start it and lists that.\n"
    "\n"
    "  --control PATH   the control socket of a process that serves readers\n"
    "  --model NAME     the reader to plug here, see `lectern models` (Lectern)\n"
    "  --models FILE    take reader models from FILE instead of the installed readers.tsv\n"
    "  --reader USB     a real reader instead, usb or usb:VVVV/PPPP[:libusb-1.0:BUS:ADDRESS]\n"
    "  --card NAME      the card to put into its first slot, see `lectern cards` (none)\n"
    "  --json           print one JSON object\n",
    run,
};

static const char *text(const cJSON *object, const char *key)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
    return value != NULL ? value : "";
}

static int number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(object, key);
    return cJSON_IsNumber(item) ? item->valueint : 0;
}

static void print_list(const cJSON *object)
{
    const cJSON *reader, *slot;
    cJSON_ArrayForEach(reader, cJSON_GetObjectItem(object, "readers"))
    {
        (void)printf("Reader %d: %s (%s)\n", number(reader, "reader"), text(reader, "name"),
                     text(reader, "model"));
        (void)printf("  device %s, driver %s, %s\n", text(reader, "device"), text(reader, "driver"),
                     text(reader, "state"));
        cJSON_ArrayForEach(slot, cJSON_GetObjectItem(reader, "slots"))
        {
            const char *card = text(slot, "card");
            (void)printf("  slot %d: %s\n", number(slot, "slot"), card[0] != '\0' ? card : "empty");
        }
    }
}

static cJSON *list_real(const struct command *command, const struct options *options)
{
    uint32_t port;
    cJSON *object = NULL;
    if (start_rig(command, options->verbose) != EXIT_DONE) {
        return NULL;
    }
    if (plug_real(command, options->reader, &port) == EXIT_DONE) {
        object = rig_describe();
    }
    rig_shutdown();
    return object;
}

static cJSON *list_here(const struct command *command, const struct options *options)
{
    struct emu_model model;
    uint32_t port;
    cJSON *object = NULL;
    if (options->reader != NULL) {
        return list_real(command, options);
    }
    if (options->card != NULL && !rig_card_open(options->card)) {
        (void)complain(command, EXIT_FAILED, "no card '%s', `lectern cards` lists them", options->card);
        return NULL;
    }
    if (find_model(command, options, &model) != EXIT_DONE ||
        start_rig(command, options->verbose) != EXIT_DONE) {
        return NULL;
    }
    nt_status status = rig_plug(&model, &options->card, 1, &port);
    if (rig_status_ok(status)) {
        object = rig_describe();
    } else {
        (void)complain_status(command, "the driver did not start this reader", status);
    }
    rig_shutdown();
    return object;
}

static int list(const struct command *command, const struct options *options)
{
    const char *path = control_path(options);
    path = options->reader != NULL ? NULL : path;
    cJSON *object = path != NULL ? control_request(command, path, "list") : list_here(command, options);
    if (object == NULL) {
        return EXIT_FAILED;
    }
    if (options->json) {
        return print_json(command, object);
    }
    print_list(object);
    cJSON_Delete(object);
    return EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    int first = options_parse(command, argc, argv, "omtcrjv", &options);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    if (first < argc) {
        return complain(command, EXIT_USAGE, "'%s' is not expected, see `lectern list --help`", argv[first]);
    }
    return list(command, &options);
}
