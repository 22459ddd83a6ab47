// SPDX-License-Identifier: MIT
// SmartcardDeviceControl by way of real requests: who is asked when, and what the client gets. That a request
// is completed exactly once is the verifier's part.
#include "tests/smclib/bench.h"

static unsigned calls(void)
{
    unsigned sum = 0;

    for (int i = 0; i < 16; i++) {
        sum += test_reader.calls[i];
    }
    return sum;
}

// Every code in every state: the status, and whether the driver is asked at all.
static void every_code_in_every_state(void **state)
{
    enum { ASK = 1 };
    static const struct {
        uint32_t code;
        nt_status expected[7]; // by CurrentState; ASK: the driver's callback runs
    } rows[] = {
        {POWER, {ST_NO_MEDIA, ST_NO_MEDIA, ASK, ASK, ASK, ASK, ASK}},
        {EJECT, {ST_NO_MEDIA, ST_NO_MEDIA, ASK, ASK, ASK, ASK, ASK}},
        {SWALLOW, {ST_NO_MEDIA, ST_NO_MEDIA, ASK, ASK, ASK, ASK, ASK}},
        {CONFISCATE, {ST_NO_MEDIA, ST_NO_MEDIA, ASK, ASK, ASK, ASK, ASK}},
        {SET_PROTOCOL,
         {ST_NO_MEDIA, ST_NO_MEDIA, ST_INVALID_DEVICE_STATE, ST_INVALID_DEVICE_STATE, ST_INVALID_DEVICE_STATE,
          ASK, ST_SUCCESS}},
        {TRANSMIT,
         {ST_NO_MEDIA, ST_NO_MEDIA, ST_INVALID_DEVICE_STATE, ST_INVALID_DEVICE_STATE, ST_INVALID_DEVICE_STATE,
          ST_INVALID_DEVICE_STATE, ASK}},
        {VENDOR, {ASK, ASK, ASK, ASK, ASK, ASK, ASK}},
        {VENDOR_OTHER_DEVICE, {ASK, ASK, ASK, ASK, ASK, ASK, ASK}},
        {OBSOLETE_READ, {ASK, ASK, ASK, ASK, ASK, ASK, ASK}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (uint32_t s = UNKNOWN; s <= SPECIFIC; s++) {
            const uint32_t header[2] = {T0, 8};
            const uint8_t apdu[12] = {T0, 0, 0, 0, 8, 0, 0, 0, 0x00, 0xA4, 0x00, 0x00};
            card_insert(MULTIFLEX); // T=0 selected
            set_state(s);
            unsigned before = calls();
            nt_status status = rows[i].code == TRANSMIT ? control(TRANSMIT, apdu, sizeof apdu, 64)
                                                        : control(rows[i].code, header, sizeof header, 64);
            if (rows[i].expected[s] == ASK) {
                assert_status(status, ST_SUCCESS);
                assert_int_equal(calls(), before + 1);
                assert_int_equal(test_reader.major, rows[i].code);
                assert_int_equal(test_reader.state, s);
                assert_true(test_reader.current_is_set);
                assert_int_equal(test_reader.lengths, 0);
                if (rows[i].code != POWER && rows[i].code != SET_PROTOCOL) {
                    assert_int_equal(test_reader.minor, 0);
                }
            } else {
                assert_status(status, rows[i].expected[s]);
                assert_int_equal(calls(), before);
            }
            assert_true(test_reader.idle);
        }
    }
}

static void parameters_are_checked_first(void **state)
{
    static const struct {
        uint32_t code;
        uint32_t words[3];
        size_t in, out;
        nt_status expected;
    } rows[] = {
        {POWER, {1}, 3, 33, ST_INVALID_PARAMETER},
        {POWER, {3}, 4, 33, ST_INVALID_PARAMETER},
        {POWER, {1}, 4, 32, ST_BUFFER_TOO_SMALL},
        {POWER, {2}, 4, 1, ST_BUFFER_TOO_SMALL},
        {SET_PROTOCOL, {1}, 3, 4, ST_INVALID_PARAMETER},
        {SET_PROTOCOL, {1}, 4, 3, ST_BUFFER_TOO_SMALL},
        {TRANSMIT, {T0, 8}, 7, 64, ST_INVALID_PARAMETER},
        {TRANSMIT, {T0, 8, 0}, 12, 7, ST_BUFFER_TOO_SMALL},
        {TRANSMIT, {T0, 7, 0}, 12, 64, ST_INVALID_PARAMETER},
        {TRANSMIT, {T0, 13, 0}, 12, 64, ST_INVALID_PARAMETER},
        {TRANSMIT, {T0, 0xFFFFFFFF, 0}, 12, 64, ST_INVALID_PARAMETER},
        {GET_STATE, {0}, 0, 0, ST_INVALID_PARAMETER},
        {GET_STATE, {0}, 0, 1, ST_BUFFER_TOO_SMALL},
        {GET_STATE, {0}, 0, 3, ST_BUFFER_TOO_SMALL},
        {GET_LAST_ERROR, {0}, 0, 0, ST_INVALID_PARAMETER},
        {GET_LAST_ERROR, {0}, 0, 3, ST_BUFFER_TOO_SMALL},
        {GET_ATTRIBUTE, {0x00010100}, 3, 32, ST_INVALID_PARAMETER},
        {GET_ATTRIBUTE, {0x00010100}, 4, 0, ST_INVALID_PARAMETER},
        {SET_ATTRIBUTE, {0x7FFF0002}, 3, 0, ST_INVALID_PARAMETER},
        {GET_PERF_CNTR, {0}, 4, 32, ST_NOT_SUPPORTED},
    };

    (void)state;
    card_insert(MULTIFLEX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned before = calls();
        assert_status(control(rows[i].code, rows[i].words, rows[i].in, rows[i].out), rows[i].expected);
        assert_int_equal(answered, 0);
        assert_int_equal(calls(), before);
    }
}

// What each code says to `in` bytes that begin 1, 8 (a cold reset, T=0, no attribute's tag) and room for
// `out`.
static nt_status by_length(uint32_t code, size_t in, size_t out)
{
    bool read = code == GET_STATE || code == GET_LAST_ERROR;

    if (read || code == GET_ATTRIBUTE || code == SET_ATTRIBUTE) {
        bool refused = (!read && in < 4) || (code != SET_ATTRIBUTE && out == 0);
        int otherwise = !read ? ST_NOT_SUPPORTED : out < 4 ? ST_BUFFER_TOO_SMALL : ST_SUCCESS;
        return refused ? ST_INVALID_PARAMETER : otherwise;
    }
    if (code == POWER || code == SET_PROTOCOL) {
        size_t least = code == POWER ? 33 : 4;
        bool none_is_room = code == POWER && out == 0;
        return in < 4                         ? ST_INVALID_PARAMETER
               : out < least && !none_is_room ? ST_BUFFER_TOO_SMALL
                                              : ST_SUCCESS;
    }
    if (code == TRANSMIT) { // header; CLA INS P1 P2; P3 = 2 to read; 2 bytes to write
        size_t least = in == 13 ? 12 : 10;
        bool refused = in < 8 || (out >= 8 && in != 12 && in != 13 && in != 15);
        return refused ? ST_INVALID_PARAMETER : out < least ? ST_BUFFER_TOO_SMALL : ST_SUCCESS;
    }
    return code == GET_PERF_CNTR ? ST_NOT_SUPPORTED : ST_SUCCESS;
}

static void every_code_with_every_length(void **state)
{
    static const uint32_t codes[] = {POWER,          GET_ATTRIBUTE, SET_ATTRIBUTE, CONFISCATE,   TRANSMIT,
                                     EJECT,          SWALLOW,       IS_PRESENT,    SET_PROTOCOL, GET_STATE,
                                     GET_LAST_ERROR, GET_PERF_CNTR, VENDOR};
    static const uint8_t input[16] = {T0, 0, 0, 0, 8, 0, 0, 0, 0x00, 0xB0, 0x00, 0x00, 2};

    (void)state;
    card_insert(MULTIFLEX);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        for (size_t in = 0; in <= sizeof input; in++) {
            for (size_t out = 0; out <= 40; out++) {
                nt_status status = control(codes[i], input, in, out);
                assert_status(status, by_length(codes[i], in, out));
                assert_true(answered <= (status == ST_SUCCESS ? out : 0));
                assert_int_equal(answer[answered], 0xEE);
                assert_true(test_reader.idle);
            }
        }
    }
}

