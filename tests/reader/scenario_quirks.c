// SPDX-License-Identifier: MIT
// Readers whose descriptors are known to be wrong: each of these fails without its row in the table.
#include "tests/reader/scenario.h"
#include "vbus/vbusioctl.h"

typedef int32_t LONG;
#include "reader/events.h"

enum { ATTR_MAX_DATA_RATE = 0x00030124, ATTR_MAX_IFSD = 0x00030125, CCID_MAX_IFSD = 28 };

static const uint8_t select_mf[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};

static void begin(struct scenario *scenario, uint16_t vendor, uint16_t product, uint16_t release,
                  uint32_t features)
{
    struct emu_model model = *rig_default_model();
    model.vendor_id = vendor;
    model.product_id = product;
    model.release = release;
    model.ccid[CCID_MAX_IFSD] = 0;
    scenario_set_features(&model, features);
    scenario_begin(scenario, &model, "t1");
}

static void count_event(void *context, const struct nt_event *event)
{
    *(unsigned *)context += event->code == (uint32_t)LECTERN_APDU_TOO_LONG;
}

// TRUE: the driver thinks that 307 bytes are too many for the reader.
static bool too_long(uint16_t vendor, uint16_t product, uint16_t release, uint32_t features)
{
    uint8_t update[307] = {0x00, 0xD6, 0x00, 0x00, 0x00, 0x01, 0x2C}, reply[258];
    size_t length = sizeof reply;
    unsigned before = 0, after = 0;
    struct scenario scenario;
    begin(&scenario, vendor, product, release, features);
    uint32_t protocol = scenario_connect(&scenario);
    nt_events(count_event, &before);
    (void)rig_slot_transmit(scenario.file, protocol, update, sizeof update, reply, &length);
    nt_events(count_event, &after);
    scenario_end(&scenario);
    return after != before;
}

static void test_levels(void **state)
{
    static const uint16_t chained[][3] = {{0x076B, 0x3A21, 1},     {0x076B, 0x3031, 1}, {0x076B, 0x6632, 1},
                                          {0x046A, 0x00A7, 1},     {0x0BF8, 0x1024, 1}, {0x2F7C, 0x6007, 1},
                                          {0x046A, 0x00A1, 0x0100}};
    (void)state;
    assert_true(too_long(0x0D46, 0x3010, 0x0040, SCENARIO_EXTENDED));
    assert_false(too_long(0x0D46, 0x3011, 0x0040, SCENARIO_EXTENDED));
    assert_true(too_long(0x046A, 0x00A1, 0x0102, SCENARIO_SHORT)); // newer firmware
    for (size_t i = 0; i < sizeof chained / sizeof chained[0]; i++) {
        assert_false(too_long(chained[i][0], chained[i][1], chained[i][2], SCENARIO_SHORT));
    }
}

static uint32_t attribute(uint16_t vendor, uint16_t product, uint32_t tag)
{
    struct scenario scenario;
    uint32_t value = 0;
    size_t length = 0;
    begin(&scenario, vendor, product, 0x0100, SCENARIO_TPDU);
    assert_int_equal(nt_device_control(scenario.file, RIG_IOCTL_GET_ATTRIBUTE, &tag, sizeof tag, &value,
                                       sizeof value, &length),
                     RIG_STATUS_SUCCESS);
    scenario_end(&scenario);
    return value;
}

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(attribute(0x058F, 0x9540, ATTR_MAX_DATA_RATE), 200000);
    assert_int_equal(attribute(0x0B97, 0x7762, ATTR_MAX_DATA_RATE), 10752); // not below the default
    assert_int_equal(attribute(0x0B97, 0x7772, ATTR_MAX_DATA_RATE), 10752);
    assert_int_equal(attribute(0x09BE, 0x0002, ATTR_MAX_IFSD), 254); // dwMaxIFSD 0 says nothing
}

static uint64_t card_session(uint16_t release)
{
    struct emu_statistics statistics;
    struct scenario scenario;
    uint8_t reply[258];
    size_t length = sizeof reply, returned;
    nt_file *bus;
    struct emu_model model = *rig_default_model();
    model.vendor_id = 0x0529;
    model.product_id = 0x0620;
    model.release = release;
    scenario_set_features(&model, SCENARIO_TPDU);
    scenario_begin(&scenario, &model, "t1");
    uint32_t protocol = scenario_connect(&scenario);
    assert_int_equal(scenario_command(&scenario, protocol, select_mf, sizeof select_mf, reply, &length),
                     0x9000);
    assert_int_equal(nt_open(VBUS_USER_PATH, &bus), RIG_STATUS_SUCCESS);
    assert_int_equal(nt_device_control(bus, IOCTL_VBUS_STATISTICS, &scenario.port, sizeof scenario.port,
                                       &statistics, sizeof statistics, &returned),
                     RIG_STATUS_SUCCESS);
    nt_close(bus);
    scenario_end(&scenario);
    return statistics.commands;
}

// S(IFS) breaks the firmware 0.12 and 0.13, so the host sends none: one message fewer.
static void test_block_size(void **state)
{
    (void)state;
    uint64_t usual = card_session(0x0014);
    assert_int_equal(card_session(0x0012), usual - 1);
    assert_int_equal(card_session(0x0013), usual - 1);
    assert_int_equal(card_session(0x0011), usual);
}

#define SCENARIO(test) cmocka_unit_test_setup_teardown(test, scenario_boot, scenario_shut_down)

int main(void)
{
    const struct CMUnitTest tests[] = {SCENARIO(test_levels), SCENARIO(test_limits),
                                       SCENARIO(test_block_size)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
