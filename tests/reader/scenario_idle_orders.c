// SPDX-License-Identifier: MIT
// What happens to a reader around its own sleep, by many seeds and in the first orders of a systematic
// exploration (all with at most one preemption would be tens of thousands for each moment): no request waits
// for ever, and afterwards the reader works.
#include <stdio.h>

#include "nthost/user/explore.h"
#include "tests/reader/scenario.h"

enum {
    SECOND = 1000000,
    PERIOD = 2000, // ms until the reader sleeps
    ATTEMPTS = 3,  // of a session: a departure may let any time-out pass
    LIMIT = 400,   // schedules of a moment
    PROMPT_LIMIT = 5000,
    SEEDS = 100,
};
#define WAKES  0x001404BAu // extended APDU level, remote wake-up
#define SILENT 0x000404BAu // the same without

enum event { NOTHING, STOP, REMOVE, SURPRISE, SLEEP_S1, SLEEP_S3, SLEEP_S4, INSERT, CLOSE, EVENTS };

struct moment {
    enum event event;
    int offset;  // us, from the end of the idle period
    bool wakes;  // can the reader; one that cannot sleeps while it is not open
    bool prompt; // the client goes on with the news that waking brings, else at once
};

struct client {
    const struct moment *moment;
    uint32_t port;
    nt_file *file;
    nt_request *tracking;
};

static bool wrong(const struct client *client, const char *what, nt_status status)
{
    (void)fprintf(stderr, "event %d at %d us%s: %s: %08X\n", client->moment->event, client->moment->offset,
                  client->moment->wakes ? ", wakes" : "", what, status);
    return false;
}

static bool begin(struct client *client)
{
    const char *card = "t1";
    struct emu_model model = *rig_default_model();
    struct rig_reader reader;
    char key[NT_ID_MAX + 32];
    scenario_set_features(&model, client->moment->wakes ? WAKES : SILENT);
    if (!rig_status_ok(rig_plug(&model, &card, 1, &client->port)) || !rig_find(client->port, &reader)) {
        return wrong(client, "plug", 0);
    }
    (void)snprintf(key, sizeof key, "Enum\\%s\\Device Parameters", reader.instance);
    if (nt_registry_set_dword(key, "SelectiveSuspendEnabled", 1) != 0 ||
        nt_registry_set_dword(key, "SelectiveSuspendTimeout", PERIOD) != 0 ||
        !rig_status_ok(nt_device_stop(reader.instance)) || !rig_status_ok(nt_device_start(reader.instance))) {
        return wrong(client, "restart", 0);
    }
    return true;
}

static bool open_slot(struct client *client)
{
    nt_status status = client->file == NULL ? rig_open(client->port, 0, &client->file) : RIG_STATUS_SUCCESS;
    return rig_status_ok(status) || wrong(client, "open", status);
}

static void close_slot(struct client *client)
{
    if (client->tracking != NULL) {
        nt_request_cancel(client->tracking);
        (void)nt_request_end(client->tracking, NULL);
        client->tracking = NULL;
    }
    if (client->file != NULL) {
        nt_close(client->file);
        client->file = NULL;
    }
}

static bool connect_card(struct client *client)
{
    uint8_t atr[RIG_ATR_MAX];
    size_t length;
    uint32_t protocol;
    nt_status status = RIG_STATUS_SUCCESS;
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        status = rig_slot_power(client->file, RIG_COLD_RESET, atr, &length);
        if (rig_status_ok(status)) {
            status = rig_slot_set_protocol(client->file, RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1, &protocol);
        }
        if (rig_status_ok(status)) {
            return true;
        }
        nt_sleep_us(SECOND); // for the news of a card to travel
    }
    return wrong(client, "the card cannot be used", status);
}

static void sleep_and_resume(enum nt_system_power power)
{
    (void)nt_system_power(power);
    nt_sleep_us(SECOND);
    (void)nt_system_power(NT_POWER_S0);
}

