// SPDX-License-Identifier: MIT
// Readers that err: one message goes wrong in every way, and the reader still works afterwards.
#include "tests/reader/scenario.h"

enum { XFR_BLOCK = 0x6F, POWER_ON = 0x62, SLOT_STATUS = 0x65 };

static const uint8_t select_mf[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
static const uint32_t levels[] = {SCENARIO_CHARACTER, SCENARIO_TPDU, SCENARIO_SHORT, SCENARIO_EXTENDED};

static nt_status transmit(const struct scenario *scenario, uint32_t protocol)
{
    uint8_t reply[258];
    size_t length = sizeof reply;
    nt_status status =
        rig_slot_transmit(scenario->file, protocol, select_mf, sizeof select_mf, reply, &length);
    if (rig_status_ok(status)) {
        assert_int_equal(length, 2);
        assert_int_equal(reply[0], 0x90);
    }
    return status;
}

static void begin(struct scenario *scenario, uint32_t features, const char *card)
{
    struct emu_model model = *rig_default_model();
    scenario_set_features(&model, features);
    scenario_begin(scenario, &model, card);
}

static const struct emu_fault one_reply[] = {
    {EMU_FAULT_DROP, XFR_BLOCK, 0, 0, 1, 0},
    {EMU_FAULT_LATE, XFR_BLOCK, 0, 0, 1, 200000000},
    {EMU_FAULT_TYPE, XFR_BLOCK, 0, 0, 1, 0x01},
    {EMU_FAULT_TYPE, XFR_BLOCK, 0, 0, 1, 0xFF},
    {EMU_FAULT_SLOT, XFR_BLOCK, 0, 0, 1, 0x01},
    {EMU_FAULT_SEQUENCE, XFR_BLOCK, 0, 0, 1, 0x80},
    {EMU_FAULT_ERROR, XFR_BLOCK, 0, 0, 1, 0xFB},
    {EMU_FAULT_ERROR, XFR_BLOCK, 0, 0, 1, 0xFE},
    {EMU_FAULT_ERROR, XFR_BLOCK, 0, 0, 1, 0x01},
    {EMU_FAULT_LENGTH, XFR_BLOCK, 0, 0, 1, 0},
    {EMU_FAULT_LENGTH, XFR_BLOCK, 0, 0, 1, 1},
    {EMU_FAULT_LENGTH, XFR_BLOCK, 0, 0, 1, 65544},
    {EMU_FAULT_LENGTH, XFR_BLOCK, 0, 0, 1, 0xFFFFFFFF},
    {EMU_FAULT_TRUNCATE, XFR_BLOCK, 0, 0, 1, 0},
    {EMU_FAULT_TRUNCATE, XFR_BLOCK, 0, 0, 1, 9},
    {EMU_FAULT_TRUNCATE, XFR_BLOCK, 0, 0, 1, 11},
    {EMU_FAULT_STALL_IN, XFR_BLOCK, 0, 0, 1, 0},
    {EMU_FAULT_STALL_OUT, XFR_BLOCK, 0, 0, 1, 0},
    {EMU_FAULT_DEAF, XFR_BLOCK, 0, 0, 1, 0},
};

// Whatever became of one reply, a reset revives the card and the next command is answered.
static void test_one_reply(void **state)
{
    (void)state;
    for (size_t level = 0; level < sizeof levels / sizeof levels[0]; level++) {
        for (size_t i = 0; i < sizeof one_reply / sizeof one_reply[0]; i++) {
            struct scenario scenario;
            begin(&scenario, levels[level], i % 2 == 0 ? "t0" : "t1");
            uint32_t protocol = scenario_connect(&scenario);
            scenario_fault(&scenario, &one_reply[i]);
            nt_status status = transmit(&scenario, protocol);
            print_message("features %08X fault %u %X: %08X\n", levels[level], one_reply[i].kind,
                          one_reply[i].argument, status);
            (void)scenario_connect(&scenario);
            assert_int_equal(transmit(&scenario, protocol), RIG_STATUS_SUCCESS);
            scenario_end(&scenario);
        }
    }
}

// An answer to a command given up arrives during the next one: it is told by its sequence number.
static void test_stale_reply(void **state)
{
    const struct emu_fault late = {EMU_FAULT_SEQUENCE, XFR_BLOCK, 0, 0, 1, 0xFF};
    struct scenario scenario;
    (void)state;
    begin(&scenario, SCENARIO_EXTENDED, "t1");
    uint32_t protocol = scenario_connect(&scenario);
    scenario_fault(&scenario, &late);
    assert_int_equal(transmit(&scenario, protocol), RIG_STATUS_IO_TIMEOUT);
    assert_int_equal(transmit(&scenario, protocol), RIG_STATUS_SUCCESS); // ABORT has cleared the slot
    scenario_end(&scenario);
}

static void test_time_extensions(void **state)
{
    static const struct emu_fault few = {EMU_FAULT_EXTEND, XFR_BLOCK, 0, 0, 5, 1};
    static const struct emu_fault endless = {EMU_FAULT_EXTEND, XFR_BLOCK, 0, 0, 0, 1};
    struct scenario scenario;
    (void)state;
    begin(&scenario, SCENARIO_EXTENDED, "t1");
    uint32_t protocol = scenario_connect(&scenario);
    scenario_fault(&scenario, &few);
    assert_int_equal(transmit(&scenario, protocol), RIG_STATUS_SUCCESS);
    scenario_fault(&scenario, &endless);
    uint64_t before = nt_now_us();
    assert_int_equal(transmit(&scenario, protocol), RIG_STATUS_IO_TIMEOUT);
    assert_in_range(nt_now_us() - before, 500000000, 700000000);
    scenario_fault(&scenario, &(struct emu_fault){0});
    (void)scenario_connect(&scenario);
    assert_int_equal(transmit(&scenario, protocol), RIG_STATUS_SUCCESS);
    scenario_end(&scenario);
}

// The reader never starts, or starts in spite of what its first replies were.
static void test_start(void **state)
{
    static const struct {
        struct emu_fault fault;
        bool starts;
    } rows[] = {
        {{EMU_FAULT_HOLD, 0, 0, 0, 0, 0}, false},     {{EMU_FAULT_DROP, 0, 0, 0, 0, 0}, false},
        {{EMU_FAULT_TYPE, 0, 0, 0, 0, 0xFF}, false},  {{EMU_FAULT_SEQUENCE, 0, 0, 0, 0, 0x80}, false},
        {{EMU_FAULT_STALL_IN, 0, 0, 0, 0, 0}, false}, {{EMU_FAULT_STALL_OUT, 0, 0, 0, 0, 0}, false},
        {{EMU_FAULT_STALL_IN, 0, 0, 0, 1, 0}, true},  {{EMU_FAULT_STALL_OUT, 0, 0, 0, 1, 0}, true},
        {{EMU_FAULT_DROP, 0, 0, 0, 1, 0}, true},      {{EMU_FAULT_LATE, 0, 0, 0, 1, 3000000}, true},
        {{EMU_FAULT_TRUNCATE, 0, 0, 0, 1, 5}, true},  {{EMU_FAULT_ERROR, 0, 0, 0, 1, 0xFE}, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct emu_model model = *rig_default_model();
        const char *card = "t1";
        uint32_t port;
        model.fault = rows[i].fault;
        print_message("fault %u, %u times\n", model.fault.kind, model.fault.count);
        assert_int_equal(rig_status_ok(rig_plug(&model, &card, 1, &port)), rows[i].starts);
        if (rows[i].starts) {
            struct scenario scenario = {.port = port};
            assert_int_equal(rig_open(port, 0, &scenario.file), RIG_STATUS_SUCCESS);
            (void)scenario_connect(&scenario);
            scenario_end(&scenario);
        }
    }
}

// Cards are noticed although interrupt messages get lost, come twice or are replaced.
static void test_notifications(void **state)
{
    (void)state;
    for (unsigned kind = EMU_FAULT_LOSE; kind <= EMU_FAULT_OVERCURRENT; kind++) {
        const struct emu_fault fault = {(uint8_t)kind, 0, 0, 0, 1, 0};
        struct scenario scenario;
        scenario_begin(&scenario, rig_default_model(), "t0");
        (void)scenario_connect(&scenario);
        scenario_fault(&scenario, &fault);
        nt_request *request = scenario_track(&scenario, RIG_IOCTL_IS_ABSENT);
        assert_int_equal(rig_eject(scenario.port, 0), RIG_STATUS_SUCCESS);
        if (kind == EMU_FAULT_LOSE) {
            uint8_t reply[258];
            size_t length = sizeof reply;
            assert_int_equal(rig_slot_transmit(scenario.file, RIG_PROTOCOL_T0, select_mf, sizeof select_mf,
                                               reply, &length),
                             RIG_STATUS_NO_MEDIA);
        }
        assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
        assert_int_equal(scenario_state(&scenario), RIG_STATE_ABSENT);
        scenario_end(&scenario);
    }
}

// However long a card may take, its client need not.
static void test_cancel_is_prompt(void **state)
{
    static const struct emu_fault hold = {EMU_FAULT_HOLD, XFR_BLOCK, 0, 1, 0, 0};
    struct scenario scenario;
    uint8_t buffer[8 + 258] = {2, 0, 0, 0, 8, 0, 0, 0};
    size_t returned;
    (void)state;
    begin(&scenario, SCENARIO_EXTENDED, "t1");
    (void)scenario_connect(&scenario);
    scenario_fault(&scenario, &hold);
    memcpy(buffer + 8, select_mf, sizeof select_mf);
    nt_request *request = nt_device_control_start(scenario.file, RIG_IOCTL_TRANSMIT, buffer,
                                                  8 + sizeof select_mf, buffer, sizeof buffer);
    assert_false(nt_request_wait(request, 1000000));
    uint64_t before = nt_now_us();
    nt_request_cancel(request);
    nt_status status = nt_request_end(request, &returned);
    print_message("ended with %08X after %llu us\n", status, (unsigned long long)(nt_now_us() - before));
    assert_int_equal(status, RIG_STATUS_CANCELLED);
    assert_in_range(nt_now_us() - before, 0, 1000);
    scenario_fault(&scenario, &(struct emu_fault){0});
    (void)scenario_connect(&scenario);
    scenario_end(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_reply, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_stale_reply, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_time_extensions, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_start, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_notifications, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_cancel_is_prompt, scenario_boot, scenario_shut_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
