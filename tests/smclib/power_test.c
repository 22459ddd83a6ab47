// SPDX-License-Identifier: MIT
// POWER and SET_PROTOCOL.
#include "tests/smclib/bench.h"

static void reset_parses_what_the_driver_stored(void **state)
{
    (void)state;
    card_insert(MULTIFLEX);
    assert_int_equal(test_reader.minor, 1);
    assert_int_equal(answered, 4);
    assert_memory_equal(answer, test_reader.atr, 4);
    assert_int_equal(get_state(), SPECIFIC);
    card_insert(EGATE);
    assert_int_equal(get_state(), NEGOTIABLE);
    test_reader.update = 1; // the driver parses by itself: nothing changes
    card_insert(EGATE);
    assert_int_equal(get_state(), NEGOTIABLE);
}

static void unusable_atr_fails_the_reset(void **state)
{
    (void)state;
    card_set("3B808001");
    set_state(PRESENT);
    assert_status(control_word(POWER, 1, 33), ST_UNRECOGNIZED_MEDIA);
    assert_int_equal(answered, 0);
    assert_int_equal(get_state(), PRESENT);
}

static void client_without_buffer_gets_no_atr(void **state)
{
    (void)state;
    card_set(MULTIFLEX);
    set_state(PRESENT);
    assert_status(control_word(POWER, 2, 0), ST_SUCCESS);
    assert_true(test_reader.reply_null);
    assert_int_equal(answered, 0); // though the driver counted 4 bytes
    assert_int_equal(get_state(), SPECIFIC);
}

static void driver_that_only_stores_the_atr_is_helped(void **state)
{
    (void)state;
    test_reader.no_answer = 1;
    card_insert(MULTIFLEX);
    assert_int_equal(answered, 4);
    assert_memory_equal(answer, test_reader.atr, 4);
}

static void help_ends_where_there_is_no_room(void **state)
{
    (void)state;
    test_reader.no_answer = 1;
    card_set(MULTIFLEX);
    set_state(PRESENT);
    assert_status(control_word(POWER, 1, 0), ST_SUCCESS);
    assert_int_equal(answered, 0);
    assert_int_equal(get_state(), SPECIFIC);
    // 36 bytes, of which only the first four are the ATR: more than a client expects.
    card_insert("3B0214500000000000000000000000000000000000000000000000000000000000000000");
    assert_int_equal(answered, 0);
    assert_int_equal(get_state(), SPECIFIC);
}

static void card_that_vanishes_during_the_reset_is_not_parsed(void **state)
{
    (void)state;
    test_reader.vanish = 1;
    card_set("3B");
    set_state(PRESENT);
    assert_status(control_word(POWER, 1, 33), ST_SUCCESS);
    assert_int_equal(get_state(), ABSENT);
}

static void parameters_of_the_user_survive_the_choice(void **state)
{
    (void)state;
    test_reader.user_parameters = 1;
    card_insert(EGATE);
    assert_status(control_word(SET_PROTOCOL, T0, 4), ST_SUCCESS);
    assert_int_equal(test_reader.pts_type, 2);
}

// The client gets what the driver wrote, whatever it stored.
static void answer_of_the_driver_counts(void **state)
{
    (void)state;
    card_insert(BOTH);
    test_reader.select_nothing = 1;
    assert_status(control_word(SET_PROTOCOL, T0 | T1, 4), ST_SUCCESS);
    assert_int_equal(answered, 4);
    assert_int_equal(answer_word(), T1);
}

// A driver may answer SUCCESS without an ATR when the card has just gone.
static void reset_without_atr_leaves_the_state(void **state)
{
    (void)state;
    card_set("");
    set_state(PRESENT);
    assert_status(control_word(POWER, 1, 33), ST_SUCCESS);
    assert_int_equal(answered, 0);
    assert_int_equal(get_state(), PRESENT);
}

// Without SET_PROTOCOL, or after it: the state is that of before the reset, the card is another one.
static void warm_reset_parses_what_the_driver_stored(void **state)
{
    (void)state;
    card_insert(MULTIFLEX);
    card_set(ONLY_T1);
    assert_status(control_word(POWER, 2, 33), ST_SUCCESS);
    assert_int_equal(get_state(), SPECIFIC);
    assert_status(control_word(SET_PROTOCOL, T0 | T1, 4), ST_SUCCESS);
    assert_int_equal(answer_word(), T1);
    card_set(BOTH);
    assert_status(control_word(POWER, 2, 33), ST_SUCCESS);
    assert_int_equal(get_state(), NEGOTIABLE);
    card_set(MULTIFLEX);
    assert_status(control_word(POWER, 2, 33), ST_SUCCESS);
    assert_int_equal(get_state(), SPECIFIC);
    assert_status(transmit(T0, "00A40000", 64), ST_SUCCESS);
    card_set("3B808001");
    assert_status(control_word(POWER, 2, 33), ST_UNRECOGNIZED_MEDIA);
    assert_int_equal(answered, 0);
}

