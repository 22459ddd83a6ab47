// SPDX-License-Identifier: MIT
// What goes over the buses, and what user mode asks of devices, for one watcher. Set before nt_boot; for a
// kernel in this process.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum nt_transfer_type { NT_TRANSFER_INTERRUPT = 1, NT_TRANSFER_CONTROL, NT_TRANSFER_BULK };
enum nt_transfer_result {
    NT_TRANSFER_PENDING, // submitted
    NT_TRANSFER_DONE,
    NT_TRANSFER_STALLED,
    NT_TRANSFER_CANCELLED,
    NT_TRANSFER_GONE,
    NT_TRANSFER_FAILED
};

struct nt_transfer {
    uint64_t id;        // the same when it was submitted and when it ended, of no other that is in flight
    uint64_t time_us;   // since 1970
    const void *device; // of the bus, while it is plugged
    enum nt_transfer_type type;
    enum nt_transfer_result result;
    uint8_t endpoint;    // with bit 7 when data come in
    uint8_t setup[8];    // of a control transfer
    uint32_t length;     // wanted, then moved
    const uint8_t *data; // `length` bytes, when they are there: what goes out was submitted, what came in has
                         // ended; else NULL
};

struct nt_control { // a device control of user mode
    uint64_t id, time_us;
    bool ended;
    uint32_t code, status;
    const uint8_t *data; // of a buffered one: its input, then its output; else NULL
    uint32_t length;
};

// Called by any thread, at any IRQL, in the order of each device. They must not call the kernel.
struct nt_tracer {
    void (*transfer)(void *context, const struct nt_transfer *transfer);
    void (*control)(void *context, const struct nt_control *control);
    void *context;
};
void nt_trace(const struct nt_tracer *tracer); // NULL: no longer; between shutdown and boot
