// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "nthost/user/remote/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nthost/user/nthost.h"
#include "nthost/user/remote/wire.h"

enum { PATIENCE_SECONDS = 5, ABOVE = 16 }; // ABOVE: of the numbers that descriptors get in the child

// ---- listening ----

static void report(struct child *child, const char *text)
{
    child->reported = true;
    if (child->bugcheck != NULL) {
        child->bugcheck(child->context, text);
    } else {
        (void)fputs(text, stderr);
    }
}

static void take_event(struct child *child, const char *message, size_t length)
{
    struct wire_event_head head;
    memcpy(&head, message, sizeof head);
    const char *text = message + sizeof head;
    if (memchr(text, '\0', length - sizeof head) != NULL) {
        return; // not what print and bugcheck send
    }
    if (head.kind == WIRE_EVENT_BUGCHECK && !child->reported) {
        report(child, text);
    } else if (head.kind == WIRE_EVENT_PRINT && child->print != NULL) {
        child->print(child->context, text);
    }
}

static void await_end(struct child *child)
{
    int status = 0;
    char text[160];
    while (waitpid(child->process, &status, 0) < 0) {
        if (errno != EINTR) {
            return; // somebody else's wait() took it
        }
    }
    if (child->stopping || child->reported) {
        return;
    }
    if (WIFSIGNALED(status)) {
        (void)snprintf(text, sizeof text, "The kernel's process was killed by signal %d (%s).\n",
                       WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        (void)snprintf(text, sizeof text, "The kernel's process ended with status %d.\n",
                       WEXITSTATUS(status));
    }
    report(child, text);
}

static void *listen_to(void *argument)
{
    static char message[WIRE_EVENT_MAX + 64]; // one listener at a time
    struct child *child = argument;
    for (;;) {
        ssize_t got = recv(child->events, message, sizeof message - 1, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        message[got] = '\0';
        if ((size_t)got > sizeof(struct wire_event_head)) {
            take_event(child, message, (size_t)got);
        }
    }
    atomic_store(&child->alive, false);
    child_kill(child); // closing that socket is no way to stay
    await_end(child);
    return NULL;
}

// ---- starting ----

// What a sanitizer's runtime reads, and nothing else of the environment.
static void choose_environment(char *environment[3])
{
    static const char *const kept[] = {"ASAN_OPTIONS=", "UBSAN_OPTIONS="};
    size_t count = 0;
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        for (size_t i = 0; i < 2; i++) {
            if (count < 2 && strncmp(*at, kept[i], strlen(kept[i])) == 0) {
                environment[count++] = *at;
            }
        }
    }
    environment[count] = NULL;
}

// All of it fails only for lack of memory, and then the spawn does as well.
static int set_actions(posix_spawn_file_actions_t *actions, int control, int events)
{
    int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    error = error != 0 ? error : posix_spawn_file_actions_adddup2(actions, STDERR_FILENO, STDOUT_FILENO);
    error = error != 0 ? error : posix_spawn_file_actions_adddup2(actions, control, WIRE_CONTROL_DESCRIPTOR);
    error = error != 0 ? error : posix_spawn_file_actions_adddup2(actions, events, WIRE_EVENT_DESCRIPTOR);
    return error != 0 ? error : posix_spawn_file_actions_addclosefrom_np(actions, WIRE_EVENT_DESCRIPTOR + 1);
}

// No signal of the terminal reaches it, and none is blocked or ignored as its parent likes.
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    error = error != 0 ? error : posix_spawnattr_setsigdefault(attributes, &all);
    return error != 0 ? error
                      : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                                 POSIX_SPAWN_SETPGROUP);
}

static int spawn(struct child *child, const char *program, int control, int events)
{
    char *environment[3], *arguments[] = {(char *)program, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    choose_environment(environment);
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return -error;
    }
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = set_actions(&actions, control, events);
        error = error != 0 ? error : set_attributes(&attributes);
        error = error != 0
                    ? error
                    : posix_spawn(&child->process, program, &actions, &attributes, arguments, environment);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return -error;
}

static int spawn_with_sockets(struct child *child, const char *program)
{
    int control[2] = {-1, -1}, events[2] = {-1, -1}, high[2] = {-1, -1};
    int error = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0 ||
                        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, events) != 0 ||
                        (high[0] = fcntl(control[1], F_DUPFD_CLOEXEC, ABOVE)) < 0 ||
                        (high[1] = fcntl(events[1], F_DUPFD_CLOEXEC, ABOVE)) < 0
                    ? -errno
                    : spawn(child, program, high[0], high[1]);
    child->control = control[0];
    child->events = events[0];
    const int theirs[] = {control[1], events[1], high[0], high[1]};
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++) {
        if (theirs[i] >= 0) {
            (void)close(theirs[i]);
        }
    }
    return error;
}

// The program's signals are for its own threads.
static int start_listener(struct child *child)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&child->listener, NULL, listen_to, child);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

static void close_descriptors(struct child *child)
{
    int *const descriptors[] = {&child->handle, &child->control, &child->events};
    for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++) {
        if (*descriptors[i] >= 0) {
            (void)close(*descriptors[i]);
        }
        *descriptors[i] = -1;
    }
}

static int watch(struct child *child)
{
    child->handle = pidfd_open(child->process, 0);
    int error = child->handle < 0 ? -errno : 0;
    if (error != 0) {
        (void)kill(child->process, SIGKILL);
    } else {
        atomic_store(&child->alive, true);
        error = start_listener(child);
        if (error != 0) {
            child_kill(child);
        }
    }
    if (error != 0) {
        child->reported = true; // by the error
        await_end(child);
    }
    return error;
}

static int confine(const struct child *child, const char *folder)
{
    const struct wire_call call = {.op = REMOTE_CONFINE, .length = (uint32_t)strlen(folder)};
    struct wire_reply reply;
    int error = wire_send(child->control, &call, sizeof call, folder, call.length);
    error = error != 0 ? error : wire_receive(child->control, &reply, sizeof reply);
    return error != 0 ? error : (int)reply.status;
}

int child_start(struct child *child, const struct nt_options *options)
{
    child->print = options->print;
    child->bugcheck = options->bugcheck;
    child->context = options->context;
    atomic_store(&child->stopping, false);
    child->reported = false;
    child->process = 0;
    int error = spawn_with_sockets(child, options->host);
    error = error != 0 ? error : watch(child);
    if (error != 0) {
        close_descriptors(child);
        child->process = 0;
        return error;
    }
    error = confine(child, options->folder != NULL ? options->folder : "");
    if (error != 0) {
        child_stop(child);
    }
    return error < 0 ? error : error == 0 ? 0 : -EPROTO;
}

// ---- ending ----

void child_kill(struct child *child)
{
    (void)pidfd_send_signal(child->handle, SIGKILL, NULL, 0); // also of one that has ended
}

bool child_alive(struct child *child)
{
    return atomic_load(&child->alive);
}

void child_lose(struct child *child)
{
    atomic_store(&child->alive, false);
}

void child_stop(struct child *child)
{
    struct timespec until;
    if (child->process == 0) {
        return;
    }
    atomic_store(&child->stopping, true);
    (void)shutdown(child->control, SHUT_RDWR); // its sign to end
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_SECONDS;
    if (pthread_timedjoin_np(child->listener, NULL, &until) != 0) {
        child_kill(child);
        (void)pthread_join(child->listener, NULL);
    }
    atomic_store(&child->alive, false);
    close_descriptors(child);
    child->process = 0;
}
