// SPDX-License-Identifier: MIT
// lectern atr: what the smart card driver library reads from an ATR.
#include <stdio.h>

#include "rig/scard.h"
#include "rig/status.h"
#include "tools/atrparse.h"
#include "tools/command.h"
#include "tools/hex.h"

static int run(const struct command *command, int argc, char **argv);

const struct command atr_command = {
    "atr",
    "what the driver library reads from an ATR",
    "usage: lectern atr [--json] HEX...\n"
    "\n"
    "Lets the smart card driver library parse HEX, in one piece or several, as an answer to reset, and "
    "prints what it makes of it.\n"
    "Times are in microseconds at 4 MHz, with the parameters in use right after the reset.\n",
    run,
};

static const char *protocols(const struct AtrFacts *facts)
{
    static const char *const names[] = {"none", "T=0", "T=1", "T=0 and T=1"};
    return names[facts->Supported & (RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1)];
}

static void print_facts(const struct AtrFacts *facts)
{
    char historical[3 * sizeof facts->Historical];
    hex_print(facts->Historical, facts->HistoricalLength, historical);
    (void)printf("Convention: %s\n", facts->Inverse ? "inverse" : "direct");
    (void)printf("Protocols: %s, %s mode\n", protocols(facts), facts->Negotiable ? "negotiable" : "specific");
    (void)printf("Fi/Di: index %u/%u, F=%u D=%u", facts->Fl, facts->Dl, facts->F, facts->DNumerator);
    (void)printf(facts->DDivisor > 1 ? "/%u\n" : "\n", facts->DDivisor);
    (void)printf("Extra guard time: %u\n", facts->N);
    (void)printf("Programming: %d mA, %d.%d V\n", facts->Current, facts->Voltage / 10, facts->Voltage % 10);
    if ((facts->Supported & RIG_PROTOCOL_T0) != 0) {
        (void)printf("T=0: WI=%u, work waiting time %u us\n", facts->WI, facts->WT);
    }
    if ((facts->Supported & RIG_PROTOCOL_T1) != 0) {
        (void)printf(
            "T=1: IFSC=%u, CWI=%u, BWI=%u, %s, character waiting time %u us, block waiting time %u us\n",
            facts->IFSC, facts->CWI, facts->BWI, facts->EDC != 0 ? "CRC" : "LRC", facts->CWT, facts->BWT);
    }
    (void)printf("Historical bytes: %s\n", facts->HistoricalLength > 0 ? historical : "none");
}

static void add_number(cJSON *object, const char *key, unsigned value)
{
    cJSON_AddNumberToObject(object, key, value);
}

static cJSON *describe(const struct AtrFacts *facts)
{
    char historical[3 * sizeof facts->Historical];
    cJSON *object = cJSON_CreateObject();
    hex_print(facts->Historical, facts->HistoricalLength, historical);
    cJSON_AddStringToObject(object, "convention", facts->Inverse ? "inverse" : "direct");
    cJSON *list = cJSON_AddArrayToObject(object, "protocols");
    for (unsigned protocol = 0; protocol <= 1; protocol++) {
        if ((facts->Supported >> protocol & 1) != 0) {
            cJSON_AddItemToArray(list, cJSON_CreateString(protocol == 0 ? "T=0" : "T=1"));
        }
    }
    cJSON_AddStringToObject(object, "mode", facts->Negotiable ? "negotiable" : "specific");
    const struct {
        const char *key;
        unsigned value;
    } numbers[] = {
        {"fi", facts->Fl},
        {"di", facts->Dl},
        {"f", facts->F},
        {"d", facts->DNumerator},
        {"n", facts->N},
        {"ii", facts->Current},
        {"p", facts->Voltage},
        {"wi", facts->WI},
        {"ifsc", facts->IFSC},
        {"cwi", facts->CWI},
        {"bwi", facts->BWI},
        {"edc", facts->EDC},
        {"etuMicroseconds", facts->Etu},
        {"guardMicroseconds", facts->GT},
        {"wtMicroseconds", facts->WT},
        {"cwtMicroseconds", facts->CWT},
        {"bwtMicroseconds", facts->BWT},
        {"bgtMicroseconds", facts->BGT},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        add_number(object, numbers[i].key, numbers[i].value);
    }
    cJSON_AddStringToObject(object, "historical", historical);
    return object;
}

static int parse(const struct command *command, const uint8_t *atr, size_t length, bool json)
{
    struct AtrFacts facts;
    const struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .verifier = true};
    int error = nt_boot(&options);
    if (error != 0) {
        return complain(command, EXIT_FAILED, "the kernel did not start");
    }
    AtrRead(atr, (unsigned)length, &facts);
    nt_shutdown();
    if (!rig_status_ok(facts.Status)) {
        return complain_status(command, "not a usable ATR", facts.Status);
    }
    if (json) {
        return print_json(command, describe(&facts));
    }
    print_facts(&facts);
    return EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    uint8_t atr[RIG_ATR_MAX];
    const char *wrong;
    int first = options_parse(command, argc, argv, "j", &options);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (options.help) {
        return print_usage(command);
    }
    if (first == argc) {
        return complain(command, EXIT_USAGE, "no ATR given, see `lectern atr --help`");
    }
    size_t length = 0;
    for (int i = first; i < argc; i++) {
        int more = hex_parse(argv[i], atr + length, sizeof atr - length, &wrong);
        if (more < 0) {
            return complain(command, EXIT_USAGE, "'%.120s': %s", argv[i], wrong);
        }
        length += (size_t)more;
    }
    return parse(command, atr, length, options.json);
}
