// SPDX-License-Identifier: MIT
// nthost.h by calls to a kernel in a child: all but files and requests.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nthost/user/remote/calls.h"
#include "nthost/user/remote/client.h"
#include "nthost/user/side.h"

enum { TEXT_MAX = 0x4000, ROUTINES_MAX = 32 };

// ---- arguments ----

struct text {
    size_t length; // more than TEXT_MAX: did not fit
    char bytes[TEXT_MAX];
};

static void add_bytes(struct text *text, const void *bytes, size_t length)
{
    if (text->length <= TEXT_MAX && length <= TEXT_MAX - text->length) {
        memcpy(text->bytes + text->length, bytes, length);
        text->length += length;
    } else {
        text->length = TEXT_MAX + 1;
    }
}

static void add_string(struct text *text, const char *string)
{
    add_bytes(text, string, strlen(string) + 1);
}

// A call without bytes in its reply; its status as an int result.
static int call_status(struct client_call *call, const struct text *text)
{
    if (text != NULL && text->length > TEXT_MAX) {
        return -EINVAL;
    }
    call->in = text != NULL ? text->bytes : NULL;
    call->call.length = text != NULL ? (uint32_t)text->length : 0;
    return client_call(call) ? (int)call->reply.status : -EPIPE;
}

static nt_status call_named(uint32_t op, uint32_t code, const char *name)
{
    struct client_call call = {.call = {.op = op, .code = code}};
    struct text text = {.length = 0};
    add_string(&text, name);
    int error = call_status(&call, &text);
    return error == -EINVAL && text.length > TEXT_MAX ? 0xC0000033u /* STATUS_OBJECT_NAME_INVALID */
                                                      : call.reply.status;
}

// Rows of `size` bytes; returns how many.
static size_t call_list(struct client_call *call, size_t size)
{
    call->list = true;
    return client_call(call) ? call->reply.length / size : 0;
}

// ---- the kernel ----

static int remote_boot(const struct nt_options *options)
{
    struct client_call call = {.call = {.op = REMOTE_BOOT}};
    if (options->clock != NT_CLOCK_REAL) {
        return -EINVAL; // who waits for a call would be the one thread that runs
    }
    call.call.number = (options->verifier ? (uint32_t)WIRE_VERIFIER : 0) |
                       (options->legacy_power ? (uint32_t)WIRE_LEGACY_POWER : 0) |
                       (options->images ? (uint32_t)WIRE_IMAGES : 0) |
                       (options->print != NULL ? (uint32_t)WIRE_PRINT : 0);
    int error = client_start(options);
    if (error != 0) {
        return error;
    }
    error = call_status(&call, NULL);
    if (error != 0) {
        client_stop();
    }
    return error;
}

static void remote_shutdown(void)
{
    enum { PATIENCE_US = 5000000 };
    struct client_call call = {.call = {.op = REMOTE_SHUTDOWN}};
    struct client_connection *connection = client_take();
    if (connection != NULL) {
        // A driver that does not let go is not waited for.
        bool done = client_send(connection, &call) && client_wait(connection, PATIENCE_US) &&
                    client_receive(connection, &call);
        client_give(connection, done);
    }
    client_stop();
}

static bool remote_alive(void)
{
    return client_alive();
}

static void remote_pnp_wait(void)
{
    struct client_call call = {.call = {.op = REMOTE_PNP_WAIT}};
    (void)client_call(&call);
}

static nt_status remote_system_power(enum nt_system_power state)
{
    struct client_call call = {.call = {.op = REMOTE_POWER, .number = (uint32_t)state}};
    (void)client_call(&call);
    return call.reply.status;
}

static uint64_t ask_number(uint32_t op, uint64_t value)
{
    struct client_call call = {.call = {.op = op, .value = value}};
    (void)client_call(&call);
    return call.reply.value;
}

static uint64_t remote_irp_count(void)
{
    return ask_number(REMOTE_IRPS, 0);
}

static uint64_t remote_now_us(void)
{
    return ask_number(REMOTE_NOW, 0);
}

