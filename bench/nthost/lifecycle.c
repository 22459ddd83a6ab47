// SPDX-License-Identifier: MIT
// Whole lives of a reader: plug, open, reset, protocol, five APDUs, close, unplug.
#include <stdio.h>

#include "bench/nthost/measure.h"
#include "bench/nthost/plug.h"
#include "rig/scard.h"

enum { APDUS = 5 };

static void live(void)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    struct plug plug;
    nt_file *file;
    uint8_t atr[RIG_ATR_MAX], reply[258];
    size_t length;
    uint32_t protocol;
    plug_in(&plug, "t1");
    measure_require(nt_open(plug.link, &file) == 0, "open");
    measure_require(rig_slot_power(file, RIG_COLD_RESET, atr, &length) == 0 && length > 2, "reset");
    measure_require(rig_slot_set_protocol(file, RIG_PROTOCOL_T0 | RIG_PROTOCOL_T1, &protocol) == 0,
                    "protocol");
    for (unsigned i = 0; i < APDUS; i++) {
        length = sizeof reply;
        measure_require(rig_slot_transmit(file, protocol, select, sizeof select, reply, &length) == 0 &&
                            length >= 2,
                        "APDU");
    }
    nt_close(file);
    plug_out(&plug);
}

static void measure(bool verifier, uint64_t count)
{
    plug_boot(verifier);
    live(); // the first one loads the driver
    double cpu = measure_cpu(), start = measure_now();
    uint64_t memory = measure_memory();
    for (uint64_t i = 0; i < count; i++) {
        live();
    }
    double elapsed = measure_now() - start;
    cpu = measure_cpu() - cpu;
    printf(
        "life cycles, verifier %s: %.0f per second, %.0f per second of one core, memory grew by %lld KiB\n",
        verifier ? "on" : "off", (double)count / elapsed, (double)count / cpu,
        (long long)(measure_memory() - memory) / 1024);
    plug_shutdown();
}

int main(int argc, char **argv)
{
    uint64_t count = measure_count(argc, argv, 2000);
    measure(false, count);
    measure(true, count / 4 + 1);
    return 0;
}
