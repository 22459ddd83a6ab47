// SPDX-License-Identifier: MIT
// A driver that is not ours in structure: the minimal one of docs/smclib.md, in every order and with every
// fault.
#include <stdio.h>
#include <string.h>

#include "nthost/user/nthost.h"
#include "tests/support/hosttest.h"

enum {
    MOVE_CARD = 0x312000,
    POWER = 0x310004,
    SET_PROTOCOL = 0x310030,
    TRANSMIT = 0x310014,
    IS_ABSENT = 0x31002C
};
enum { COLD_RESET = 1, T1 = 2, CARD_US = 1000 };

nt_entry_point MinimalDriverEntry; // its DriverEntry, renamed when it is compiled

// SmartCardReaderGuid in memory order
static const uint8_t interface_guid[16] = {0x30, 0x52, 0xDD, 0x50, 0x8A, 0xBA, 0xD1, 0x11,
                                           0xBF, 0x5D, 0x00, 0x00, 0xF8, 0x05, 0xF5, 0x30};

static void take_link(void *context, const char *link)
{
    (void)snprintf(context, NT_ID_MAX, "%s", link);
}

static void send_word(nt_file *file, uint32_t code, uint32_t word)
{
    uint8_t out[64];
    (void)nt_device_control(file, code, &word, sizeof word, out, sizeof out, NULL);
}

// Whatever the requests answer, each ends.
static void use(nt_file *file, const char *instance)
{
    const uint32_t command[4] = {T1, 8, 0x00008400, 8}; // GET CHALLENGE
    uint8_t out[64];
    send_word(file, MOVE_CARD, 1);
    nt_request *removal = nt_device_control_start(file, IS_ABSENT, NULL, 0, NULL, 0);
    send_word(file, POWER, COLD_RESET);
    send_word(file, SET_PROTOCOL, T1);
    nt_request *exchange = nt_device_control_start(file, TRANSMIT, command, 13, out, sizeof out);
    nt_sleep_us(CARD_US);
    if (removal != NULL) {
        nt_request_cancel(removal);
    }
    nt_device_surprise_remove(instance);
    if (removal != NULL) {
        (void)nt_request_end(removal, NULL);
    }
    if (exchange != NULL) {
        (void)nt_request_end(exchange, NULL);
    }
}

static bool live(void *context)
{
    static const char *const ids[] = {"ROOT\\MINIMAL", NULL};
    const struct nt_service service = {"minimal", MinimalDriverEntry, ids};
    const struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .verifier = true};
    char instance[NT_ID_MAX], link[NT_ID_MAX] = "";
    nt_file *file;
    (void)context;
    if (nt_boot(&options) != 0) {
        return false;
    }
    if (nt_service_add(&service) == 0 && nt_root_device_add(ids[0], instance) == 0) {
        nt_pnp_wait();
        nt_interfaces(interface_guid, take_link, link);
        if (link[0] != '\0' && nt_open(link, &file) == 0) {
            use(file, instance);
            nt_close(file);
        }
    }
    nt_shutdown();
    return true;
}

static void show_schedule(void *context, const struct nt_schedule *schedule, enum nt_end end,
                          const char *report)
{
    char text[NT_SCHEDULE_TEXT_MAX];
    (void)context;
    nt_schedule_print(schedule, text);
    print_error("%s (end %d):\n%s\n", text, (int)end, report);
}

static void show_fault(void *context, const struct nt_fault_plan *plan, enum nt_end end, const char *report)
{
    char text[NT_FAULT_TEXT_MAX];
    (void)context;
    nt_fault_print(plan, text);
    print_error("%s (end %d):\n%s\n", text, (int)end, report);
}

static void test_every_order(void **state)
{
    // The second is bounded for those who wait; without it bound 2 takes some minutes.
    const struct nt_exploration explorations[] = {
        {.run = live, .bound = 1, .failed = show_schedule},
        {.run = live, .bound = 2, .limit = 3000, .failed = show_schedule}};
    (void)state;
    for (size_t i = 0; i < sizeof explorations / sizeof explorations[0]; i++) {
        struct nt_exploration_result result;
        assert_int_equal(nt_explore(&explorations[i], &result), 0);
        print_message("1 + %llu + %llu schedules at %llu points, %llu pruned\n",
                      (unsigned long long)result.schedules[1], (unsigned long long)result.schedules[2],
                      (unsigned long long)result.points, (unsigned long long)result.pruned);
        assert_int_equal(result.failures, 0);
        assert_true(result.schedules[1] > 100);
        assert_true(result.finished == (explorations[i].limit == 0));
    }
}

static void test_every_fault(void **state)
{
    // It calls nothing that could come late.
    static const char *const plans[] = {"all:fail:nth=1", "all:cancel=0:nth=1"};
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        struct nt_sweep sweep = {.run = live, .failed = show_fault};
        struct nt_sweep_result result;
        assert_int_equal(nt_fault_parse(plans[i], &sweep.plan), 0);
        assert_int_equal(nt_fault_sweep(&sweep, &result), 0);
        print_message("%s: %llu runs, %llu sites\n", plans[i], (unsigned long long)result.runs,
                      (unsigned long long)result.sites);
        assert_int_equal(result.failures, 0);
        assert_true(result.runs > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_order),
        cmocka_unit_test(test_every_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
