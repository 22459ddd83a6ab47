// SPDX-License-Identifier: MIT
// Several slots at work at a time, CCID 1.1 5.1 bMaxCCIDBusySlots.
#include "tests/reader/scenario.h"

enum { SLOTS = 3, MAX_SLOT_INDEX = 4, BUSY_SLOTS = 53, PCI = 8, TENTH = 100000, SECOND = 1000000 };

struct bench {
    struct scenario slots[SLOTS];
};

struct work { // an APDU that a card takes its time for
    nt_request *request;
    uint8_t buffer[PCI + 258];
};

static void begin(struct bench *bench, uint8_t busy, uint32_t features)
{
    const char *cards[SLOTS] = {"t1", "t1", "t1"};
    struct emu_model model = *rig_default_model();
    uint32_t port;
    model.ccid[MAX_SLOT_INDEX] = SLOTS - 1;
    model.ccid[BUSY_SLOTS] = busy;
    scenario_set_features(&model, features);
    assert_int_equal(rig_plug(&model, cards, SLOTS, &port), RIG_STATUS_SUCCESS);
    for (unsigned i = 0; i < SLOTS; i++) {
        bench->slots[i].port = port;
        assert_int_equal(rig_open(port, i, &bench->slots[i].file), RIG_STATUS_SUCCESS);
        assert_int_equal(scenario_connect(&bench->slots[i]), RIG_PROTOCOL_T1);
    }
}

static void end(struct bench *bench)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        nt_close(bench->slots[i].file);
    }
    assert_int_equal(rig_unplug(bench->slots[0].port), RIG_STATUS_SUCCESS);
}

static void work_start(struct work *work, const struct scenario *slot, uint8_t tenths)
{
    const uint8_t message[] = {2, 0, 0, 0, PCI, 0, 0, 0, 0x80, 0x10, 0x00, tenths};
    memcpy(work->buffer, message, sizeof message);
    work->request = nt_device_control_start(slot->file, RIG_IOCTL_TRANSMIT, work->buffer, sizeof message,
                                            work->buffer, sizeof work->buffer);
    assert_non_null(work->request);
}

static nt_status work_end(struct work *work)
{
    size_t returned;
    nt_status status = nt_request_end(work->request, &returned);
    if (rig_status_ok(status)) {
        assert_int_equal(returned, PCI + 2);
        assert_int_equal(work->buffer[PCI], 0x90);
    }
    return status;
}

// Microseconds from the start of three pieces of work to the end of each, the longest first.
static void measure(struct bench *bench, uint64_t took[SLOTS])
{
    static const uint8_t tenths[SLOTS] = {20, 10, 5};
    struct work work[SLOTS];
    uint64_t start = nt_now_us();
    for (unsigned i = 0; i < SLOTS; i++) {
        work_start(&work[i], &bench->slots[i], tenths[i]);
    }
    memset(took, 0, SLOTS * sizeof *took);
    for (unsigned ended = 0; ended < SLOTS;) {
        for (unsigned i = 0; i < SLOTS; i++) {
            if (took[i] == 0 && nt_request_wait(work[i].request, TENTH / 10)) {
                assert_int_equal(work_end(&work[i]), RIG_STATUS_SUCCESS);
                took[i] = nt_now_us() - start;
                ended++;
            }
        }
    }
    print_message("%llu %llu %llu us\n", (unsigned long long)took[0], (unsigned long long)took[1],
                  (unsigned long long)took[2]);
}

static void test_overlap(void **state)
{
    static const uint32_t levels[] = {SCENARIO_TPDU, SCENARIO_SHORT, SCENARIO_EXTENDED};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct bench bench;
        uint64_t took[SLOTS];
        begin(&bench, SLOTS, levels[i]);
        measure(&bench, took);
        assert_in_range(took[0], 20 * TENTH, 25 * TENTH);
        assert_in_range(took[1], 10 * TENTH, 14 * TENTH);
        assert_in_range(took[2], 5 * TENTH, 9 * TENTH);
        end(&bench);
    }
}

