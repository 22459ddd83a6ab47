// SPDX-License-Identifier: MIT
#define _GNU_SOURCE // accept4
#include "rig/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rig/describe.h"

enum { REQUEST_MAX = 256, REPLY_MAX = 1 << 20, BACKLOG = 8, PATIENCE_SECONDS = 5 };

static int listener = -1, waker[2] = {-1, -1};
static pthread_t server;
static struct sockaddr_un address;

static int set_address(const char *path, struct sockaddr_un *target)
{
    *target = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof target->sun_path) {
        return -ENAMETOOLONG;
    }
    memcpy(target->sun_path, path, strlen(path) + 1);
    return 0;
}

static void set_patience(int connection)
{
    const struct timeval limit = {.tv_sec = PATIENCE_SECONDS};
    (void)setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static int send_all(int connection, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(connection, text, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return -errno;
        }
        if (sent > 0) {
            text += sent;
            length -= (size_t)sent;
        }
    }
    return 0;
}

// Up to the end of the stream or, when `line`, of the first line. Returns the bytes, or negative errno.
static ssize_t receive(int connection, char *buffer, size_t size, bool line)
{
    size_t length = 0;
    while (length + 1 < size) {
        ssize_t got = recv(connection, buffer + length, size - 1 - length, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -errno;
        }
        length += (size_t)got;
        buffer[length] = '\0';
        if (got == 0 || (line && memchr(buffer, '\n', length) != NULL)) {
            return (ssize_t)length;
        }
    }
    return -EMSGSIZE;
}

static void serve(int connection)
{
    char request[REQUEST_MAX];
    set_patience(connection);
    if (receive(connection, request, sizeof request, true) > 0) {
        request[strcspn(request, "\r\n")] = '\0';
        cJSON *reply = rig_control_answer(request);
        char *text = cJSON_PrintUnformatted(reply);
        if (text != NULL) {
            (void)send_all(connection, text, strlen(text));
        }
        cJSON_free(text);
        cJSON_Delete(reply);
    }
    (void)close(connection);
}

static void *run_server(void *unused)
{
    (void)unused;
    struct pollfd wait[2] = {{.fd = listener, .events = POLLIN}, {.fd = waker[0], .events = POLLIN}};
    for (;;) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR) {
            return NULL;
        }
        if (wait[1].revents != 0) {
            return NULL;
        }
        int connection = wait[0].revents != 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (connection >= 0) {
            serve(connection);
        }
    }
}

static bool answered(const struct sockaddr_un *target)
{
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool alive = probe >= 0 && connect(probe, (const struct sockaddr *)target, sizeof *target) == 0;
    if (probe >= 0) {
        (void)close(probe);
    }
    return alive;
}

static int listen_there(void)
{
    int error = 0;
    if (answered(&address)) {
        return -EADDRINUSE;
    }
    struct stat old;
    if (lstat(address.sun_path, &old) == 0 && S_ISSOCK(old.st_mode)) {
        (void)unlink(address.sun_path); // left by a process that died
    }
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    // Before bind(), so that the name never exists with wider rights.
    if (listener < 0 || fchmod(listener, 0600) != 0 ||
        bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, BACKLOG) != 0) {
        error = -errno;
    }
    return error;
}

static void close_all(void)
{
    int *const descriptors[] = {&listener, &waker[0], &waker[1]};
    for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++) {
        if (*descriptors[i] >= 0) {
            (void)close(*descriptors[i]);
        }
        *descriptors[i] = -1;
    }
}

// The serving program's signals are for its own threads.
static int start_thread(void)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&server, NULL, run_server, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

int rig_control_start(const char *path)
{
    int error = set_address(path, &address);
    if (error == 0) {
        error = listen_there();
    }
    if (error == 0 && pipe(waker) != 0) {
        error = -errno;
    }
    if (error == 0) {
        error = start_thread();
    }
    if (error != 0) {
        close_all();
    }
    return error;
}

void rig_control_stop(void)
{
    if (listener < 0) {
        return;
    }
    (void)close(waker[1]);
    waker[1] = -1;
    (void)pthread_join(server, NULL);
    (void)unlink(address.sun_path);
    close_all();
}

static int ask_connected(int connection, const char *request, cJSON **reply)
{
    char *text = malloc(REPLY_MAX);
    if (text == NULL) {
        return -ENOMEM;
    }
    set_patience(connection);
    int error = send_all(connection, request, strlen(request));
    error = error != 0 ? error : send_all(connection, "\n", 1);
    ssize_t length = error != 0 ? error : receive(connection, text, REPLY_MAX, false);
    *reply = length > 0 ? cJSON_Parse(text) : NULL;
    free(text);
    if (length < 0) {
        return (int)length;
    }
    return *reply != NULL ? 0 : -EPROTO;
}

int rig_control_ask(const char *path, const char *request, cJSON **reply)
{
    struct sockaddr_un target;
    int error = set_address(path, &target);
    if (error != 0) {
        return error;
    }
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0) {
        return -errno;
    }
    error = connect(connection, (const struct sockaddr *)&target, sizeof target) != 0
                ? -errno
                : ask_connected(connection, request, reply);
    (void)close(connection);
    return error;
}
