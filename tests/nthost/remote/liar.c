// SPDX-License-Identifier: MIT
// In place of the program a kernel runs in: confined by nobody, it answers as a driver that has taken its
// process over might. What it does is the name of the folder it is given.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nthost/user/remote/wire.h"

static char folder[64];

static _Bool is(const char *what)
{
    return strstr(folder, what) != NULL;
}

static void answer(int socket, const struct wire_call *call)
{
    static char bytes[WIRE_LIST_MAX];
    struct wire_reply reply = {.status = 0};
    memset(bytes, 'x', sizeof bytes);
    if (call->op != REMOTE_BOOT && call->op != REMOTE_OPEN) {
        reply.length = is("long") ? UINT32_MAX : is("list") ? sizeof bytes : 0;
        reply.value = UINT64_MAX;
    }
    if (is("short")) {
        (void)wire_send(socket, &reply, 3, NULL, 0);
        (void)close(socket);
        return;
    }
    (void)wire_send(socket, &reply, sizeof reply, bytes, is("list") ? reply.length : 0);
}

static void serve(int socket)
{
    static char bytes[0x10000];
    struct wire_call call;
    while (wire_receive(socket, &call, sizeof call) == 0 && call.length <= sizeof bytes &&
           wire_receive(socket, bytes, call.length) == 0) {
        if (is("events")) {
            (void)wire_send(WIRE_EVENT_DESCRIPTOR, "\1\0\0\0a\0b", 7, NULL, 0);
            (void)wire_send(WIRE_EVENT_DESCRIPTOR, "\1\0\0\0", 4, NULL, 0);
            (void)wire_send(WIRE_EVENT_DESCRIPTOR, "\7\0\0\0what", 8, NULL, 0);
            (void)wire_send(WIRE_EVENT_DESCRIPTOR, "\1\0", 2, NULL, 0);
        }
        answer(socket, &call);
    }
}

int main(void)
{
    struct wire_call call;
    uint32_t number;
    struct wire_reply reply = {.status = 0};
    if (wire_receive(WIRE_CONTROL_DESCRIPTOR, &call, sizeof call) != 0 || call.length >= sizeof folder ||
        wire_receive(WIRE_CONTROL_DESCRIPTOR, folder, call.length) != 0 ||
        wire_send(WIRE_CONTROL_DESCRIPTOR, &reply, sizeof reply, NULL, 0) != 0) {
        return EXIT_FAILURE;
    }
    for (;;) { // one connection is enough for a test that calls once at a time
        int socket = wire_receive_descriptor(WIRE_CONTROL_DESCRIPTOR, &number);
        if (socket < 0) {
            if (is("stay")) {
                (void)pause();
            }
            return EXIT_SUCCESS;
        }
        serve(socket);
    }
}
