// SPDX-License-Identifier: MIT
#include "tests/reader/scenario.h"

#include <sched.h>

#include "vbus/vbusioctl.h"

enum { CCID_FEATURES = 40, CCID_MESSAGE_LENGTH = 44 };

uint64_t scenario_seed;

static void print_line(void *context, const char *text)
{
    (void)context;
    print_message("%s", text);
}

int scenario_boot(void **state)
{
    const struct nt_options options = {
        .clock = NT_CLOCK_VIRTUAL, .seed = scenario_seed, .verifier = true, .print = print_line};
    (void)state;
    return rig_status_ok(rig_boot(&options)) ? 0 : -1;
}

int scenario_shut_down(void **state)
{
    (void)state;
    rig_shutdown();
    return 0;
}

static void put32(uint8_t *bytes, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

void scenario_set_features(struct emu_model *model, uint32_t features)
{
    put32(model->ccid + CCID_FEATURES, features);
}

void scenario_set_message_length(struct emu_model *model, uint32_t length)
{
    put32(model->ccid + CCID_MESSAGE_LENGTH, length);
}

void scenario_begin(struct scenario *scenario, const struct emu_model *model, const char *card)
{
    assert_int_equal(rig_plug(model, &card, 1, &scenario->port), RIG_STATUS_SUCCESS);
    assert_int_equal(rig_open(scenario->port, 0, &scenario->file), RIG_STATUS_SUCCESS);
}

void scenario_end(struct scenario *scenario)
{
    nt_close(scenario->file);
    assert_int_equal(rig_unplug(scenario->port), RIG_STATUS_SUCCESS);
}

enum rig_state scenario_state(const struct scenario *scenario)
{
    enum rig_state now;
    assert_int_equal(rig_slot_state(scenario->file, &now), RIG_STATUS_SUCCESS);
    return now;
}

uint32_t scenario_connect(const struct scenario *scenario)
{
    uint8_t atr[RIG_ATR_MAX];
    size_t length;
    uint32_t protocol;
    assert_int_equal(rig_slot_power(scenario->file, RIG_COLD_RESET, atr, &length), RIG_STATUS_SUCCESS);
    assert_true(length >= 2);
    assert_int_equal(rig_slot_set_protocol(scenario->file, RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1, &protocol),
                     RIG_STATUS_SUCCESS);
    assert_int_equal(scenario_state(scenario), RIG_STATE_SPECIFIC);
    return protocol;
}

unsigned scenario_command(const struct scenario *scenario, uint32_t protocol, const uint8_t *command,
                          size_t command_length, uint8_t *reply, size_t *length)
{
    assert_int_equal(rig_slot_transmit(scenario->file, protocol, command, command_length, reply, length),
                     RIG_STATUS_SUCCESS);
    assert_true(*length >= 2);
    *length -= 2;
    return (unsigned)(reply[*length] << 8 | reply[*length + 1]);
}

static void bus_control(uint32_t code, const void *in, size_t length)
{
    nt_file *bus;
    size_t returned;
    assert_int_equal(nt_open(VBUS_USER_PATH, &bus), RIG_STATUS_SUCCESS);
    assert_int_equal(nt_device_control(bus, code, in, length, NULL, 0, &returned), RIG_STATUS_SUCCESS);
    nt_close(bus);
}

void scenario_fault(const struct scenario *scenario, const struct emu_fault *fault)
{
    const struct vbus_fault request = {scenario->port, *fault};
    bus_control(IOCTL_VBUS_FAULT, &request, sizeof request);
}

void scenario_user(const struct scenario *scenario, const struct emu_user *user)
{
    const struct vbus_user request = {scenario->port, *user};
    bus_control(IOCTL_VBUS_USER, &request, sizeof request);
}

void scenario_instance(const struct scenario *scenario, char instance[NT_ID_MAX])
{
    struct rig_reader readers[8];
    size_t count = rig_readers(readers, 8);
    for (size_t i = 0; i < count && i < 8; i++) {
        if (readers[i].port == scenario->port) {
            memcpy(instance, readers[i].instance, NT_ID_MAX);
            return;
        }
    }
    fail_msg("no reader at port %u", scenario->port);
}

static void *run_blocked(void *argument)
{
    struct scenario_blocked *blocked = argument;
    size_t returned;
    blocked->status = nt_device_control(blocked->file, blocked->code, blocked->in, blocked->in_length,
                                        blocked->out, blocked->out_length, &returned);
    atomic_store(&blocked->done, true);
    return NULL;
}

static uint64_t count_controls(void)
{
    struct nt_routine_count rows[16];
    size_t count = (size_t)nt_service_counts(RIG_READER_SERVICE, rows, 16);
    assert_true(count <= 16);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].routine, "DispatchDeviceControl") == 0) {
            return rows[i].calls;
        }
    }
    return 0;
}

void scenario_block(struct scenario_blocked *blocked)
{
    uint64_t before = count_controls();
    assert_int_equal(pthread_create(&blocked->thread, NULL, run_blocked, blocked), 0);
    while (count_controls() == before) {
        nt_sleep_us(1000);
        sched_yield();
    }
}

nt_status scenario_unblocked(struct scenario_blocked *blocked)
{
    // The virtual clock's scheduler knows the threads that are inside; joining would keep the turn. Its time
    // is no measure for a thread on its way in, so the test's own time-out is the limit.
    while (!atomic_load(&blocked->done)) {
        nt_sleep_us(1000);
        sched_yield();
    }
    assert_int_equal(pthread_join(blocked->thread, NULL), 0);
    return blocked->status;
}

nt_request *scenario_track(const struct scenario *scenario, uint32_t code)
{
    nt_request *request = nt_device_control_begin(scenario->file, code, NULL, 0, NULL, 0);
    assert_non_null(request);
    return request;
}

nt_status scenario_tracked(nt_request *request)
{
    size_t returned;
    assert_true(nt_request_wait(request, SCENARIO_WAIT_US));
    return nt_request_end(request, &returned);
}
