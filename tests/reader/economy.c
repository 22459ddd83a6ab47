// SPDX-License-Identifier: MIT
// Messages and bytes of a whole session by exchange level: reset, protocol, twenty commands, power off. The
// least that the texts allow is reckoned here, for cards of one protocol; the table in docs/reader.md
// explains what goes beyond it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/reader/scenario.h"

enum { COMMANDS = 20, HEADER = 10, COMMAND = 5, ANSWER = 18, EPILOGUE = 1, PROLOGUE = 3 };
enum { T0_PARAMETERS = 5, T1_PARAMETERS = 7, PPS = 4 };

struct traffic {
    unsigned messages; // in both directions
    unsigned out, in;  // bytes
};

enum level { CHARACTER, TPDU, APDU };

static const struct economy {
    const char *name;
    enum level level;
    uint32_t features;
    const char *card;
    bool tells;           // nobody but the host can tell the reader the card's parameters
    struct traffic extra; // explained in docs/reader.md
    bool negotiates;      // the card has more to offer than default factors, and the host does the PPS
} rows[] = {
    {"character, T=0", CHARACTER, SCENARIO_CHARACTER, "t0", true, {0, 0, 0}, false},
    {"TPDU, T=0", TPDU, SCENARIO_TPDU, "t0", true, {0, 0, 0}, false},
    {"TPDU, T=1", TPDU, SCENARIO_TPDU, "t1", true, {2, 15, 15}, false},
    {"TPDU, T=1, by PPS", TPDU, SCENARIO_TPDU, "t1-extended", true, {2, 15, 15}, true},
    {"TPDU, T=1, automatic", TPDU, 0x000104BA, "t1", false, {2, 17, 17}, false},
    {"short APDU, T=0", APDU, SCENARIO_SHORT, "t0", false, {2, 15, 15}, false},
    {"short APDU, T=1", APDU, SCENARIO_SHORT, "t1", false, {2, 17, 17}, false},
    {"extended APDU, T=0", APDU, SCENARIO_EXTENDED, "t0", false, {2, 15, 15}, false},
    {"extended APDU, T=1", APDU, SCENARIO_EXTENDED, "t1", false, {2, 17, 17}, false},
};

// A command and its reply, each in one message; CCID 1.1 6.1 and 6.2.
static void exchange(struct traffic *traffic, unsigned out, unsigned in)
{
    traffic->messages += 2;
    traffic->out += HEADER + out;
    traffic->in += HEADER + in;
}

// One command of case 2 with its answer.
static void command(struct traffic *traffic, const struct economy *row)
{
    bool t1 = row->card[1] == '1';
    if (row->level == CHARACTER) {
        // The card may answer the header with a NULL, its data or a status word, and the reader must be told
        // how many bytes to wait for: the procedure byte comes by itself, ISO 7816-3:2006 10.3.3.
        exchange(traffic, COMMAND, 1);
        exchange(traffic, 0, ANSWER);
    } else if (row->level == TPDU && t1) {
        exchange(traffic, PROLOGUE + COMMAND + EPILOGUE, PROLOGUE + ANSWER + EPILOGUE);
    } else {
        exchange(traffic, COMMAND, ANSWER);
    }
}

static struct traffic least(const struct economy *row, size_t atr_length)
{
    struct traffic traffic = {0};
    unsigned parameters = row->card[1] == '1' ? T1_PARAMETERS : T0_PARAMETERS;
    exchange(&traffic, 0, (unsigned)atr_length); // PC_to_RDR_IccPowerOn
    if (row->negotiates) {
        exchange(&traffic, PPS, PPS); // ISO 7816-3:2006 9.2
    }
    if (row->tells) {
        exchange(&traffic, parameters, parameters); // PC_to_RDR_SetParameters
    }
    for (unsigned i = 0; i < COMMANDS; i++) {
        command(&traffic, row);
    }
    exchange(&traffic, 0, 0); // PC_to_RDR_IccPowerOff
    return traffic;
}

static struct traffic measure(const struct economy *row, size_t *atr_length)
{
    static const uint8_t get[COMMAND] = {0x80, 0xE0, 0x40, 0x00, 0x10};
    struct emu_model model = *rig_default_model();
    struct emu_statistics before, after;
    struct scenario scenario;
    uint8_t reply[64], atr[RIG_ATR_MAX];
    uint32_t protocol;
    scenario_set_features(&model, row->features);
    scenario_begin(&scenario, &model, row->card);
    nt_sleep_us(1000000); // what the interrupt pipe has to say first has been dealt with
    assert_int_equal(rig_statistics(scenario.port, &before), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_slot_power(scenario.file, RIG_COLD_RESET, atr, atr_length), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_slot_set_protocol(scenario.file, RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1, &protocol),
                     RIG_STATUS_SUCCESS);
    for (unsigned i = 0; i < COMMANDS; i++) {
        size_t length = sizeof reply;
        assert_int_equal(scenario_command(&scenario, protocol, get, sizeof get, reply, &length), 0x9000);
        assert_int_equal(length, 16);
    }
    assert_int_equal(rig_slot_power(scenario.file, RIG_POWER_DOWN, atr, &(size_t){0}), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_statistics(scenario.port, &after), RIG_STATUS_SUCCESS);
    scenario_end(&scenario);
    return (struct traffic){(unsigned)(after.commands + after.responses - before.commands - before.responses),
                            (unsigned)(after.bytes_out - before.bytes_out),
                            (unsigned)(after.bytes_in - before.bytes_in)};
}

static bool documented(const char *line)
{
    char text[256];
    bool found = false;
    FILE *file = fopen(READER_DOCUMENT, "re");
    assert_non_null(file);
    while (!found && fgets(text, sizeof text, file) != NULL) {
        found = strncmp(text, line, strlen(line)) == 0;
    }
    (void)fclose(file);
    return found;
}

static void test_table(void **state)
{
    bool right = true;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[160];
        size_t atr_length;
        struct traffic is = measure(&rows[i], &atr_length), must = least(&rows[i], atr_length);
        (void)snprintf(line, sizeof line, "| %s | %u | %u | %u | %u | %u | %u |", rows[i].name, is.messages,
                       must.messages, is.out, must.out, is.in, must.in);
        bool explained = is.messages == must.messages + rows[i].extra.messages &&
                         is.out == must.out + rows[i].extra.out && is.in == must.in + rows[i].extra.in;
        bool there = documented(line);
        right &= explained && there;
        print_message("%s%s%s\n", line, explained ? "" : " <- more than is explained",
                      there ? "" : " <- not in docs/reader.md");
    }
    assert_true(right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_table, scenario_boot, scenario_shut_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
