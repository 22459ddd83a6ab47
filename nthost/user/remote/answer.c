// SPDX-License-Identifier: MIT
// What each call asks of the kernel in this process.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nthost/user/remote/serve.h"

enum { IDS_MAX = 64, REPORT_MAX = 0x10000, ROUTINES_MAX = 32 };

static void on_print(void *context, const char *text)
{
    (void)context;
    serve_event(WIRE_EVENT_PRINT, text);
}

static void on_bugcheck(void *context, const char *report)
{
    (void)context;
    serve_event(WIRE_EVENT_BUGCHECK, report);
}

static void answer_boot(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    const struct nt_options options = {
        .clock = NT_CLOCK_REAL,
        .verifier = (call->number & WIRE_VERIFIER) != 0,
        .legacy_power = (call->number & WIRE_LEGACY_POWER) != 0,
        .images = (call->number & WIRE_IMAGES) != 0,
        .print = (call->number & WIRE_PRINT) != 0 ? on_print : NULL,
        .bugcheck = on_bugcheck,
    };
    (void)bytes;
    answer->reply.status = (uint32_t)nt_boot(&options);
}

static void answer_shutdown(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    (void)call;
    (void)bytes;
    (void)answer;
    nt_shutdown();
}

// The next of the strings that the call brought; NULL: there is none.
static const char *next_string(const struct wire_call *call, const char *bytes, size_t *at)
{
    const char *string = bytes + *at;
    if (*at >= call->length) {
        return NULL;
    }
    *at += strlen(string) + 1;
    return string;
}

static int add_service(const struct nt_service *service, const char *image, struct answer *answer)
{
    const struct nt_service *native = serve_native(service->name);
    if (image[0] == '\0') {
        struct nt_service complete = *service;
        complete.entry = native != NULL ? native->entry : NULL;
        return native != NULL ? nt_service_add(&complete) : -ENOENT;
    }
    char *report = calloc(1, REPORT_MAX);
    if (report == NULL) {
        return -ENOMEM;
    }
    int error = nt_service_add_image(service, image, report, REPORT_MAX);
    answer_add(answer, report, strlen(report));
    free(report);
    return error;
}

static void answer_service(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    const char *ids[IDS_MAX + 1] = {NULL};
    size_t at = 0, count = 0;
    const char *name = next_string(call, bytes, &at);
    const char *image = next_string(call, bytes, &at);
    while (count < IDS_MAX && (ids[count] = next_string(call, bytes, &at)) != NULL) {
        count++;
    }
    ids[count] = NULL;
    const struct nt_service service = {.name = name, .hardware_ids = ids};
    answer->reply.status =
        (uint32_t)(image != NULL && at >= call->length ? add_service(&service, image, answer) : -EINVAL);
}

static void answer_registry(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    size_t at = 0;
    uint32_t number;
    int error = -EINVAL;
    const char *key = next_string(call, bytes, &at);
    const char *name = next_string(call, bytes, &at);
    if (name != NULL && at <= call->length) {
        const char *data = bytes + at;
        size_t length = call->length - at;
        if (call->code == WIRE_DWORD && length == sizeof number) {
            memcpy(&number, data, sizeof number);
            error = nt_registry_set_dword(key, name, number);
        } else if (call->code == WIRE_STRING) {
            error = nt_registry_set_string(key, name, data);
        } else if (call->code == WIRE_BINARY) {
            error = nt_registry_set_binary(key, name, data, length);
        }
    }
    answer->reply.status = (uint32_t)error;
}

static void answer_counts(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    struct nt_routine_count rows[ROUTINES_MAX];
    (void)call;
    int count = nt_service_counts(bytes, rows, ROUTINES_MAX);
    for (int i = 0; i < count && i < ROUTINES_MAX; i++) {
        struct wire_count row = {.calls = rows[i].calls};
        (void)snprintf(row.routine, sizeof row.routine, "%s", rows[i].routine);
        answer_add(answer, &row, sizeof row);
    }
    answer->reply.status = (uint32_t)(count < 0 ? count : 0);
}

static void answer_irps(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    (void)call;
    (void)bytes;
    answer->reply.value = nt_irp_count();
}

