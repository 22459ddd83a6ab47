// SPDX-License-Identifier: MIT
#include "rig/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/rig.h"
#include "rig/status.h"

enum { DESCRIBED_MAX = 64, ROUTINES_MAX = 32 };

static const char *const device_states[] = {
    [NT_DEVICE_UNBOUND] = "no driver", [NT_DEVICE_FAILED] = "failed", [NT_DEVICE_STARTED] = "started",
    [NT_DEVICE_STOPPED] = "stopped",   [NT_DEVICE_GONE] = "gone",
};

struct found_device {
    const char *instance;
    struct nt_device device;
    bool found;
};

static void find_device(void *context, const struct nt_device *device)
{
    struct found_device *found = context;
    if (strcmp(found->instance, device->instance) == 0) {
        found->device = *device;
        found->found = true;
    }
}

static void describe_device(cJSON *object, const struct rig_reader *reader)
{
    struct found_device found = {.instance = reader->instance};
    nt_devices(find_device, &found);
    cJSON_AddStringToObject(object, "device", reader->instance);
    cJSON_AddStringToObject(object, "driver", found.found ? found.device.service : "");
    cJSON_AddStringToObject(object, "state",
                            device_states[found.found ? found.device.state : NT_DEVICE_GONE]);
    if (found.found && found.device.problem != 0) {
        char buffer[16];
        cJSON_AddStringToObject(object, "problem", rig_status_name(found.device.problem, buffer));
    }
}

static cJSON *describe_reader(const struct rig_reader *reader)
{
    cJSON *object = cJSON_CreateObject();
    char name[2 * EMU_NAME_MAX + 1];
    (void)snprintf(name, sizeof name, "%s%s%s", reader->model.manufacturer,
                   reader->model.manufacturer[0] != '\0' ? " " : "", reader->model.product);
    cJSON_AddNumberToObject(object, "reader", reader->port);
    cJSON_AddStringToObject(object, "model", reader->model.name);
    cJSON_AddStringToObject(object, "name", name);
    describe_device(object, reader);
    cJSON *slots = cJSON_AddArrayToObject(object, "slots");
    for (unsigned i = 0; i < reader->slots; i++) {
        cJSON *slot = cJSON_CreateObject();
        cJSON_AddNumberToObject(slot, "slot", i);
        cJSON_AddStringToObject(slot, "card", reader->cards[i]);
        cJSON_AddItemToArray(slots, slot);
    }
    return object;
}

typedef cJSON *reader_object(const struct rig_reader *reader);

static void add_readers(cJSON *object, reader_object *make)
{
    cJSON *list = cJSON_AddArrayToObject(object, "readers");
    struct rig_reader *readers = calloc(DESCRIBED_MAX, sizeof *readers);
    size_t count = readers != NULL ? rig_readers(readers, DESCRIBED_MAX) : 0;
    for (size_t i = 0; i < count && i < DESCRIBED_MAX; i++) {
        cJSON_AddItemToArray(list, make(&readers[i]));
    }
    free(readers);
}

cJSON *rig_describe(void)
{
    cJSON *object = cJSON_CreateObject();
    add_readers(object, describe_reader);
    return object;
}

static cJSON *report_reader(const struct rig_reader *reader)
{
    struct emu_statistics statistics;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "reader", reader->port);
    if (rig_status_ok(rig_statistics(reader->port, &statistics))) {
        cJSON_AddNumberToObject(object, "commands", (double)statistics.commands);
        cJSON_AddNumberToObject(object, "responses", (double)statistics.responses);
        cJSON_AddNumberToObject(object, "bytesOut", (double)statistics.bytes_out);
        cJSON_AddNumberToObject(object, "bytesIn", (double)statistics.bytes_in);
        cJSON_AddNumberToObject(object, "notifications", (double)statistics.notifications);
        cJSON_AddNumberToObject(object, "controls", (double)statistics.controls);
        cJSON_AddNumberToObject(object, "timeExtensions", (double)statistics.time_extensions);
        cJSON_AddNumberToObject(object, "cardCommands", (double)statistics.card_commands);
    }
    return object;
}

cJSON *rig_report(void)
{
    struct nt_routine_count rows[ROUTINES_MAX];
    cJSON *object = cJSON_CreateObject();
    cJSON *routines = cJSON_AddObjectToObject(object, "routines");
    int count = nt_service_counts(RIG_READER_SERVICE, rows, ROUTINES_MAX);
    for (int i = 0; i < count && i < ROUTINES_MAX; i++) {
        cJSON_AddNumberToObject(routines, rows[i].routine, (double)rows[i].calls);
    }
    cJSON_AddNumberToObject(object, "irps", (double)nt_irp_count());
    add_readers(object, report_reader);
    return object;
}
