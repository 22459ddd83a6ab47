// SPDX-License-Identifier: MIT
// Every kind of card at every exchange level.
#include "tests/reader/scenario.h"

static const uint8_t select_df[] = {0x00, 0xA4, 0x04, 0x0C, 0x09, 0xF0, 'L',
                                    'E',  'C',  'T',  'E',  'R',  'N',  0x01};

static const char *const good_cards[] = {"t0",     "t1",        "t0-inverse",  "t0-single",   "t1-crc",
                                         "dual",   "dual-fast", "t1-specific", "t1-extended", "t0-extended",
                                         "t1-ifs", "class-c",   "bad-pps",     "bad-noisy",   "bad-lossy"};

// 255 bytes of the 400-byte file with the pattern i, which begins at 64.
static void read_file(const struct scenario *scenario, uint32_t protocol)
{
    static const uint8_t read[] = {0x00, 0xB0, 0x81, 0x00, 0xFF};
    uint8_t reply[258];
    size_t length = sizeof reply;
    assert_int_equal(scenario_command(scenario, protocol, read, sizeof read, reply, &length), 0x9000);
    assert_int_equal(length, 255);
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(reply[i], (uint8_t)(64 + i));
    }
}

static void use_card(uint32_t features, const char *card)
{
    struct emu_model model = *rig_default_model();
    struct scenario scenario;
    uint8_t reply[258];
    size_t length = sizeof reply;
    scenario_set_features(&model, features);
    scenario_begin(&scenario, &model, card);
    uint32_t protocol = scenario_connect(&scenario);
    assert_int_equal(scenario_command(&scenario, protocol, select_df, sizeof select_df, reply, &length),
                     0x9000);
    read_file(&scenario, protocol);
    read_file(&scenario, protocol);
    uint8_t atr[RIG_ATR_MAX];
    size_t atr_length;
    assert_int_equal(rig_slot_power(scenario.file, RIG_WARM_RESET, atr, &atr_length), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_slot_power(scenario.file, RIG_POWER_DOWN, atr, &atr_length), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_state(&scenario), RIG_STATE_PRESENT);
    scenario_end(&scenario);
}

static void use_cards(uint32_t features)
{
    for (size_t i = 0; i < sizeof good_cards / sizeof good_cards[0]; i++) {
        print_message("features %08X, card %s\n", features, good_cards[i]);
        use_card(features, good_cards[i]);
    }
}

static void test_character(void **state)
{
    (void)state;
    use_cards(SCENARIO_CHARACTER);
}

static void test_tpdu(void **state)
{
    (void)state;
    use_cards(SCENARIO_TPDU);
}

static void test_short(void **state)
{
    (void)state;
    use_cards(SCENARIO_SHORT);
}

static void test_extended(void **state)
{
    (void)state;
    use_cards(SCENARIO_EXTENDED);
}

// The reader's own algorithm (40h), host-chosen voltage (08h clear), host-set rates (10h and 20h clear).
static void test_other_features(void **state)
{
    (void)state;
    use_card(0x0004007A, "dual");
    use_card(0x00010020, "class-c");
    use_card(0x00010020, "t0");
    use_card(0x00010008, "dual");
    use_card(0x00010438, "t1");
}

// 2000 bytes through messages of 64, in one command each way.
static void test_extended_length(void **state)
{
    static const uint8_t select_generated[] = {0x00, 0xA4, 0x02, 0x0C, 0x02, 0x50, 0x04};
    static const uint8_t read[] = {0x00, 0xB0, 0x00, 0x00, 0x00, 0x07, 0xD0};
    static const uint32_t message_lengths[] = {64, 271, 65554};
    (void)state;
    for (size_t i = 0; i < sizeof message_lengths / sizeof message_lengths[0]; i++) {
        struct emu_model model = *rig_default_model();
        struct scenario scenario;
        uint8_t reply[2002];
        size_t length = sizeof reply;
        scenario_set_message_length(&model, message_lengths[i]);
        scenario_begin(&scenario, &model, "t1-extended");
        uint32_t protocol = scenario_connect(&scenario);
        assert_int_equal(scenario_command(&scenario, protocol, select_df, sizeof select_df, reply, &length),
                         0x9000);
        length = sizeof reply;
        assert_int_equal(
            scenario_command(&scenario, protocol, select_generated, sizeof select_generated, reply, &length),
            0x9000);
        length = sizeof reply;
        assert_int_equal(scenario_command(&scenario, protocol, read, sizeof read, reply, &length), 0x9000);
        assert_int_equal(length, 2000);
        scenario_end(&scenario);
    }
}

static void test_bad_atr(void **state)
{
    static const struct {
        const char *card;
        nt_status status;
    } rows[] = {{"bad-mute", RIG_STATUS_IO_TIMEOUT},
                {"bad-tck", RIG_STATUS_UNRECOGNIZED_MEDIA},
                {"bad-ts", RIG_STATUS_UNRECOGNIZED_MEDIA}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario scenario;
        uint8_t atr[RIG_ATR_MAX];
        size_t length;
        print_message("card %s\n", rows[i].card);
        scenario_begin(&scenario, rig_default_model(), rows[i].card);
        assert_int_equal(rig_slot_power(scenario.file, RIG_COLD_RESET, atr, &length), rows[i].status);
        assert_int_equal(scenario_state(&scenario), RIG_STATE_PRESENT);
        scenario_end(&scenario);
    }
}

static void test_dying_card(void **state)
{
    static const char *const cards[] = {"bad-dying-t0", "bad-dying-t1"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct emu_model model = *rig_default_model();
        struct scenario scenario;
        nt_status status = RIG_STATUS_SUCCESS;
        scenario_set_features(&model, SCENARIO_TPDU);
        scenario_begin(&scenario, &model, cards[i]);
        uint32_t protocol = scenario_connect(&scenario);
        for (size_t round = 0; round < 5 && rig_status_ok(status); round++) {
            uint8_t reply[258];
            size_t length = sizeof reply;
            status = rig_slot_transmit(scenario.file, protocol, select_df, sizeof select_df, reply, &length);
        }
        assert_false(rig_status_ok(status));
        assert_int_equal(scenario_connect(&scenario), protocol); // a reset revives it
        scenario_end(&scenario);
    }
}

// Feature 400h: the reader tells the card its IFSD by itself, and nobody tells it twice.
static void test_ifsd_once(void **state)
{
    static const char *const cards[] = {"t1", "t1-crc"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct emu_model model = *rig_default_model();
        struct scenario scenario;
        struct emu_statistics before, after;
        scenario_set_features(&model, SCENARIO_TPDU | 0x400);
        scenario_begin(&scenario, &model, cards[i]);
        uint32_t protocol = scenario_connect(&scenario);
        assert_int_equal(protocol, RIG_PROTOCOL_T1);
        assert_int_equal(rig_statistics(scenario.port, &before), RIG_STATUS_SUCCESS);
        uint8_t reply[258];
        size_t length = sizeof reply;
        assert_int_equal(scenario_command(&scenario, protocol, select_df, sizeof select_df, reply, &length),
                         0x9000);
        assert_int_equal(rig_statistics(scenario.port, &after), RIG_STATUS_SUCCESS);
        assert_int_equal(after.commands - before.commands, 1);
        read_file(&scenario, protocol);
        scenario_end(&scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_extended, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_short, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_tpdu, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_character, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_other_features, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_extended_length, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_bad_atr, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_dying_card, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_ifsd_once, scenario_boot, scenario_shut_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
