// SPDX-License-Identifier: MIT
// What the parts of the emulated libusb share. One bus per process, under one lock; its readers outlive every
// context of the program, as real ones do.
#pragma once
#include <libusb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "emulator/emulator.h"

#define USB_READERS_VARIABLE "LECTERN_USB"         // "MODEL[:CARD[/CARD...]] ..." plugged from the start
#define USB_CONTROL_VARIABLE "LECTERN_USB_CONTROL" // the control socket's path

enum { USB_PATCHES_MAX = 16, USB_DESCRIPTOR_MAX = 512, USB_BUS_NUMBER = 1, USB_READERS_MAX = 64 };

struct patch { // a descriptor's byte that is not what it should be
    uint8_t type;
    uint16_t offset;
    uint8_t value;
};

struct transfer { // what lies in front of every struct libusb_transfer
    struct transfer *next;
    struct reader *device; // while submitted; referenced
    struct libusb_context *context;
    uint64_t deadline; // microseconds, 0: none
    size_t moved;
    enum libusb_transfer_status status;
    enum { TRANSFER_IDLE, TRANSFER_SUBMITTED, TRANSFER_DONE } state;
    bool cancelled;
};

struct queue {
    struct transfer *first, **end;
};

struct reader {
    struct reader *next;
    unsigned references;
    bool present;
    uint8_t number; // address and port
    struct emu_reader *emulated;
    struct emu_model model;
    char cards[EMU_SLOTS_MAX][EMU_NAME_MAX];
    struct patch patches[USB_PATCHES_MAX];
    size_t patch_count;
    bool denied, busy, kernel; // no rights, claimed by another program, a kernel driver is bound
    uint32_t claimed;          // interfaces
    struct queue transfers;
};

struct libusb_device { // a reader as one context sees it
    struct libusb_device *next;
    unsigned references;
    struct reader *reader;          // referenced
    struct libusb_context *context; // NULL: it has ended
};

struct libusb_device_handle {
    struct reader *device;
    struct libusb_device *view;
    struct libusb_context *context;
    uint32_t claimed;
    bool auto_detach;
};

struct notice { // a hotplug event on its way to a context
    struct notice *next;
    struct reader *device; // referenced
    libusb_hotplug_event event;
};

struct hotplug {
    struct hotplug *next;
    libusb_hotplug_callback_handle number;
    int events, vendor, product, class;
    libusb_hotplug_callback_fn callback;
    void *user_data;
    bool over;
};

struct waiter { // in a call that handles events, while there are none
    struct waiter *next;
    const int *completed; // NULL: it waits for no transfer of its own
};

struct libusb_context {
    struct libusb_context *next;
    unsigned references;
    pthread_cond_t changed;
    int event_fd; // readable: something to handle
    struct queue done;
    struct notice *notices, **notices_end;
    struct hotplug *hotplugs;
    struct libusb_device *views;
    bool raised;               // event_fd is readable
    bool interrupted, handled; // handled: `owner` handles events
    struct waiter *waiting;
    unsigned queueing; // threads that wait for the owner to let go
    pthread_t owner;
    unsigned depth; // of the owner's lock
    pthread_mutex_t waiters;
};

// bus.c; `locked`: the caller holds the bus
extern pthread_mutex_t bus_lock;
int bus_open(void); // by the first context
void bus_close(void);
uint64_t bus_now(void);
struct reader *bus_devices(void);         // locked
struct reader *bus_find(unsigned number); // locked
int bus_plug(const struct emu_model *model, const char (*cards)[EMU_NAME_MAX], unsigned *number);
void bus_unplug(struct reader *device);        // locked
void bus_ref(struct reader *device);           // locked
void bus_unref(struct reader *device);         // locked
void bus_pump(struct reader *device);          // locked
void bus_changed(const struct reader *device); // locked; deadlines or its plans are other; NULL: whatever
size_t bus_descriptor(struct reader *device, uint8_t type, uint8_t index,
                      uint8_t data[USB_DESCRIPTOR_MAX]); // locked
enum emu_status bus_control(struct reader *device, const struct emu_setup *setup, uint8_t *data,
                            size_t *length); // locked
void queue_init(struct queue *queue);
void queue_put(struct queue *queue, struct transfer *transfer);
bool queue_take(struct queue *queue, struct transfer *transfer);

// context.c
struct libusb_device *view_get(struct libusb_context *context, struct reader *reader); // locked; referenced
void view_put(struct libusb_device *view);                                             // locked
struct libusb_context *context_of(struct libusb_context *context);       // NULL: the default one
void contexts_notify(struct reader *device, libusb_hotplug_event event); // locked
void context_signal(struct libusb_context *context);                     // locked; its owner needs no waking
void context_wake(struct libusb_context *context);                       // locked
void context_forget(struct libusb_context *context);                     // locked; what was not handled

// transfer.c
struct libusb_transfer *transfer_public(struct transfer *transfer);
struct transfer *transfer_private(struct libusb_transfer *transfer);
bool transfer_try(struct reader *device, struct transfer *transfer,
                  uint64_t now); // locked; true: done
void transfer_deliver(struct transfer *transfer);
void transfers_drop(struct libusb_device_handle *handle); // locked

// hotplug.c
void hotplug_deliver(struct libusb_context *context, struct notice *notice);
void hotplug_sweep(struct libusb_context *context, bool all); // locked

// event.c
bool event_inside(void); // this thread runs a callback
void event_enter(void);
void event_leave(void);

// descriptor.c
int config_parse(const uint8_t *data, size_t length, struct libusb_config_descriptor **config);