static void absent_callback_is_not_supported(void **state)
{
    static const struct {
        uint32_t code;
        int callback;
    } rows[] = {{POWER, RDF_POWER},
                {EJECT, RDF_EJECT},
                {SWALLOW, RDF_SWALLOW},
                {CONFISCATE, RDF_CONFISCATE},
                {VENDOR, RDF_VENDOR},
                {IS_PRESENT, RDF_TRACKING},
                {SET_PROTOCOL, RDF_SET_PROTOCOL},
                {IS_ABSENT, RDF_TRACKING}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_reader.absent_callbacks = 1U << rows[i].callback;
        assert_status(control_word(rows[i].code, 0, 64), ST_NOT_SUPPORTED); // though there is no card either
    }
}

static void failures_of_callbacks_pass_through(void **state)
{
    (void)state;
    card_insert(MULTIFLEX);
    test_reader.status[RDF_POWER] = ST_IO_TIMEOUT;
    assert_status(control_word(POWER, 1, 33), ST_IO_TIMEOUT);
    assert_int_equal(answered, 0);
    test_reader.status[RDF_EJECT] = ST_IO_TIMEOUT;
    assert_status(control(EJECT, NULL, 0, 0), ST_IO_TIMEOUT);
    test_reader.status[RDF_EJECT] = 0x102; // STATUS_TIMEOUT, a success
    assert_status(control(EJECT, NULL, 0, 0), 0x102);
    test_reader.status[RDF_POWER] = ST_SUCCESS;
    card_insert(MULTIFLEX);
    test_reader.status[RDF_TRANSMIT] =
        0xC0000016; // STATUS_MORE_PROCESSING_REQUIRED must not leave a driver, but may
    assert_status(transmit(T0, "00A40000", 64), 0xC0000016);
    assert_int_equal(answered, 0);
    assert_true(test_reader.idle);
}

