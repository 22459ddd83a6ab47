// SPDX-License-Identifier: MIT
#include "nthost/os/os.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>

struct host_thread {
    struct host_thread *next; // in `idle`
    pthread_t pthread;
    os_routine *routine; // NULL while idle
    void *argument;
    bool quit;
    pthread_cond_t wake;
    jmp_buf leave;
};

enum { STACK_SIZE = 1 << 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t became_idle = PTHREAD_COND_INITIALIZER;
static struct host_thread *idle;
static unsigned thread_count, idle_count;
static __thread struct host_thread *self;

// Returns false when the thread is to end.
static bool wait_for_routine(struct host_thread *thread)
{
    pthread_mutex_lock(&lock);
    thread->routine = NULL;
    thread->next = idle;
    idle = thread;
    idle_count++;
    pthread_cond_broadcast(&became_idle);
    while (thread->routine == NULL && !thread->quit) {
        pthread_cond_wait(&thread->wake, &lock);
    }
    pthread_mutex_unlock(&lock);
    return !thread->quit;
}

static void *run_thread(void *argument)
{
    struct host_thread *thread = argument;
    self = thread;
    do {
        if (setjmp(thread->leave) == 0) {
            thread->routine(thread->argument);
        }
    } while (wait_for_routine(thread));
    return NULL;
}

static bool reuse_thread(os_routine *routine, void *argument)
{
    pthread_mutex_lock(&lock);
    struct host_thread *thread = idle;
    if (thread != NULL) {
        idle = thread->next;
        idle_count--;
        thread->routine = routine;
        thread->argument = argument;
        pthread_cond_signal(&thread->wake);
    }
    pthread_mutex_unlock(&lock);
    return thread != NULL;
}

static int create_thread(struct host_thread *thread)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return error;
    }
    error = pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (error == 0) {
        error = pthread_create(&thread->pthread, &attributes, run_thread, thread);
    }
    pthread_attr_destroy(&attributes);
    return error;
}

int os_thread_start(os_routine *routine, void *argument)
{
    if (reuse_thread(routine, argument)) {
        return 0;
    }
    struct host_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        return -ENOMEM;
    }
    thread->routine = routine;
    thread->argument = argument;
    pthread_cond_init(&thread->wake, NULL);
    pthread_mutex_lock(&lock);
    int error = create_thread(thread);
    thread_count += error == 0;
    pthread_mutex_unlock(&lock);
    if (error != 0) {
        free(thread);
    }
    return -error;
}

void os_thread_leave(void)
{
    longjmp(self->leave, 1);
}

void os_threads_join(void)
{
    pthread_mutex_lock(&lock);
    while (idle_count < thread_count) {
        pthread_cond_wait(&became_idle, &lock);
    }
    struct host_thread *list = idle;
    idle = NULL;
    idle_count = thread_count = 0;
    for (struct host_thread *thread = list; thread != NULL; thread = thread->next) {
        thread->quit = true;
        pthread_cond_signal(&thread->wake);
    }
    pthread_mutex_unlock(&lock);
    while (list != NULL) {
        struct host_thread *thread = list;
        list = thread->next;
        pthread_join(thread->pthread, NULL);
        pthread_cond_destroy(&thread->wake);
        free(thread);
    }
}

struct exit_hook {
    os_routine *routine;
    void *argument;
};

static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static __thread struct exit_hook exit_hook;

static void run_exit_hook(void *value)
{
    struct exit_hook *hook = value;
    if (hook->routine != NULL) {
        hook->routine(hook->argument);
    }
}

static void create_exit_key(void)
{
    pthread_key_create(&exit_key, run_exit_hook);
}

void os_at_thread_exit(os_routine *routine, void *argument)
{
    pthread_once(&exit_once, create_exit_key);
    exit_hook = (struct exit_hook){routine, argument};
    pthread_setspecific(exit_key, routine != NULL ? &exit_hook : NULL);
}
