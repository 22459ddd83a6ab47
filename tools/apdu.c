// SPDX-License-Identifier: MIT
// lectern apdu: plug a reader with a card, power it up, negotiate, send.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/rig.h"
#include "rig/status.h"
#include "tools/exchange.h"

static int run(const struct command *command, int argc, char **argv);

const struct command apdu_command = {
    "apdu",
    "send APDUs to an emulated card through the reader driver",
    "usage: lectern apdu [OPTION]... HEX...\n"
    "\n"
    "Plugs an emulated reader with a card in its first slot, powers the card up, negotiates the protocol,\n"
    "sends each HEX as one APDU and prints the ATR and the replies. Nothing of the commands is printed.\n"
    "\n"
    "  --reader USB     a real reader instead, usb or usb:VVVV/PPPP[:libusb-1.0:BUS:ADDRESS]\n"
    "  --card NAME      the card, see `lectern cards` (t1)\n"
    "  --model NAME     the reader, see `lectern models` (Lectern)\n"
    "  --models FILE    take reader models from FILE instead of the installed readers.tsv\n"
    "  --protocol P     t0 or t1: offer the card only this protocol\n"
    "  --driver D       native: the driver as built into this program; or an x64 driver image, FILE.sys, "
    "with its\n"
    "                   smclib.sys beside it; or the folder of lectern.sys\n"
    "  --verbose        show the driver's messages on stderr\n"
    "  --json           print one JSON object\n",
    run,
};

static int with_reader(const struct command *command, const struct emu_model *model,
                       const struct options *options, uint32_t mask, cJSON *object, const struct apdu *apdus,
                       int count)
{
    uint32_t port;
    nt_file *file;
    const char *card = options->card;
    if (options->reader != NULL) {
        if (plug_real(command, options->reader, &port) != EXIT_DONE) {
            return EXIT_FAILED;
        }
        card = "";
    } else {
        nt_status plugged = rig_plug(model, &card, 1, &port);
        if (!rig_status_ok(plugged)) {
            return complain_status(command, "the driver did not start this reader", plugged);
        }
    }
    nt_status status = rig_open(port, 0, &file);
    if (!rig_status_ok(status)) {
        return complain_status(command, "the reader does not open", status);
    }
    if (object != NULL) {
        cJSON_AddStringToObject(object, "model", options->reader != NULL ? options->reader : model->name);
        cJSON_AddStringToObject(object, "card", card);
    }
    int result = exchange_apdus(command, file, mask, object, apdus, count);
    nt_close(file);
    return result;
}

static int run_checked(const struct command *command, const struct options *options, uint32_t mask,
                       const struct apdu *apdus, int count)
{
    struct emu_model model;
    int result = find_model(command, options, &model);
    if (result == EXIT_DONE) {
        result = start_rig(command, options->verbose);
    }
    if (result != EXIT_DONE) {
        return result;
    }
    cJSON *object = options->json ? cJSON_CreateObject() : NULL;
    result = with_reader(command, &model, options, mask, object, apdus, count);
    rig_shutdown();
    if (object != NULL && print_json(command, object) != EXIT_DONE) {
        return EXIT_FAILED;
    }
    return result;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    uint32_t mask;
    int first = options_parse(command, argc, argv, "cmtdprjv", &options);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    if (first == argc) {
        return complain(command, EXIT_USAGE, "no APDU given, see `lectern apdu --help`");
    }
    struct apdu *apdus = calloc((size_t)(argc - first), sizeof *apdus);
    if (apdus == NULL) {
        return complain(command, EXIT_FAILED, "out of memory");
    }
    int result = parse_apdus(command, argc - first, argv + first, apdus);
    if (result == EXIT_DONE) {
        result = parse_protocol(command, &options, &mask);
    }
    if (result == EXIT_DONE) {
        result = check_card(command, &options);
    }
    if (result == EXIT_DONE) {
        result = check_driver(command, &options);
    }
    if (result == EXIT_DONE) {
        result = run_checked(command, &options, mask, apdus, argc - first);
    }
    free(apdus);
    return result;
}
