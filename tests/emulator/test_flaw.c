// SPDX-License-Identifier: MIT
// A model of a known identity errs as its kind does, in the range of its firmware, unless it is flawless.
#include "emulator/flaw.h"
#include "tests/emulator/harness.h"

enum { EXTENDED = 0x000404BA };

static struct emu_model model_of(uint16_t vendor, uint16_t product, uint16_t release)
{
    struct emu_model model = model_with(EXTENDED, 65544 + 10);
    model.vendor_id = vendor;
    model.product_id = product;
    model.release = release;
    return model;
}

static void facts(void **state)
{
    const struct emu_fact *fact;
    size_t count = 0;
    (void)state;
    for (; (fact = emu_fact_at(count)) != NULL; count++) {
        struct emu_model model = model_of(fact->vendor, fact->product, fact->first);
        assert_int_not_equal(fact->argument, 0);
        assert_int_equal(emu_flaw(&model, fact->flaw), fact->argument); // no second fact of its kind
        if (fact->last != 0xFFFF) {
            model.release = (uint16_t)(fact->last + 1);
            assert_int_equal(emu_flaw(&model, fact->flaw), 0);
        }
        model.release = fact->last;
        assert_int_equal(emu_flaw(&model, fact->flaw), fact->argument);
        model.flawless = 1;
        assert_int_equal(emu_flaw(&model, fact->flaw), 0);
    }
    assert_true(count > 50);
}

static void starts_in_emv_mode(void **state)
{
    (void)state;
    struct emu_model model = model_of(0x08E6, 0x4433, 0x0100);
    struct bench *bench = bench_of(&model, "t1");
    say(bench, "62 00000000 00 01 00 0000");
    hear(bench, "80 00000000 00 01 41 BB 00");
    say(bench, "6B 02000000 00 02 00 0000 1F01");
    hear(bench, "83 02000000 00 02 01 00 00 1F01");
    power_on(bench);
    bench_free(bench);
}

static void says_that_a_card_is_there(void **state)
{
    (void)state;
    struct emu_model model = model_of(0x08E6, 0x3480, 0x01FF);
    struct bench *bench = bench_of(&model, NULL);
    not_notified(bench);
    say(bench, "65 00000000 00 01 000000");
    hear(bench, "81 00000000 00 01 01 00 00");
    bench_free(bench);
}

static void sends_empty_packets(void **state)
{
    (void)state;
    struct emu_model model = model_of(0x413C, 0x2101, 0x0200);
    struct bench *bench = bench_of(&model, NULL);
    say(bench, "65 00000000 00 01 000000");
    hear(bench, "");
    hear(bench, "81 00000000 00 01 02 00 00");
    hear_nothing(bench);
    bench_free(bench);
}

static void takes_its_time(void **state)
{
    (void)state;
    struct emu_model model = model_of(0x09D8, 0x0427, 0x0100);
    struct bench *bench = bench_of(&model, NULL);
    say(bench, "65 00000000 00 01 000000");
    hear_nothing(bench);
    assert_int_equal(emu_next_event(bench->reader), bench->now + 1000000);
    bench->now += 1000000;
    hear(bench, "81 00000000 00 01 02 00 00");
    bench_free(bench);
}

static void describes_the_class_last(void **state)
{
    uint8_t data[512];
    size_t length = sizeof data;
    (void)state;
    struct emu_model model = model_of(0x0C4B, 0x0300, 0x0100);
    struct bench *bench = bench_of(&model, NULL);
    assert_int_equal(control(bench, 0x80, 6, 0x0200, 0, data, &length), EMU_OK);
    assert_int_equal(length, 93);
    assert_memory_equal(data + 18 + 21, model.ccid, 54);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts),
        cmocka_unit_test(starts_in_emv_mode),
        cmocka_unit_test(says_that_a_card_is_there),
        cmocka_unit_test(sends_empty_packets),
        cmocka_unit_test(takes_its_time),
        cmocka_unit_test(describes_the_class_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
