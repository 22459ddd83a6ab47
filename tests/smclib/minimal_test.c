// SPDX-License-Identifier: MIT
// The minimal driver of the documentation, from its start to its end, as the resource manager would use it.
#include "tests/smclib/bench.h"
#include "tests/smclib/kernel.h"

enum { MOVE_CARD = 0x00312000 };

void MinimalDriverEntry(void); // DriverEntry; only its address is taken

// SmartCardReaderGuid in memory order.
static const uint8_t interface_guid[16] = {0x30, 0x52, 0xDD, 0x50, 0x8A, 0xBA, 0xD1, 0x11,
                                           0xBF, 0x5D, 0x00, 0x00, 0xF8, 0x05, 0xF5, 0x30};
static char instance[NT_ID_MAX];
static char link_name[NT_ID_MAX];
static nt_file *file;
static uint8_t out[64];
static size_t returned;

static void take_link(void *context, const char *link)
{
    (void)context;
    snprintf(link_name, sizeof link_name, "%s", link);
}

static nt_status send(uint32_t code, const void *in, size_t in_length, size_t out_length)
{
    return nt_device_control(file, code, in, in_length, out, out_length, &returned);
}

static nt_status send_word(uint32_t code, uint32_t word, size_t out_length)
{
    return send(code, &word, sizeof word, out_length);
}

static void move_card(uint32_t present)
{
    assert_status(send_word(MOVE_CARD, present, 0), ST_SUCCESS);
}

static int setup(void **state)
{
    static const char *const ids[] = {"ROOT\\MINIMAL", NULL};
    static const struct nt_service service = {"minimal", MinimalDriverEntry, ids};

    (void)state;
    kernel_boot();
    link_name[0] = '\0';
    assert_int_equal(nt_service_add(&service), 0);
    assert_int_equal(nt_root_device_add(ids[0], instance), 0);
    nt_pnp_wait();
    nt_interfaces(interface_guid, take_link, NULL);
    assert_status(nt_open(link_name, &file), ST_SUCCESS);
    move_card(0); // the imitated hardware outlives the driver
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (file != NULL) {
        nt_close(file);
    }
    file = NULL;
    kernel_shutdown(); // ends the process when anything is left
    return 0;
}

static uint32_t state_of_card(void)
{
    uint32_t word;

    assert_status(send(GET_STATE, NULL, 0, 4), ST_SUCCESS);
    memcpy(&word, out, sizeof word);
    return word;
}

static void select_protocol(uint32_t protocol)
{
    assert_status(send_word(POWER, 1, 33), ST_SUCCESS);
    assert_int_equal(returned, 5);
    assert_memory_equal(out, "\x3B\x80\x80\x01\x01", 5);
    assert_int_equal(state_of_card(), NEGOTIABLE);
    assert_status(send_word(SET_PROTOCOL, protocol, 4), ST_SUCCESS);
    assert_int_equal(out[0], protocol);
    assert_int_equal(state_of_card(), SPECIFIC);
}

static void check_command(uint32_t protocol)
{
    const uint32_t words[4] = {protocol, 8, 0x00008400, 8}; // GET CHALLENGE

    assert_status(send(TRANSMIT, words, 13, sizeof out), ST_SUCCESS);
    assert_int_equal(returned, 8 + 3);
    assert_memory_equal(out + 8, "\x84\x90\x00", 3);
}

static void a_card_is_used_by_either_protocol(void **state)
{
    (void)state;
    assert_int_equal(state_of_card(), ABSENT);
    move_card(1);
    assert_int_equal(state_of_card(), PRESENT);
    for (uint32_t protocol = T0; protocol <= T1; protocol++) {
        select_protocol(protocol);
        check_command(protocol);
        check_command(protocol); // T=1: the other sequence number
    }
    assert_status(send_word(POWER, 0, 0), ST_SUCCESS);
    assert_int_equal(state_of_card(), PRESENT);
}

static void card_events_arrive(void **state)
{
    nt_request *request = nt_device_control_begin(file, IS_PRESENT, NULL, 0, NULL, 0);

    (void)state;
    assert_false(nt_request_wait(request, 1000));
    move_card(1);
    assert_true(nt_request_wait(request, 1000000));
    assert_status(nt_request_end(request, &returned), ST_SUCCESS);
    request = nt_device_control_begin(file, IS_ABSENT, NULL, 0, NULL, 0);
    assert_false(nt_request_wait(request, 1000));
    nt_request_cancel(request);
    assert_status(nt_request_end(request, &returned), ST_CANCELLED);
    move_card(0);
}

static void a_pulled_card_is_silent(void **state)
{
    const uint32_t words[4] = {T0, 8, 0x00008400, 8};

    (void)state;
    move_card(1);
    select_protocol(T0);
    move_card(0);
    assert_status(send(TRANSMIT, words, 13, sizeof out), ST_NO_MEDIA);
    assert_status(send_word(POWER, 1, 33), ST_NO_MEDIA);
}

static void vendor_and_attributes(void **state)
{
    (void)state;
    assert_status(send(MOVE_CARD, NULL, 0, 0), ST_INVALID_PARAMETER);
    assert_status(send(VENDOR + 4, NULL, 0, 0), ST_INVALID_DEVICE_REQUEST);
    assert_status(send_word(GET_ATTRIBUTE, 0x00010100, 32), ST_SUCCESS);
    assert_int_equal(returned, 7);
    assert_memory_equal(out, "Example", 7);
}

static void a_reader_that_goes_ends_what_waits(void **state)
{
    nt_request *request = nt_device_control_begin(file, IS_PRESENT, NULL, 0, NULL, 0);

    (void)state;
    assert_false(nt_request_wait(request, 1000));
    nt_device_surprise_remove(instance);
    nt_pnp_wait();
    assert_status(nt_request_end(request, &returned), ST_CANCELLED);
    assert_true(send(GET_STATE, NULL, 0, 4) >> 30 == 3);
}

static void it_stops_and_starts(void **state)
{
    (void)state;
    assert_status(nt_device_stop(instance), ST_SUCCESS);
    assert_status(nt_device_start(instance), ST_SUCCESS);
    assert_int_equal(state_of_card(), ABSENT);
    move_card(1);
    select_protocol(T1);
    check_command(T1);
    nt_close(file);
    file = NULL;
    assert_status(nt_device_remove(instance), ST_SUCCESS);
}

static void it_sleeps_and_wakes(void **state)
{
    (void)state;
    assert_status(nt_system_power(NT_POWER_S3), ST_SUCCESS);
    assert_status(nt_system_power(NT_POWER_S0), ST_SUCCESS);
    assert_int_equal(state_of_card(), ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_card_is_used_by_either_protocol, setup, teardown),
        cmocka_unit_test_setup_teardown(card_events_arrive, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pulled_card_is_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(vendor_and_attributes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_that_goes_ends_what_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(it_stops_and_starts, setup, teardown),
        cmocka_unit_test_setup_teardown(it_sleeps_and_wakes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