static void remote_sleep_us(uint64_t microseconds)
{
    (void)ask_number(REMOTE_SLEEP, microseconds);
}

// ---- services and registry ----

static void name_service(struct text *text, const struct nt_service *service, const char *image)
{
    add_string(text, service->name);
    add_string(text, image);
    for (const char *const *id = service->hardware_ids; *id != NULL; id++) {
        add_string(text, *id);
    }
}

static int remote_service_add(const struct nt_service *service)
{
    struct client_call call = {.call = {.op = REMOTE_SERVICE}};
    struct text text = {.length = 0};
    name_service(&text, service, "");
    return call_status(&call, &text);
}

static int remote_service_add_image(const struct nt_service *service, const char *image, char *report,
                                    size_t report_size)
{
    struct client_call call = {.call = {.op = REMOTE_SERVICE}, .list = true};
    struct text text = {.length = 0};
    name_service(&text, service, image);
    int error = report_size != 0 ? call_status(&call, &text) : -EINVAL;
    if (report_size != 0) {
        (void)snprintf(report, report_size, "%.*s", (int)call.reply.length,
                       call.out != NULL ? (char *)call.out : "");
    }
    free(call.out);
    return error;
}

static int set_value(const char *key, const char *name, enum wire_type type, const void *data, size_t length)
{
    struct client_call call = {.call = {.op = REMOTE_REGISTRY, .code = type}};
    struct text text = {.length = 0};
    add_string(&text, key);
    add_string(&text, name);
    add_bytes(&text, data, length);
    return call_status(&call, &text);
}

static int remote_registry_set_dword(const char *key, const char *name, uint32_t value)
{
    return set_value(key, name, WIRE_DWORD, &value, sizeof value);
}

static int remote_registry_set_string(const char *key, const char *name, const char *value)
{
    return set_value(key, name, WIRE_STRING, value, strlen(value) + 1);
}

static int remote_registry_set_binary(const char *key, const char *name, const void *data, size_t length)
{
    return set_value(key, name, WIRE_BINARY, data, length);
}

// The caller's rows point at names: they are few, and kept.
static const char *keep_name(const char *name)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char names[ROUTINES_MAX][sizeof((struct wire_count *)0)->routine];
    pthread_mutex_lock(&lock);
    size_t i = 0;
    while (i < ROUTINES_MAX - 1 && names[i][0] != '\0' && strcmp(names[i], name) != 0) {
        i++;
    }
    if (names[i][0] == '\0') {
        (void)snprintf(names[i], sizeof names[i], "%s", name);
    }
    pthread_mutex_unlock(&lock);
    return names[i];
}

static int remote_service_counts(const char *service, struct nt_routine_count *rows, size_t capacity)
{
    struct client_call call = {.call = {.op = REMOTE_COUNTS}, .list = true};
    struct text text = {.length = 0};
    add_string(&text, service);
    int error = call_status(&call, &text);
    size_t count = error == 0 ? call.reply.length / sizeof(struct wire_count) : 0;
    struct wire_count *found = call.out;
    for (size_t i = 0; i < count && i < capacity; i++) {
        found[i].routine[sizeof found[i].routine - 1] = '\0';
        rows[i] = (struct nt_routine_count){keep_name(found[i].routine), found[i].calls};
    }
    free(call.out);
    return error != 0 ? error : (int)count;
}

#define TERMINATE(array) ((array)[sizeof(array) - 1] = '\0')

static size_t remote_events(nt_event_visitor *visitor, void *context)
{
    struct client_call call = {.call = {.op = REMOTE_LOG}};
    size_t count = call_list(&call, sizeof(struct wire_log));
    struct wire_log *logged = call.out;
    for (size_t i = 0; i < count; i++) {
        struct wire_log *entry = &logged[i];
        enum { DUMP = sizeof entry->dump / sizeof entry->dump[0] };
        TERMINATE(entry->driver);
        TERMINATE(entry->device);
        TERMINATE(entry->strings);
        const struct nt_event event = {
            entry->driver,       entry->device,
            entry->code,         entry->unique,
            entry->final_status, entry->control_code,
            entry->dump,         entry->dump_count < DUMP ? entry->dump_count : DUMP,
            entry->strings};
        visitor(context, &event);
    }
    free(call.out);
    return count;
}