static void old_driver_is_refused(void **state)
{
    (void)state;
    test_reader.version = 0xFF;
    assert_status(control(GET_STATE, NULL, 0, 4), ST_UNSUCCESSFUL);
    assert_int_equal(answered, 0);
    test_reader.version = 0x100;
    assert_int_equal(get_state(), ABSENT);
}

static void uninitialised_extension_is_refused(void **state)
{
    static const uint32_t codes[] = {GET_STATE, GET_ATTRIBUTE, IS_PRESENT, POWER, VENDOR};

    (void)state;
    test_reader.uninitialised = 1;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_status(control_word(codes[i], 0, 64), ST_INVALID_DEVICE_STATE);
    }
}

static void last_error_is_the_drivers(void **state)
{
    (void)state;
    assert_status(control(GET_LAST_ERROR, NULL, 0, 8), ST_SUCCESS);
    assert_int_equal(answered, 4);
    assert_int_equal(answer_word(), 0x1234);
}

// ---- TRANSMIT ----

static void transmit_needs_the_selected_protocol(void **state)
{
    (void)state;
    card_insert(MULTIFLEX);
    assert_status(transmit(T1, "00A40000", 64), ST_INVALID_DEVICE_STATE);
    assert_status(transmit(0, "00A40000", 64), ST_INVALID_DEVICE_STATE);
    assert_status(transmit(T0, "00A40000", 64), ST_SUCCESS);
    assert_int_equal(answered, 10);
    assert_memory_equal(answer, "\1\0\0\0\10\0\0\0\x90\0", 10);
}

static void command_does_not_stay_in_memory(void **state)
{
    (void)state;
    card_insert(MULTIFLEX);
    assert_status(transmit(T0, "002000010431323334", 64), ST_SUCCESS);
    assert_true(test_reader.wiped);
    assert_true(test_reader.idle);
}

