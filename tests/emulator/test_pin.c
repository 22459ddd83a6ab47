// SPDX-License-Identifier: MIT
// PIN entry at the reader. The messages are those of PC/SC part 10 applications, the card's verdict is the
// proof.
#include "tests/emulator/harness.h"

#include <stdio.h>
#include <string.h>

enum { EXTENDED = 0x000404BA, TPDU = 0x00010030 };

static struct bench *bench;

static void open_bench(uint32_t features, const char *card)
{
    struct emu_model model = model_with(features, 271);
    model.ccid[52] = 3;
    bench = bench_of(&model, card);
    power_on(bench);
}

static int teardown(void **state)
{
    (void)state;
    bench_free(bench);
    return 0;
}

static void user(const char *pin, const char *new_pin, const char *confirmation, uint8_t cancels,
                 uint32_t delay_us)
{
    struct emu_user person = {.cancels = cancels, .delay_us = delay_us};
    (void)snprintf(person.pin, sizeof person.pin, "%s", pin);
    (void)snprintf(person.new_pin, sizeof person.new_pin, "%s", new_pin);
    (void)snprintf(person.confirmation, sizeof person.confirmation, "%s", confirmation);
    emu_user(bench->reader, &person);
}

static void secure(const char *hex)
{
    uint8_t bytes[256] = {0};
    command(bench, 0x69, 0, 0, bytes, bytes_of(hex, bytes));
}

// Waits through the time extensions.
static void outcome(uint8_t status, uint8_t error, const char *data)
{
    uint8_t bytes[256];
    size_t length, wanted = bytes_of(data, bytes);
    for (;;) {
        length = sizeof bench->heard;
        enum emu_status result = emu_in(bench->reader, bench->now, EMU_EP_IN, bench->heard, &length);
        if (result == EMU_NAK) {
            bench->now = emu_next_event(bench->reader);
            assert_true(bench->now != UINT64_MAX);
        } else if (bench->heard[7] != 0x80) {
            break;
        }
    }
    assert_int_equal(bench->heard[0], 0x80);
    assert_int_equal(bench->heard[7], status);
    assert_int_equal(bench->heard[8], error);
    assert_int_equal(length, 10 + wanted);
    assert_memory_equal(bench->heard + 10, bytes, wanted);
}

// ASCII, left, byte 0 of an eight-byte block of FF, four to eight digits, 30 seconds.
#define VERIFY "00 1E 82 08 00 08 04 02 FF 09 04 00 00 00 00 00 20 00 01 08 FF FF FF FF FF FF FF FF"

static void verify_ascii(void **state)
{
    (void)state;
    open_bench(EXTENDED, "t1");
    secure(VERIFY);
    hear_nothing(bench);
    bench->now = 1000000;
    answered(bench, 0x80, 0x80, 1, 0); // the host is kept waiting politely
    outcome(0, 0, "90 00");
    assert_true(bench->now == 2000000);
    apdu(bench, "00 20 00 01", "90 00");
    user("1235", "", "", 0, 10);
    secure(VERIFY);
    outcome(0, 0, "63 C2");
}

static void verify_levels(void **state)
{
    (void)state;
    open_bench(TPDU, "t0");
    secure(VERIFY);
    outcome(0, 0, "90 00");
    bench_free(bench);
    open_bench(TPDU, "t1"); // the host gives the prologue, the reader the EDC
    set_parameters(bench, 1, "11 10 00 45 00 FE 00");
    secure("00 1E 82 08 00 08 04 02 FF 09 04 00 00 00 0D 00 20 00 01 08 FF FF FF FF FF FF FF FF");
    outcome(0, 0, "00 00 02 90 00 92");
    bench_free(bench);
    open_bench(EXTENDED, "t0");
    secure(VERIFY);
    outcome(0, 0, "90 00");
}

