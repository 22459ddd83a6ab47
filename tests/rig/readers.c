// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "rig/models.h"
#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/status.h"
#include "tests/support/hosttest.h"

static int boot(void **state)
{
    const struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .verifier = true};
    (void)state;
    return rig_status_ok(rig_boot(&options)) ? 0 : -1;
}

static int shut_down(void **state)
{
    (void)state;
    rig_shutdown();
    return 0;
}

static void test_plug_describes(void **state)
{
    const char *card = "t1";
    struct rig_reader reader;
    uint32_t port;
    (void)state;
    assert_int_equal(rig_plug(rig_default_model(), &card, 1, &port), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_slots(port), 1);
    assert_int_equal(rig_readers(&reader, 1), 1);
    assert_int_equal(reader.port, port);
    assert_string_equal(reader.cards[0], "t1");
    assert_non_null(strstr(reader.instance, "VID_1D50&PID_CCD2"));
    assert_int_equal(rig_unplug(port), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_slots(port), 0);
    assert_int_equal(rig_unplug(port), RIG_STATUS_NO_SUCH_DEVICE);
}

static void test_no_such_card(void **state)
{
    const char *card = "no-such-card";
    uint32_t port;
    (void)state;
    assert_false(rig_status_ok(rig_plug(rig_default_model(), &card, 1, &port)));
    assert_int_equal(rig_readers(NULL, 0), 0);
}

// A reader whose class descriptor makes no sense is refused by the driver, and the status comes back.
static void test_refused_reader(void **state)
{
    struct emu_model model = *rig_default_model();
    uint32_t port;
    (void)state;
    memset(model.ccid + 2, 0, sizeof model.ccid - 2);
    assert_false(rig_status_ok(rig_plug(&model, NULL, 0, &port)));
    assert_int_equal(rig_readers(NULL, 0), 0);
}

static void test_card_moves(void **state)
{
    uint32_t port;
    nt_file *file;
    enum rig_state now;
    (void)state;
    assert_int_equal(rig_plug(rig_default_model(), NULL, 0, &port), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_open(port, 1, &file), RIG_STATUS_NO_SUCH_DEVICE);
    assert_int_equal(rig_open(port, 0, &file), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_slot_state(file, &now), RIG_STATUS_SUCCESS);
    assert_int_equal(now, RIG_STATE_ABSENT);
    nt_request *request = nt_device_control_begin(file, RIG_IOCTL_IS_PRESENT, NULL, 0, NULL, 0);
    assert_non_null(request);
    assert_false(nt_request_wait(request, 0));
    assert_int_equal(rig_insert(port, 0, "t0"), RIG_STATUS_SUCCESS);
    assert_true(nt_request_wait(request, 5000000));
    size_t returned;
    assert_int_equal(nt_request_end(request, &returned), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_slot_state(file, &now), RIG_STATUS_SUCCESS);
    assert_true(now >= RIG_STATE_PRESENT);
    assert_int_equal(rig_eject(port, 0), RIG_STATUS_SUCCESS);
    nt_close(file);
    assert_int_equal(rig_unplug(port), RIG_STATUS_SUCCESS);
}