static void selection_of_the_driver_is_kept(void **state)
{
    (void)state;
    test_reader.protocols = RAW;
    test_reader.select_raw = 1;
    card_insert("3B808001"); // not for the library to parse
    assert_int_equal(answered, 4);
    assert_status(control_word(SET_PROTOCOL, RAW, 4), ST_SUCCESS);
    assert_int_equal(answer_word(), RAW);
}

static void reset_forgets_the_old_card(void **state)
{
    (void)state;
    card_insert(MULTIFLEX);
    test_reader.status[RDF_POWER] = ST_IO_TIMEOUT;
    assert_status(control_word(POWER, 1, 33), ST_IO_TIMEOUT);
    assert_int_equal(get_state(), SPECIFIC); // the state is the driver's
    assert_status(control_word(GET_ATTRIBUTE, 0x00080201, 4), ST_SUCCESS);
    assert_int_equal(answer_word(), 0);
    assert_status(control_word(GET_ATTRIBUTE, 0x00090303, 33), ST_INVALID_DEVICE_STATE);
}

static void power_down_deselects(void **state)
{
    (void)state;
    card_insert(MULTIFLEX);
    assert_status(control_word(POWER, 0, 33), ST_SUCCESS);
    assert_int_equal(answered, 0);
    assert_int_equal(get_state(), PRESENT);
    assert_status(transmit(T0, "00A40000", 64), ST_INVALID_DEVICE_STATE);
}

// ---- SET_PROTOCOL ----

