// SPDX-License-Identifier: MIT
// Selective suspend: a reader that nobody needs sleeps, and nothing is lost by it.
#include <stdio.h>

#include "tests/reader/scenario.h"

#define SECOND 1000000LL // us
enum { ENDPOINTS_WITHOUT_INTERRUPT = 2 };

#define WAKES  0x001404BAu // extended APDU level, remote wake-up
#define SILENT 0x000404BAu // the same without

static bool asleep(const struct scenario *scenario)
{
    struct emu_statistics statistics;
    assert_int_equal(rig_statistics(scenario->port, &statistics), RIG_STATUS_SUCCESS);
    return statistics.suspends > statistics.resumes;
}

static void allow(const struct scenario *scenario, uint32_t timeout)
{
    char instance[NT_ID_MAX], key[NT_ID_MAX + 32];
    scenario_instance(scenario, instance);
    (void)snprintf(key, sizeof key, "Enum\\%s\\Device Parameters", instance);
    assert_int_equal(nt_registry_set_dword(key, "SelectiveSuspendEnabled", 1), 0);
    assert_int_equal(nt_registry_set_dword(key, "SelectiveSuspendTimeout", timeout), 0);
    assert_int_equal(nt_device_stop(instance), RIG_STATUS_SUCCESS);
    assert_int_equal(nt_device_start(instance), RIG_STATUS_SUCCESS);
}

static void begin(struct scenario *scenario, uint32_t features, uint8_t endpoints, const char *card)
{
    struct emu_model model = *rig_default_model();
    scenario_set_features(&model, features);
    model.endpoints = endpoints;
    scenario_begin(scenario, &model, card);
    allow(scenario, 2000);
}

static void power_down(const struct scenario *scenario)
{
    size_t length;
    assert_int_equal(rig_slot_power(scenario->file, RIG_POWER_DOWN, NULL, &length), RIG_STATUS_SUCCESS);
}

static void test_only_when_allowed(void **state)
{
    struct emu_model model = *rig_default_model();
    struct scenario scenario;
    (void)state;
    scenario_set_features(&model, WAKES);
    scenario_begin(&scenario, &model, "t1");
    nt_sleep_us(60 * SECOND);
    assert_false(asleep(&scenario));
    scenario_end(&scenario);
}

static void test_request_wakes(void **state)
{
    struct scenario scenario;
    (void)state;
    begin(&scenario, WAKES, 3, "t1");
    for (unsigned round = 0; round < 3; round++) {
        assert_false(asleep(&scenario));
        nt_sleep_us(10 * SECOND);
        assert_true(asleep(&scenario));
        assert_int_equal(scenario_state(&scenario), RIG_STATE_PRESENT); // known without waking
        assert_true(asleep(&scenario));
        (void)scenario_connect(&scenario);
        nt_sleep_us(10 * SECOND);
        assert_false(asleep(&scenario)); // its card would lose its session
        assert_int_equal(scenario_state(&scenario), RIG_STATE_SPECIFIC);
        power_down(&scenario);
    }
    scenario_end(&scenario);
}

// The request that waits for a card is not ended by mere sleep, and not lost in it.
static void test_card_wakes(void **state)
{
    struct scenario scenario;
    (void)state;
    begin(&scenario, WAKES, 3, NULL);
    for (unsigned round = 0; round < 3; round++) {
        nt_request *request = scenario_track(&scenario, RIG_IOCTL_IS_PRESENT);
        assert_false(nt_request_wait(request, 10 * SECOND));
        assert_true(asleep(&scenario));
        assert_int_equal(rig_insert(scenario.port, 0, "t1"), RIG_STATUS_SUCCESS);
        assert_true(nt_request_wait(request, SECOND));
        assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
        request = scenario_track(&scenario, RIG_IOCTL_IS_ABSENT);
        assert_false(nt_request_wait(request, 10 * SECOND));
        assert_true(asleep(&scenario));
        if (round == 1) { // woken by a request, which is no reason to believe in another card
            (void)scenario_connect(&scenario);
            power_down(&scenario);
            assert_false(nt_request_wait(request, 10 * SECOND));
        }
        assert_int_equal(rig_eject(scenario.port, 0), RIG_STATUS_SUCCESS);
        assert_true(nt_request_wait(request, SECOND));
        assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
        assert_int_equal(scenario_state(&scenario), RIG_STATE_ABSENT);
    }
    scenario_end(&scenario);
}

