// SPDX-License-Identifier: MIT
// The kernel's side of one call.
#pragma once
#include "nthost/user/nthost.h"
#include "nthost/user/remote/wire.h"

// A connection, as far as a request on it can be cancelled from another. Under serve_lock().
struct served {
    struct served *next;
    int socket;
    uint32_t number;
    nt_request *running;
    uint64_t request, cancelled; // numbers: the one that runs, the last that was cancelled
};

void serve_lock(void);
void serve_unlock(void);
struct served *serve_find(uint32_t number); // locked; NULL: none
void serve_event(enum wire_event kind, const char *text);
const struct nt_service *serve_native(const char *name); // a built-in driver; NULL: none

struct answer {
    struct wire_reply reply;
    uint8_t *bytes; // of reply.length, freed and cleared by who sends it
    size_t room;
    bool lost; // for lack of memory
};

void answer_add(struct answer *answer, const void *bytes, size_t length);
// `bytes`: call->length of them, and a zero behind.
void answer_call(struct served *served, const struct wire_call *call, const char *bytes,
                 struct answer *answer);
// Files and requests, by answer_call().
void answer_open(const struct wire_call *call, const char *bytes, struct answer *answer);
void answer_close(const struct wire_call *call, const char *bytes, struct answer *answer);
void answer_control(struct served *served, const struct wire_call *call, const char *bytes,
                    struct answer *answer);
void answer_cancel(const struct wire_call *call, const char *bytes, struct answer *answer);
