// SPDX-License-Identifier: MIT
// Handles, card events, cancelling, removal, stop and sleep.
#include <stdio.h>

#include "tests/reader/scenario.h"

enum { STATUS_ACCESS_DENIED = 0xC0000022, STATUS_DEVICE_BUSY = 0x80000011 };

static void test_one_opener(void **state)
{
    struct scenario scenario;
    nt_file *second;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), NULL);
    assert_int_equal(rig_open(scenario.port, 0, &second), STATUS_ACCESS_DENIED);
    nt_close(scenario.file);
    assert_int_equal(rig_open(scenario.port, 0, &scenario.file), RIG_STATUS_SUCCESS);
    scenario_end(&scenario);
}

static void test_legacy_link(void **state)
{
    struct scenario scenario;
    nt_file *file;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), NULL);
    assert_int_equal(nt_open("\\\\.\\SCReader0", &file), STATUS_ACCESS_DENIED); // it leads to the same slot
    nt_close(scenario.file);
    assert_int_equal(nt_open("\\\\.\\SCReader0", &scenario.file), RIG_STATUS_SUCCESS);
    scenario_end(&scenario);
    assert_false(rig_status_ok(nt_open("\\\\.\\SCReader0", &file)));
}

static void track_cards(uint8_t endpoints)
{
    struct emu_model model = *rig_default_model();
    struct scenario scenario;
    model.endpoints = endpoints;
    scenario_begin(&scenario, &model, NULL);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(scenario_state(&scenario), RIG_STATE_ABSENT);
        nt_request *request = scenario_track(&scenario, RIG_IOCTL_IS_PRESENT);
        assert_false(nt_request_wait(request, 2000000));
        assert_int_equal(rig_insert(scenario.port, 0, round == 1 ? "t1" : "t0"), RIG_STATUS_SUCCESS);
        assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
        assert_int_equal(scenario_state(&scenario), RIG_STATE_PRESENT);
        (void)scenario_connect(&scenario);
        request = scenario_track(&scenario, RIG_IOCTL_IS_ABSENT);
        assert_false(nt_request_wait(request, 2000000));
        assert_int_equal(rig_eject(scenario.port, 0), RIG_STATUS_SUCCESS);
        assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
    }
    scenario_end(&scenario);
}

static void test_tracking(void **state)
{
    (void)state;
    track_cards(3);
}

static void test_tracking_without_interrupt(void **state)
{
    (void)state;
    track_cards(2);
}

static void test_tracking_is_alone(void **state)
{
    struct scenario scenario;
    size_t returned;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), NULL);
    nt_request *first = scenario_track(&scenario, RIG_IOCTL_IS_PRESENT);
    assert_int_equal(nt_device_control(scenario.file, RIG_IOCTL_IS_PRESENT, NULL, 0, NULL, 0, &returned),
                     STATUS_DEVICE_BUSY);
    nt_request_cancel(first);
    assert_int_equal(scenario_tracked(first), RIG_STATUS_CANCELLED);
    first = scenario_track(&scenario, RIG_IOCTL_IS_PRESENT); // the place is free again
    nt_request_cancel(first);
    assert_int_equal(scenario_tracked(first), RIG_STATUS_CANCELLED);
    scenario_end(&scenario);
}

// A powered card swapped between two looks at the interrupt pipe is another card.
static void test_swap(void **state)
{
    struct scenario scenario;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), "t0");
    (void)scenario_connect(&scenario);
    nt_request *request = scenario_track(&scenario, RIG_IOCTL_IS_ABSENT);
    assert_int_equal(rig_eject(scenario.port, 0), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_insert(scenario.port, 0, "t1"), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_connect(&scenario), RIG_PROTOCOL_T1);
    scenario_end(&scenario);
}

static void test_surprise_removal(void **state)
{
    struct scenario scenario;
    enum rig_state now;
    nt_file *again;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), "t1");
    (void)scenario_connect(&scenario);
    nt_request *request = scenario_track(&scenario, RIG_IOCTL_IS_ABSENT);
    assert_int_equal(rig_unplug(scenario.port), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_tracked(request), RIG_STATUS_DEVICE_NOT_CONNECTED);
    assert_int_equal(rig_slot_state(scenario.file, &now), RIG_STATUS_DEVICE_NOT_CONNECTED);
    assert_false(rig_status_ok(rig_open(scenario.port, 0, &again)));
    nt_close(scenario.file);
}