// A reader that could not say that a card has come sleeps only while nobody has it open.
static void test_without_wake(void **state)
{
    static const struct {
        uint32_t features;
        uint8_t endpoints;
    } readers[] = {{SILENT, 3}, {WAKES, ENDPOINTS_WITHOUT_INTERRUPT}};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct scenario scenario;
        begin(&scenario, readers[i].features, readers[i].endpoints, NULL);
        nt_sleep_us(10 * SECOND);
        assert_false(asleep(&scenario));
        nt_close(scenario.file);
        nt_sleep_us(10 * SECOND);
        assert_true(asleep(&scenario));
        assert_int_equal(rig_insert(scenario.port, 0, "t1"), RIG_STATUS_SUCCESS);
        nt_sleep_us(10 * SECOND);
        assert_true(asleep(&scenario));
        assert_int_equal(rig_open(scenario.port, 0, &scenario.file), RIG_STATUS_SUCCESS);
        assert_int_equal(scenario_state(&scenario), RIG_STATE_PRESENT); // no old news for the opener
        assert_false(asleep(&scenario));
        (void)scenario_connect(&scenario);
        scenario_end(&scenario);
    }
}

// What PnP and the system's power do to a reader, at every moment around its falling asleep and waking up.
enum event { REMOVE, STOP, SURPRISE, UNPLUG, SLEEP_S1, SLEEP_S3, SLEEP_S4, REQUEST, INSERT, EVENTS };

static void sleep_and_resume(enum nt_system_power power)
{
    assert_int_equal(nt_system_power(power), RIG_STATUS_SUCCESS);
    nt_sleep_us(SECOND);
    assert_int_equal(nt_system_power(NT_POWER_S0), RIG_STATUS_SUCCESS);
}

static void happen(const struct scenario *scenario, enum event event, const char *instance)
{
    switch (event) {
    case REMOVE:
        assert_false(rig_status_ok(nt_device_remove(instance))); // it is open
        break;
    case STOP:
        assert_int_equal(nt_device_stop(instance), RIG_STATUS_SUCCESS);
        nt_sleep_us(SECOND);
        assert_int_equal(nt_device_start(instance), RIG_STATUS_SUCCESS);
        break;
    case SURPRISE:
        nt_device_surprise_remove(instance);
        break;
    case UNPLUG:
        assert_int_equal(rig_unplug(scenario->port), RIG_STATUS_SUCCESS);
        break;
    case SLEEP_S1:
        sleep_and_resume(NT_POWER_S1);
        break;
    case SLEEP_S3:
        sleep_and_resume(NT_POWER_S3);
        break;
    case SLEEP_S4:
        sleep_and_resume(NT_POWER_S4);
        break;
    case INSERT:
        assert_int_equal(rig_eject(scenario->port, 0), RIG_STATUS_SUCCESS);
        assert_int_equal(rig_insert(scenario->port, 0, "t1"), RIG_STATUS_SUCCESS);
        nt_sleep_us(SECOND); // for the news to travel
        break;
    default:
        (void)scenario_connect(scenario);
    }
}

static void meet(enum event event, int offset, bool wakes)
{
    struct scenario scenario;
    char instance[NT_ID_MAX];
    begin(&scenario, wakes ? WAKES : SILENT, 3, "t1");
    scenario_instance(&scenario, instance);
    if (!wakes) { // it sleeps when it is not open
        nt_close(scenario.file);
    }
    nt_sleep_us((uint64_t)(2 * SECOND) + (uint64_t)offset);
    if (!wakes) {
        assert_int_equal(rig_open(scenario.port, 0, &scenario.file), RIG_STATUS_SUCCESS);
    }
    nt_request *request = scenario_track(&scenario, RIG_IOCTL_IS_ABSENT);
    happen(&scenario, event, instance);
    if (event != SURPRISE && event != UNPLUG) {
        (void)scenario_connect(&scenario);
        assert_int_equal(rig_eject(scenario.port, 0), RIG_STATUS_SUCCESS);
        assert_int_equal(scenario_tracked(request), RIG_STATUS_SUCCESS);
    } else {
        assert_int_equal(scenario_tracked(request), RIG_STATUS_DEVICE_NOT_CONNECTED);
    }
    nt_close(scenario.file);
    if (event != UNPLUG) {
        (void)rig_unplug(scenario.port);
    }
}

static void test_around(void **state)
{
    static const int offsets[] = {-1000, -20, -1, 0, 1, 2, 5, 20, 1000, 100000, 5 * SECOND}; // us
    (void)state;
    for (enum event event = 0; event < EVENTS; event++) {
        for (unsigned i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
            meet(event, offsets[i], false);
            meet(event, offsets[i], true);
        }
    }
}

int main(void)
{
    int failed = 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_when_allowed, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_request_wakes, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_card_wakes, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_without_wake, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_around, scenario_boot, scenario_shut_down),
    };
    for (scenario_seed = 0; scenario_seed < 4 && failed == 0; scenario_seed++) {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
