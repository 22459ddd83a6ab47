// SPDX-License-Identifier: MIT
// Handling events: callbacks run in whoever calls here, one at a time for each context.
#include "emulator/libusb/bus.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <poll.h>

enum { DEFAULT_SECONDS = 60 };

static __thread unsigned inside;

bool event_inside(void)
{
    return inside > 0;
}

void event_enter(void)
{
    inside++;
}

void event_leave(void)
{
    inside--;
}

static struct timespec deadline_of(const struct timeval *wait)
{
    uint64_t due = bus_now() + (uint64_t)wait->tv_sec * 1000000 + (uint64_t)wait->tv_usec;
    return (struct timespec){(time_t)(due / 1000000), (long)(due % 1000000) * 1000};
}

static struct notice *next_notice(struct libusb_context *context)
{
    struct notice *notice = context->notices;
    if (notice != NULL) {
        context->notices = notice->next;
        context->notices_end = notice->next == NULL ? &context->notices : context->notices_end;
    }
    return notice;
}

static void acknowledge(struct libusb_context *context)
{
    eventfd_t count;
    if (context->raised && context->done.first == NULL && context->notices == NULL) {
        context->raised = false;
        (void)eventfd_read(context->event_fd, &count);
    }
}

// Everything there is. The bus is locked, but not during callbacks. True: there was something.
static bool handle_all(struct libusb_context *context)
{
    bool any = false;
    for (;;) {
        struct notice *notice = next_notice(context);
        struct transfer *transfer = notice == NULL ? context->done.first : NULL;
        if (transfer != NULL) {
            (void)queue_take(&context->done, transfer);
            transfer->state = TRANSFER_IDLE;
        }
        acknowledge(context);
        if (notice == NULL && transfer == NULL) {
            return any;
        }
        any = true;
        pthread_mutex_unlock(&bus_lock);
        event_enter();
        if (notice != NULL) {
            hotplug_deliver(context, notice);
        } else {
            transfer_deliver(transfer);
        }
        event_leave();
        pthread_mutex_lock(&bus_lock);
    }
}

static bool own(struct libusb_context *context)
{
    if (context->handled && !pthread_equal(context->owner, pthread_self())) {
        return false;
    }
    context->handled = true;
    context->owner = pthread_self();
    context->depth++;
    return true;
}

static bool satisfied(const struct waiter *waiter)
{
    while (waiter != NULL &&
           (waiter->completed == NULL || __atomic_load_n(waiter->completed, __ATOMIC_ACQUIRE) == 0)) {
        waiter = waiter->next;
    }
    return waiter != NULL;
}

// Whoever has nothing to gain from it sleeps on, as those do whom libusb keeps in poll().
static void disown(struct libusb_context *context)
{
    if (--context->depth > 0) {
        return;
    }
    context->handled = false;
    if (context->done.first != NULL || context->notices != NULL || context->interrupted) {
        context_wake(context);
    } else if (context->queueing > 0 || satisfied(context->waiting)) {
        (void)pthread_cond_broadcast(&context->changed);
    }
}

// False: it was in vain.
static bool wait_changed(struct libusb_context *context, const struct timespec *until, const int *completed)
{
    struct waiter self = {context->waiting, completed}, **at = &context->waiting;
    // cppcheck-suppress autoVariables ; taken out again below
    context->waiting = &self;
    int error = pthread_cond_timedwait(&context->changed, &bus_lock, until);
    while (*at != &self) {
        at = &(*at)->next;
    }
    *at = self.next;
    return error == 0;
}

// One turn: handles what is there or waits for it. True: the caller has got what it wanted.
static bool turn(struct libusb_context *context, const struct timespec *until, const int *completed)
{
    if (own(context)) {
        bool any = handle_all(context);
        hotplug_sweep(context, false);
        disown(context);
        if (any) {
            return true;
        }
    }
    if (context->interrupted) {
        context->interrupted = false;
        return true;
    }
    if (completed != NULL && __atomic_load_n(completed, __ATOMIC_ACQUIRE) != 0) {
        return true;
    }
    return !wait_changed(context, until, completed);
}

static int handle(struct libusb_context *given, const struct timeval *wait, const int *completed)
{
    struct libusb_context *context = context_of(given);
    if (context == NULL || wait->tv_sec < 0 || wait->tv_usec < 0) {
        return LIBUSB_ERROR_INVALID_PARAM;
    }
    if (event_inside()) {
        return LIBUSB_ERROR_BUSY;
    }
    struct timespec until = deadline_of(wait);
    pthread_mutex_lock(&bus_lock);
    while ((completed == NULL || __atomic_load_n(completed, __ATOMIC_ACQUIRE) == 0) &&
           !turn(context, &until, completed)) {
    }
    pthread_mutex_unlock(&bus_lock);
    return 0;
}

