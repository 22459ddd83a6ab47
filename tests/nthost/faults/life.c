// SPDX-License-Identifier: MIT
#include "tests/nthost/faults/life.h"

#include <stdio.h>

#include "rig/models.h"
#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/status.h"

enum { CARD_US = 300000 };

static nt_status command(nt_file *file)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    uint8_t atr[RIG_ATR_MAX], reply[258];
    size_t length;
    uint32_t protocol = 0;
    nt_status status = rig_slot_power(file, RIG_COLD_RESET, atr, &length);
    if (rig_status_ok(status)) {
        status = rig_slot_set_protocol(file, RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1, &protocol);
    }
    for (unsigned i = 0; i < 2 && rig_status_ok(status); i++) {
        length = sizeof reply;
        status = rig_slot_transmit(file, protocol, select, sizeof select, reply, &length);
    }
    return status;
}

static void swap_card(uint32_t port)
{
    (void)rig_eject(port, 0);
    (void)rig_insert(port, 0, "t0");
    nt_sleep_us(CARD_US);
}

static void doze(void)
{
    (void)nt_system_power(NT_POWER_S3);
    nt_sleep_us(CARD_US);
    (void)nt_system_power(NT_POWER_S0);
    nt_sleep_us(CARD_US);
}

static nt_status use(const struct life *life, uint32_t port, nt_file *file)
{
    nt_request *removal = nt_device_control_begin(file, RIG_IOCTL_IS_ABSENT, NULL, 0, NULL, 0);
    nt_status status = command(file);
    swap_card(port);
    if (life->sleeps) {
        doze();
    }
    if (removal != NULL) {
        nt_request_cancel(removal);
        (void)nt_request_end(removal, NULL);
    }
    return rig_status_ok(status) ? command(file) : status;
}

static void rebalance(void)
{
    struct rig_reader reader;
    if (rig_readers(&reader, 1) != 1) {
        return;
    }
    if (rig_status_ok(nt_device_stop(reader.instance))) {
        (void)nt_device_start(reader.instance);
    }
    if (rig_status_ok(nt_device_remove(reader.instance))) {
        (void)nt_device_start(reader.instance);
    }
}

static nt_status live(const struct life *life)
{
    const char *card = "t1";
    uint32_t port;
    nt_file *file;
    nt_status status = rig_plug(rig_default_model(), &card, 1, &port);
    if (!rig_status_ok(status)) {
        return status;
    }
    status = rig_open(port, 0, &file);
    if (rig_status_ok(status)) {
        status = use(life, port, file);
        nt_close(file);
        if (life->sleeps) {
            rebalance();
        }
    }
    (void)rig_unplug(port);
    return status;
}

bool life_run(void *argument)
{
    struct life *life = argument;
    const struct nt_options options = {.clock = NT_CLOCK_VIRTUAL, .seed = life->seed, .verifier = true};
    struct nt_fault_counts before, after = {0};
    life->last = rig_boot(&options);
    if (!rig_status_ok(life->last)) {
        nt_faults_count(&after);
        return after.injected != 0;
    }
    before = after;
    for (unsigned i = 0; i < life->rounds; i++) {
        nt_faults_count(&before);
        life->last = live(life);
        nt_faults_count(&after);
    }
    rig_shutdown();
    if (rig_status_ok(life->last) || after.injected != before.injected) {
        return true;
    }
    char buffer[16];
    fprintf(stderr, "the last round fails without a fault: %s\n", rig_status_name(life->last, buffer));
    return false;
}
