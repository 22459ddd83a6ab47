// SPDX-License-Identifier: MIT
// The emulated bus: its readers, and the thread that moves what they could not answer at once.
#include "emulator/libusb/bus.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emulator/libusb/plug.h"
#include "rig/control.h"

pthread_mutex_t bus_lock = PTHREAD_MUTEX_INITIALIZER;
static struct reader *devices;
static unsigned users, last_number;
static bool stopping, populated;
static pthread_t engine;
static pthread_cond_t engine_due;
static uint64_t engine_until; // it sleeps until then

uint64_t bus_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

void queue_put(struct queue *queue, struct transfer *transfer)
{
    transfer->next = NULL;
    *queue->end = transfer;
    queue->end = &transfer->next;
}

bool queue_take(struct queue *queue, struct transfer *transfer)
{
    for (struct transfer **at = &queue->first; *at != NULL; at = &(*at)->next) {
        if (*at == transfer) {
            *at = transfer->next;
            queue->end = transfer->next == NULL ? at : queue->end;
            return true;
        }
    }
    return false;
}

struct reader *bus_devices(void)
{
    return devices;
}

struct reader *bus_find(unsigned number)
{
    struct reader *device = devices;
    while (device != NULL && device->number != number) {
        device = device->next;
    }
    return device;
}

void bus_ref(struct reader *device)
{
    device->references++;
}

void bus_unref(struct reader *device)
{
    if (--device->references == 0) {
        free(device->emulated);
        free(device);
    }
}

static struct reader *new_device(const struct emu_model *model, const char (*cards)[EMU_NAME_MAX])
{
    struct reader *device = calloc(1, sizeof *device);
    struct emu_reader *memory = calloc(1, emu_reader_size(model));
    if (device == NULL || memory == NULL) {
        free(device);
        free(memory);
        return NULL;
    }
    device->model = *model;
    device->emulated = emu_reader_init(memory, model);
    device->references = 1;
    device->present = true;
    queue_init(&device->transfers);
    const struct emu_setup configure = {0x00, 0x09, 1, 0, 0};
    size_t length = 0;
    (void)emu_control(device->emulated, bus_now(), &configure, NULL,
                      &length); // as the kernel does on arrival
    for (unsigned slot = 0; slot < emu_slots(device->emulated); slot++) {
        if (cards[slot][0] != '\0' && emu_insert(device->emulated, bus_now(), slot, cards[slot]) == 0) {
            memcpy(device->cards[slot], cards[slot], EMU_NAME_MAX);
        }
    }
    return device;
}

int bus_plug(const struct emu_model *model, const char (*cards)[EMU_NAME_MAX], unsigned *number)
{
    struct reader *device = new_device(model, cards);
    if (device == NULL) {
        return -ENOMEM;
    }
    struct reader **end = &devices;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    do { // addresses go round as the kernel's do, so that one is not soon another reader's
        last_number = last_number % USB_READERS_MAX + 1;
    } while (bus_find(last_number) != NULL);
    *number = device->number = (uint8_t)last_number;
    *end = device;
    contexts_notify(device, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED);
    return 0;
}

void bus_unplug(struct reader *device)
{
    struct reader **at = &devices;
    while (*at != device) {
        at = &(*at)->next;
    }
    *at = device->next;
    device->present = false;
    bus_pump(device);
    contexts_notify(device, LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT);
    bus_unref(device);
}

static unsigned endpoint_bit(const struct transfer *transfer)
{
    uint8_t endpoint = transfer_public((struct transfer *)transfer)->endpoint;
    return (endpoint & 0x0Fu) + (endpoint >> 7) * 16u;
}

// One pass in order; a transfer that waits makes the later ones of its endpoint wait, too.
static bool pass(struct reader *device)
{
    uint64_t now = bus_now();
    uint32_t waiting = 0;
    bool moved = false;
    for (struct transfer *next, *transfer = device->transfers.first; transfer != NULL; transfer = next) {
        next = transfer->next;
        bool over =
            transfer->cancelled || !device->present || (transfer->deadline != 0 && transfer->deadline <= now);
        if ((waiting & 1u << endpoint_bit(transfer)) != 0 && !over) {
            continue;
        }
        if (!transfer_try(device, transfer, now)) {
            waiting |= 1u << endpoint_bit(transfer);
            continue;
        }
        (void)queue_take(&device->transfers, transfer);
        transfer->state = TRANSFER_DONE;
        queue_put(&transfer->context->done, transfer);
        context_signal(transfer->context);
        moved = true;
    }
    return moved;
}

