// SPDX-License-Identifier: MIT
// A command of the tool and what they all share.
#pragma once
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdbool.h>

#include "nthost/user/nthost.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *summary;                                              // one line for `lectern --help`
    const char *usage;                                                // what `lectern NAME --help` prints
    int (*run)(const struct command *command, int argc, char **argv); // argv[0] is the command's name
};

extern const struct command apdu_command, atr_command, cards_command, list_command, models_command;
extern const struct command insert_command, eject_command, unplug_command, report_command;
extern const struct command scenario_command, sweep_command, run_command, trace_command, doctor_command;

const struct command *find_command(const char *name); // NULL: none

enum { APDUS_MAX = 64 }; // of --apdu

// The options that several commands have; each command allows those in its letters.
struct options {
    bool json, help, verbose, show, in_process;
    const char *card, *model, *models, *driver, *protocol, *control, *reader, *slot;
    const char *seed, *unplug, *explore, *limit, *faults, *schedule, *hardware_id, *inf, *bus;
    bool ioctls;
    const char *output, *root;
    const char *apdus[APDUS_MAX];
    size_t apdu_count;
};
// Letters: i hardware-id, f inf, b bus, a apdu, n in-process, c card, m model, t models, d driver, p
// protocol, o control, r reader, s slot, e seed, u unplug, j json, v verbose, w show, x
// explore, l limit, y faults, k schedule, O output, q ioctls, R root. A '+' before them: options end at the
// first operand.
// --help is always there. Returns the index of the first operand, or -1 after saying on stderr what is wrong.
int options_parse(const struct command *command, int argc, char **argv, const char *letters,
                  struct options *options);

// One line on stderr, "lectern NAME: ...". Returns `exit_status`.
int complain(const struct command *command, int exit_status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The same for a failed request, with the status by name. Returns EXIT_FAILED.
int complain_status(const struct command *command, const char *what, nt_status status);
int print_json(const struct command *command, cJSON *object); // prints and deletes it
int print_usage(const struct command *command);

// Boots the rig; a broken rule of the driver ends the process with its report. EXIT_DONE, or after a
// complaint.
int start_rig(const struct command *command, bool verbose);
// The reader that --model and --models name. EXIT_DONE, or after a complaint.
struct emu_model;
int plug_real(const struct command *command, const char *name,
              uint32_t *port); // a USB reader's name, see rig/usb.h
int find_model(const struct command *command, const struct options *options, struct emu_model *model);
// --driver: what the rig is to start. EXIT_DONE, or after a complaint.
int check_driver(const struct command *command, const struct options *options);
// --protocol as a mask of RIG_PROTOCOL_; --card, t1 without. EXIT_DONE, or after a complaint.
int parse_protocol(const struct command *command, const struct options *options, uint32_t *mask);
int check_card(const struct command *command, struct options *options);
// A whole text file, to be freed; NULL: `error` is an errno.
char *read_file(const char *name, size_t *length, int *error);
bool parse_number(const char *text, uint64_t *number); // decimal, or hex behind 0x
// --seed, 0 without. EXIT_DONE, or after a complaint.
int parse_seed(const struct command *command, const struct options *options, uint64_t *seed);
// Where --control, else the environment, says readers are served; NULL: nowhere.
const char *control_path(const struct options *options);
// Asks the serving process; NULL after a complaint.
cJSON *control_request(const struct command *command, const char *path, const char *request);
