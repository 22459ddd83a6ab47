// SPDX-License-Identifier: MIT
// What an administrator reads after a failure: each event is made to happen, and none fills the log.
#include "tests/reader/scenario.h"

typedef int32_t LONG;
#include "reader/events.h"

enum {
    CCID_VOLTAGES = 5,
    CCID_MAXIMUM_RATE = 23,
    CCID_PIN_SUPPORT = 52,
    POWER_ON = 0x62,
    SET_PARAMETERS = 0x61,
    XFR_BLOCK = 0x6F,
    HOUR_US_SHORT = 3600u * 999000u
};

static const uint8_t select_mf[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};

struct sought {
    uint32_t code, data;
    unsigned count;
};

static void look(void *context, const struct nt_event *event)
{
    struct sought *sought = context;
    if (event->code == sought->code) {
        assert_string_equal(event->driver, RIG_READER_SERVICE);
        assert_int_equal(event->dump_count, 1);
        sought->data = event->dump[0];
        sought->count++;
    }
}

static void assert_event(LONG code, uint32_t data, unsigned count)
{
    struct sought sought = {.code = (uint32_t)code};
    nt_events(look, &sought);
    assert_int_equal(sought.count, count);
    assert_true(count == 0 || sought.data == data);
}

static nt_status power(const struct scenario *scenario)
{
    uint8_t atr[RIG_ATR_MAX];
    size_t length;
    return rig_slot_power(scenario->file, RIG_COLD_RESET, atr, &length);
}

static nt_status transmit(const struct scenario *scenario, uint32_t protocol, const uint8_t *command,
                          size_t command_length)
{
    uint8_t reply[258];
    size_t length = sizeof reply;
    return rig_slot_transmit(scenario->file, protocol, command, command_length, reply, &length);
}

static void test_long_command(void **state)
{
    static const uint32_t levels[] = {SCENARIO_SHORT, SCENARIO_TPDU, SCENARIO_CHARACTER};
    uint8_t update[307] = {0x00, 0xD6, 0x00, 0x00, 0x00, 0x01, 0x2C};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct emu_model model = *rig_default_model();
        struct scenario scenario;
        scenario_set_features(&model, levels[i]);
        scenario_begin(&scenario, &model, "t0");
        uint32_t protocol = scenario_connect(&scenario);
        assert_event(LECTERN_APDU_TOO_LONG, 261, i);
        assert_int_equal(transmit(&scenario, protocol, update, sizeof update), RIG_STATUS_INVALID_PARAMETER);
        assert_event(LECTERN_APDU_TOO_LONG, 261, i + 1);
        assert_int_equal(transmit(&scenario, protocol, select_mf, sizeof select_mf), RIG_STATUS_SUCCESS);
        scenario_end(&scenario);
    }
}

static void test_voltage(void **state)
{
    static const uint32_t features[] = {SCENARIO_TPDU, SCENARIO_TPDU & ~8u};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct emu_model model = *rig_default_model();
        struct scenario scenario;
        scenario_set_features(&model, features[i]);
        model.ccid[CCID_VOLTAGES] = 1;
        scenario_begin(&scenario, &model, "class-c");
        assert_int_equal(power(&scenario), RIG_STATUS_IO_TIMEOUT);
        assert_event(LECTERN_VOLTAGE_UNSUPPORTED, 1, i + 1);
        assert_event(LECTERN_CARD_MUTE, 0, 0);
        scenario_end(&scenario);
    }
}

static void test_bad_cards(void **state)
{
    static const struct {
        const char *card;
        LONG event;
        nt_status status;
    } rows[] = {{"bad-mute", LECTERN_CARD_MUTE, RIG_STATUS_IO_TIMEOUT},
                {"bad-tck", LECTERN_CARD_UNKNOWN, RIG_STATUS_UNRECOGNIZED_MEDIA}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct scenario scenario;
        scenario_begin(&scenario, rig_default_model(), rows[i].card);
        assert_int_equal(power(&scenario), rows[i].status);
        assert_event(rows[i].event, rows[i].status, 1);
        scenario_end(&scenario);
    }
}

// A card in specific mode is refused when it gets power, not command by command.
static void test_fast_card(void **state)
{
    struct emu_model model = *rig_default_model();
    struct scenario scenario;
    (void)state;
    scenario_set_features(&model, SCENARIO_TPDU);
    scenario_begin(&scenario, &model, "t1-specific");
    (void)scenario_connect(&scenario);
    scenario_end(&scenario);
    model.ccid[CCID_MAXIMUM_RATE] = 0x00;
    model.ccid[CCID_MAXIMUM_RATE + 1] = 0x96; // 38400 bit/s
    model.ccid[CCID_MAXIMUM_RATE + 2] = 0x00;
    scenario_begin(&scenario, &model, "t1-specific");
    assert_int_equal(power(&scenario), RIG_STATUS_UNRECOGNIZED_MEDIA);
    assert_int_equal(scenario_state(&scenario), RIG_STATE_PRESENT);
    assert_event(LECTERN_CARD_TOO_FAST, 129032, 1);
    scenario_end(&scenario);
}

