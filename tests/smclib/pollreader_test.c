// SPDX-License-Identifier: MIT
// Two readers of pollreader.c at once: every TRANSMIT pends and is finished by a DPC.
#include "tests/smclib/bench.h"
#include "tests/smclib/kernel.h"

enum { UNITS = 2, MOVE_CARD = 0x00312000, ST_DEVICE_REMOVED = (int)0xC00002B6 };

void PollReaderEntry(void); // DriverEntry; only its address is taken

// SmartCardReaderGuid in memory order.
static const uint8_t interface_guid[16] = {0x30, 0x52, 0xDD, 0x50, 0x8A, 0xBA, 0xD1, 0x11,
                                           0xBF, 0x5D, 0x00, 0x00, 0xF8, 0x05, 0xF5, 0x30};
static char instances[UNITS][NT_ID_MAX];
static char links[UNITS][NT_ID_MAX];
static size_t link_count;
static nt_file *files[UNITS];
static uint8_t out[UNITS][64];
static size_t returned;

static void take_link(void *context, const char *link)
{
    (void)context;
    assert_true(link_count < UNITS);
    snprintf(links[link_count++], NT_ID_MAX, "%s", link);
}

static int setup(void **state)
{
    static const char *const ids[] = {"ROOT\\POLL", NULL};
    static const struct nt_service service = {"poll", PollReaderEntry, ids};

    (void)state;
    kernel_boot();
    link_count = 0;
    assert_int_equal(nt_service_add(&service), 0);
    for (int i = 0; i < UNITS; i++) {
        assert_int_equal(nt_root_device_add(ids[0], instances[i]), 0);
    }
    nt_pnp_wait();
    nt_interfaces(interface_guid, take_link, NULL);
    assert_int_equal(link_count, UNITS);
    for (int i = 0; i < UNITS; i++) {
        assert_status(nt_open(links[i], &files[i]), ST_SUCCESS);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < UNITS; i++) {
        nt_close(files[i]);
    }
    kernel_shutdown(); // ends the process when anything is left
    return 0;
}

static nt_status send(int unit, uint32_t code, const void *in, size_t in_length, size_t out_length)
{
    return nt_device_control(files[unit], code, in, in_length, out[unit], out_length, &returned);
}

static uint32_t state_of_card(int unit)
{
    uint32_t word;

    assert_status(send(unit, GET_STATE, NULL, 0, sizeof word), ST_SUCCESS);
    memcpy(&word, out[unit], sizeof word);
    return word;
}

static void move_card(int unit, uint8_t present)
{
    assert_status(send(unit, MOVE_CARD, &present, 1, 0), ST_SUCCESS);
}

static void select_protocol(int unit, uint32_t protocol)
{
    const uint32_t cold = 1;

    move_card(unit, 1);
    nt_sleep_us(50000); // until the driver has looked
    assert_status(send(unit, POWER, &cold, sizeof cold, 33), ST_SUCCESS);
    assert_int_equal(returned, 5);
    assert_int_equal(state_of_card(unit), NEGOTIABLE);
    assert_status(send(unit, SET_PROTOCOL, &protocol, sizeof protocol, 4), ST_SUCCESS);
    assert_int_equal(state_of_card(unit), SPECIFIC);
}

// GET CHALLENGE for one byte; the buffers live until the request has ended.
static nt_request *command(int unit, uint32_t protocol, size_t out_length)
{
    static uint32_t words[UNITS][4];
    const uint32_t values[4] = {protocol, 8, 0x00008400, 1};

    memcpy(words[unit], values, sizeof values);
    return nt_device_control_begin(files[unit], TRANSMIT, words[unit], 13, out[unit], out_length);
}

static void check_command(int unit, uint32_t protocol, const char *answer_bytes, size_t length)
{
    nt_request *request = command(unit, protocol, sizeof out[unit]);

    assert_false(nt_request_wait(request, 1000));
    assert_true(nt_request_wait(request, 1000000));
    assert_status(nt_request_end(request, &returned), ST_SUCCESS);
    assert_int_equal(returned, 8 + length);
    assert_memory_equal(out[unit] + 8, answer_bytes, length);
}

static void every_protocol_pends_and_ends(void **state)
{
    (void)state;
    for (int unit = 0; unit < UNITS; unit++) {
        select_protocol(unit, T0);
        check_command(unit, T0, "\x84\x90\x00", 3);
        select_protocol(unit, T1);
        check_command(unit, T1, "\x84\x90\x00", 3);
        check_command(unit, T1, "\x84\x90\x00", 3); // the other sequence number
        select_protocol(unit, RAW);
        check_command(unit, RAW, "\x00\x84\x00\x00\x01", 5);
    }
}

