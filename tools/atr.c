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
    "prints what\n"
    "it makes of it, for a reader of 4 MHz and 10752 bit/s. Times are in microseconds, with the parameters "
    "in use\n"
    "right after the reset.\n"
    "\n"
    "  --json    print one JSON object, with everything of the library's SCARD_CARD_CAPABILITIES:\n"
    "    atr, historical              bytes in hex\n"
    "    convention                   direct, inverse\n"
    "    protocols, selected          T=0, T=1; selected is null while there is a choice\n"
    "    mode                         negotiable, specific\n"
    "    fi, di, f, d, dDivisor       Fl and Dl, the indices in TA1, and what they stand for: F and D / "
    "dDivisor\n"
    "    n, guardMicroseconds         N, the extra guard time in etu, and GT\n"
    "    ii, p                        II in mA, P in 0.1 V\n"
    "    etuMicroseconds              the elementary time unit, whole microseconds as the library keeps it\n"
    "    wi, wtMicroseconds           T=0: waiting integer and work waiting time\n"
    "    ifsc, edc                    T=1: size of the card's blocks; 0 LRC, 1 CRC\n"
    "    cwi, cwtMicroseconds         T=1: character waiting integer and time\n"
    "    bwi, bwtMicroseconds         T=1: block waiting integer and time\n"
    "    bgtMicroseconds              T=1: block guard time\n"
    "    pts                          PtsData: type (default, optimal, user), fl, dl, clockKHz, dataRate in "
    "bit/s,\n"
    "                                 stopBits\n",
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

static void add_hex(cJSON *object, const char *key, const uint8_t *bytes, size_t length)
{
    char text[3 * RIG_ATR_MAX];
    hex_print(bytes, length, text);
    cJSON_AddStringToObject(object, key, text);
}

static void add_protocols(cJSON *object, const struct AtrFacts *facts)
{
    cJSON *list = cJSON_AddArrayToObject(object, "protocols");
    for (unsigned protocol = 0; protocol <= 1; protocol++) {
        if ((facts->Supported >> protocol & 1) != 0) {
            cJSON_AddItemToArray(list, cJSON_CreateString(protocol == 0 ? "T=0" : "T=1"));
        }
    }
    if (facts->Selected == 0) {
        cJSON_AddNullToObject(object, "selected");
    } else {
        cJSON_AddStringToObject(object, "selected", facts->Selected == RIG_PROTOCOL_T1 ? "T=1" : "T=0");
    }
    cJSON_AddStringToObject(object, "mode", facts->Negotiable ? "negotiable" : "specific");
}

static void add_pts(cJSON *object, const struct AtrFacts *facts)
{
    static const char *const types[] = {"default", "optimal", "user"}; // PTS_TYPE_...
    cJSON *pts = cJSON_AddObjectToObject(object, "pts");
    cJSON_AddStringToObject(pts, "type", facts->PtsType < 3 ? types[facts->PtsType] : "unknown");
    add_number(pts, "fl", facts->PtsFl);
    add_number(pts, "dl", facts->PtsDl);
    add_number(pts, "clockKHz", facts->PtsClock);
    add_number(pts, "dataRate", facts->PtsRate);
    add_number(pts, "stopBits", facts->PtsStopBits);
}

static void add_numbers(cJSON *object, const struct AtrFacts *facts)
{
    const struct {
        const char *key;
        unsigned value;
    } numbers[] = {
        {"fi", facts->Fl},
        {"di", facts->Dl},
        {"f", facts->F},
        {"d", facts->DNumerator},
        {"dDivisor", facts->DDivisor},
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
}

static cJSON *describe(const struct AtrFacts *facts, const uint8_t *atr, size_t length)
{
    cJSON *object = cJSON_CreateObject();
    add_hex(object, "atr", atr, length);
    cJSON_AddStringToObject(object, "convention", facts->Inverse ? "inverse" : "direct");
    add_protocols(object, facts);
    add_numbers(object, facts);
    add_pts(object, facts);
    add_hex(object, "historical", facts->Historical, facts->HistoricalLength);
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
        return print_json(command, describe(&facts, atr, length));
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