static void test_orderly_removal(void **state)
{
    struct scenario scenario;
    char instance[NT_ID_MAX];
    (void)state;
    scenario_begin(&scenario, rig_default_model(), "t1");
    scenario_instance(&scenario, instance);
    assert_false(rig_status_ok(nt_device_remove(instance))); // a handle is open
    (void)scenario_connect(&scenario);
    nt_close(scenario.file);
    assert_int_equal(nt_device_remove(instance), RIG_STATUS_SUCCESS);
    assert_int_equal(nt_device_start(instance), RIG_STATUS_SUCCESS);
    nt_pnp_wait();
    assert_int_equal(rig_open(scenario.port, 0, &scenario.file), RIG_STATUS_SUCCESS);
    (void)scenario_connect(&scenario);
    scenario_end(&scenario);
}

static struct scenario_blocked blocked_reset(const struct scenario *scenario, const uint32_t *cold,
                                             uint8_t *atr)
{
    return (struct scenario_blocked){.file = scenario->file,
                                     .code = RIG_IOCTL_POWER,
                                     .in = cold,
                                     .in_length = sizeof *cold,
                                     .out = atr,
                                     .out_length = RIG_ATR_MAX};
}

// Requests sent to a stopped reader wait until it works again.
static void test_stop_and_start(void **state)
{
    struct scenario scenario;
    char instance[NT_ID_MAX];
    uint32_t cold = RIG_COLD_RESET;
    uint8_t atr[RIG_ATR_MAX];
    (void)state;
    scenario_begin(&scenario, rig_default_model(), "t1");
    scenario_instance(&scenario, instance);
    (void)scenario_connect(&scenario);
    nt_request *removal = scenario_track(&scenario, RIG_IOCTL_IS_ABSENT);
    assert_int_equal(nt_device_stop(instance), RIG_STATUS_SUCCESS);
    struct scenario_blocked request = blocked_reset(&scenario, &cold, atr);
    scenario_block(&request);
    nt_sleep_us(1000000);
    assert_int_equal(nt_device_start(instance), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_unblocked(&request), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_tracked(removal), RIG_STATUS_SUCCESS); // it may have been swapped meanwhile
    (void)scenario_connect(&scenario);
    scenario_end(&scenario);
}

// What waits for a stopped reader ends when its client loses interest, or the reader its place.
static void test_waiting_request_ends(void **state)
{
    static const nt_status expected[] = {RIG_STATUS_CANCELLED, RIG_STATUS_DEVICE_NOT_CONNECTED};
    (void)state;
    for (unsigned unplug = 0; unplug < 2; unplug++) {
        struct scenario scenario;
        char instance[NT_ID_MAX];
        uint32_t cold = RIG_COLD_RESET;
        uint8_t atr[RIG_ATR_MAX];
        scenario_begin(&scenario, rig_default_model(), "t1");
        scenario_instance(&scenario, instance);
        assert_int_equal(nt_device_stop(instance), RIG_STATUS_SUCCESS);
        struct scenario_blocked request = blocked_reset(&scenario, &cold, atr);
        scenario_block(&request);
        nt_sleep_us(1000000);
        if (unplug != 0) {
            assert_int_equal(rig_unplug(scenario.port), RIG_STATUS_SUCCESS);
            assert_int_equal(scenario_unblocked(&request), expected[unplug]);
            nt_close(scenario.file);
        } else {
            nt_close(scenario.file);
            assert_int_equal(scenario_unblocked(&request), expected[unplug]);
            assert_int_equal(rig_unplug(scenario.port), RIG_STATUS_SUCCESS);
        }
    }
}

static void test_escape(void **state)
{
    struct scenario scenario;
    char instance[NT_ID_MAX], key[NT_ID_MAX + 32];
    uint8_t escape[] = {0x01, 0x02}, reply[64];
    size_t returned;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), NULL);
    scenario_instance(&scenario, instance);
    (void)snprintf(key, sizeof key, "Enum\\%s\\Device Parameters", instance);
    assert_int_equal(nt_registry_set_dword(key, "EscapeCommandEnable", 1), 0);
    assert_int_equal(nt_device_stop(instance), RIG_STATUS_SUCCESS);
    assert_int_equal(nt_device_start(instance), RIG_STATUS_SUCCESS); // read when the reader starts
    assert_int_equal(nt_device_control(scenario.file, RIG_IOCTL_ESCAPE, escape, sizeof escape, reply,
                                       sizeof reply, &returned),
                     RIG_STATUS_SUCCESS);
    assert_true(returned > 0);
    scenario_end(&scenario);
}

static void test_sleep(void **state)
{
    (void)state;
    for (enum nt_system_power sleep = NT_POWER_S1; sleep <= NT_POWER_S4; sleep++) {
        struct scenario scenario;
        scenario_begin(&scenario, rig_default_model(), "t1");
        (void)scenario_connect(&scenario);
        nt_request *request = scenario_track(&scenario, RIG_IOCTL_IS_ABSENT);
        assert_int_equal(nt_system_power(sleep), RIG_STATUS_SUCCESS);
        nt_sleep_us(1000000);
        assert_int_equal(nt_system_power(NT_POWER_S0), RIG_STATUS_SUCCESS);
        assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
        assert_int_equal(scenario_state(&scenario), RIG_STATE_PRESENT);
        (void)scenario_connect(&scenario);
        scenario_end(&scenario);
    }
}

