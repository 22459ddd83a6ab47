// SPDX-License-Identifier: MIT
// Card tracking, requests that pend, and requests that meet.
#include <pthread.h>

#include "tests/smclib/bench.h"

static nt_request *track(uint32_t code)
{
    nt_request *request = nt_device_control_begin(reader_file, code, NULL, 0, NULL, 0);

    assert_non_null(request);
    return request;
}

static void assert_ends(nt_request *request, nt_status expected)
{
    size_t returned;

    assert_true(nt_request_wait(request, 1000000));
    assert_status(nt_request_end(request, &returned), expected);
    assert_int_equal(returned, 0);
}

static void reached_state_is_answered_at_once(void **state)
{
    (void)state;
    for (uint32_t s = UNKNOWN; s <= SPECIFIC; s++) {
        set_state(s);
        assert_status(control(s > ABSENT ? IS_PRESENT : IS_ABSENT, NULL, 0, 0), ST_SUCCESS);
    }
    assert_int_equal(test_reader.calls[RDF_TRACKING], 0);
}

static void insertion_and_removal_complete(void **state)
{
    nt_request *request = track(IS_PRESENT);

    (void)state;
    assert_false(nt_request_wait(request, 1000));
    assert_int_equal(test_reader.calls[RDF_TRACKING], 1);
    set_state(PRESENT);
    assert_ends(request, ST_SUCCESS);
    request = track(IS_ABSENT);
    assert_false(nt_request_wait(request, 1000));
    set_state(ABSENT);
    assert_ends(request, ST_SUCCESS);
}

static void second_waiter_is_told_busy(void **state)
{
    nt_request *request = track(IS_PRESENT);

    (void)state;
    assert_status(control(IS_PRESENT, NULL, 0, 0), ST_DEVICE_BUSY);
    assert_int_equal(answered, 0);
    // State first, busy second: a client that changes its mind gets its answer.
    assert_status(control(IS_ABSENT, NULL, 0, 0), ST_SUCCESS);
    set_state(PRESENT);
    assert_ends(request, ST_SUCCESS);
}

static void waiter_can_be_cancelled(void **state)
{
    nt_request *request = track(IS_PRESENT);

    (void)state;
    assert_false(nt_request_wait(request, 1000));
    nt_request_cancel(request);
    assert_ends(request, ST_CANCELLED);
    request = track(IS_PRESENT);
    assert_false(nt_request_wait(request, 1000));
    set_state(PRESENT);
    assert_ends(request, ST_SUCCESS);
}

static void failing_callback_gives_the_request_back(void **state)
{
    nt_request *request;

    (void)state;
    test_reader.status[RDF_TRACKING] = ST_DEVICE_BUSY;
    request = track(IS_PRESENT);
    assert_ends(request, ST_DEVICE_BUSY);
    // The place is free again.
    test_reader.status[RDF_TRACKING] = ST_PENDING;
    request = track(IS_PRESENT);
    assert_false(nt_request_wait(request, 1000));
    set_state(PRESENT);
    assert_ends(request, ST_SUCCESS);
}

static void callback_may_complete_before_it_returns(void **state)
{
    (void)state;
    test_reader.complete_in_callback = 1;
    assert_ends(track(IS_PRESENT), ST_SUCCESS);
    test_reader.status[RDF_TRACKING] = ST_SUCCESS;
    assert_ends(track(IS_PRESENT), ST_SUCCESS);
}

static void waiter_does_not_stop_other_requests(void **state)
{
    nt_request *request;

    (void)state;
    card_insert(MULTIFLEX);
    request = track(IS_ABSENT);
    assert_status(transmit(T0, "00A40000", 64), ST_SUCCESS);
    assert_int_equal(get_state(), SPECIFIC);
    assert_status(control_word(POWER, 0, 0), ST_SUCCESS);
    assert_false(nt_request_wait(request, 1000));
    set_state(ABSENT);
    assert_ends(request, ST_SUCCESS);
}

// ---- a callback that pends ----