static void test_refused_parameters(void **state)
{
    static const struct emu_fault refuses = {EMU_FAULT_ERROR, SET_PARAMETERS, 0, 0, 0, 0xFB};
    struct emu_model model = *rig_default_model();
    struct scenario scenario;
    uint32_t protocol;
    (void)state;
    scenario_set_features(&model, SCENARIO_TPDU);
    scenario_begin(&scenario, &model, "dual");
    assert_int_equal(power(&scenario), RIG_STATUS_SUCCESS);
    scenario_fault(&scenario, &refuses);
    assert_false(
        rig_status_ok(rig_slot_set_protocol(scenario.file, RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1, &protocol)));
    assert_event(LECTERN_PARAMETERS_REFUSED, 0xFB, 1);
    scenario_end(&scenario);
}

static void test_reader_error(void **state)
{
    static const struct emu_fault transmits = {EMU_FAULT_ERROR, XFR_BLOCK, 0, 0, 0, 0xBD};
    static const struct emu_fault powers = {EMU_FAULT_ERROR, POWER_ON, 0, 0, 0, 0xFB};
    struct scenario scenario;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), "t1");
    uint32_t protocol = scenario_connect(&scenario);
    scenario_fault(&scenario, &transmits);
    for (unsigned i = 0; i < 100; i++) {
        assert_false(rig_status_ok(transmit(&scenario, protocol, select_mf, sizeof select_mf)));
    }
    assert_event(LECTERN_READER_ERROR, 0xBD, 1);
    nt_sleep_us(HOUR_US_SHORT);
    assert_false(rig_status_ok(transmit(&scenario, protocol, select_mf, sizeof select_mf)));
    assert_event(LECTERN_READER_ERROR, 0xBD, 1);
    nt_sleep_us(HOUR_US_SHORT);
    scenario_fault(&scenario, &powers);
    assert_false(rig_status_ok(power(&scenario)));
    assert_event(LECTERN_READER_ERROR, 0xFB, 2);
    scenario_end(&scenario);
}

static void test_endless_card(void **state)
{
    static const struct emu_fault endless = {EMU_FAULT_EXTEND, XFR_BLOCK, 0, 0, 0, 1};
    struct scenario scenario;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), "t1");
    uint32_t protocol = scenario_connect(&scenario);
    scenario_fault(&scenario, &endless);
    assert_int_equal(transmit(&scenario, protocol, select_mf, sizeof select_mf), RIG_STATUS_IO_TIMEOUT);
    assert_event(LECTERN_CARD_ENDLESS, 601, 1);
    scenario_end(&scenario);
}

static void test_not_allowed(void **state)
{
    static const uint8_t escape[] = {1, 2, 3};
    struct emu_model leaky = *rig_default_model();
    struct scenario scenario;
    uint8_t reply[8];
    size_t length;
    (void)state;
    leaky.vendor_id = 0x03F0;
    leaky.product_id = 0x0036;
    leaky.release = 0x0123;
    leaky.ccid[CCID_PIN_SUPPORT] = 3;
    scenario_begin(&scenario, &leaky, NULL);
    assert_event(LECTERN_FIRMWARE_OLD, 0x0123, 1);
    assert_event(LECTERN_PIN_DISABLED, 3, 1);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(nt_device_control(scenario.file, RIG_IOCTL_ESCAPE, escape, sizeof escape, reply,
                                           sizeof reply, &length),
                         RIG_STATUS_ACCESS_DENIED);
    }
    assert_event(LECTERN_ESCAPE_REFUSED, RIG_IOCTL_ESCAPE, 1);
    scenario_end(&scenario);
}

static void test_start_failures(void **state)
{
    static const struct emu_fault silent = {EMU_FAULT_HOLD, 0, 0, 0, 0, 0};
    struct emu_model model = *rig_default_model();
    const char *card = "t1";
    uint32_t port;
    (void)state;
    model.fault = silent;
    assert_false(rig_status_ok(rig_plug(&model, &card, 1, &port)));
    assert_event(LECTERN_READER_SILENT, RIG_STATUS_IO_TIMEOUT, 1);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, scenario_boot, scenario_shut_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(test_long_command),       SCENARIO(test_voltage),
        SCENARIO(test_bad_cards),          SCENARIO(test_fast_card),
        SCENARIO(test_refused_parameters), SCENARIO(test_reader_error),
        SCENARIO(test_endless_card),       SCENARIO(test_not_allowed),
        SCENARIO(test_start_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