// The card compares with 31323334FFFFFFFF: change it to what each format makes of the digits, then verify
// with it.
static void formats(void **state)
{
    (void)state;
    static const struct {
        const char *pin, *stored, *request;
    } cases[] = {
        // ISO 9564 format 2: BCD at bit 8, 4-bit length at bit 4
        {"12345", "25 12 34 5F FF FF FF FF",
         "00 1E 41 47 04 08 04 02 FF 09 04 00 00 00 00 00 20 00 01 08 2F FF FF FF FF FF FF FF"},
        // binary, right justified in six bytes from byte 1, count in byte 0
        {"1234", "04 AA AA 01 02 03 04 AA",
         "00 1E 8C 86 10 08 04 02 FF 09 04 00 00 00 00 00 20 00 01 08 00 AA AA AA AA AA AA AA"},
        // ASCII after three given bytes, no fixed size: Lc follows
        {"12345", "01 02 03 31 32 33 34 35",
         "00 1E 9A 00 00 08 04 02 FF 09 04 00 00 00 00 00 20 00 01 03 01 02 03"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char change[128];
        open_bench(EXTENDED, "t1");
        (void)snprintf(change, sizeof change, "00 24 00 01 10 31 32 33 34 FF FF FF FF %s", cases[i].stored);
        apdu(bench, change, "90 00");
        user(cases[i].pin, "", "", 0, 0);
        secure(cases[i].request);
        outcome(0, 0, "90 00");
        bench_free(bench);
    }
    open_bench(EXTENDED, "t1");
}

// Old PIN at 0, new one at 8, both in eight-byte blocks. bConfirmPIN 3, three messages.
#define MODIFY_HEAD "01 1E 82 08 00 00 08 08 04 03 02 "
#define MODIFY_APDU "00 00 00 00 24 00 01 10 FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF"

static void modify(void **state)
{
    (void)state;
    static const char *const requests[] = {
        MODIFY_HEAD "03 09 04 00 01 02 " MODIFY_APDU, MODIFY_HEAD "02 09 04 00 01 " MODIFY_APDU,
        MODIFY_HEAD "01 09 04 00 " MODIFY_APDU,       MODIFY_HEAD "00 09 04 00 " MODIFY_APDU,
        MODIFY_HEAD "FF 09 04 00 01 02 " MODIFY_APDU, MODIFY_HEAD "FF 09 04 00 " MODIFY_APDU,
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        open_bench(EXTENDED, "t1");
        user("1234", "567890", "567890", 0, 0);
        secure(requests[i]);
        outcome(0, 0, "90 00");
        apdu(bench, "00 20 00 01 08 35 36 37 38 39 30 FF FF", "90 00");
        bench_free(bench);
    }
    open_bench(EXTENDED, "t1");
    user("1234", "5678", "5679", 0, 0);
    secure(requests[0]);
    outcome(0, 0, "64 02");
    apdu(bench, "00 20 00 01", "63 C3"); // nothing was sent
}

static void user_gives_up(void **state)
{
    (void)state;
    open_bench(EXTENDED, "t1");
    user("1234", "", "", 1, 3000000);
    secure(VERIFY);
    outcome(0x40, 0xEF, "");
    user("1234", "", "", 0, 31000000);
    uint64_t begun = bench->now;
    secure(VERIFY);
    outcome(0x40, 0xF0, "");
    assert_true(bench->now - begun == 30000000);
    user("123", "", "", 0, 0);
    secure(VERIFY);
    outcome(0x40, 0xF0, "");
    user("123456789", "", "", 0, 0); // the ninth key is ignored
    secure(VERIFY);
    outcome(0, 0, "63 C2");
}

static void removal_and_abort(void **state)
{
    (void)state;
    open_bench(EXTENDED, "t1");
    secure(VERIFY);
    assert_int_equal(emu_remove(bench->reader, 0, 0), 0);
    outcome(0x42, 0xFE, "");
    assert_int_equal(emu_insert(bench->reader, 0, 0, "t1"), 0);
    power_on(bench);
    secure(VERIFY);
    size_t none = 0;
    assert_int_equal(control(bench, 0x21, 1, 0x4200, 0, NULL, &none), EMU_OK);
    outcome(0x40, 0xFF, "");
    assert_true(emu_next_event(bench->reader) == UINT64_MAX);
}

static void malformed(void **state)
{
    (void)state;
    open_bench(EXTENDED, "t1");
    secure("");
    outcome(0x40, 0x01, "");
    secure("04");
    outcome(0x40, 0x0A, "");
    secure("00 1E 82 08 00 08 04 02 FF 09 04 00 00 00 00 00 20 00 01 08 FF"); // Lc is wrong
    outcome(0x40, 0x19, "");
    secure("00 1E 82 08 00 08 04 02 FF 09 04 00 00 00 00 00 20 00");
    outcome(0x40, 0x19, "");
    secure("00 1E BA 0F 00 08 04 02 FF 09 04 00 00 00 00 00 20 00 01 08 FF FF FF FF FF FF FF FF"); // beyond
                                                                                                   // the APDU
    outcome(0x40, 0x0D, "");
    bench_free(bench);
    bench = bench_with(EXTENDED, "t1");
    power_on(bench);
    secure(VERIFY);
    outcome(0x40, 0x00, "");
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(verify_ascii),  TEST(verify_levels),     TEST(formats),   TEST(modify),
        TEST(user_gives_up), TEST(removal_and_abort), TEST(malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
