// SPDX-License-Identifier: MIT
// The calling side: the child, the connections to it, calls.
#pragma once
#include <stdbool.h>

#include "nthost/user/remote/wire.h"

struct nt_options;

struct client_call {
    struct wire_call call;
    const void *in; // of call.length bytes
    void *out;      // the reply's bytes, of `out_size`
    size_t out_size;
    bool list; // `out` is allocated, at most WIRE_LIST_MAX bytes; the caller frees it also after a failure
    struct wire_reply reply; // length: at most out_size
};

// False: the kernel has gone; the reply says WIRE_GONE and has no bytes.
bool client_call(struct client_call *call);

// One call at a time: taken, sent, received, given back.
struct client_connection;
struct client_connection *client_take(void); // NULL: the kernel has gone
// Usable: a whole reply has come.
void client_give(struct client_connection *connection, bool usable);
bool client_send(struct client_connection *connection, const struct client_call *call);
bool client_receive(struct client_connection *connection, struct client_call *call);
bool client_wait(struct client_connection *connection, int64_t timeout_us); // true: something has come
uint32_t client_number(const struct client_connection *connection);
uint64_t client_next_request(struct client_connection *connection);

// Which kernel: files of an earlier one are not this one's.
unsigned client_generation(void);
// The child says what it must not; it is ended.
void client_distrust(void);

int client_start(const struct nt_options *options); // a child that is confined and has no kernel yet
void client_stop(void);
bool client_alive(void);
