// SPDX-License-Identifier: MIT
#include "tests/reader/boundary_session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rig/models.h"
#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/status.h"
#include "vbus/vbusioctl.h"

enum { FEATURES = 40, MESSAGE = 44, MAX_SLOT = 4, PORT = 1, REST_US = 1000000 }; // port: the bus's first

const char *const boundary_events[BOUNDARY_EVENTS] = {
    "card removed",      "request cancelled", "handle closed",   "system sleeps, S1", "system sleeps, S3",
    "system sleeps, S4", "device stopped",    "removal refused", "reader unplugged"};

struct boundary_session boundary_session;

void boundary_wrong(const char *format, ...)
{
    va_list arguments;
    char text[160];
    if (boundary_session.run->wrong[0] != '\0') {
        return; // the first is the reason
    }
    va_start(arguments, format);
    // clang-tidy 14 does not see the va_start above. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized)
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)snprintf(boundary_session.run->wrong, sizeof boundary_session.run->wrong, "boundary %llu: %s: %s",
                   (unsigned long long)boundary_session.run->boundary, boundary_session.step, text);
}

// ---- what happens ----

static void bus_control(uint32_t code, const void *in, size_t length)
{
    nt_file *bus;
    size_t returned;
    if (rig_status_ok(nt_open(VBUS_USER_PATH, &bus))) {
        (void)nt_device_control(bus, code, in, length, NULL, 0, &returned); // it may be gone already
        nt_close(bus);
    }
}

void boundary_fault(enum emu_fault_kind kind, uint32_t skip)
{
    const struct vbus_fault request = {PORT, {(uint8_t)kind, 0, 0, skip, 0, 0}};
    bus_control(IOCTL_VBUS_FAULT, &request, sizeof request);
}

void boundary_took(uint64_t since, const char *what)
{
    uint64_t time = nt_now_us() - since;
    boundary_session.run->longest_us =
        time > boundary_session.run->longest_us ? time : boundary_session.run->longest_us;
    if (time > BOUNDARY_LIMIT_US) {
        boundary_wrong("%s took %llu us", what, (unsigned long long)time);
    }
}

static void eject(void)
{
    const struct vbus_card request = {PORT, 0, ""};
    bus_control(IOCTL_VBUS_REMOVE, &request, sizeof request);
}

static void cancel(void)
{
    if (boundary_session.current != NULL) {
        nt_request_cancel(boundary_session.current);
    }
}

static void close_file(void)
{
    nt_file *file = boundary_session.file;
    boundary_session.file = NULL;
    boundary_session.closed |= file != NULL;
    if (file != NULL) {
        nt_close(file);
    }
}

static void unplug(void)
{
    const uint32_t port = PORT;
    bus_control(IOCTL_VBUS_UNPLUG, &port, sizeof port);
}

static void sleep_and_resume(void)
{
    static const enum nt_system_power powers[] = {NT_POWER_S1, NT_POWER_S3, NT_POWER_S4};
    nt_status status = nt_system_power(powers[boundary_session.event - BOUNDARY_SLEEP_S1]);
    boundary_took(boundary_session.struck_at, "going to sleep");
    if (!rig_status_ok(status)) {
        boundary_wrong("the system does not sleep: %08X", status);
    }
    nt_sleep_us(REST_US);
    boundary_fault(EMU_FAULT_NONE, 0);
    if (!rig_status_ok(nt_system_power(NT_POWER_S0))) {
        boundary_wrong("the system does not resume");
    }
}

static void find_reader(void *context, const struct nt_device *device)
{
    if (strcmp(device->service, RIG_READER_SERVICE) == 0) {
        memcpy(context, device->instance, NT_ID_MAX);
    }
}

static void stop_and_start(void)
{
    char instance[NT_ID_MAX] = "";
    nt_devices(find_reader, instance);
    uint64_t before = nt_now_us();
    nt_status status = nt_device_stop(instance);
    if (boundary_session.file != NULL) { // else it may have waited for the start
        boundary_took(before, "stopping");
    }
    nt_sleep_us(REST_US);
    boundary_fault(EMU_FAULT_NONE, 0);
    if (rig_status_ok(status) && !rig_status_ok(nt_device_start(instance))) {
        boundary_wrong("the device does not start again");
    }
}

static void refuse_removal(void)
{
    char instance[NT_ID_MAX] = "";
    nt_devices(find_reader, instance);
    if (boundary_session.file != NULL && rig_status_ok(nt_device_remove(instance))) {
        boundary_wrong("a reader in use is removed");
    }
    boundary_took(boundary_session.struck_at, "refusing");
    boundary_fault(EMU_FAULT_NONE, 0);
}

void boundary_strike(void *context)
{
    static void (*const events[BOUNDARY_EVENTS])(void) = {
        eject,          cancel,         close_file, sleep_and_resume, sleep_and_resume, sleep_and_resume,
        stop_and_start, refuse_removal, unplug};
    (void)context;
    boundary_session.struck = true;
    boundary_session.struck_at = nt_now_us();
    boundary_session.run->calls++;
    events[boundary_session.run->event]();
    boundary_session.over = true;
}

static bool open_slot(void)
{
    return boundary_session.file != NULL || rig_status_ok(rig_open(PORT, 0, &boundary_session.file));
}

