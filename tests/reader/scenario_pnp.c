// SPDX-License-Identifier: MIT
// PnP and power in every order with requests inside, what must end at once, and many readers.
#include "tests/reader/scenario.h"

enum { SECOND = 1000000, MILLISECOND = 1000, PCI = 8, READERS = 200, BUSY = 0x80000011 };

struct work {
    nt_request *request;
    uint8_t buffer[PCI + 258];
};

// The card takes 20 seconds for its answer, or the reader never gives one.
static void work_start(struct work *work, const struct scenario *scenario)
{
    static const uint8_t message[] = {2, 0, 0, 0, PCI, 0, 0, 0, 0x80, 0x10, 0x00, 200};
    memcpy(work->buffer, message, sizeof message);
    work->request = nt_device_control_start(scenario->file, RIG_IOCTL_TRANSMIT, work->buffer, sizeof message,
                                            work->buffer, sizeof work->buffer);
    assert_non_null(work->request);
    assert_false(nt_request_wait(work->request, SECOND));
}

static nt_status work_end(struct work *work)
{
    size_t returned;
    return nt_request_end(work->request, &returned);
}

enum action { STOP, REMOVE, SLEEP, RESUME, START, EJECT, ACTIONS };
enum ending { UNPLUG, SURPRISE, CLOSE_AND_REMOVE, ENDINGS };

// What cannot be done in the present state is refused by the managers, as they would never send it.
static void act(enum action action, const struct scenario *scenario, const char *instance)
{
    switch (action) {
    case STOP:
        (void)nt_device_stop(instance);
        break;
    case REMOVE:
        assert_false(rig_status_ok(nt_device_remove(instance))); // it is open
        break;
    case SLEEP:
        assert_int_equal(nt_system_power(NT_POWER_S3), RIG_STATUS_SUCCESS);
        break;
    case RESUME:
        assert_int_equal(nt_system_power(NT_POWER_S0), RIG_STATUS_SUCCESS);
        break;
    case START:
        (void)nt_device_start(instance);
        break;
    default:
        if (!rig_status_ok(rig_eject(scenario->port, 0))) {
            assert_int_equal(rig_insert(scenario->port, 0, "t1"), RIG_STATUS_SUCCESS);
        }
    }
}

static void finish(enum ending ending, struct scenario *scenario, const char *instance)
{
    if (ending == UNPLUG) {
        assert_int_equal(rig_unplug(scenario->port), RIG_STATUS_SUCCESS);
    } else if (ending == SURPRISE) {
        nt_device_surprise_remove(instance);
    }
    nt_close(scenario->file);
    if (ending == CLOSE_AND_REMOVE) {
        (void)nt_device_remove(instance);
    }
    if (ending != UNPLUG) {
        (void)rig_unplug(scenario->port);
    }
}

static void run_order(const enum action *order, unsigned length, enum ending ending, bool busy)
{
    struct scenario scenario;
    struct work work;
    char instance[NT_ID_MAX];
    scenario_begin(&scenario, rig_default_model(), "t1");
    scenario_instance(&scenario, instance);
    (void)scenario_connect(&scenario);
    nt_request *tracking = scenario_track(&scenario, RIG_IOCTL_IS_ABSENT);
    if (busy) {
        work_start(&work, &scenario);
    }
    for (unsigned i = 0; i < length; i++) {
        act(order[i], &scenario, instance);
    }
    finish(ending, &scenario, instance);
    if (busy) {
        (void)work_end(&work);
    }
    (void)scenario_tracked(tracking); // it must end
    assert_int_equal(nt_system_power(NT_POWER_S0), RIG_STATUS_SUCCESS);
}

static void test_orders(void **state)
{
    enum { LENGTH = 3 };
    unsigned total = ENDINGS * 2;
    (void)state;
    for (unsigned i = 0; i < LENGTH; i++) {
        total *= ACTIONS;
    }
    for (unsigned number = 0; number < total; number++) {
        enum action order[LENGTH];
        unsigned rest = number / (ENDINGS * 2);
        for (unsigned i = 0; i < LENGTH; i++) {
            order[i] = (enum action)(rest % ACTIONS);
            rest /= ACTIONS;
        }
        run_order(order, LENGTH, (enum ending)(number % ENDINGS), number / ENDINGS % 2 != 0);
    }
}

static void cancel(const struct scenario *scenario, const struct work *work)
{
    (void)scenario;
    nt_request_cancel(work->request);
}

static void surprise(const struct scenario *scenario, const struct work *work)
{
    char instance[NT_ID_MAX];
    (void)work;
    scenario_instance(scenario, instance);
    nt_device_surprise_remove(instance);
}

static void unplug(const struct scenario *scenario, const struct work *work)
{
    (void)work;
    assert_int_equal(rig_unplug(scenario->port), RIG_STATUS_SUCCESS);
}

static void close_it(const struct scenario *scenario, const struct work *work)
{
    (void)work;
    nt_close(scenario->file);
}

static void fall_asleep(const struct scenario *scenario, const struct work *work)
{
    (void)scenario, (void)work;
    assert_int_equal(nt_system_power(NT_POWER_S3), RIG_STATUS_SUCCESS);
}

static void query_stop(const struct scenario *scenario, const struct work *work)
{
    char instance[NT_ID_MAX];
    (void)work;
    scenario_instance(scenario, instance);
    assert_int_equal(nt_device_stop(instance), BUSY);
    nt_request_cancel(work->request);
}

// A card may take minutes; whoever takes the reader away, or wants no answer any more, is not kept.
static void test_prompt(void **state)
{
    static void (*const events[])(const struct scenario *, const struct work *) = {
        cancel, surprise, unplug, close_it, fall_asleep, query_stop};
    static const struct emu_fault silence[] = {{0}, {EMU_FAULT_HOLD, 0, 0, 0, 0, 0}};
    (void)state;
    for (unsigned i = 0; i < sizeof events / sizeof events[0]; i++) {
        for (unsigned silent = 0; silent < 2; silent++) {
            struct scenario scenario;
            struct work work;
            scenario_begin(&scenario, rig_default_model(), "t1");
            (void)scenario_connect(&scenario);
            scenario_fault(&scenario, &silence[silent]);
            work_start(&work, &scenario);
            uint64_t before = nt_now_us();
            events[i](&scenario, &work);
            nt_status status = work_end(&work);
            print_message("event %u, silent %u: %08X after %llu us\n", i, silent, status,
                          (unsigned long long)(nt_now_us() - before));
            assert_in_range(nt_now_us() - before, 0, MILLISECOND);
            assert_false(rig_status_ok(status));
            assert_int_equal(nt_system_power(NT_POWER_S0), RIG_STATUS_SUCCESS);
            if (events[i] != close_it) {
                nt_close(scenario.file);
            }
            (void)rig_unplug(scenario.port);
        }
    }
}

static void test_many(void **state)
{
    static struct scenario scenarios[READERS];
    (void)state;
    for (unsigned i = 0; i < READERS; i++) {
        scenario_begin(&scenarios[i], rig_default_model(), i % 2 != 0 ? "t0" : "t1");
        (void)scenario_connect(&scenarios[i]);
    }
    assert_int_equal(nt_system_power(NT_POWER_S3), RIG_STATUS_SUCCESS);
    assert_int_equal(nt_system_power(NT_POWER_S0), RIG_STATUS_SUCCESS);
    for (unsigned i = 0; i < READERS; i++) {
        (void)scenario_connect(&scenarios[i]);
    }
    for (unsigned i = 0; i < READERS; i++) {
        scenario_end(&scenarios[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_prompt, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_orders, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_many, scenario_boot, scenario_shut_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
