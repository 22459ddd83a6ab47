// SPDX-License-Identifier: MIT
// Scenarios: the driver on an emulated reader, spoken to as a resource manager would. Plain C.
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "rig/models.h"
#include "rig/rig.h"
#include "rig/scard.h"
#include "rig/status.h"
#include "tests/support/hosttest.h"

enum { SCENARIO_WAIT_US = 20000000 };

// dwFeatures of a well-behaved reader at each exchange level, CCID 1.1 5.1
#define SCENARIO_CHARACTER 0x00000038u
#define SCENARIO_TPDU      0x00010038u
#define SCENARIO_SHORT     0x000200BAu
#define SCENARIO_EXTENDED  0x000400BAu

struct scenario {
    uint32_t port;
    nt_file *file; // slot 0
};

extern uint64_t scenario_seed;   // of the next boot's schedule
int scenario_boot(void **state); // fixtures for cmocka_unit_test_setup_teardown
int scenario_shut_down(void **state);

void scenario_set_features(struct emu_model *model, uint32_t features);
void scenario_set_message_length(struct emu_model *model, uint32_t length);
// Plugs a reader with this card in slot 0 (NULL: none) and opens the slot.
void scenario_begin(struct scenario *scenario, const struct emu_model *model, const char *card);
void scenario_end(struct scenario *scenario);

enum rig_state scenario_state(const struct scenario *scenario);
uint32_t scenario_connect(const struct scenario *scenario); // resets, selects a protocol and returns it
// Sends a command and returns the status word; the data before it lies in `reply`, `*length` bytes of it.
unsigned scenario_command(const struct scenario *scenario, uint32_t protocol, const uint8_t *command,
                          size_t command_length, uint8_t *reply, size_t *length);
// What is wrong with the reader from now on, and who sits at its PIN pad.
void scenario_fault(const struct scenario *scenario, const struct emu_fault *fault);
void scenario_user(const struct scenario *scenario, const struct emu_user *user);
void scenario_instance(const struct scenario *scenario, char instance[NT_ID_MAX]);
// A request whose callback blocks needs a thread of its own.
struct scenario_blocked {
    nt_file *file;
    uint32_t code;
    const void *in;
    size_t in_length;
    void *out;
    size_t out_length;
    nt_status status;
    pthread_t thread;
    atomic_bool done;
};
void scenario_block(struct scenario_blocked *blocked);          // returns once the driver has it
nt_status scenario_unblocked(struct scenario_blocked *blocked); // waits for its end
nt_request *scenario_track(const struct scenario *scenario, uint32_t code);
// Waits for the request to complete and returns its status.
nt_status scenario_tracked(nt_request *request);