static void plug(void)
{
    const struct boundary_kind *kind = boundary_session.run->kind;
    struct emu_model model = *rig_default_model();
    uint32_t port;
    for (unsigned i = 0; i < 4; i++) {
        model.ccid[FEATURES + i] = (uint8_t)(kind->features >> 8 * i);
        model.ccid[MESSAGE + i] = (uint8_t)(kind->message >> 8 * i);
    }
    model.ccid[MAX_SLOT] = kind->last_slot;
    model.endpoints = kind->endpoints;
    model.interface_protocol = kind->protocol;
    nt_status status = rig_plug(&model, &kind->card, 1, &port);
    if (rig_status_ok(status) ? port != PORT : !boundary_session.struck) {
        boundary_wrong("it does not start: %08X, port %u", status, port);
    }
}

static void insert(void)
{
    struct vbus_card request = {PORT, 0, ""};
    (void)snprintf(request.name, sizeof request.name, "%s", boundary_session.run->kind->card);
    bus_control(IOCTL_VBUS_INSERT, &request, sizeof request); // refused when it is in there
}

static void change_card(void)
{
    boundary_session.step = "the card leaves";
    eject();
    boundary_end_tracking();
    boundary_session.step = "the card comes back";
    boundary_track(RIG_IOCTL_IS_PRESENT);
    insert();
    if (boundary_session.run->event == BOUNDARY_EJECT && boundary_session.tracking != NULL &&
        !nt_request_wait(boundary_session.tracking, 2 * (int64_t)REST_US)) {
        insert(); // the event has taken it out again before anyone saw it
    }
    boundary_end_tracking();
}

static bool is_token_card(void) // ICCD version A: the card is the device
{
    return boundary_session.run->kind->endpoints == 0;
}

// One that loses replies still tells of a removal.
static enum emu_fault_kind silence(void)
{
    return boundary_session.event == BOUNDARY_EJECT ? EMU_FAULT_DROP : EMU_FAULT_HOLD;
}

static void go_through(void)
{
    boundary_session.step = "open";
    if (!open_slot() && !boundary_session.struck) {
        boundary_wrong("no slot");
    }
    if (boundary_session.run->held) {
        boundary_fault(silence(), (uint32_t)boundary_session.run->boundary - 1);
    }
    boundary_track(RIG_IOCTL_IS_ABSENT);
    boundary_session.step = "cold reset";
    (void)boundary_power(RIG_COLD_RESET);
    boundary_session.step = "protocol";
    (void)boundary_protocol();
    boundary_work();
    boundary_session.step = "warm reset";
    (void)boundary_power(RIG_WARM_RESET);
    boundary_session.step = "power down";
    (void)boundary_power(RIG_POWER_DOWN);
    if (boundary_session.tracking != NULL && !is_token_card()) {
        change_card();
    }
}

// ---- afterwards ----

static void recover(void)
{
    boundary_session.step = "recovery";
    for (unsigned i = 0; boundary_session.struck && !boundary_session.over && i < 100; i++) {
        nt_sleep_us(REST_US);
    }
    boundary_fault(EMU_FAULT_NONE, 0);
    if (boundary_session.closed) {
        boundary_end_tracking(); // the file object lives as long as its requests
    }
    if (boundary_session.run->event == BOUNDARY_UNPLUG && boundary_session.struck) {
        boundary_end_tracking();
        close_file();
        (void)rig_unplug(PORT);
        nt_pnp_wait();
        plug();
    }
    if (!open_slot()) {
        boundary_wrong("no slot");
    }
    boundary_session.run->event = BOUNDARY_EVENTS; // nothing more is excused, and nothing happens any more
    if (boundary_session.tracking != NULL && is_token_card()) {
        boundary_session.struck = true;
        boundary_session.event = BOUNDARY_CANCEL;
        nt_request_cancel(boundary_session.tracking);
        boundary_end_tracking();
    } else if (!is_token_card()) {
        insert();
        boundary_track(RIG_IOCTL_IS_ABSENT);
        change_card();
    }
    boundary_session.struck = false;
    if (!boundary_power(RIG_COLD_RESET) || !boundary_protocol()) {
        boundary_wrong("the card cannot be used");
    }
    boundary_work();
}

static void plan(enum nt_fault_mode mode)
{
    const struct nt_fault_plan plan = {.mode = mode,
                                       .effect = NT_FAULT_MEET,
                                       .kinds = NT_FAULT_TRANSFER,
                                       .driver = RIG_READER_SERVICE,
                                       .n = boundary_session.run->boundary,
                                       .meet = boundary_strike};
    nt_faults_plan(&plan);
}

static uint64_t count_boundaries(void)
{
    struct emu_statistics statistics = {0};
    struct nt_fault_counts counts;
    if (boundary_session.run->held) {
        (void)rig_statistics(PORT, &statistics);
        return statistics.responses + (silence() == EMU_FAULT_HOLD ? statistics.commands : 0);
    }
    nt_faults_count(&counts);
    return counts.occurrences;
}

void boundary_run(struct boundary_run *run)
{
    const struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .seed = run->seed, .verifier = true};
    enum boundary_event event = run->event;
    boundary_session = (struct boundary_session){.run = run, .event = run->event, .step = "plug"};
    plan(run->boundary == 0 || run->held ? NT_FAULT_NONE : NT_FAULT_NTH);
    if (!rig_status_ok(rig_boot(&options))) {
        boundary_wrong("the kernel does not boot");
        return;
    }
    plug();
    go_through();
    run->boundaries = count_boundaries();
    nt_faults_plan(NULL);
    recover();
    boundary_end_tracking();
    close_file();
    rig_shutdown();
    run->event = event;
}
