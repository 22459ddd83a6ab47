// SPDX-License-Identifier: MIT
// The child process that a kernel runs in: started, listened to, ended.
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct nt_options;

struct child {
    pid_t process; // 0: none
    int handle, control, events;
    pthread_t listener;
    atomic_bool alive;
    atomic_bool stopping;
    bool reported;
    void (*print)(void *context, const char *text);
    void (*bugcheck)(void *context, const char *report);
    void *context;
};
#define CHILD_NONE                                                                                           \
    {                                                                                                        \
        .handle = -1, .control = -1, .events = -1                                                            \
    }

// -ENOENT also: the program to run is not there.
int child_start(struct child *child, const struct nt_options *options);
void child_stop(struct child *child); // lets it end, and does not let it stay
void child_kill(struct child *child);
bool child_alive(struct child *child);
void child_lose(struct child *child); // it has ended, or is not to be believed
