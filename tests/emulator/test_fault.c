// SPDX-License-Identifier: MIT
// A reader told to err does so as described, as often as asked, and is well again afterwards.
#include "tests/emulator/harness.h"

enum { EXTENDED = 0x000404BA };

static struct bench *bench;

static int setup(void **state)
{
    (void)state;
    bench = bench_with(EXTENDED, "t1");
    notified(bench, "50 03");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_free(bench);
    return 0;
}

static void err(enum emu_fault_kind kind, uint8_t command_type, uint32_t skip, uint32_t count,
                uint32_t argument)
{
    const struct emu_fault fault = {
        .kind = (uint8_t)kind, .command = command_type, .skip = skip, .count = count, .argument = argument};
    emu_fault(bench->reader, &fault);
}

static void well(uint8_t sequence)
{
    uint8_t message[10] = {0x65, 0, 0, 0, 0, 0, sequence};
    const uint8_t reply[10] = {0x81, 0, 0, 0, 0, 0, sequence, 1};
    size_t length = 64;
    assert_int_equal(emu_out(bench->reader, bench->now, EMU_EP_OUT, message, sizeof message), EMU_OK);
    assert_int_equal(emu_in(bench->reader, bench->now, EMU_EP_IN, bench->heard, &length), EMU_OK);
    assert_int_equal(length, sizeof reply);
    assert_memory_equal(bench->heard, reply, sizeof reply);
}

static void dropped(void **state)
{
    (void)state;
    err(EMU_FAULT_DROP, 0, 1, 2, 0);
    well(1); // spared
    say(bench, "65 00000000 00 02 000000");
    hear_nothing(bench);
    say(bench, "65 00000000 00 03 000000");
    hear_nothing(bench);
    well(4);
}

static void only_one_command(void **state)
{
    (void)state;
    err(EMU_FAULT_DROP, 0x62, 0, 0, 0);
    well(1);
    say(bench, "62 00000000 00 02 000000");
    hear_nothing(bench);
    say(bench, "65 00000000 00 03 000000");
    hear(bench, "81 00000000 00 03 00 00 00"); // it was carried out
}

static void late(void **state)
{
    (void)state;
    err(EMU_FAULT_LATE, 0, 0, 1, 5000);
    bench->now = 100;
    say(bench, "65 00000000 00 01 000000");
    hear_nothing(bench);
    assert_true(emu_next_event(bench->reader) == 5100);
    bench->now = 5099;
    hear_nothing(bench);
    bench->now = 5100;
    hear(bench, "81 00000000 00 01 01 00 00");
    well(2);
}

static void extended_for_ever(void **state)
{
    (void)state;
    err(EMU_FAULT_EXTEND, 0x62, 0, 0, 7);
    say(bench, "62 00000000 00 01 000000");
    hear_nothing(bench);
    for (unsigned i = 0; i < 3; i++) {
        bench->now = emu_next_event(bench->reader);
        hear(bench, "80 00000000 00 01 80 07 00");
        hear_nothing(bench);
    }
    assert_true(bench->now == 3000000);
    size_t none = 0;
    assert_int_equal(control(bench, 0x21, 1, 0x0200, 0, NULL, &none), EMU_OK); // aborted: cured
    assert_true(emu_next_event(bench->reader) == UINT64_MAX);
}

static void bytes_changed(void **state)
{
    (void)state;
    static const struct {
        enum emu_fault_kind kind;
        uint32_t argument;
        const char *reply;
    } cases[] = {
        {EMU_FAULT_TYPE, 0x03, "82 00000000 00 01 01 00 00"},
        {EMU_FAULT_SLOT, 0x40, "81 00000000 40 01 01 00 00"},
        {EMU_FAULT_SEQUENCE, 0xFF, "81 00000000 00 FE 01 00 00"},
        {EMU_FAULT_ERROR, 0xFB, "81 00000000 00 01 41 FB 00"},
        {EMU_FAULT_LENGTH, 0x01020304, "81 04030201 00 01 01 00 00"},
        {EMU_FAULT_TRUNCATE, 3, "81 0000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err(cases[i].kind, 0, 0, 1, cases[i].argument);
        say(bench, "65 00000000 00 01 000000");
        hear(bench, cases[i].reply);
        well(2);
    }
}

static void stalls(void **state)
{
    (void)state;
    size_t none = 0, length = 64;
    uint8_t message[10] = {0x65};
    err(EMU_FAULT_STALL_OUT, 0, 0, 1, 0);
    assert_int_equal(emu_out(bench->reader, 0, EMU_EP_OUT, message, sizeof message), EMU_STALL);
    assert_int_equal(control(bench, 0x02, 1, 0, EMU_EP_OUT, NULL, &none), EMU_OK);
    well(1);
    err(EMU_FAULT_STALL_IN, 0, 0, 1, 0);
    say(bench, "65 00000000 00 02 000000");
    assert_int_equal(emu_in(bench->reader, 0, EMU_EP_IN, bench->heard, &length), EMU_STALL);
    assert_int_equal(control(bench, 0x02, 1, 0, EMU_EP_IN, NULL, &none), EMU_OK);
    hear_nothing(bench);
    well(3);
}

static void silence(void **state)
{
    (void)state;
    uint8_t message[10] = {0x65};
    size_t none = 0;
    err(EMU_FAULT_DEAF, 0, 0, 1, 0);
    say(bench, "65 00000000 00 01 000000");
    hear_nothing(bench);
    well(2);
    err(EMU_FAULT_HOLD, 0, 0, 1, 0);
    assert_int_equal(emu_out(bench->reader, 0, EMU_EP_OUT, message, sizeof message), EMU_NAK);
    assert_int_equal(control(bench, 0x21, 1, 0x0200, 0, NULL, &none), EMU_NAK);
    assert_int_equal(emu_remove(bench->reader, 0, 0), 0);
    not_notified(bench);
    assert_int_equal(emu_out(bench->reader, 0, EMU_EP_OUT, message, sizeof message), EMU_NAK); // for good
}

static void notifications(void **state)
{
    (void)state;
    err(EMU_FAULT_LOSE, 0, 0, 1, 0);
    assert_int_equal(emu_remove(bench->reader, 0, 0), 0);
    not_notified(bench);
    not_notified(bench);
    err(EMU_FAULT_REPEAT, 0, 0, 0, 0);
    assert_int_equal(emu_insert(bench->reader, 0, 0, "t1"), 0);
    notified(bench, "50 03");
    notified(bench, "50 03");
    not_notified(bench);
    err(EMU_FAULT_OVERCURRENT, 0, 0, 1, 0);
    assert_int_equal(emu_remove(bench->reader, 0, 0), 0);
    notified(bench, "51 00 00 01");
    not_notified(bench);
}

static void from_the_start(void **state)
{
    (void)state;
    struct emu_model model = model_with(EXTENDED, 271);
    model.fault = (struct emu_fault){.kind = EMU_FAULT_TYPE, .count = 1, .argument = 1};
    bench_free(bench);
    bench = bench_of(&model, "t1");
    say(bench, "65 00000000 00 01 000000");
    hear(bench, "80 00000000 00 01 01 00 00");
    well(2);
    err((enum emu_fault_kind)200, 0, 0, 0, 0); // no such fault
    well(3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dropped),           TEST(only_one_command), TEST(late),
        TEST(extended_for_ever), TEST(bytes_changed),    TEST(stalls),
        TEST(silence),           TEST(notifications),    TEST(from_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
