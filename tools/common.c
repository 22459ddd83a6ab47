// SPDX-License-Identifier: MIT
#include "tools/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/control.h"
#include "rig/models.h"
#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/status.h"
#include "rig/usb.h"

enum { TEXT_FILE_MAX = 1 << 20 };

static const struct option long_options[] = {
    {"card", required_argument, NULL, 'c'},
    {"model", required_argument, NULL, 'm'},
    {"models", required_argument, NULL, 't'},
    {"driver", required_argument, NULL, 'd'},
    {"protocol", required_argument, NULL, 'p'},
    {"control", required_argument, NULL, 'o'},
    {"reader", required_argument, NULL, 'r'},
    {"slot", required_argument, NULL, 's'},
    {"seed", required_argument, NULL, 'e'},
    {"unplug", required_argument, NULL, 'u'},
    {"hardware-id", required_argument, NULL, 'i'},
    {"inf", required_argument, NULL, 'f'},
    {"bus", required_argument, NULL, 'b'},
    {"apdu", required_argument, NULL, 'a'},
    {"in-process", no_argument, NULL, 'n'},
    {"explore", required_argument, NULL, 'x'},
    {"limit", required_argument, NULL, 'l'},
    {"faults", required_argument, NULL, 'y'},
    {"schedule", required_argument, NULL, 'k'},
    {"output", required_argument, NULL, 'O'},
    {"root", required_argument, NULL, 'R'},
    {"ioctls", no_argument, NULL, 'q'},
    {"show", no_argument, NULL, 'w'},
    {"json", no_argument, NULL, 'j'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

int complain(const struct command *command, int exit_status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fflush(stdout);
    (void)fprintf(stderr, "lectern%s%s: ", command != NULL ? " " : "", command != NULL ? command->name : "");
    // clang-tidy 14 does not see the va_start above. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized)
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return exit_status;
}

int complain_status(const struct command *command, const char *what, nt_status status)
{
    char buffer[16];
    return complain(command, EXIT_FAILED, "%s: %s", what, rig_status_name(status, buffer));
}

static const char **text_option(struct options *options, int letter)
{
    switch (letter) {
    case 'c':
        return &options->card;
    case 'm':
        return &options->model;
    case 't':
        return &options->models;
    case 'd':
        return &options->driver;
    case 'p':
        return &options->protocol;
    case 'o':
        return &options->control;
    case 'r':
        return &options->reader;
    case 'e':
        return &options->seed;
    case 'i':
        return &options->hardware_id;
    case 'f':
        return &options->inf;
    case 'b':
        return &options->bus;
    case 'u':
        return &options->unplug;
    case 'x':
        return &options->explore;
    case 'l':
        return &options->limit;
    case 'y':
        return &options->faults;
    case 'k':
        return &options->schedule;
    case 'O':
        return &options->output;
    case 'R':
        return &options->root;
    default:
        return &options->slot;
    }
}

static void take_option(struct options *options, int letter)
{
    switch (letter) {
    case 'j':
        options->json = true;
        break;
    case 'v':
        options->verbose = true;
        break;
    case 'w':
        options->show = true;
        break;
    case 'q':
        options->ioctls = true;
        break;
    case 'n':
        options->in_process = true;
        break;
    case 'a':
        options->apdus[options->apdu_count++] = optarg; // as many as there is room for, see options_parse()
        break;
    case 'h':
        options->help = true;
        break;
    default:
        *text_option(options, letter) = optarg;
        break;
    }
}

int options_parse(const struct command *command, int argc, char **argv, const char *letters,
                  struct options *options)
{
    *options = (struct options){0};
    opterr = 0;
    optind = 1;
    int letter;
    while ((letter = getopt_long(argc, argv, letters[0] == '+' ? "+:h" : ":h", long_options, NULL)) != -1) {
        const char *given = optind > 1 ? argv[optind - 1] : "";
        if (letter == ':') {
            (void)complain(command, EXIT_USAGE, "%s needs a value, see `lectern %s --help`", given,
                           command->name);
            return -1;
        }
        if (letter == '?' || (letter != 'h' && strchr(letters, letter) == NULL)) {
            (void)complain(command, EXIT_USAGE, "unknown option %s, see `lectern %s --help`", given,
                           command->name);
            return -1;
        }
        if (letter == 'a' && options->apdu_count == APDUS_MAX) {
            (void)complain(command, EXIT_USAGE, "more than %d times --apdu", APDUS_MAX);
            return -1;
        }
        take_option(options, letter);
    }
    return optind;
}

int print_usage(const struct command *command)
{
    (void)printf("%s", command->usage);
    return EXIT_DONE;
}

int print_json(const struct command *command, cJSON *object)
{
    char *text = cJSON_Print(object);
    cJSON_Delete(object);
    if (text == NULL) {
        return complain(command, EXIT_FAILED, "out of memory");
    }
    (void)puts(text);
    cJSON_free(text);
    return EXIT_DONE;
}

static void print_line(void *context, const char *text)
{
    (void)context;
    size_t length = strlen(text);
    (void)fprintf(stderr, "%s%s", text, length > 0 && text[length - 1] == '\n' ? "" : "\n");
}

int start_rig(const struct command *command, bool verbose)
{
    const struct nt_options options = {
        .clock = NT_CLOCK_REAL, .verifier = true, .print = verbose ? print_line : NULL};
    nt_status status = rig_boot(&options);
    if (rig_status_ok(status)) {
        return EXIT_DONE;
    }
    const char *refusal = rig_refusal();
    if (refusal[0] != '\0') {
        return complain(command, EXIT_FAILED, "%.*s", (int)strlen(refusal) - 1, refusal);
    }
    return complain_status(command, "the kernel did not start", status);
}

int plug_real(const struct command *command, const char *name, uint32_t *port)
{
    char why[RIG_USB_WHY_MAX] = "";
    if (!rig_usb_named(name)) {
        return complain(command, EXIT_FAILED, "--reader %s: not a real reader, those are usb:...", name);
    }
    nt_status status = rig_usb_plug(name, port, why);
    return rig_status_ok(status) ? EXIT_DONE : complain(command, EXIT_FAILED, "%s: %s", name, why);
}

int find_model(const struct command *command, const struct options *options, struct emu_model *model)
{
    char error[512] = "";
    const char *name = options->model != NULL ? options->model : RIG_DEFAULT_MODEL;
    int result = rig_model_find(options->models, name, model, error, sizeof error);
    if (result == -ENOENT) {
        return complain(command, EXIT_FAILED, "no model '%s', `lectern models` lists them", name);
    }
    return result != 0 ? complain(command, EXIT_FAILED, "%s", error) : EXIT_DONE;
}

int parse_protocol(const struct command *command, const struct options *options, uint32_t *mask)
{
    *mask = RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1;
    if (options->protocol != NULL && strcmp(options->protocol, "t0") == 0) {
        *mask = RIG_PROTOCOL_T0;
    } else if (options->protocol != NULL && strcmp(options->protocol, "t1") == 0) {
        *mask = RIG_PROTOCOL_T1;
    } else if (options->protocol != NULL) {
        return complain(command, EXIT_USAGE, "--protocol is t0 or t1, not '%s'", options->protocol);
    }
    return EXIT_DONE;
}

static int refuse_card(const struct command *command, const char *card)
{
    return rig_card_why()[0] != '\0'
               ? complain(command, EXIT_FAILED, "no card '%s': %s", card, rig_card_why())
               : complain(command, EXIT_FAILED, "no card '%s', `lectern cards` lists them", card);
}

int check_card(const struct command *command, struct options *options)
{
    if (options->card == NULL) {
        options->card = "t1";
    }
    return rig_card_open(options->card) ? EXIT_DONE : refuse_card(command, options->card);
}

char *read_file(const char *name, size_t *length, int *error)
{
    FILE *file = fopen(name, "re");
    char *text = file != NULL ? malloc(TEXT_FILE_MAX) : NULL;
    *error = errno;
    if (text != NULL) {
        *length = fread(text, 1, TEXT_FILE_MAX, file);
        *error = ferror(file) != 0 ? errno : *length == TEXT_FILE_MAX ? EFBIG : 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (*error != 0) {
        free(text);
        return NULL;
    }
    return text;
}

int check_driver(const struct command *command, const struct options *options)
{
    if (options->driver == NULL || strcmp(options->driver, "native") == 0) {
        return EXIT_DONE;
    }
    int error = rig_choose_driver(options->driver);
    return error == 0 ? EXIT_DONE
                      : complain(command, EXIT_FAILED, "--driver %s: %s", options->driver, strerror(-error));
}

bool parse_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

int parse_seed(const struct command *command, const struct options *options, uint64_t *seed)
{
    *seed = 0;
    if (options->seed != NULL && !parse_number(options->seed, seed)) {
        return complain(command, EXIT_USAGE, "--seed is a number, not '%s'", options->seed);
    }
    return EXIT_DONE;
}

const char *control_path(const struct options *options)
{
    return options->control != NULL ? options->control : getenv(RIG_CONTROL_VARIABLE);
}

cJSON *control_request(const struct command *command, const char *path, const char *request)
{
    cJSON *reply = NULL;
    int error = rig_control_ask(path, request, &reply);
    if (error != 0) {
        (void)complain(command, EXIT_FAILED, "%s: %s; is a reader served there (./run.sh --keep)?", path,
                       strerror(-error));
        return NULL;
    }
    if (!cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok"))) {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(reply, "error"));
        (void)complain(command, EXIT_FAILED, "%s", text != NULL ? text : "refused");
        cJSON_Delete(reply);
        return NULL;
    }
    cJSON_DeleteItemFromObject(reply, "ok");
    return reply;
}