// ---- devices ----

static int remote_root_device_add(const char *hardware_id, char instance[NT_ID_MAX])
{
    struct client_call call = {.call = {.op = REMOTE_ROOT_DEVICE}, .out = instance, .out_size = NT_ID_MAX};
    struct text text = {.length = 0};
    instance[0] = '\0';
    add_string(&text, hardware_id);
    int error = call_status(&call, &text);
    instance[NT_ID_MAX - 1] = '\0';
    return error;
}

static void remote_devices(nt_device_visitor *visitor, void *context)
{
    struct client_call call = {.call = {.op = REMOTE_DEVICES}};
    size_t count = call_list(&call, sizeof(struct nt_device));
    struct nt_device *devices = call.out;
    for (size_t i = 0; i < count; i++) {
        TERMINATE(devices[i].instance);
        TERMINATE(devices[i].service);
        if ((unsigned)devices[i].state <= NT_DEVICE_GONE) {
            visitor(context, &devices[i]);
        }
    }
    free(call.out);
}

static nt_status remote_device_remove(const char *instance)
{
    return call_named(REMOTE_CHANGE, WIRE_REMOVE, instance);
}

static nt_status remote_device_stop(const char *instance)
{
    return call_named(REMOTE_CHANGE, WIRE_STOP, instance);
}

static nt_status remote_device_start(const char *instance)
{
    return call_named(REMOTE_CHANGE, WIRE_START, instance);
}

static void remote_device_surprise_remove(const char *instance)
{
    (void)call_named(REMOTE_CHANGE, WIRE_SURPRISE, instance);
}

static void remote_interfaces(const uint8_t guid[16], nt_interface_visitor *visitor, void *context)
{
    struct client_call call = {.call = {.op = REMOTE_INTERFACES, .length = 16}, .in = guid};
    size_t length = call_list(&call, 1);
    const char *links = call.out;
    for (size_t at = 0; at < length && memchr(links + at, '\0', length - at) != NULL;
         at += strlen(links + at) + 1) {
        visitor(context, links + at);
    }
    free(call.out);
}

// Nobody has needed to hear of interfaces from another process.
static int remote_interface_subscribe(const uint8_t guid[16], nt_interface_event *event, void *context)
{
    (void)guid;
    (void)event;
    (void)context;
    return -EOPNOTSUPP;
}

static void remote_interface_unsubscribe(const uint8_t guid[16], nt_interface_event *event, void *context)
{
    (void)guid;
    (void)event;
    (void)context;
}

const struct user_side user_remote = {
    .boot = remote_boot,
    .shutdown = remote_shutdown,
    .alive = remote_alive,
    .service_add = remote_service_add,
    .service_add_image = remote_service_add_image,
    .registry_set_dword = remote_registry_set_dword,
    .registry_set_string = remote_registry_set_string,
    .registry_set_binary = remote_registry_set_binary,
    .service_counts = remote_service_counts,
    .irp_count = remote_irp_count,
    .events = remote_events,
    .root_device_add = remote_root_device_add,
    .devices = remote_devices,
    .device_remove = remote_device_remove,
    .device_stop = remote_device_stop,
    .device_start = remote_device_start,
    .device_surprise_remove = remote_device_surprise_remove,
    .pnp_wait = remote_pnp_wait,
    .interfaces = remote_interfaces,
    .interface_subscribe = remote_interface_subscribe,
    .interface_unsubscribe = remote_interface_unsubscribe,
    .open_for = remote_open_for,
    .close = remote_close,
    .device_control = remote_device_control,
    .device_control_begin = remote_device_control_begin,
    .device_control_start = remote_device_control_begin,
    .request_wait = remote_request_wait,
    .request_cancel = remote_request_cancel,
    .request_end = remote_request_end,
    .system_power = remote_system_power,
    .now_us = remote_now_us,
    .sleep_us = remote_sleep_us,
};
