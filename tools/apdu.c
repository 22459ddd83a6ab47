// SPDX-License-Identifier: MIT
// lectern apdu: plug a reader with a card, power it up, negotiate, send.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/status.h"
#include "tools/command.h"
#include "tools/hex.h"

static int run(const struct command *command, int argc, char **argv);

const struct command apdu_command = {
    "apdu",
    "send APDUs to an emulated card through the reader driver",
    "usage: lectern apdu [OPTION]... HEX...\n"
    "\n"
    "Plugs an emulated reader with a card in its first slot, powers the card up, negotiates the protocol,\n"
    "sends each HEX as one APDU and prints the ATR and the replies. Nothing of the commands is printed.\n"
    "\n"
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

struct exchange {
    const struct command *command;
    nt_file *file;
    uint32_t protocol;
    uint8_t reply[RIG_REPLY_MAX];
    char text[3 * RIG_REPLY_MAX];
    cJSON *replies; // NULL: print
};

struct apdu {
    size_t length;
    uint8_t bytes[RIG_APDU_MAX];
};

static void show(struct exchange *exchange, size_t length)
{
    hex_print(exchange->reply, length, exchange->text);
    if (exchange->replies != NULL) {
        cJSON_AddItemToArray(exchange->replies, cJSON_CreateString(exchange->text));
    } else {
        (void)puts(exchange->text);
    }
}

static nt_status power_up(struct exchange *exchange, uint32_t mask, cJSON *object)
{
    size_t length;
    nt_status status = rig_slot_power(exchange->file, RIG_COLD_RESET, exchange->reply, &length);
    if (!rig_status_ok(status) || length == 0) {
        (void)complain_status(exchange->command, "the card does not answer", status);
        return rig_status_ok(status) ? RIG_STATUS_NO_MEDIA : status;
    }
    hex_print(exchange->reply, length, exchange->text);
    if (object != NULL) {
        cJSON_AddStringToObject(object, "atr", exchange->text);
    } else {
        (void)printf("ATR: %s\n", exchange->text);
    }
    status = rig_slot_set_protocol(exchange->file, mask, &exchange->protocol);
    if (!rig_status_ok(status)) {
        (void)complain_status(exchange->command, "no protocol could be negotiated", status);
        return status;
    }
    const char *name = exchange->protocol == RIG_PROTOCOL_T1 ? "T=1" : "T=0";
    if (object != NULL) {
        cJSON_AddStringToObject(object, "protocol", name);
    } else {
        (void)printf("Protocol: %s\n", name);
    }
    return RIG_STATUS_SUCCESS;
}

static nt_status send_all(struct exchange *exchange, const struct apdu *apdus, int count)
{
    for (int i = 0; i < count; i++) {
        size_t length = sizeof exchange->reply;
        nt_status status = rig_slot_transmit(exchange->file, exchange->protocol, apdus[i].bytes,
                                             apdus[i].length, exchange->reply, &length);
        if (!rig_status_ok(status)) {
            char what[32];
            (void)snprintf(what, sizeof what, "APDU %d failed", i + 1);
            (void)complain_status(exchange->command, what, status);
            return status;
        }
        show(exchange, length);
    }
    return RIG_STATUS_SUCCESS;
}

static int talk(const struct command *command, nt_file *file, uint32_t mask, cJSON *object,
                const struct apdu *apdus, int count)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        return complain(command, EXIT_FAILED, "out of memory");
    }
    exchange->command = command;
    exchange->file = file;
    nt_status status = power_up(exchange, mask, object);
    exchange->replies = object != NULL ? cJSON_AddArrayToObject(object, "replies") : NULL;
    if (rig_status_ok(status)) {
        status = send_all(exchange, apdus, count);
    }
    if (object != NULL && !rig_status_ok(status)) {
        char buffer[16];
        cJSON_AddStringToObject(object, "error", rig_status_name(status, buffer));
    }
    free(exchange);
    return rig_status_ok(status) ? EXIT_DONE : EXIT_FAILED;
}

static int with_reader(const struct command *command, const struct emu_model *model, const char *card,
                       uint32_t mask, cJSON *object, const struct apdu *apdus, int count)
{
    uint32_t port;
    nt_file *file;
    nt_status status = rig_plug(model, &card, 1, &port);
    if (!rig_status_ok(status)) {
        return complain_status(command, "the driver did not start this reader", status);
    }
    status = rig_open(port, 0, &file);
    if (!rig_status_ok(status)) {
        return complain_status(command, "the reader does not open", status);
    }
    if (object != NULL) {
        cJSON_AddStringToObject(object, "model", model->name);
        cJSON_AddStringToObject(object, "card", card);
    }
    int result = talk(command, file, mask, object, apdus, count);
    nt_close(file);
    return result;
}

// Before anything is started.
static int parse_apdus(const struct command *command, int count, char **words, struct apdu *apdus)
{
    for (int i = 0; i < count; i++) {
        const char *wrong;
        int length = hex_parse(words[i], apdus[i].bytes, sizeof apdus[i].bytes, &wrong);
        if (length < 0) {
            return complain(command, EXIT_USAGE, "'%.40s': %s", words[i], wrong);
        }
        if (length < 4) {
            return complain(command, EXIT_USAGE, "'%.40s': an APDU has at least 4 bytes", words[i]);
        }
        apdus[i].length = (size_t)length;
    }
    return EXIT_DONE;
}

static int parse_choices(const struct command *command, struct options *options, uint32_t *mask)
{
    *mask = RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1;
    if (options->protocol != NULL && strcmp(options->protocol, "t0") == 0) {
        *mask = RIG_PROTOCOL_T0;
    } else if (options->protocol != NULL && strcmp(options->protocol, "t1") == 0) {
        *mask = RIG_PROTOCOL_T1;
    } else if (options->protocol != NULL) {
        return complain(command, EXIT_USAGE, "--protocol is t0 or t1, not '%s'", options->protocol);
    }
    if (options->card == NULL) {
        options->card = "t1";
    }
    if (!rig_card_known(options->card)) {
        return complain(command, EXIT_FAILED, "no card '%s', `lectern cards` lists them", options->card);
    }
    return check_driver(command, options);
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
    result = with_reader(command, &model, options->card, mask, object, apdus, count);
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
    int first = options_parse(command, argc, argv, "cmtdpjv", &options);
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
        result = parse_choices(command, &options, &mask);
    }
    if (result == EXIT_DONE) {
        result = run_checked(command, &options, mask, apdus, argc - first);
    }
    free(apdus);
    return result;
}