static void pending_request_makes_the_others_busy(void **state)
{
    nt_request *request;
    nt_request *waiter;
    size_t returned;

    (void)state;
    card_insert(MULTIFLEX);
    test_reader.status[RDF_VENDOR] = ST_PENDING;
    request = nt_device_control_begin(reader_file, VENDOR, "x", 1, NULL, 0);
    assert_false(nt_request_wait(request, 1000));
    assert_status(transmit(T0, "00A40000", 64), ST_DEVICE_BUSY);
    assert_int_equal(answered, 0);
    assert_status(control_word(POWER, 1, 33), ST_DEVICE_BUSY);
    assert_status(transmit(T0, "", 0), ST_BUFFER_TOO_SMALL); // parameters come first
    // Served all the same: state, attributes, tracking.
    assert_int_equal(get_state(), SPECIFIC);
    assert_status(control_word(GET_ATTRIBUTE, 0x00090303, 33), ST_SUCCESS);
    waiter = track(IS_ABSENT);
    assert_false(nt_request_wait(waiter, 1000));
    set_state(ABSENT);
    assert_ends(waiter, ST_SUCCESS);

    assert_status(control(TEST_FINISH, NULL, 0, 0), ST_SUCCESS);
    assert_true(nt_request_wait(request, 1000000));
    assert_status(nt_request_end(request, &returned), ST_SUCCESS);
    test_reader.status[RDF_VENDOR] = ST_SUCCESS;
    assert_status(control(VENDOR, NULL, 0, 0), ST_SUCCESS);
}

// ---- a callback that blocks ----

static void *transmit_thread(void *context)
{
    const uint8_t apdu[12] = {T0, 0, 0, 0, 8, 0, 0, 0, 0x00, 0xA4, 0x00, 0x00};
    uint8_t out[64];
    size_t returned = 0;

    *(nt_status *)context =
        nt_device_control(reader_file, TRANSMIT, apdu, sizeof apdu, out, sizeof out, &returned);
    return NULL;
}

static void state_is_answered_during_a_long_transmit(void **state)
{
    nt_status status = ST_PENDING;
    nt_status second = ST_PENDING;
    pthread_t first_thread;
    pthread_t second_thread;

    (void)state;
    card_insert(MULTIFLEX);
    test_reader.block = 1;
    test_reader.concurrent = 1;
    assert_int_equal(pthread_create(&first_thread, NULL, transmit_thread, &status), 0);
    while (!__atomic_load_n(&test_reader.blocked, __ATOMIC_SEQ_CST)) {
        nt_sleep_us(100);
    }
    assert_int_equal(pthread_create(&second_thread, NULL, transmit_thread, &second), 0);
    nt_sleep_us(1000);
    assert_int_equal(test_reader.calls[RDF_TRANSMIT], 1); // the second waits for the first
    assert_int_equal(get_state(), SPECIFIC);
    assert_status(control(IS_PRESENT, NULL, 0, 0), ST_SUCCESS);
    assert_status(control_word(GET_ATTRIBUTE, 0x00010100, 32), ST_SUCCESS);
    test_reader.block = 0;
    assert_status(control(TEST_RELEASE, NULL, 0, 0), ST_SUCCESS);
    pthread_join(first_thread, NULL);
    pthread_join(second_thread, NULL);
    assert_status(status, ST_SUCCESS);
    assert_status(second, ST_SUCCESS);
    assert_int_equal(test_reader.calls[RDF_TRANSMIT], 2);
}

// ---- a card event at any moment ----

enum { WAITS = 3000 };

static void *wait_thread(void *context)
{
    unsigned *wrong = context;

    for (int i = 0; i < WAITS; i++) {
        nt_request *request = track(i % 2 == 0 ? IS_PRESENT : IS_ABSENT);
        size_t returned;
        if (i % 7 == 0) {
            nt_request_cancel(request);
        }
        nt_status status = nt_request_end(request, &returned);
        *wrong += status != (nt_status)ST_SUCCESS && (i % 7 != 0 || status != (nt_status)ST_CANCELLED);
    }
    __atomic_store_n(&test_reader.stop, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

// A lost event or a request completed twice would show as a hang or a bug check.
static void events_are_never_lost(void **state)
{
    unsigned wrong = 0;
    pthread_t thread;

    (void)state;
    test_reader.concurrent = 1;
    assert_int_equal(pthread_create(&thread, NULL, wait_thread, &wrong), 0);
    for (uint32_t i = 0; !__atomic_load_n(&test_reader.stop, __ATOMIC_SEQ_CST); i++) {
        set_state(i % 2 == 0 ? PRESENT : ABSENT);
    }
    pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reached_state_is_answered_at_once, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(insertion_and_removal_complete, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(second_waiter_is_told_busy, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(waiter_can_be_cancelled, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(failing_callback_gives_the_request_back, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(callback_may_complete_before_it_returns, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(waiter_does_not_stop_other_requests, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(pending_request_makes_the_others_busy, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(state_is_answered_during_a_long_transmit, bench_setup_threads,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(events_are_never_lost, bench_setup_threads, bench_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
