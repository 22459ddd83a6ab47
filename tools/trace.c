// SPDX-License-Identifier: MIT
// lectern trace: another command, with what goes over the bus in a file.
#include "rig/trace.h"

#include <string.h>

#include "tools/command.h"

static int run(const struct command *command, int argc, char **argv);

const struct command trace_command = {
    "trace",
    "record what goes over USB during another command, for Wireshark",
    "usage: lectern trace --output FILE [--ioctls] COMMAND [ARGUMENT]...\n"
    "\n"
    "Runs `lectern COMMAND ARGUMENT...` and writes every USB transfer of its readers to FILE, a pcapng file "
    "in which\n"
    "Wireshark shows their descriptors and CCID messages. PINs are zeroed: the data of VERIFY, CHANGE "
    "REFERENCE DATA,\n"
    "RESET RETRY COUNTER and their like at any exchange level, of ENVELOPE, PC_to_RDR_Secure and "
    "PC_to_RDR_Escape.\n"
    "Commands that run the driver in a process of its own without rights are not seen: `lectern run` with\n"
    "--in-process is.\n"
    "\n"
    "  --output FILE    the file; what is there is replaced\n"
    "  --ioctls         also the device controls, with APDUs and ATRs, as lines of text\n",
    run,
};

static int traced(const struct command *command, const struct options *options, int argc, char **argv)
{
    const struct command *inner = find_command(argv[0]);
    if (inner == NULL || inner == command) {
        return complain(command, EXIT_USAGE, "'%s' cannot be traced", argv[0]);
    }
    int error = rig_trace_start(options->output, options->ioctls);
    if (error != 0) {
        return complain(command, EXIT_FAILED, "%s: %s", options->output, strerror(-error));
    }
    int result = inner->run(inner, argc, argv);
    error = rig_trace_stop();
    if (error != 0) {
        return complain(command, EXIT_FAILED, "%s: %s; the trace is incomplete", options->output,
                        strerror(-error));
    }
    return result;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    int first = options_parse(command, argc, argv, "+Oq", &options);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    if (options.output == NULL || first == argc) {
        return complain(command, EXIT_USAGE, "%s, see `lectern trace --help`",
                        first == argc ? "no command given" : "--output FILE is missing");
    }
    return traced(command, &options, argc - first, argv + first);
}