static void test_sleep_without_card(void **state)
{
    struct scenario scenario;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), NULL);
    nt_request *request = scenario_track(&scenario, RIG_IOCTL_IS_PRESENT);
    assert_int_equal(nt_system_power(NT_POWER_S3), RIG_STATUS_SUCCESS);
    assert_int_equal(nt_system_power(NT_POWER_S0), RIG_STATUS_SUCCESS);
    assert_false(nt_request_wait(request, 5000000));
    assert_int_equal(rig_insert(scenario.port, 0, "t0"), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
    scenario_end(&scenario);
}

// A reader that does not answer when the system wakes up is asked again by the next request.
static void test_silent_waking(void **state)
{
    static const struct emu_fault deaf = {EMU_FAULT_DEAF, 0, 0, 0, 0, 0};
    struct scenario scenario;
    uint8_t atr[RIG_ATR_MAX];
    size_t length;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), "t1");
    (void)scenario_connect(&scenario);
    nt_request *request = scenario_track(&scenario, RIG_IOCTL_IS_ABSENT);
    assert_int_equal(nt_system_power(NT_POWER_S3), RIG_STATUS_SUCCESS);
    scenario_fault(&scenario, &deaf);
    assert_int_equal(nt_system_power(NT_POWER_S0), RIG_STATUS_SUCCESS);
    nt_sleep_us(20000000);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(rig_slot_power(scenario.file, RIG_COLD_RESET, atr, &length), RIG_STATUS_IO_TIMEOUT);
    }
    scenario_fault(&scenario, &(struct emu_fault){0});
    (void)scenario_connect(&scenario);
    assert_int_equal(rig_eject(scenario.port, 0), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
    scenario_end(&scenario);
}

static void test_vendor_controls(void **state)
{
    struct scenario scenario;
    uint8_t escape[] = {0x01, 0x02};
    size_t returned;
    (void)state;
    scenario_begin(&scenario, rig_default_model(), NULL);
    assert_int_equal(nt_device_control(scenario.file, RIG_SCARD_CTL(2048), NULL, 0, NULL, 0, &returned),
                     RIG_STATUS_NOT_SUPPORTED);
    assert_int_equal(nt_device_control(scenario.file, RIG_IOCTL_ESCAPE, escape, sizeof escape, escape,
                                       sizeof escape, &returned),
                     STATUS_ACCESS_DENIED);
    scenario_end(&scenario);
}

static void test_slots(void **state)
{
    struct emu_model model = *rig_default_model();
    const char *cards[] = {"t0", NULL, "t1"};
    nt_file *files[3];
    uint32_t port;
    (void)state;
    model.ccid[4] = 2; // bMaxSlotIndex
    assert_int_equal(rig_plug(&model, cards, 3, &port), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_slots(port), 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(rig_open(port, i, &files[i]), RIG_STATUS_SUCCESS);
    }
    struct scenario first = {port, files[0]};
    struct scenario second = {port, files[1]};
    struct scenario third = {port, files[2]};
    assert_int_equal(scenario_connect(&first), RIG_PROTOCOL_T0);
    assert_int_equal(scenario_state(&second), RIG_STATE_ABSENT);
    assert_int_equal(scenario_connect(&third), RIG_PROTOCOL_T1);
    nt_request *request = scenario_track(&second, RIG_IOCTL_IS_PRESENT);
    assert_int_equal(rig_insert(port, 1, "t1"), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_state(&first), RIG_STATE_SPECIFIC);
    for (unsigned i = 0; i < 3; i++) {
        nt_close(files[i]);
    }
    assert_int_equal(rig_unplug(port), RIG_STATUS_SUCCESS);
}

// LECTERN_SEEDS: how many schedules to try.
int main(void)
{
    const char *wanted = getenv("LECTERN_SEEDS");
    unsigned long seeds = wanted != NULL ? strtoul(wanted, NULL, 10) : 4;
    int failed = 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_opener, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_legacy_link, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_tracking, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_tracking_without_interrupt, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_tracking_is_alone, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_swap, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_surprise_removal, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_orderly_removal, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_stop_and_start, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_waiting_request_ends, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_escape, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_sleep, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_sleep_without_card, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_silent_waking, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_vendor_controls, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_slots, scenario_boot, scenario_shut_down),
    };
    for (scenario_seed = 0; scenario_seed < seeds && failed == 0; scenario_seed++) {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