static void add_log(void *context, const struct nt_event *event)
{
    struct wire_log entry = {.code = event->code,
                             .unique = event->unique,
                             .final_status = event->final_status,
                             .control_code = event->control_code};
    enum { DUMP = sizeof entry.dump / sizeof entry.dump[0] };
    entry.dump_count = (uint32_t)(event->dump_count < DUMP ? event->dump_count : DUMP);
    memcpy(entry.dump, event->dump, entry.dump_count * sizeof entry.dump[0]);
    (void)snprintf(entry.driver, sizeof entry.driver, "%s", event->driver);
    (void)snprintf(entry.device, sizeof entry.device, "%s", event->device);
    (void)snprintf(entry.strings, sizeof entry.strings, "%s", event->strings);
    answer_add(context, &entry, sizeof entry);
}

static void answer_log(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    (void)call;
    (void)bytes;
    (void)nt_events(add_log, answer);
}

// ---- devices ----

static void answer_root_device(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    char instance[NT_ID_MAX];
    (void)call;
    answer->reply.status = (uint32_t)nt_root_device_add(bytes, instance);
    answer_add(answer, instance, strlen(instance) + 1);
}

static void add_device(void *context, const struct nt_device *device)
{
    answer_add(context, device, sizeof *device);
}

static void answer_devices(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    (void)call;
    (void)bytes;
    nt_devices(add_device, answer);
}

static void answer_change(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    switch (call->code) {
    case WIRE_REMOVE:
        answer->reply.status = nt_device_remove(bytes);
        break;
    case WIRE_STOP:
        answer->reply.status = nt_device_stop(bytes);
        break;
    case WIRE_START:
        answer->reply.status = nt_device_start(bytes);
        break;
    default:
        nt_device_surprise_remove(bytes);
        break;
    }
}

static void answer_pnp_wait(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    (void)call;
    (void)bytes;
    (void)answer;
    nt_pnp_wait();
}

static void add_link(void *context, const char *link)
{
    answer_add(context, link, strlen(link) + 1);
}

static void answer_interfaces(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    uint8_t guid[16];
    if (call->length == sizeof guid) {
        memcpy(guid, bytes, sizeof guid);
        nt_interfaces(guid, add_link, answer);
    }
}

// ---- power and time ----

static void answer_power(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    (void)bytes;
    answer->reply.status = nt_system_power((enum nt_system_power)call->number);
}

static void answer_now(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    (void)call;
    (void)bytes;
    answer->reply.value = nt_now_us();
}

static void answer_sleep(const struct wire_call *call, const char *bytes, struct answer *answer)
{
    (void)bytes;
    (void)answer;
    nt_sleep_us(call->value);
}

void answer_call(struct served *served, const struct wire_call *call, const char *bytes,
                 struct answer *answer)
{
    static void (*const plain[REMOTE_OPS])(const struct wire_call *, const char *, struct answer *) = {
        [REMOTE_BOOT] = answer_boot,         [REMOTE_SHUTDOWN] = answer_shutdown,
        [REMOTE_SERVICE] = answer_service,   [REMOTE_REGISTRY] = answer_registry,
        [REMOTE_COUNTS] = answer_counts,     [REMOTE_IRPS] = answer_irps,
        [REMOTE_LOG] = answer_log,           [REMOTE_ROOT_DEVICE] = answer_root_device,
        [REMOTE_DEVICES] = answer_devices,   [REMOTE_CHANGE] = answer_change,
        [REMOTE_PNP_WAIT] = answer_pnp_wait, [REMOTE_INTERFACES] = answer_interfaces,
        [REMOTE_OPEN] = answer_open,         [REMOTE_CLOSE] = answer_close,
        [REMOTE_CANCEL] = answer_cancel,     [REMOTE_POWER] = answer_power,
        [REMOTE_NOW] = answer_now,           [REMOTE_SLEEP] = answer_sleep,
    };
    if (call->op == REMOTE_CONTROL || call->op == REMOTE_REQUEST) {
        answer_control(served, call, bytes, answer);
    } else if (call->op < REMOTE_OPS && plain[call->op] != NULL) {
        plain[call->op](call, bytes, answer);
    } else {
        answer->reply.status = (uint32_t)-EINVAL;
    }
}