static void mask_is_reduced_to_what_card_and_reader_have(void **state)
{
    static const struct {
        const char *atr;
        unsigned reader;
        uint32_t mask;
        nt_status status;
        unsigned minor, type;
        uint32_t chosen;
    } rows[] = {
        {EGATE, T0 | T1, T0 | T1, ST_SUCCESS, T0, 1, T0},
        {EGATE, T0 | T1, T1, ST_NOT_SUPPORTED, 0, 0, 0}, // what the compliance test asks a T=0-only card
        {EGATE, T0 | T1, (uint32_t)DEFAULT | T0, ST_SUCCESS, (uint32_t)DEFAULT | T0, 0, T0},
        {EGATE, T0 | T1, 0, ST_INVALID_DEVICE_REQUEST, 0, 0, 0},
        {EGATE, T0 | T1, (uint32_t)DEFAULT, ST_INVALID_DEVICE_REQUEST, 0, 0, 0},
        {EGATE, T0 | T1, 0x40, ST_INVALID_DEVICE_REQUEST, 0, 0, 0},
        {BOTH, T0 | T1, T0 | T1, ST_SUCCESS, T0 | T1, 1, T1},
        {BOTH, T0, T0 | T1, ST_SUCCESS, T0, 1, T0},
        {BOTH, T0, T1, ST_NOT_SUPPORTED, 0, 0, 0},
        {BOTH, T0 | T1, RAW | T0, ST_SUCCESS, T0, 1, T0},
        {BOTH, T0 | T1 | RAW, RAW | T0, ST_SUCCESS, RAW | T0, 1, T0},
        {BOTH, T0 | T1, RAW, ST_NOT_SUPPORTED, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_reader.protocols = T0 | T1;
        card_insert(rows[i].atr);
        test_reader.protocols = rows[i].reader;
        unsigned before = test_reader.calls[RDF_SET_PROTOCOL];
        assert_status(control_word(SET_PROTOCOL, rows[i].mask, 4), rows[i].status);
        if (rows[i].status == ST_SUCCESS) {
            assert_int_equal(test_reader.calls[RDF_SET_PROTOCOL], before + 1);
            assert_int_equal(test_reader.minor, rows[i].minor);
            assert_int_equal(test_reader.pts_type, rows[i].type);
            assert_int_equal(answered, 4);
            assert_int_equal(answer_word(), rows[i].chosen);
            assert_int_equal(get_state(), SPECIFIC);
        } else {
            assert_int_equal(test_reader.calls[RDF_SET_PROTOCOL], before);
            assert_int_equal(answered, 0);
            assert_int_equal(get_state(), NEGOTIABLE);
        }
    }
}

static void parameters_are_ready_for_the_pts(void **state)
{
    (void)state;
    card_insert(EGATE);
    assert_status(control_word(SET_PROTOCOL, T0, 4), ST_SUCCESS);
    assert_int_equal(test_reader.pts_dl, 8);
    assert_int_equal(test_reader.pts_rate, 129024);
    card_insert(EGATE);
    assert_status(control_word(SET_PROTOCOL, (uint32_t)DEFAULT | T0, 4), ST_SUCCESS);
    assert_int_equal(test_reader.pts_dl, 1);
    assert_int_equal(test_reader.pts_rate, 10752);
}

static void specific_card_is_answered_by_the_library(void **state)
{
    (void)state;
    card_insert(MULTIFLEX);
    assert_status(control_word(SET_PROTOCOL, T0 | T1, 4), ST_SUCCESS);
    assert_int_equal(answered, 4);
    assert_int_equal(answer_word(), T0);
    assert_int_equal(test_reader.calls[RDF_SET_PROTOCOL], 0);
    assert_status(control_word(SET_PROTOCOL, T1, 4), ST_NOT_SUPPORTED);
    // After a choice among two, the other one cannot be had either.
    card_insert(BOTH);
    assert_status(control_word(SET_PROTOCOL, T1, 4), ST_SUCCESS);
    assert_status(control_word(SET_PROTOCOL, T0, 4), ST_NOT_SUPPORTED);
    assert_status(control_word(SET_PROTOCOL, T0 | T1, 4), ST_SUCCESS);
    assert_int_equal(answer_word(), T1);
}

// In specific mode the card speaks what TA2 says, offered or not; a reader without that cannot use the card.
static void specific_card_needs_a_reader_with_its_protocol(void **state)
{
    (void)state;
    card_insert("3B801001"); // T=1 by TA2, T=0 by TD1
    assert_status(control_word(SET_PROTOCOL, T1, 4), ST_SUCCESS);
    assert_int_equal(answer_word(), T1);
    assert_status(control_word(SET_PROTOCOL, T0, 4), ST_NOT_SUPPORTED);
    test_reader.protocols = T0;
    assert_status(control_word(SET_PROTOCOL, T0 | T1, 4), ST_NOT_SUPPORTED);
    assert_int_equal(answered, 0);
    assert_int_equal(test_reader.calls[RDF_SET_PROTOCOL], 0);
}

// The ATR is parsed once more for the proposal; one that cannot be used ends the request.
static void unusable_atr_fails_the_choice(void **state)
{
    (void)state;
    test_reader.protocols = T0 | RAW;
    card_set("3B808001");
    set_state(PRESENT);
    assert_status(control_word(POWER, 1, 33), ST_UNRECOGNIZED_MEDIA);
    set_state(NEGOTIABLE);
    assert_status(control_word(SET_PROTOCOL, RAW, 4), ST_UNRECOGNIZED_MEDIA);
    assert_int_equal(answered, 0);
    assert_int_equal(test_reader.calls[RDF_SET_PROTOCOL], 0);
}

static void silent_driver_is_completed(void **state)
{
    (void)state;
    card_insert(EGATE);
    test_reader.no_answer = 1;
    assert_status(control_word(SET_PROTOCOL, T0, 4), ST_SUCCESS);
    assert_int_equal(answered, 4);
    assert_int_equal(answer_word(), T0);
    assert_int_equal(get_state(), SPECIFIC);
}

// A driver that falls back to a reset copies a whole ATR into a reply of four bytes.
static void atr_in_the_reply_does_no_harm(void **state)
{
    (void)state;
    card_insert(EGATE);
    test_reader.atr_as_protocol = 1;
    assert_status(control_word(SET_PROTOCOL, T0, 4), ST_SUCCESS);
    assert_int_equal(answered, 4);
    assert_int_equal(answer_word(), T0);
    assert_int_equal(answer[4], 0xEE);
    card_insert(EGATE);
    assert_status(control_word(SET_PROTOCOL, T0, 4), ST_SUCCESS);
    assert_true(test_reader.reply_empty); // of the last card's ATR
    card_insert(EGATE);
    test_reader.status[RDF_SET_PROTOCOL] = ST_IO_TIMEOUT;
    assert_status(control_word(SET_PROTOCOL, T0, 4), ST_IO_TIMEOUT);
    assert_int_equal(answered, 0);
    assert_int_equal(get_state(), NEGOTIABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reset_parses_what_the_driver_stored, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(unusable_atr_fails_the_reset, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(client_without_buffer_gets_no_atr, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(driver_that_only_stores_the_atr_is_helped, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(help_ends_where_there_is_no_room, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(card_that_vanishes_during_the_reset_is_not_parsed, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(parameters_of_the_user_survive_the_choice, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(answer_of_the_driver_counts, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(reset_without_atr_leaves_the_state, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(warm_reset_parses_what_the_driver_stored, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(selection_of_the_driver_is_kept, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(reset_forgets_the_old_card, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(power_down_deselects, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(mask_is_reduced_to_what_card_and_reader_have, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(parameters_are_ready_for_the_pts, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(specific_card_is_answered_by_the_library, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(specific_card_needs_a_reader_with_its_protocol, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(unusable_atr_fails_the_choice, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(silent_driver_is_completed, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(atr_in_the_reply_does_no_harm, bench_setup, bench_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
