// SPDX-License-Identifier: MIT
// lectern run: somebody else's reader driver, as its INF installs it.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "rig/control.h"
#include "rig/describe.h"
#include "rig/rig.h"
#include "rig/status.h"
#include "tools/exchange.h"
#include "tools/package.h"

static int run(const struct command *command, int argc, char **argv);

const struct command run_command = {
    "run",
    "start a WDM reader driver, FILE.sys, on a reader as its INF says",
    "usage: lectern run [OPTION]... --hardware-id ID FILE.sys\n"
    "\n"
    "Plugs an emulated reader that has the hardware id and starts the x64 driver image FILE.sys for it, with "
    "the\n"
    "service name and registry values that its INF gives them. What it imports from, as smclib.sys, lies "
    "beside it.\n"
    "Lists the device, its SCReader links and device interfaces, sends the APDUs to the first slot, or stays "
    "until a\n"
    "signal. The driver runs in a process of its own without rights; one that breaks a rule or faults ends "
    "that\n"
    "process with a report on stderr, and the exit status is 1.\n"
    "\n"
    "  --hardware-id ID the device's, as in the INF: 'USB\\VID_072F&PID_90CC', 'USB\\Class_0B'\n"
    "  --inf FILE       the driver's INF: service, registry values of service and device, files\n"
    "  --bus B          where the reader is: emulated (the default)\n"
    "  --model NAME     the reader, see `lectern models` (the one of the id's VID and PID, else Lectern with "
    "these)\n"
    "  --models FILE    take reader models from FILE instead of the installed readers.tsv\n"
    "  --card NAME      the card in its first slot, see `lectern cards` (t1)\n"
    "  --protocol P     t0 or t1: offer the card only this protocol\n"
    "  --apdu HEX       power the card up, negotiate, send this APDU; may be given again\n"
    "  --control PATH   while it stays: answer `lectern list`, insert, eject, ... on this socket\n"
    "  --in-process     run the driver in this process, as a debugger likes it\n"
    "  --verbose        show the driver's messages on stderr\n"
    "  --json           print one JSON object\n",
    run,
};

struct session {
    const struct command *command;
    const struct options *options;
    const struct package *package;
    uint32_t mask;
    struct apdu *apdus;
    cJSON *object; // NULL: print
};

// ---- the device ----

static void show_text(const struct session *session, const char *key, const char *label, const char *value)
{
    if (session->object != NULL) {
        cJSON_AddStringToObject(session->object, key, value);
    } else {
        (void)printf("%s: %s\n", label, value);
    }
}

static void show_names(const struct session *session, uint32_t port)
{
    char link[NT_ID_MAX];
    struct rig_reader reader = {.slots = 0};
    (void)rig_find(port, &reader);
    show_text(session, "image", "Image", session->package->image);
    show_text(session, "service", "Service", session->package->driver.service);
    show_text(session, "device", "Device", reader.instance);
    cJSON *links = session->object != NULL ? cJSON_AddArrayToObject(session->object, "links") : NULL;
    for (unsigned number = 0; number < RIG_LINKS_MAX; number++) {
        if (!rig_link(number, link)) {
            continue;
        }
        if (links != NULL) {
            cJSON_AddItemToArray(links, cJSON_CreateString(link));
        } else {
            (void)printf("Link: %s\n", link);
        }
    }
    cJSON *interfaces =
        session->object != NULL ? cJSON_AddArrayToObject(session->object, "interfaces") : NULL;
    for (unsigned slot = 0; slot < reader.slots; slot++) {
        if (interfaces != NULL) {
            cJSON_AddItemToArray(interfaces, cJSON_CreateString(reader.links[slot]));
        } else {
            (void)printf("Interface: %s\n", reader.links[slot]);
        }
    }
}

static int send_apdus(const struct session *session, uint32_t port)
{
    nt_file *file;
    nt_status status = rig_open(port, 0, &file);
    if (!rig_status_ok(status)) {
        return complain_status(session->command, "the reader does not open", status);
    }
    int result = exchange_apdus(session->command, file, session->mask, session->object, session->apdus,
                                (int)session->options->apdu_count);
    nt_close(file);
    return result;
}

// ---- staying ----

static void ending_signals(sigset_t *signals)
{
    (void)sigemptyset(signals);
    (void)sigaddset(signals, SIGINT);
    (void)sigaddset(signals, SIGTERM);
    (void)sigaddset(signals, SIGHUP);
}