static void test_one_at_a_time(void **state)
{
    struct bench bench;
    uint64_t took[SLOTS];
    (void)state;
    begin(&bench, 1, SCENARIO_EXTENDED);
    measure(&bench, took);
    uint64_t last = took[0] > took[1] ? took[0] : took[1];
    last = took[2] > last ? took[2] : last;
    assert_in_range(last, 35 * TENTH, 40 * TENTH);
    end(&bench);
}

// Readers exist that state more than they take; they refuse with CMD_SLOT_BUSY, and nothing is lost.
static void test_less_than_stated(void **state)
{
    (void)state;
    for (uint32_t truth = 1; truth < SLOTS; truth++) {
        const struct emu_fault fault = {EMU_FAULT_BUSY, 0, 0, 0, 0, truth};
        struct bench bench;
        uint64_t took[SLOTS];
        begin(&bench, SLOTS, SCENARIO_EXTENDED);
        scenario_fault(&bench.slots[0], &fault);
        for (unsigned round = 0; round < 3; round++) {
            measure(&bench, took);
        }
        end(&bench);
    }
}

// What ends one slot's command is nothing to the others, whoever of them reads the pipe.
static void test_others_go_on(void **state)
{
    (void)state;
    for (unsigned victim = 0; victim < SLOTS; victim++) {
        for (unsigned eject = 0; eject < 2; eject++) {
            struct bench bench;
            struct work work[SLOTS];
            begin(&bench, SLOTS, SCENARIO_EXTENDED);
            for (unsigned i = 0; i < SLOTS; i++) {
                work_start(&work[i], &bench.slots[i], 50);
            }
            assert_false(nt_request_wait(work[0].request, SECOND));
            uint64_t before = nt_now_us();
            if (eject != 0) {
                assert_int_equal(rig_eject(bench.slots[0].port, victim), RIG_STATUS_SUCCESS);
            } else {
                nt_request_cancel(work[victim].request);
            }
            assert_int_equal(work_end(&work[victim]), eject != 0 ? 0xC0000178 : RIG_STATUS_CANCELLED);
            assert_in_range(nt_now_us() - before, 0, eject != 0 ? 2 * SECOND : 1000);
            for (unsigned i = 0; i < SLOTS; i++) {
                if (i != victim) {
                    assert_int_equal(work_end(&work[i]), RIG_STATUS_SUCCESS);
                }
            }
            if (eject == 0) {
                assert_int_equal(scenario_connect(&bench.slots[victim]), RIG_PROTOCOL_T1);
            }
            end(&bench);
        }
    }
}

// All of them end at once with the reader.
static void test_unplug(void **state)
{
    struct bench bench;
    struct work work[SLOTS];
    (void)state;
    begin(&bench, SLOTS, SCENARIO_EXTENDED);
    for (unsigned i = 0; i < SLOTS; i++) {
        work_start(&work[i], &bench.slots[i], 50);
    }
    assert_false(nt_request_wait(work[0].request, SECOND));
    uint64_t before = nt_now_us();
    assert_int_equal(rig_unplug(bench.slots[0].port), RIG_STATUS_SUCCESS);
    for (unsigned i = 0; i < SLOTS; i++) {
        assert_int_equal(work_end(&work[i]), RIG_STATUS_DEVICE_NOT_CONNECTED);
    }
    assert_in_range(nt_now_us() - before, 0, 1000);
    for (unsigned i = 0; i < SLOTS; i++) {
        nt_close(bench.slots[i].file);
    }
}

int main(void)
{
    int failed = 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_overlap, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_one_at_a_time, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_less_than_stated, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_others_go_on, scenario_boot, scenario_shut_down),
        cmocka_unit_test_setup_teardown(test_unplug, scenario_boot, scenario_shut_down),
    };
    for (scenario_seed = 0; scenario_seed < 8 && failed == 0; scenario_seed++) {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
