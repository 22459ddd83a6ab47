// SPDX-License-Identifier: MIT
// Contexts, options, the library's version and capabilities.
#include "emulator/libusb/bus.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static struct libusb_context *contexts, *default_context;

struct libusb_context *context_of(struct libusb_context *context)
{
    return context != NULL ? context : default_context;
}

void context_wake(struct libusb_context *context)
{
    (void)pthread_cond_broadcast(&context->changed);
    if (!context->raised) {
        context->raised = true;
        (void)eventfd_write(context->event_fd, 1);
    }
}

void context_signal(struct libusb_context *context)
{
    if (!context->handled) {
        context_wake(context);
    }
}

void contexts_notify(struct reader *device, libusb_hotplug_event event)
{
    for (struct libusb_context *context = contexts; context != NULL; context = context->next) {
        struct notice *notice = context->hotplugs != NULL ? calloc(1, sizeof *notice) : NULL;
        if (notice == NULL) {
            continue; // nobody there who wants to know
        }
        notice->device = device;
        notice->event = event;
        bus_ref(device);
        *context->notices_end = notice;
        context->notices_end = &notice->next;
        context_signal(context);
    }
}

struct libusb_device *view_get(struct libusb_context *context, struct reader *reader)
{
    struct libusb_device *view = context->views;
    while (view != NULL && view->reader != reader) {
        view = view->next;
    }
    if (view == NULL && (view = calloc(1, sizeof *view)) != NULL) {
        bus_ref(reader);
        *view = (struct libusb_device){context->views, 0, reader, context};
        context->views = view;
    }
    if (view != NULL) {
        view->references++;
    }
    return view;
}

void view_put(struct libusb_device *view)
{
    if (--view->references != 0) {
        return;
    }
    struct libusb_device **at = view->context != NULL ? &view->context->views : NULL;
    while (at != NULL && *at != view) {
        at = &(*at)->next;
    }
    if (at != NULL) {
        *at = view->next;
    }
    bus_unref(view->reader);
    free(view);
}

static struct libusb_context *new_context(void)
{
    struct libusb_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        return NULL;
    }
    context->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (context->event_fd < 0) {
        free(context);
        return NULL;
    }
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&context->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&context->waiters, NULL);
    queue_init(&context->done);
    context->notices_end = &context->notices;
    context->references = 1;
    return context;
}

int LIBUSB_CALL libusb_init(libusb_context **context)
{
    pthread_mutex_lock(&bus_lock);
    bool shared = context == NULL && default_context != NULL;
    if (shared) {
        default_context->references++;
    }
    pthread_mutex_unlock(&bus_lock);
    if (shared) {
        return 0;
    }
    struct libusb_context *created = new_context();
    if (created == NULL || bus_open() != 0) {
        free(created);
        return LIBUSB_ERROR_NO_MEM;
    }
    pthread_mutex_lock(&bus_lock);
    created->next = contexts;
    contexts = created;
    if (context == NULL) {
        default_context = created;
    } else {
        *context = created;
    }
    pthread_mutex_unlock(&bus_lock);
    return 0;
}

void context_forget(struct libusb_context *context)
{
    for (struct notice *notice; (notice = context->notices) != NULL;) {
        context->notices = notice->next;
        bus_unref(notice->device);
        free(notice);
    }
    hotplug_sweep(context, true);
    for (struct libusb_device *view = context->views; view != NULL; view = view->next) {
        view->context = NULL;
    }
}

void LIBUSB_CALL libusb_exit(libusb_context *given)
{
    pthread_mutex_lock(&bus_lock);
    struct libusb_context *context = context_of(given), **at = &contexts;
    bool last = context != NULL && --context->references == 0;
    if (last) {
        while (*at != context) {
            at = &(*at)->next;
        }
        *at = context->next;
        default_context = default_context == context ? NULL : default_context;
        context_forget(context);
    }
    pthread_mutex_unlock(&bus_lock);
    if (!last) {
        return;
    }
    bus_close();
    (void)close(context->event_fd);
    (void)pthread_cond_destroy(&context->changed);
    (void)pthread_mutex_destroy(&context->waiters);
    free(context);
}

void LIBUSB_CALL libusb_set_debug(libusb_context *context, int level)
{
    (void)context, (void)level; // there is nothing to log
}

int libusb_set_option(libusb_context *context, enum libusb_option option, ...)
{
    (void)context;
    return option == LIBUSB_OPTION_USE_USBDK ? LIBUSB_ERROR_NOT_SUPPORTED : 0;
}

void LIBUSB_CALL libusb_set_log_cb(libusb_context *context, libusb_log_cb callback, int mode)
{
    (void)context, (void)callback, (void)mode;
}

const struct libusb_version *LIBUSB_CALL libusb_get_version(void)
{
    static const struct libusb_version version = {1, 0, 26, 11724, "", "https://libusb.info"};
    return &version;
}

int LIBUSB_CALL libusb_has_capability(uint32_t capability)
{
    return capability == LIBUSB_CAP_HAS_CAPABILITY || capability == LIBUSB_CAP_HAS_HOTPLUG ||
           capability == LIBUSB_CAP_SUPPORTS_DETACH_KERNEL_DRIVER;
}

int LIBUSB_CALL libusb_wrap_sys_device(libusb_context *context, intptr_t descriptor,
                                       libusb_device_handle **handle)
{
    (void)context, (void)descriptor, (void)handle;
    return LIBUSB_ERROR_NOT_SUPPORTED; // no file stands for an emulated reader
}
