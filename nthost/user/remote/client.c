// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/user/remote/client.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nthost/user/remote/child.h"

struct client_connection {
    struct client_connection *next;
    int socket;
    uint32_t number;
    unsigned generation;
    uint64_t requests;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct child child = CHILD_NONE;
static unsigned generation;
static uint32_t connections; // made so far
static struct client_connection *idle;

unsigned client_generation(void)
{
    pthread_mutex_lock(&lock);
    unsigned current = generation;
    pthread_mutex_unlock(&lock);
    return current;
}

bool client_alive(void)
{
    return child_alive(&child);
}

void client_distrust(void)
{
    child_kill(&child);
}

int client_start(const struct nt_options *options)
{
    int error = child_start(&child, options);
    pthread_mutex_lock(&lock);
    generation++;
    pthread_mutex_unlock(&lock);
    return error;
}

static void close_connection(struct client_connection *connection)
{
    (void)close(connection->socket);
    free(connection);
}

void client_stop(void)
{
    pthread_mutex_lock(&lock);
    struct client_connection *list = idle;
    idle = NULL;
    generation++; // connections in use are closed when they are given back
    pthread_mutex_unlock(&lock);
    while (list != NULL) {
        struct client_connection *next = list->next;
        close_connection(list);
        list = next;
    }
    child_stop(&child);
}

// ---- connections ----

// The lock is held: the child takes connections one after the other.
static struct client_connection *connect_child(void)
{
    int ends[2];
    struct client_connection *connection = malloc(sizeof *connection);
    if (connection == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        free(connection);
        return NULL;
    }
    *connection =
        (struct client_connection){.socket = ends[0], .number = ++connections, .generation = generation};
    int error = wire_send_descriptor(child.control, ends[1], connection->number);
    (void)close(ends[1]);
    if (error != 0) {
        close_connection(connection);
        return NULL;
    }
    return connection;
}

struct client_connection *client_take(void)
{
    pthread_mutex_lock(&lock);
    struct client_connection *connection = idle;
    if (connection != NULL) {
        idle = connection->next;
    } else if (child_alive(&child)) {
        connection = connect_child();
    }
    pthread_mutex_unlock(&lock);
    return connection;
}

void client_give(struct client_connection *connection, bool usable)
{
    pthread_mutex_lock(&lock);
    bool current = connection->generation == generation, keep = usable && current;
    if (keep) {
        connection->next = idle;
        idle = connection;
    } else if (current) {
        child_lose(&child); // seen here before its listener sees it
    }
    pthread_mutex_unlock(&lock);
    if (!keep) {
        close_connection(connection);
    }
}

uint32_t client_number(const struct client_connection *connection)
{
    return connection->number;
}

uint64_t client_next_request(struct client_connection *connection)
{
    return ++connection->requests;
}

bool client_send(struct client_connection *connection, const struct client_call *call)
{
    return wire_send(connection->socket, &call->call, sizeof call->call, call->in, call->call.length) == 0;
}

static bool receive_bytes(struct client_connection *connection, struct client_call *call)
{
    if (call->reply.length > (call->list ? WIRE_LIST_MAX : call->out_size)) {
        client_distrust();
        return false;
    }
    if (call->list) {
        call->out = malloc((size_t)call->reply.length + 1);
        if (call->out == NULL) {
            return false;
        }
    }
    return wire_receive(connection->socket, call->out, call->reply.length) == 0;
}

bool client_receive(struct client_connection *connection, struct client_call *call)
{
    if (wire_receive(connection->socket, &call->reply, sizeof call->reply) == 0 &&
        receive_bytes(connection, call)) {
        return true;
    }
    call->reply = (struct wire_reply){.status = WIRE_GONE};
    return false;
}

bool client_wait(struct client_connection *connection, int64_t timeout_us)
{
    struct pollfd wait = {.fd = connection->socket, .events = POLLIN};
    const struct timespec timeout = {.tv_sec = timeout_us / 1000000, .tv_nsec = timeout_us % 1000000 * 1000};
    int result;
    do { // a signal starts the wait anew, which is only longer
        result = ppoll(&wait, 1, timeout_us < 0 ? NULL : &timeout, NULL);
    } while (result < 0 && errno == EINTR);
    return result != 0;
}

bool client_call(struct client_call *call)
{
    struct client_connection *connection = client_take();
    call->reply = (struct wire_reply){.status = WIRE_GONE};
    if (connection == NULL) {
        return false;
    }
    bool done = client_send(connection, call) && client_receive(connection, call);
    client_give(connection, done);
    return done;
}
