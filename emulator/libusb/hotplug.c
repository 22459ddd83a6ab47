// SPDX-License-Identifier: MIT
// Word of readers that come and go.
#include "emulator/libusb/bus.h"

#include <stdlib.h>

static bool matches(const struct hotplug *hotplug, const struct reader *device, libusb_hotplug_event event)
{
    return !hotplug->over && (hotplug->events & (int)event) != 0 &&
           (hotplug->vendor == LIBUSB_HOTPLUG_MATCH_ANY || hotplug->vendor == device->model.vendor_id) &&
           (hotplug->product == LIBUSB_HOTPLUG_MATCH_ANY || hotplug->product == device->model.product_id) &&
           (hotplug->class == LIBUSB_HOTPLUG_MATCH_ANY || hotplug->class == 0); // the interface has the class
}

// Entries stay linked while events are handled: they are only marked, and swept later.
void hotplug_deliver(struct libusb_context *context, struct notice *notice)
{
    pthread_mutex_lock(&bus_lock);
    struct hotplug *hotplug = context->hotplugs;
    libusb_device *view = view_get(context, notice->device);
    bus_unref(notice->device);
    pthread_mutex_unlock(&bus_lock);
    while (view != NULL && hotplug != NULL) {
        pthread_mutex_lock(&bus_lock);
        bool wanted = matches(hotplug, view->reader, notice->event);
        pthread_mutex_unlock(&bus_lock);
        int over = wanted ? hotplug->callback(context, view, notice->event, hotplug->user_data) : 0;
        pthread_mutex_lock(&bus_lock);
        hotplug->over |= over != 0;
        hotplug = hotplug->next;
        pthread_mutex_unlock(&bus_lock);
    }
    libusb_unref_device(view);
    free(notice);
}

void hotplug_sweep(struct libusb_context *context, bool all)
{
    for (struct hotplug **at = &context->hotplugs; *at != NULL;) {
        struct hotplug *hotplug = *at;
        if (all || hotplug->over) {
            *at = hotplug->next;
            free(hotplug);
        } else {
            at = &hotplug->next;
        }
    }
}

static int show_present(struct libusb_context *context, struct hotplug *hotplug)
{
    libusb_device **list;
    ssize_t count = libusb_get_device_list(context, &list);
    if (count < 0) {
        return (int)count;
    }
    for (ssize_t i = 0; i < count; i++) {
        if (matches(hotplug, list[i]->reader, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED)) {
            (void)hotplug->callback(context, list[i], LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED,
                                    hotplug->user_data);
        }
    }
    libusb_free_device_list(list, 1);
    return 0;
}

int LIBUSB_CALL libusb_hotplug_register_callback(libusb_context *given, int events, int flags, int vendor,
                                                 int product, int class, libusb_hotplug_callback_fn callback,
                                                 void *user_data, libusb_hotplug_callback_handle *handle)
{
    static libusb_hotplug_callback_handle last;
    struct libusb_context *context = context_of(given);
    struct hotplug *hotplug = callback != NULL && context != NULL ? calloc(1, sizeof *hotplug) : NULL;
    if (hotplug == NULL) {
        return callback == NULL || context == NULL ? LIBUSB_ERROR_INVALID_PARAM : LIBUSB_ERROR_NO_MEM;
    }
    *hotplug = (struct hotplug){NULL, 0, events, vendor, product, class, callback, user_data, false};
    pthread_mutex_lock(&bus_lock);
    hotplug->number = ++last;
    struct hotplug **end = &context->hotplugs;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = hotplug;
    pthread_mutex_unlock(&bus_lock);
    if (handle != NULL) {
        *handle = hotplug->number;
    }
    return (flags & LIBUSB_HOTPLUG_ENUMERATE) != 0 ? show_present(context, hotplug) : 0;
}

static struct hotplug *find(struct libusb_context *context, libusb_hotplug_callback_handle handle)
{
    struct hotplug *hotplug = context->hotplugs;
    while (hotplug != NULL && (hotplug->number != handle || hotplug->over)) {
        hotplug = hotplug->next;
    }
    return hotplug;
}

void LIBUSB_CALL libusb_hotplug_deregister_callback(libusb_context *given,
                                                    libusb_hotplug_callback_handle handle)
{
    struct libusb_context *context = context_of(given);
    pthread_mutex_lock(&bus_lock);
    struct hotplug *hotplug = find(context, handle);
    if (hotplug != NULL) {
        hotplug->over = true; // swept by the next event handler, or at the context's end
    }
    pthread_mutex_unlock(&bus_lock);
}

void *LIBUSB_CALL libusb_hotplug_get_user_data(libusb_context *given, libusb_hotplug_callback_handle handle)
{
    struct libusb_context *context = context_of(given);
    pthread_mutex_lock(&bus_lock);
    const struct hotplug *hotplug = find(context, handle);
    void *user_data = hotplug != NULL ? hotplug->user_data : NULL;
    pthread_mutex_unlock(&bus_lock);
    return user_data;
}
