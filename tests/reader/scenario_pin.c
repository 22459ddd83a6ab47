// SPDX-License-Identifier: MIT
// PINs typed at the reader, and readers where none may be typed.
#include "tests/reader/scenario.h"

enum {
    CCID_PIN_SUPPORT = 52,
    FEATURES_MAX = 36,
    VERIFY_DIRECT = 0x06,
    MODIFY_DIRECT = 0x07,
    PROPERTIES = 0x0A
};

static const uint8_t verify[] = {0x1E, 0x1E, 0x82, 0x08, 0x00, 0x08, 0x04, 0x02, 0xFF, 0x09, 0x04,
                                 0x00, 0x00, 0x00, 0x00, 0x0D, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00,
                                 0x01, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t select_mf[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};

static void begin(struct scenario *scenario, uint32_t features, const char *card)
{
    struct emu_model model = *rig_default_model();
    scenario_set_features(&model, features);
    model.ccid[CCID_PIN_SUPPORT] = 3;
    scenario_begin(scenario, &model, card);
}

// 0: not offered.
static uint32_t feature(const struct scenario *scenario, uint8_t tag)
{
    uint8_t records[FEATURES_MAX];
    size_t length = 0;
    assert_int_equal(
        nt_device_control(scenario->file, RIG_IOCTL_FEATURES, NULL, 0, records, sizeof records, &length),
        RIG_STATUS_SUCCESS);
    assert_int_equal(length % 6, 0);
    for (size_t i = 0; i < length; i += 6) {
        assert_int_equal(records[i + 1], 4);
        if (records[i] == tag) {
            return (uint32_t)records[i + 2] << 24 | (uint32_t)records[i + 3] << 16 |
                   (uint32_t)records[i + 4] << 8 | records[i + 5];
        }
    }
    return 0;
}

static unsigned verify_direct(const struct scenario *scenario)
{
    uint8_t reply[16];
    size_t length = 0;
    assert_int_equal(nt_device_control(scenario->file, feature(scenario, VERIFY_DIRECT), verify,
                                       sizeof verify, reply, sizeof reply, &length),
                     RIG_STATUS_SUCCESS);
    assert_int_equal(length, 2);
    return (unsigned)(reply[0] << 8 | reply[1]);
}

static void select_master_file(const struct scenario *scenario, uint32_t protocol)
{
    uint8_t reply[258];
    size_t length = sizeof reply;
    assert_int_equal(scenario_command(scenario, protocol, select_mf, sizeof select_mf, reply, &length),
                     0x9000);
}

// At TPDU level with T=1 the block that the reader completes counts as one of ours.
static void test_verify(void **state)
{
    static const uint32_t levels[] = {SCENARIO_TPDU, SCENARIO_SHORT, SCENARIO_EXTENDED};
    static const char *const cards[] = {"t0", "t1"};
    static const struct emu_user wrong = {.pin = "4321", .delay_us = 1000};
    (void)state;
    for (size_t level = 0; level < 3; level++) {
        for (size_t card = 0; card < 2; card++) {
            struct scenario scenario;
            begin(&scenario, levels[level], cards[card]);
            uint32_t protocol = scenario_connect(&scenario);
            assert_int_equal(verify_direct(&scenario), 0x9000);
            select_master_file(&scenario, protocol);
            scenario_user(&scenario, &wrong);
            assert_int_equal(verify_direct(&scenario), 0x63C2);
            select_master_file(&scenario, protocol);
            scenario_end(&scenario);
        }
    }
}

static void test_modify(void **state)
{
    static const uint8_t modify[] = {0x1E, 0x1E, 0x82, 0x08, 0x00, 0x00, 0x08, 0x08, 0x04, 0x03, 0x02, 0x03,
                                     0x09, 0x04, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x15, 0x00, 0x00, 0x00,
                                     0x00, 0x24, 0x00, 0x01, 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    static const struct emu_user changes = {"1234", "8765", "8765", 0, 1000};
    static const struct emu_user later = {.pin = "8765", .delay_us = 1000};
    struct scenario scenario;
    uint8_t reply[16];
    size_t length = 0;
    (void)state;
    begin(&scenario, SCENARIO_EXTENDED, "t1");
    (void)scenario_connect(&scenario);
    scenario_user(&scenario, &changes);
    assert_int_equal(nt_device_control(scenario.file, feature(&scenario, MODIFY_DIRECT), modify,
                                       sizeof modify, reply, sizeof reply, &length),
                     RIG_STATUS_SUCCESS);
    assert_int_equal(length, 2);
    assert_int_equal(reply[0] << 8 | reply[1], 0x9000);
    scenario_user(&scenario, &later);
    assert_int_equal(verify_direct(&scenario), 0x9000);
    scenario_end(&scenario);
}

static void test_second_thoughts(void **state)
{
    static const struct emu_user cancels = {.pin = "1234", .cancels = 1, .delay_us = 1000};
    static const struct emu_user sleeps = {.pin = "1234", .delay_us = 3600000000u};
    struct scenario scenario;
    (void)state;
    begin(&scenario, SCENARIO_EXTENDED, "t1");
    uint32_t protocol = scenario_connect(&scenario);
    scenario_user(&scenario, &cancels);
    assert_int_equal(verify_direct(&scenario), 0x6401);
    scenario_user(&scenario, &sleeps);
    assert_int_equal(verify_direct(&scenario), 0x6400);
    select_master_file(&scenario, protocol);
    scenario_end(&scenario);
}

static void test_refused(void **state)
{
    struct scenario scenario;
    uint8_t reply[16];
    size_t length;
    (void)state;
    begin(&scenario, SCENARIO_EXTENDED, "t1");
    uint32_t code = feature(&scenario, VERIFY_DIRECT);
    assert_int_not_equal(feature(&scenario, PROPERTIES), 0);
    assert_int_equal(
        nt_device_control(scenario.file, code, verify, sizeof verify, reply, sizeof reply, &length),
        RIG_STATUS_INVALID_DEVICE_STATE); // no protocol yet
    (void)scenario_connect(&scenario);
    assert_int_equal(
        nt_device_control(scenario.file, code, verify, sizeof verify - 1, reply, sizeof reply, &length),
        RIG_STATUS_INVALID_PARAMETER);
    scenario_end(&scenario);
    // A keyboard that would pass the PIN on to the host.
    struct emu_model leaky = *rig_default_model();
    leaky.vendor_id = 0x03F0;
    leaky.product_id = 0x1024;
    leaky.ccid[CCID_PIN_SUPPORT] = 3;
    scenario_begin(&scenario, &leaky, "t1");
    (void)scenario_connect(&scenario);
    assert_int_equal(feature(&scenario, VERIFY_DIRECT), 0);
    assert_int_equal(
        nt_device_control(scenario.file, code, verify, sizeof verify, reply, sizeof reply, &length),
        RIG_STATUS_NOT_SUPPORTED);
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_verify, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_modify, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_second_thoughts, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_refused, scenario_boot, scenario_shut_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