int LIBUSB_CALL libusb_handle_events_timeout_completed(libusb_context *context, struct timeval *wait,
                                                       int *completed)
{
    return handle(context, wait, completed);
}

int LIBUSB_CALL libusb_handle_events_timeout(libusb_context *context, struct timeval *wait)
{
    return handle(context, wait, NULL);
}

int LIBUSB_CALL libusb_handle_events(libusb_context *context)
{
    return handle(context, &(const struct timeval){DEFAULT_SECONDS, 0}, NULL);
}

int LIBUSB_CALL libusb_handle_events_completed(libusb_context *context, int *completed)
{
    return handle(context, &(const struct timeval){DEFAULT_SECONDS, 0}, completed);
}

int LIBUSB_CALL libusb_handle_events_locked(libusb_context *context, struct timeval *wait)
{
    return handle(context, wait, NULL); // the lock is its owner's, who may take it again
}

int LIBUSB_CALL libusb_try_lock_events(libusb_context *given)
{
    struct libusb_context *context = context_of(given);
    pthread_mutex_lock(&bus_lock);
    bool owned = own(context);
    pthread_mutex_unlock(&bus_lock);
    return owned ? 0 : 1;
}

void LIBUSB_CALL libusb_lock_events(libusb_context *given)
{
    struct libusb_context *context = context_of(given);
    pthread_mutex_lock(&bus_lock);
    context->queueing++;
    while (!own(context)) {
        (void)pthread_cond_wait(&context->changed, &bus_lock);
    }
    context->queueing--;
    pthread_mutex_unlock(&bus_lock);
}

void LIBUSB_CALL libusb_unlock_events(libusb_context *given)
{
    pthread_mutex_lock(&bus_lock);
    disown(context_of(given));
    pthread_mutex_unlock(&bus_lock);
}

int LIBUSB_CALL libusb_event_handling_ok(libusb_context *context)
{
    (void)context;
    return 1;
}

int LIBUSB_CALL libusb_event_handler_active(libusb_context *given)
{
    pthread_mutex_lock(&bus_lock);
    int active = context_of(given)->handled;
    pthread_mutex_unlock(&bus_lock);
    return active;
}

void LIBUSB_CALL libusb_interrupt_event_handler(libusb_context *given)
{
    struct libusb_context *context = context_of(given);
    pthread_mutex_lock(&bus_lock);
    context->interrupted = true;
    context_signal(context);
    pthread_mutex_unlock(&bus_lock);
}

void LIBUSB_CALL libusb_lock_event_waiters(libusb_context *context)
{
    pthread_mutex_lock(&context_of(context)->waiters);
}

void LIBUSB_CALL libusb_unlock_event_waiters(libusb_context *context)
{
    pthread_mutex_unlock(&context_of(context)->waiters);
}

int LIBUSB_CALL libusb_wait_for_event(libusb_context *given, struct timeval *wait)
{
    struct libusb_context *context = context_of(given);
    struct timespec until = deadline_of(wait != NULL ? wait : &(struct timeval){DEFAULT_SECONDS, 0});
    pthread_mutex_unlock(&context->waiters);
    pthread_mutex_lock(&bus_lock);
    context->queueing++;
    int result = pthread_cond_timedwait(&context->changed, &bus_lock, &until);
    context->queueing--;
    pthread_mutex_unlock(&bus_lock);
    pthread_mutex_lock(&context->waiters);
    return result != 0;
}

// Deadlines are the bus's own affair: its file becomes readable.
int LIBUSB_CALL libusb_pollfds_handle_timeouts(libusb_context *context)
{
    (void)context;
    return 1;
}

int LIBUSB_CALL libusb_get_next_timeout(libusb_context *context, struct timeval *wait)
{
    (void)context, (void)wait;
    return 0;
}

const struct libusb_pollfd **LIBUSB_CALL libusb_get_pollfds(libusb_context *context)
{
    struct entry {
        const struct libusb_pollfd *list[2];
        struct libusb_pollfd file;
    } *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        return NULL;
    }
    entry->file = (struct libusb_pollfd){context_of(context)->event_fd, POLLIN};
    entry->list[0] = &entry->file;
    return entry->list;
}

void LIBUSB_CALL libusb_free_pollfds(const struct libusb_pollfd **files)
{
    free((void *)files);
}

void LIBUSB_CALL libusb_set_pollfd_notifiers(libusb_context *context, libusb_pollfd_added_cb added,
                                             libusb_pollfd_removed_cb removed, void *user_data)
{
    (void)context, (void)added, (void)removed, (void)user_data; // a context keeps its one file to the end
}