static void answers_of_the_protocol_routines_pass_through(void **state)
{
    (void)state;
    card_insert(MULTIFLEX);
    assert_status(transmit(T0, "00A400000800", 64), ST_INVALID_PARAMETER);
    assert_int_equal(answered, 0);
    assert_status(transmit(T0, "00C000000F", 8 + 16), ST_BUFFER_TOO_SMALL);
    assert_int_equal(answered, 0);
}

// A command left in the middle: the next one begins with S(RESYNCH request).
static void abandoned_t1_command_is_resynchronised(void **state)
{
    (void)state;
    card_insert(ONLY_T1);
    test_reader.t1_rounds = 1;
    assert_status(transmit(T1, "0084000008", 64), ST_IO_TIMEOUT);
    assert_memory_equal(test_reader.request, "\x00\xC1\x01\xFE\x3E", 5);
    assert_status(transmit(T1, "0084000008", 64), ST_IO_TIMEOUT);
    assert_int_equal(test_reader.request_length, 4);
    assert_memory_equal(test_reader.request, "\x00\xC0\x00\xC0", 4);
}

static void client_can_suppress_ifs(void **state)
{
    const uint32_t suppress[2] = {0x7FFF0007, 1};
    const uint32_t allow[2] = {0x7FFF0007, 0};

    (void)state;
    test_reader.t1_rounds = 1;
    assert_status(control(SET_ATTRIBUTE, suppress, sizeof suppress, 0), ST_SUCCESS);
    card_insert(ONLY_T1); // survives the reset
    assert_status(transmit(T1, "0084000008", 64), ST_IO_TIMEOUT);
    assert_memory_equal(test_reader.request, "\x00\x00\x05\x00\x84", 5);
    assert_status(control(SET_ATTRIBUTE, allow, sizeof allow, 0), ST_SUCCESS);
    card_insert(ONLY_T1);
    assert_status(transmit(T1, "0084000008", 64), ST_IO_TIMEOUT);
    assert_memory_equal(test_reader.request, "\x00\xC1\x01\xFE\x3E", 5);
    assert_status(control_word(SET_ATTRIBUTE, 0x7FFF0007, 0), ST_SUCCESS); // without a value: suppress
    card_insert(ONLY_T1);
    assert_status(transmit(T1, "0084000008", 64), ST_IO_TIMEOUT);
    assert_memory_equal(test_reader.request, "\x00\x00\x05\x00\x84", 5);
}

// ---- vendor codes ----

static void vendor_code_gets_its_buffers_and_a_warning_its_data(void **state)
{
    (void)state;
    test_reader.vendor_answer = 6;
    test_reader.status[RDF_VENDOR] = ST_BUFFER_OVERFLOW;
    assert_status(control(VENDOR, "abc", 3, 10), ST_BUFFER_OVERFLOW);
    assert_int_equal(test_reader.request_length, 3);
    assert_memory_equal(test_reader.request, "abc", 3);
    assert_int_equal(test_reader.reply_length, 10);
    assert_int_equal(answered, 6);
    assert_memory_equal(answer, "wwwwww", 6);
}

static void missing_buffers_are_null(void **state)
{
    (void)state;
    assert_status(control(VENDOR, "abc", 3, 0), ST_SUCCESS);
    assert_true(test_reader.reply_null);
    assert_int_equal(test_reader.reply_length, 0);
    assert_status(control(VENDOR, NULL, 0, 3), ST_SUCCESS);
    assert_int_equal(test_reader.request_length, 0);
    assert_status(control(VENDOR, "z", 1, 1), ST_SUCCESS); // the least there is
    assert_int_equal(test_reader.request_length, 1);
    assert_int_equal(test_reader.request[0], 'z');
    assert_false(test_reader.reply_null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_code_in_every_state, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(parameters_are_checked_first, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(every_code_with_every_length, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(absent_callback_is_not_supported, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(failures_of_callbacks_pass_through, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(old_driver_is_refused, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(uninitialised_extension_is_refused, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(last_error_is_the_drivers, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(transmit_needs_the_selected_protocol, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(command_does_not_stay_in_memory, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(answers_of_the_protocol_routines_pass_through, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(abandoned_t1_command_is_resynchronised, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(client_can_suppress_ifs, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(vendor_code_gets_its_buffers_and_a_warning_its_data, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(missing_buffers_are_null, bench_setup, bench_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