void bus_pump(struct reader *device)
{
    while (pass(device)) {
    }
}

static uint64_t earliest(const struct reader *device)
{
    uint64_t due = UINT64_MAX;
    bool waits = device->transfers.first != NULL;
    for (const struct transfer *transfer = device->transfers.first; transfer != NULL;
         transfer = transfer->next) {
        due = transfer->deadline != 0 && transfer->deadline < due ? transfer->deadline : due;
    }
    uint64_t event = waits ? emu_next_event(device->emulated) : UINT64_MAX;
    return event < due ? event : due;
}

void bus_changed(const struct reader *device)
{
    if (device == NULL || earliest(device) < engine_until) {
        (void)pthread_cond_signal(&engine_due);
    }
}

static void wait_until(uint64_t due)
{
    if (due == UINT64_MAX) {
        (void)pthread_cond_wait(&engine_due, &bus_lock);
        return;
    }
    struct timespec until = {(time_t)(due / 1000000), (long)(due % 1000000) * 1000};
    (void)pthread_cond_timedwait(&engine_due, &bus_lock, &until);
}

static void *run_engine(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&bus_lock);
    while (!stopping) {
        uint64_t due = UINT64_MAX;
        for (struct reader *device = devices; device != NULL; device = device->next) {
            bus_pump(device);
            uint64_t next = earliest(device);
            due = next < due ? next : due;
        }
        engine_until = due;
        wait_until(due);
    }
    pthread_mutex_unlock(&bus_lock);
    return NULL;
}

static int start_engine(void)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&engine_due, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    sigset_t all, before; // the program's signals are for its own threads
    (void)sigfillset(&all);
    stopping = false;
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&engine, NULL, run_engine, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void start_control(void)
{
    const char *path = getenv(USB_CONTROL_VARIABLE);
    int error = path != NULL ? rig_control_start(path) : 0;
    if (error != 0) { // the readers work without it
        (void)fprintf(stderr, "libusb (emulated): no control channel at %s: %s\n", path, strerror(-error));
    }
}

static pthread_mutex_t users_lock = PTHREAD_MUTEX_INITIALIZER;

int bus_open(void)
{
    pthread_mutex_lock(&users_lock);
    int error = users == 0 ? start_engine() : 0;
    if (error == 0 && users++ == 0) {
        const char *list = populated ? NULL : getenv(USB_READERS_VARIABLE);
        pthread_mutex_lock(&bus_lock);
        populated = true;
        plug_list(list != NULL ? list : "");
        pthread_mutex_unlock(&bus_lock);
        start_control();
    }
    pthread_mutex_unlock(&users_lock);
    return error;
}

void bus_close(void)
{
    pthread_mutex_lock(&users_lock);
    if (--users == 0) {
        rig_control_stop();
        pthread_mutex_lock(&bus_lock);
        stopping = true;
        bus_changed(NULL);
        pthread_mutex_unlock(&bus_lock);
        (void)pthread_join(engine, NULL);
        (void)pthread_cond_destroy(&engine_due);
    }
    pthread_mutex_unlock(&users_lock);
}

static void patch_descriptor(const struct reader *device, uint8_t type, uint8_t *data, size_t length)
{
    for (size_t i = 0; i < device->patch_count; i++) {
        const struct patch *patch = &device->patches[i];
        if (patch->type == type && patch->offset < length) {
            data[patch->offset] = patch->value;
        }
    }
}

enum emu_status bus_control(struct reader *device, const struct emu_setup *setup, uint8_t *data,
                            size_t *length)
{
    enum emu_status status = emu_control(device->emulated, bus_now(), setup, data, length);
    if (status == EMU_OK && setup->request_type == 0x80 && setup->request == LIBUSB_REQUEST_GET_DESCRIPTOR) {
        patch_descriptor(device, (uint8_t)(setup->value >> 8), data, *length);
    }
    return status;
}

size_t bus_descriptor(struct reader *device, uint8_t type, uint8_t index, uint8_t data[USB_DESCRIPTOR_MAX])
{
    const struct emu_setup setup = {0x80, LIBUSB_REQUEST_GET_DESCRIPTOR, (uint16_t)(type << 8 | index), 0,
                                    USB_DESCRIPTOR_MAX};
    size_t length = USB_DESCRIPTOR_MAX;
    return bus_control(device, &setup, data, &length) == EMU_OK ? length : 0;
}
