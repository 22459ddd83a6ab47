// SPDX-License-Identifier: MIT
// The program in the child: takes connections, a thread each.
#define _GNU_SOURCE
#include "nthost/user/remote/serve.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nthost/user/host.h"
#include "nthost/user/remote/confine.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct served *connections;
static const struct nt_service *built_in;
static size_t built_in_count;

void serve_lock(void)
{
    pthread_mutex_lock(&lock);
}

void serve_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

struct served *serve_find(uint32_t number)
{
    struct served *at = connections;
    while (at != NULL && at->number != number) {
        at = at->next;
    }
    return at;
}

const struct nt_service *serve_native(const char *name)
{
    for (size_t i = 0; i < built_in_count; i++) {
        if (strcmp(built_in[i].name, name) == 0) {
            return &built_in[i];
        }
    }
    return NULL;
}

// Also from a handler of signals: nothing but a system call.
void serve_event(enum wire_event kind, const char *text)
{
    struct wire_event_head head = {.kind = (uint32_t)kind};
    size_t length = strlen(text);
    (void)wire_send(WIRE_EVENT_DESCRIPTOR, &head, sizeof head, text,
                    length < WIRE_EVENT_MAX ? length : WIRE_EVENT_MAX);
}

void answer_add(struct answer *answer, const void *bytes, size_t length)
{
    size_t needed = answer->reply.length + length;
    if (length == 0) {
        return;
    }
    if (needed > answer->room) {
        size_t room = 2 * needed + 256;
        uint8_t *larger = needed <= WIRE_MAX ? realloc(answer->bytes, room) : NULL;
        if (larger == NULL) {
            answer->lost = true;
            return;
        }
        answer->bytes = larger;
        answer->room = room;
    }
    memcpy(answer->bytes + answer->reply.length, bytes, length);
    answer->reply.length = (uint32_t)needed;
}

// What goes by may be a PIN.
static void forget(void *bytes, size_t length)
{
    if (bytes != NULL) {
        explicit_bzero(bytes, length);
        free(bytes);
    }
}

static bool serve_call(struct served *served)
{
    struct wire_call call;
    struct answer answer = {.lost = false};
    if (wire_receive(served->socket, &call, sizeof call) != 0 || call.length > WIRE_MAX) {
        return false;
    }
    char *bytes = malloc((size_t)call.length + 1);
    if (bytes == NULL || wire_receive(served->socket, bytes, call.length) != 0) {
        free(bytes);
        return false;
    }
    bytes[call.length] = '\0';
    answer_call(served, &call, bytes, &answer);
    forget(bytes, call.length);
    bool sent = !answer.lost && wire_send(served->socket, &answer.reply, sizeof answer.reply, answer.bytes,
                                          answer.reply.length) == 0;
    forget(answer.bytes, answer.room);
    return sent;
}

static void *serve(void *argument)
{
    struct served *served = argument;
    while (serve_call(served)) {
    }
    serve_lock();
    struct served **at = &connections;
    while (*at != served) {
        at = &(*at)->next;
    }
    *at = served->next;
    serve_unlock();
    (void)close(served->socket);
    free(served);
    return NULL;
}

static bool accept_connection(void)
{
    pthread_t thread;
    uint32_t number;
    int socket = wire_receive_descriptor(WIRE_CONTROL_DESCRIPTOR, &number);
    struct served *served = socket >= 0 ? malloc(sizeof *served) : NULL;
    if (served == NULL) {
        return false;
    }
    *served = (struct served){.socket = socket, .number = number};
    serve_lock();
    served->next = connections;
    connections = served;
    serve_unlock();
    return pthread_create(&thread, NULL, serve, served) == 0 && pthread_detach(thread) == 0;
}

static bool begin(void)
{
    struct wire_call call;
    if (wire_receive(WIRE_CONTROL_DESCRIPTOR, &call, sizeof call) != 0 || call.op != REMOTE_CONFINE ||
        call.length > WIRE_MAX) {
        return false;
    }
    char *folder = calloc(1, (size_t)call.length + 1);
    if (folder == NULL || wire_receive(WIRE_CONTROL_DESCRIPTOR, folder, call.length) != 0) {
        free(folder);
        return false;
    }
    struct wire_reply reply = {.status = (uint32_t)confine(folder)};
    free(folder);
    return wire_send(WIRE_CONTROL_DESCRIPTOR, &reply, sizeof reply, NULL, 0) == 0 && reply.status == 0;
}

_Noreturn void nt_host_run(const struct nt_service *natives, size_t count)
{
    built_in = natives;
    built_in_count = count;
    if (begin()) {
        while (accept_connection()) {
        }
    }
    _exit(EXIT_SUCCESS);
}