static void happen(struct client *client)
{
    static const enum nt_system_power powers[] = {NT_POWER_S1, NT_POWER_S3, NT_POWER_S4};
    struct rig_reader reader;
    if (!rig_find(client->port, &reader)) {
        return;
    }
    switch (client->moment->event) {
    case STOP:
        (void)nt_device_stop(reader.instance);
        (void)nt_device_start(reader.instance);
        break;
    case REMOVE:
        (void)nt_device_remove(reader.instance); // refused while it is open
        break;
    case SURPRISE:
        nt_device_surprise_remove(reader.instance);
        break;
    case SLEEP_S1:
    case SLEEP_S3:
    case SLEEP_S4:
        sleep_and_resume(powers[client->moment->event - SLEEP_S1]);
        break;
    case INSERT:
        (void)rig_eject(client->port, 0);
        (void)rig_insert(client->port, 0, "t1");
        break;
    case CLOSE:
        close_slot(client);
        break;
    default:
        break;
    }
}

static bool used(struct client *client)
{
    if (!open_slot(client) || !connect_card(client)) {
        return false;
    }
    if (client->tracking == NULL) {
        client->tracking = nt_device_control_begin(client->file, RIG_IOCTL_IS_ABSENT, NULL, 0, NULL, 0);
    }
    (void)rig_eject(client->port, 0);
    if (!nt_request_wait(client->tracking, SCENARIO_WAIT_US)) {
        return wrong(client, "the card's removal is not told", 0);
    }
    return true;
}

static bool go_through(struct client *client)
{
    const struct moment *moment = client->moment;
    if (!begin(client) || (moment->wakes && !open_slot(client))) {
        return false;
    }
    nt_sleep_us((uint64_t)PERIOD * 1000 + (uint64_t)moment->offset);
    if (!open_slot(client)) {
        return false;
    }
    client->tracking = nt_device_control_begin(client->file, RIG_IOCTL_IS_ABSENT, NULL, 0, NULL, 0);
    happen(client);
    if (moment->prompt && client->tracking != NULL) {
        (void)nt_request_wait(client->tracking, SECOND);
    }
    return moment->event == SURPRISE || used(client);
}

static bool live(void *context)
{
    const struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .seed = scenario_seed, .verifier = true};
    struct client client = {.moment = context};
    bool passed;
    if (!rig_status_ok(rig_boot(&options))) {
        return false;
    }
    passed = go_through(&client);
    close_slot(&client);
    (void)rig_unplug(client.port);
    rig_shutdown();
    return passed;
}

static void tell(void *context, const struct nt_schedule *schedule, enum nt_end end, const char *report)
{
    const struct moment *moment = context;
    char text[NT_SCHEDULE_TEXT_MAX];
    nt_schedule_print(schedule, text);
    print_message("event %d at %d us%s%s, schedule %s, end %d:\n%s\n", moment->event, moment->offset,
                  moment->wakes ? ", wakes" : "", moment->prompt ? ", prompt" : "", text, end, report);
}

static uint64_t explore(struct moment *moment, unsigned bound, uint64_t limit)
{
    const struct nt_exploration exploration = {live, bound, limit, tell, NULL, moment};
    struct nt_exploration_result result = {0};
    assert_int_equal(nt_explore(&exploration, &result), 0);
    assert_int_equal(result.failures, 0);
    uint64_t schedules = result.schedules[0] + result.schedules[1] + result.schedules[2];
    assert_true(result.finished || schedules >= limit);
    return schedules;
}

enum { OFFSETS = 3, MOMENTS = EVENTS * OFFSETS * 2 };

static struct moment moment_of(unsigned index)
{
    static const int offsets[OFFSETS] = {0, 20, 5 * SECOND};
    return (struct moment){index / OFFSETS / 2, offsets[index / 2 % OFFSETS], index % 2 != 0, false};
}

static void test_seeds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MOMENTS; i++) {
        struct moment moment = moment_of(i);
        for (scenario_seed = 1; scenario_seed <= SEEDS; scenario_seed++) {
            moment.prompt = scenario_seed % 2 != 0;
            assert_true(live(&moment));
        }
    }
    scenario_seed = 0;
}

static void test_orders(void **state)
{
    uint64_t schedules = 0;
    (void)state;
    for (unsigned i = 0; i < MOMENTS; i++) {
        struct moment moment = moment_of(i);
        schedules += explore(&moment, 1, LIMIT);
    }
    print_message("%llu schedules\n", (unsigned long long)schedules);
}

// What waking tells makes the client ask at once, while the driver is still busy with it.
static void test_prompt_client(void **state)
{
    struct moment moment = {SLEEP_S3, 5 * SECOND, true, true};
    (void)state;
    (void)explore(&moment, 2, PROMPT_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_prompt_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