static void one_reader_does_not_wait_for_the_other(void **state)
{
    nt_request *slow, *fast;

    (void)state;
    select_protocol(0, T1);
    select_protocol(1, T0);
    slow = command(0, T1, sizeof out[0]);
    fast = command(1, T0, sizeof out[1]);
    assert_true(nt_request_wait(fast, 7000));
    assert_false(nt_request_wait(slow, 1000));
    assert_status(nt_request_end(fast, &returned), ST_SUCCESS);
    assert_status(nt_request_end(slow, &returned), ST_SUCCESS);
}

static void a_pending_transmit_makes_busy(void **state)
{
    uint8_t word[4];
    nt_request *request;

    (void)state;
    select_protocol(0, T1);
    request = command(0, T1, sizeof out[0]);
    assert_status(
        nt_device_control(files[0], TRANSMIT, "\x02\0\0\0\x08\0\0\0\0\x84\0\0\x01", 13, word, 0, &returned),
        ST_BUFFER_TOO_SMALL);
    assert_status(nt_device_control(files[0], MOVE_CARD, "\1", 1, NULL, 0, &returned), ST_DEVICE_BUSY);
    assert_status(nt_device_control(files[0], GET_STATE, NULL, 0, word, 4, &returned), ST_SUCCESS);
    assert_int_equal(word[0], SPECIFIC);
    assert_status(nt_request_end(request, &returned), ST_SUCCESS);
    assert_memory_equal(out[0] + 8, "\x84\x90\x00", 3);
}

static void an_answer_that_does_not_fit_is_refused_in_the_dpc(void **state)
{
    nt_request *request;

    (void)state;
    select_protocol(0, T1);
    request = command(0, T1, 10);
    assert_status(nt_request_end(request, &returned), ST_BUFFER_TOO_SMALL);
    assert_int_equal(returned, 0);
    check_command(0, T1, "\x84\x90\x00", 3); // the link is in step
}

// The longest command of ISO 7816-4, in 2049 blocks of 32 bytes.
static void the_longest_command_is_chained(void **state)
{
    static uint8_t in[8 + 65544] = {T1, 0, 0, 0, 8, 0, 0, 0, 0x00, 0xD6};

    (void)state;
    select_protocol(0, T1);
    assert_status(send(0, TRANSMIT, in, sizeof in, 11), ST_SUCCESS);
    assert_int_equal(returned, 11);
    assert_memory_equal(out[0] + 8, "\x84\x90\x00", 3);
    check_command(0, T1, "\x84\x90\x00", 3);
}

static void polling_sees_cards(void **state)
{
    nt_request *waiting = nt_device_control_begin(files[1], IS_PRESENT, NULL, 0, NULL, 0);

    (void)state;
    move_card(0, 1);
    assert_false(nt_request_wait(waiting, 50000));
    move_card(1, 1);
    assert_true(nt_request_wait(waiting, 50000));
    assert_status(nt_request_end(waiting, &returned), ST_SUCCESS);
    waiting = nt_device_control_begin(files[1], IS_ABSENT, NULL, 0, NULL, 0);
    nt_request_cancel(waiting);
    assert_status(nt_request_end(waiting, &returned), ST_CANCELLED);
}

static void a_reader_that_goes_ends_what_pends(void **state)
{
    nt_request *request, *waiting;

    (void)state;
    select_protocol(0, T1);
    select_protocol(1, T0);
    waiting = nt_device_control_begin(files[0], IS_ABSENT, NULL, 0, NULL, 0);
    request = command(0, T1, sizeof out[0]);
    nt_device_surprise_remove(instances[0]);
    nt_pnp_wait();
    assert_status(nt_request_end(request, &returned), ST_DEVICE_REMOVED);
    assert_status(nt_request_end(waiting, &returned), ST_CANCELLED);
    check_command(1, T0, "\x84\x90\x00", 3);
}

// The driver resets the card outside of requests, after one that it finished itself.
static void it_sleeps_and_wakes(void **state)
{
    (void)state;
    select_protocol(0, T0);
    check_command(0, T0, "\x84\x90\x00", 3);
    assert_status(nt_system_power(NT_POWER_S3), ST_SUCCESS);
    assert_status(nt_system_power(NT_POWER_S0), ST_SUCCESS);
    select_protocol(0, T1);
    check_command(0, T1, "\x84\x90\x00", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_protocol_pends_and_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(one_reader_does_not_wait_for_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pending_transmit_makes_busy, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_that_does_not_fit_is_refused_in_the_dpc, setup, teardown),
        cmocka_unit_test_setup_teardown(the_longest_command_is_chained, setup, teardown),
        cmocka_unit_test_setup_teardown(polling_sees_cards, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_that_goes_ends_what_pends, setup, teardown),
        cmocka_unit_test_setup_teardown(it_sleeps_and_wakes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
