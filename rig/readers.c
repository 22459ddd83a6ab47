// SPDX-License-Identifier: MIT
#include "rig/internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/status.h"
#include "vbus/vbusioctl.h"

enum { READERS_MAX = 256, NAMES_MAX = READERS_MAX * EMU_SLOTS_MAX + READERS_MAX };

struct names {
    size_t count;
    char names[NAMES_MAX][NT_ID_MAX];
};

// One plug at a time: what is new after it, devices and interfaces, is the plugged reader's.
static pthread_mutex_t plug_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rig_reader table[READERS_MAX]; // a free entry has no slots

static void add_name(void *context, const char *name)
{
    struct names *names = context;
    size_t length = strlen(name);
    if (names->count < NAMES_MAX && length < NT_ID_MAX) {
        memcpy(names->names[names->count++], name, length + 1);
    }
}

static void add_device(void *context, const struct nt_device *device)
{
    // One that is on its way out may share its name with the next reader at its port.
    if (device->state != NT_DEVICE_GONE) {
        add_name(context, device->instance);
    }
}

static bool has_name(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int compare_links(const void *left, const void *right)
{
    return strcmp(left, right);
}

// `before` and `after` hold devices or links; the links of one reader sort by slot.
static void take_slots(struct rig_reader *reader, const struct names *before, const struct names *after)
{
    for (size_t i = 0; i < after->count && reader->slots < EMU_SLOTS_MAX; i++) {
        if (!has_name(before, after->names[i])) {
            memcpy(reader->links[reader->slots++], after->names[i], NT_ID_MAX);
        }
    }
    qsort(reader->links, reader->slots, NT_ID_MAX, compare_links);
}

static void take_instance(struct rig_reader *reader, const struct names *before, const struct names *after)
{
    for (size_t i = 0; i < after->count; i++) {
        if (!has_name(before, after->names[i])) {
            memcpy(reader->instance, after->names[i], NT_ID_MAX);
            return;
        }
    }
}

struct problem {
    const char *instance;
    nt_status status;
};

static void find_problem(void *context, const struct nt_device *device)
{
    struct problem *problem = context;
    if (strcmp(problem->instance, device->instance) == 0 && device->problem != 0) {
        problem->status = device->problem;
    }
}

static nt_status start_problem(const struct rig_reader *reader)
{
    struct problem problem = {reader->instance, RIG_STATUS_NO_SUCH_DEVICE};
    nt_devices(find_problem, &problem);
    return rig_status_ok(problem.status) ? RIG_STATUS_UNSUCCESSFUL : problem.status;
}

static nt_status send_plug(struct rig_reader *reader)
{
    struct vbus_plug *plug = calloc(1, sizeof *plug);
    if (plug == NULL) {
        return RIG_STATUS_INSUFFICIENT_RESOURCES;
    }
    plug->model = reader->model;
    for (size_t slot = 0; slot < EMU_SLOTS_MAX; slot++) {
        memcpy(plug->cards[slot], reader->cards[slot], VBUS_CARD_NAME_MAX - 1);
    }
    nt_status status =
        rig_bus_control(IOCTL_VBUS_PLUG, plug, sizeof *plug, &reader->port, sizeof reader->port);
    free(plug);
    return status;
}

static nt_status send_unplug(uint32_t port)
{
    nt_status status = port >= RIG_USB_PORTS
                           ? rig_usb_release(port)
                           : rig_bus_control(IOCTL_VBUS_UNPLUG, &port, sizeof port, NULL, 0);
    nt_pnp_wait();
    return status;
}

bool rig_link(unsigned number, char link[NT_ID_MAX])
{
    nt_file *file;
    (void)snprintf(link, NT_ID_MAX, "\\\\.\\SCReader%u", number);
    nt_status status = nt_open_for(link, NT_ACCESS_NONE, &file);
    if (rig_status_ok(status)) {
        nt_close(file);
    }
    // Any other answer is that of something behind the name.
    return status != RIG_STATUS_OBJECT_NAME_NOT_FOUND && status != RIG_STATUS_DEVICE_REMOVED;
}

// Of a driver that has not a device interface but the names that came before those.
static void take_links(struct rig_reader *reader)
{
    for (unsigned number = 0; number < RIG_LINKS_MAX && reader->slots < EMU_SLOTS_MAX; number++) {
        if (rig_link(number, reader->links[reader->slots])) {
            reader->slots++;
        }
    }
}

static nt_status plug_and_wait(struct rig_reader *reader, rig_plug_sender *send)
{
    enum { DEVICES_BEFORE, DEVICES_AFTER, LINKS_BEFORE, LINKS_AFTER, LISTS };
    struct names *lists = calloc(LISTS, sizeof *lists);
    if (lists == NULL) {
        return RIG_STATUS_INSUFFICIENT_RESOURCES;
    }
    nt_devices(add_device, &lists[DEVICES_BEFORE]);
    nt_interfaces(rig_reader_guid, add_name, &lists[LINKS_BEFORE]);
    nt_status status = send(reader);
    if (rig_status_ok(status)) {
        nt_pnp_wait();
        nt_devices(add_device, &lists[DEVICES_AFTER]);
        take_instance(reader, &lists[DEVICES_BEFORE], &lists[DEVICES_AFTER]);
        status = rig_install_package(reader->instance);
        if (!rig_status_ok(status)) {
            (void)send_unplug(reader->port);
        }
    }
    if (rig_status_ok(status)) {
        nt_pnp_wait();
        nt_interfaces(rig_reader_guid, add_name, &lists[LINKS_AFTER]);
        take_slots(reader, &lists[LINKS_BEFORE], &lists[LINKS_AFTER]);
        if (reader->slots == 0) {
            take_links(reader);
        }
    }
    free(lists);
    return status;
}

static bool table_add(const struct rig_reader *reader)
{
    bool added = false;
    pthread_mutex_lock(&table_lock);
    for (size_t i = 0; i < READERS_MAX && !added; i++) {
        if (table[i].slots == 0) {
            table[i] = *reader;
            added = true;
        }
    }
    pthread_mutex_unlock(&table_lock);
    return added;
}

// The lock is held.
static struct rig_reader *table_find(uint32_t port)
{
    for (size_t i = 0; i < READERS_MAX; i++) {
        if (table[i].slots > 0 && table[i].port == port) {
            return &table[i];
        }
    }
    return NULL;
}

static bool table_take(uint32_t port)
{
    pthread_mutex_lock(&table_lock);
    struct rig_reader *entry = table_find(port);
    if (entry != NULL) {
        entry->slots = 0;
    }
    pthread_mutex_unlock(&table_lock);
    return entry != NULL;
}

static nt_status plug_locked(struct rig_reader *reader, rig_plug_sender *send)
{
    nt_status status = plug_and_wait(reader, send);
    if (!rig_status_ok(status)) {
        return status;
    }
    if (reader->slots == 0) {
        status = start_problem(reader);
    } else if (!table_add(reader)) {
        status = RIG_STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!rig_status_ok(status)) {
        (void)send_unplug(reader->port);
    }
    return status;
}

nt_status rig_plug_by(struct rig_reader *reader, rig_plug_sender *send)
{
    pthread_mutex_lock(&plug_lock);
    nt_status status = plug_locked(reader, send);
    pthread_mutex_unlock(&plug_lock);
    return status;
}

nt_status rig_plug(const struct emu_model *model, const char *const *cards, size_t card_count, uint32_t *port)
{
    struct rig_reader reader = {.model = *model};
    for (size_t slot = 0; slot < card_count && slot < EMU_SLOTS_MAX; slot++) {
        if (cards[slot] != NULL) {
            strncpy(reader.cards[slot], cards[slot], VBUS_CARD_NAME_MAX - 1);
        }
    }
    nt_status status = rig_plug_by(&reader, send_plug);
    *port = reader.port;
    return status;
}

nt_status rig_unplug(uint32_t port)
{
    return table_take(port) ? send_unplug(port) : RIG_STATUS_NO_SUCH_DEVICE;
}

void rig_unplug_all(void)
{
    for (size_t i = 0; i < READERS_MAX; i++) {
        pthread_mutex_lock(&table_lock);
        bool plugged = table[i].slots > 0;
        uint32_t port = table[i].port;
        pthread_mutex_unlock(&table_lock);
        if (plugged) {
            (void)rig_unplug(port);
        }
    }
}

static void note_card(uint32_t port, unsigned slot, const char *card)
{
    pthread_mutex_lock(&table_lock);
    struct rig_reader *entry = table_find(port);
    if (entry != NULL && slot < EMU_SLOTS_MAX) {
        strncpy(entry->cards[slot], card, EMU_NAME_MAX - 1);
    }
    pthread_mutex_unlock(&table_lock);
}

static nt_status move_card(uint32_t code, uint32_t port, unsigned slot, const char *card)
{
    struct vbus_card request = {.port = port, .slot = slot};
    strncpy(request.name, card, sizeof request.name - 1);
    nt_status status = rig_bus_control(code, &request, sizeof request, NULL, 0);
    if (rig_status_ok(status)) {
        note_card(port, slot, request.name);
    }
    return status;
}

nt_status rig_insert(uint32_t port, unsigned slot, const char *card)
{
    return move_card(IOCTL_VBUS_INSERT, port, slot, card);
}

nt_status rig_eject(uint32_t port, unsigned slot)
{
    return move_card(IOCTL_VBUS_REMOVE, port, slot, "");
}

nt_status rig_statistics(uint32_t port, struct emu_statistics *statistics)
{
    return rig_bus_control(IOCTL_VBUS_STATISTICS, &port, sizeof port, statistics, sizeof *statistics);
}

unsigned rig_slots(uint32_t port)
{
    pthread_mutex_lock(&table_lock);
    struct rig_reader *entry = table_find(port);
    unsigned slots = entry != NULL ? entry->slots : 0;
    pthread_mutex_unlock(&table_lock);
    return slots;
}

nt_status rig_open(uint32_t port, unsigned slot, nt_file **file)
{
    char link[NT_ID_MAX] = "";
    pthread_mutex_lock(&table_lock);
    struct rig_reader *entry = table_find(port);
    if (entry != NULL && slot < entry->slots) {
        memcpy(link, entry->links[slot], NT_ID_MAX);
    }
    pthread_mutex_unlock(&table_lock);
    return link[0] != '\0' ? nt_open(link, file) : RIG_STATUS_NO_SUCH_DEVICE;
}

bool rig_find(uint32_t port, struct rig_reader *reader)
{
    pthread_mutex_lock(&table_lock);
    const struct rig_reader *entry = table_find(port);
    if (entry != NULL) {
        *reader = *entry;
    }
    pthread_mutex_unlock(&table_lock);
    return entry != NULL;
}

size_t rig_readers(struct rig_reader *readers, size_t capacity)
{
    size_t count = 0;
    pthread_mutex_lock(&table_lock);
    for (size_t i = 0; i < READERS_MAX; i++) {
        if (table[i].slots > 0) {
            if (count < capacity) {
                readers[count] = table[i];
            }
            count++;
        }
    }
    pthread_mutex_unlock(&table_lock);
    return count;
}