static int stay(const struct session *session)
{
    const struct timespec look_again = {.tv_nsec = 200000000};
    sigset_t signals;
    const char *path = session->options->control;
    int error = path != NULL ? rig_control_start(path) : 0;
    if (error != 0) {
        return complain(session->command, EXIT_FAILED, "%s: %s", path, strerror(-error));
    }
    if (session->object == NULL) {
        (void)printf("Serving until a signal\n");
    }
    (void)fflush(stdout);
    ending_signals(&signals);
    while (nt_alive() && sigtimedwait(&signals, NULL, &look_again) < 0) {
    }
    rig_control_stop();
    return nt_alive() ? EXIT_DONE
                      : complain(session->command, EXIT_FAILED, "the driver has ended its process");
}

// ---- starting ----

static int explain_refusal(const struct session *session, const struct emu_model *model, nt_status status)
{
    const char *refusal = rig_refusal();
    if (refusal[0] != '\0') {
        return complain(session->command, EXIT_FAILED, "%.*s", (int)strlen(refusal) - 1, refusal);
    }
    if (status == RIG_STATUS_NO_SUCH_DEVICE) {
        return complain(session->command, EXIT_FAILED, "the reader %s does not have the hardware id %s",
                        model->name, session->options->hardware_id);
    }
    return complain_status(session->command, "the driver did not start this reader", status);
}

static int with_model(const struct session *session, const struct emu_model *model)
{
    uint32_t port;
    nt_status status = rig_plug(model, &session->options->card, 1, &port);
    if (!rig_status_ok(status)) {
        return explain_refusal(session, model, status);
    }
    show_names(session, port);
    return session->options->apdu_count != 0 ? send_apdus(session, port) : stay(session);
}

static int with_package(const struct session *session)
{
    const struct options *options = session->options;
    struct emu_model model;
    const char *ids[] = {options->hardware_id, NULL};
    const struct inf_driver *driver = &session->package->driver;
    const struct rig_package package = {driver->service, ids, driver->values, driver->value_count};
    sigset_t signals;
    int result = options->model != NULL
                     ? find_model(session->command, options, &model)
                     : package_model(session->command, options->hardware_id, options->models, &model);
    if (result != EXIT_DONE) {
        return result;
    }
    rig_choose_package(&package);
    rig_isolate(!options->in_process);
    ending_signals(&signals);
    if (options->apdu_count == 0) {
        (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); // before there are threads
    }
    result = start_rig(session->command, options->verbose);
    if (result == EXIT_DONE) {
        result = with_model(session, &model);
        rig_shutdown();
    }
    rig_choose_package(NULL);
    return result;
}

static int run_session(struct session *session, const char *image, struct package *package)
{
    const struct options *options = session->options;
    session->package = package;
    int result =
        parse_apdus(session->command, (int)options->apdu_count, (char **)options->apdus, session->apdus);
    if (result == EXIT_DONE) {
        result = package_read(session->command, image, options->inf, options->hardware_id, package);
    }
    return result == EXIT_DONE ? with_package(session) : result;
}

static int run_checked(struct session *session, const char *image)
{
    int result = EXIT_FAILED;
    struct package *package = calloc(1, sizeof *package);
    session->apdus = calloc(session->options->apdu_count + 1, sizeof *session->apdus);
    session->object = session->options->json ? cJSON_CreateObject() : NULL;
    if (package != NULL && session->apdus != NULL) {
        result = run_session(session, image, package);
    } else {
        (void)complain(session->command, EXIT_FAILED, "out of memory");
    }
    free(session->apdus);
    free(package);
    if (session->object != NULL && cJSON_GetArraySize(session->object) != 0) {
        return print_json(session->command, session->object) == EXIT_DONE ? result : EXIT_FAILED;
    }
    cJSON_Delete(session->object);
    return result;
}

static int check_words(const struct command *command, const struct options *options, int operands)
{
    if (operands != 1) {
        return complain(command, EXIT_USAGE, "one FILE.sys is expected, see `lectern run --help`");
    }
    if (options->hardware_id == NULL) {
        return complain(command, EXIT_USAGE, "--hardware-id is needed, see `lectern run --help`");
    }
    if (options->bus != NULL && strcmp(options->bus, "emulated") != 0) {
        return complain(command, EXIT_USAGE, "--bus is emulated, not '%s'", options->bus);
    }
    return EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    int first = options_parse(command, argc, argv, "ifbmtcpaonvj", &options);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    struct session session = {.command = command, .options = &options};
    int result = check_words(command, &options, argc - first);
    if (result == EXIT_DONE) {
        result = parse_protocol(command, &options, &session.mask);
    }
    if (result == EXIT_DONE) {
        result = check_card(command, &options);
    }
    return result == EXIT_DONE ? run_checked(&session, argv[first]) : result;
}
