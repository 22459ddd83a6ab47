// SPDX-License-Identifier: MIT
// What the fuzzers of the reader driver share: a kernel that is booted once, readers that stay plugged, and
// clients. A broken rule aborts; so does a reader that does not work once it behaves again.
#pragma once
#include "fuzz/reader/hostile.h"
#include "nthost/user/nthost.h"

struct session {
    uint32_t port;
    nt_file *file; // slot 0
    uint32_t protocol;
    nt_request *tracking; // NULL: none
};

void session_boot(void); // once; the drivers are unloaded and checked at exit

// A reader of one of several kinds, plugged at its first use, with a card in it.
enum { SESSION_KINDS = 8 };
struct session *session_reader(unsigned kind);

// Plugs; whether its driver started. session_unplug() in either case.
bool session_plug(struct session *session, const struct emu_model *model, const char *card);
void session_unplug(struct session *session);

// One request of a client, chosen by a byte; any answer will do.
void session_request(struct session *session, uint8_t choice);
void session_nudge(const struct session *session); // the bus asks the reader for its messages
void session_end_tracking(struct session *session);
void session_recover(struct session *session); // the reader behaves now: the driver must use it