static void exchange(nt_file *file, uint32_t protocol)
{
    static const uint8_t select_mf[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    uint8_t atr[RIG_ATR_MAX], reply[258];
    size_t length;
    uint32_t selected;
    assert_int_equal(rig_slot_power(file, RIG_COLD_RESET, atr, &length), RIG_STATUS_SUCCESS);
    assert_true(length >= 2);
    assert_int_equal(rig_slot_set_protocol(file, RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1, &selected),
                     RIG_STATUS_SUCCESS);
    assert_int_equal(selected, protocol);
    length = sizeof reply;
    assert_int_equal(rig_slot_transmit(file, protocol, select_mf, sizeof select_mf, reply, &length),
                     RIG_STATUS_SUCCESS);
    assert_int_equal(length, 2);
    assert_int_equal(reply[0], 0x90);
    assert_int_equal(reply[1], 0x00);
    assert_int_equal(rig_slot_power(file, RIG_POWER_DOWN, atr, &length), RIG_STATUS_SUCCESS);
}

static void test_exchange(void **state)
{
    static const struct {
        const char *card;
        uint32_t protocol;
    } rows[] = {{"t0", RIG_PROTOCOL_T0}, {"t1", RIG_PROTOCOL_T1}};
    struct emu_statistics statistics;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t port;
        nt_file *file;
        assert_int_equal(rig_plug(rig_default_model(), &rows[i].card, 1, &port), RIG_STATUS_SUCCESS);
        assert_int_equal(rig_open(port, 0, &file), RIG_STATUS_SUCCESS);
        exchange(file, rows[i].protocol);
        nt_close(file);
        assert_int_equal(rig_statistics(port, &statistics), RIG_STATUS_SUCCESS);
        assert_int_equal(statistics.card_commands, 1);
        assert_int_equal(rig_unplug(port), RIG_STATUS_SUCCESS);
    }
}

static void test_requests_after_unplug(void **state)
{
    uint32_t port;
    nt_file *file;
    enum rig_state now;
    (void)state;
    assert_int_equal(rig_plug(rig_default_model(), NULL, 0, &port), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_open(port, 0, &file), RIG_STATUS_SUCCESS);
    nt_request *request = nt_device_control_begin(file, RIG_IOCTL_IS_PRESENT, NULL, 0, NULL, 0);
    assert_non_null(request);
    assert_int_equal(rig_unplug(port), RIG_STATUS_SUCCESS);
    assert_true(nt_request_wait(request, 5000000));
    size_t returned;
    (void)nt_request_end(request, &returned);
    assert_true(rig_status_gone(rig_slot_state(file, &now)));
    nt_close(file);
}

// The bus gives the port, and so the name, of a reader whose last file has just been closed to the next one.
static void replug_after_close(void)
{
    const char *card = "t1";
    nt_file *file;
    struct rig_reader reader;
    uint32_t port;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(rig_plug(rig_default_model(), &card, 1, &port), RIG_STATUS_SUCCESS);
        assert_int_equal(rig_readers(&reader, 1), 1);
        assert_non_null(strstr(reader.instance, "VID_1D50&PID_CCD2"));
        assert_int_equal(rig_open(port, 0, &file), RIG_STATUS_SUCCESS);
        assert_int_equal(rig_unplug(port), RIG_STATUS_SUCCESS);
        nt_close(file);
    }
}

static void test_replug_after_close(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        const struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .seed = seed, .verifier = true};
        assert_int_equal(rig_boot(&options), RIG_STATUS_SUCCESS);
        replug_after_close();
        rig_shutdown();
    }
}

static void test_several_readers(void **state)
{
    enum { READERS = 5 };
    uint32_t ports[READERS];
    nt_file *files[READERS];
    const char *card = "t1";
    (void)state;
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(rig_plug(rig_default_model(), &card, 1, &ports[i]), RIG_STATUS_SUCCESS);
        assert_int_equal(rig_open(ports[i], 0, &files[i]), RIG_STATUS_SUCCESS);
    }
    assert_int_equal(rig_readers(NULL, 0), READERS);
    for (size_t i = 0; i < READERS; i++) {
        exchange(files[i], RIG_PROTOCOL_T1);
        nt_close(files[i]);
        assert_int_equal(rig_unplug(ports[i]), RIG_STATUS_SUCCESS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plug_describes, boot, shut_down),
        cmocka_unit_test_setup_teardown(test_no_such_card, boot, shut_down),
        cmocka_unit_test_setup_teardown(test_refused_reader, boot, shut_down),
        cmocka_unit_test_setup_teardown(test_card_moves, boot, shut_down),
        cmocka_unit_test_setup_teardown(test_exchange, boot, shut_down),
        cmocka_unit_test_setup_teardown(test_requests_after_unplug, boot, shut_down),
        cmocka_unit_test(test_replug_after_close),
        cmocka_unit_test_setup_teardown(test_several_readers, boot, shut_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
