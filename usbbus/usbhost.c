// SPDX-License-Identifier: MIT
#include "usbbus/usbhost.h"

#include <errno.h>
#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usbbus/describe.h"

enum { CONTROL_MS = 5000 };

struct usb_bus {
    libusb_context *context;
    usb_left *left;
    void *left_context;
    int stopping;
};

struct usb_device {
    libusb_device_handle *handle;
    uint8_t interface;
};

struct usb_transfer {
    struct libusb_transfer *transfer;
    void *data;
    usb_done *done;
    void *context;
};

static int LIBUSB_CALL device_left(libusb_context *context, libusb_device *device, libusb_hotplug_event event,
                                   void *argument)
{
    struct usb_bus *bus = argument;
    (void)context, (void)event;
    bus->left(bus->left_context, libusb_get_bus_number(device), libusb_get_device_address(device));
    return 0;
}

int usb_bus_open(struct usb_bus **opened, usb_left *left, void *context)
{
    struct usb_bus *bus = calloc(1, sizeof *bus);
    if (bus == NULL) {
        return -ENOMEM;
    }
    bus->left = left;
    bus->left_context = context;
    if (libusb_init(&bus->context) != 0) {
        free(bus);
        return -EIO;
    }
    // Without hotplug a reader's going is seen by its transfers.
    if (libusb_has_capability(LIBUSB_CAP_HAS_HOTPLUG) != 0) {
        (void)libusb_hotplug_register_callback(bus->context, LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, 0,
                                               LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
                                               LIBUSB_HOTPLUG_MATCH_ANY, device_left, bus, NULL);
    }
    *opened = bus;
    return 0;
}

void usb_bus_run(struct usb_bus *bus)
{
    while (__atomic_load_n(&bus->stopping, __ATOMIC_ACQUIRE) == 0) {
        (void)libusb_handle_events_completed(bus->context, &bus->stopping);
    }
}

bool usb_bus_take(struct usb_bus *bus)
{
    return libusb_try_lock_events(bus->context) == 0;
}

void usb_bus_yield(struct usb_bus *bus)
{
    struct timeval no_time = {0, 0};
    (void)libusb_handle_events_locked(bus->context, &no_time); // what is left is the thread's
    libusb_unlock_events(bus->context);
}

void usb_bus_stop(struct usb_bus *bus)
{
    __atomic_store_n(&bus->stopping, 1, __ATOMIC_RELEASE);
    libusb_interrupt_event_handler(bus->context);
}

void usb_bus_close(struct usb_bus *bus)
{
    libusb_exit(bus->context);
    free(bus);
}

static bool fits(libusb_device *device, const struct usbbus_place *place)
{
    struct libusb_device_descriptor descriptor;
    if (libusb_get_device_descriptor(device, &descriptor) != 0) {
        return false;
    }
    return (place->vendor == 0 || place->vendor == descriptor.idVendor) &&
           (place->product == 0 || place->product == descriptor.idProduct) &&
           (place->bus == 0 || place->bus == libusb_get_bus_number(device)) &&
           (place->address == 0 || place->address == libusb_get_device_address(device));
}

static int claim(struct usb_device *opened, libusb_device *device, char why[USB_WHY_MAX])
{
    int result = libusb_open(device, &opened->handle);
    if (result == 0) {
        result = libusb_claim_interface(opened->handle, opened->interface);
    }
    if (result != 0) {
        usb_explain(device, opened->handle, opened->interface, result, why);
        libusb_close(opened->handle);
    }
    return result == 0                        ? 0
           : result == LIBUSB_ERROR_ACCESS    ? -EACCES
           : result == LIBUSB_ERROR_BUSY      ? -EBUSY
           : result == LIBUSB_ERROR_NO_DEVICE ? -ENODEV
                                              : -EIO;
}

static int open_one(libusb_device *device, struct usbbus_place *place, struct usb_about *about,
                    struct usb_device *opened, char why[USB_WHY_MAX])
{
    int error = usb_describe(device, place->number, about);
    if (error != 0) {
        return error;
    }
    opened->interface = about->number;
    error = claim(opened, device, why);
    if (error == 0) {
        usb_describe_text(opened->handle, about);
        place->bus = libusb_get_bus_number(device);
        place->address = libusb_get_device_address(device);
        place->number = about->number;
        place->vendor = (uint16_t)(about->device[8] | about->device[9] << 8);
        place->product = (uint16_t)(about->device[10] | about->device[11] << 8);
    }
    return error;
}

int usb_device_open(struct usb_bus *bus, struct usbbus_place *place, struct usb_about *about,
                    struct usb_device **device, char why[USB_WHY_MAX])
{
    libusb_device **list;
    struct usb_device *opened = calloc(1, sizeof *opened);
    ssize_t count = opened != NULL ? libusb_get_device_list(bus->context, &list) : -1;
    if (count < 0) {
        free(opened);
        return -ENOMEM;
    }
    int error = -ENODEV;
    (void)snprintf(why, USB_WHY_MAX, "no such USB reader is plugged in");
    for (ssize_t i = 0; i < count && error == -ENODEV; i++) {
        if (fits(list[i], place)) {
            error = open_one(list[i], place, about, opened, why);
        }
    }
    libusb_free_device_list(list, 1);
    if (error != 0) {
        if (error == -EINVAL) {
            (void)snprintf(why, USB_WHY_MAX, "the reader's USB descriptors make no sense");
        }
        free(opened);
        return error;
    }
    *device = opened;
    return 0;
}

void usb_device_close(struct usb_device *device)
{
    (void)libusb_release_interface(device->handle,
                                   device->interface); // fails if the device has gone: as good
    libusb_close(device->handle);
    free(device);
}

int usb_clear_halt(struct usb_device *device, uint8_t endpoint)
{
    return libusb_clear_halt(device->handle, endpoint) == 0 ? 0 : -EIO;
}

int usb_reset(struct usb_device *device)
{
    return libusb_reset_device(device->handle) == 0 ? 0 : -EIO;
}

static enum usb_result result_of(enum libusb_transfer_status status)
{
    switch (status) {
    case LIBUSB_TRANSFER_COMPLETED:
        return USB_DONE;
    case LIBUSB_TRANSFER_STALL:
        return USB_STALLED;
    case LIBUSB_TRANSFER_CANCELLED:
        return USB_CANCELLED;
    case LIBUSB_TRANSFER_NO_DEVICE:
        return USB_GONE;
    default:
        return USB_FAILED;
    }
}

static void LIBUSB_CALL finished(struct libusb_transfer *transfer)
{
    struct usb_transfer *own = transfer->user_data;
    if (transfer->type == LIBUSB_TRANSFER_TYPE_CONTROL && (transfer->buffer[0] & LIBUSB_ENDPOINT_IN) != 0 &&
        transfer->actual_length > 0) {
        memcpy(own->data, transfer->buffer + LIBUSB_CONTROL_SETUP_SIZE, (size_t)transfer->actual_length);
    }
    own->done(own->context, result_of(transfer->status), (uint32_t)transfer->actual_length);
}

static int fill(struct usb_transfer *own, struct usb_device *device, uint8_t endpoint, bool interrupt,
                const uint8_t *setup, uint32_t length)
{
    if (setup == NULL) {
        libusb_fill_bulk_transfer(own->transfer, device->handle, endpoint, own->data, (int)length, finished,
                                  own, 0);
        own->transfer->type = interrupt ? LIBUSB_TRANSFER_TYPE_INTERRUPT : LIBUSB_TRANSFER_TYPE_BULK;
        return 0;
    }
    uint8_t *buffer = malloc(LIBUSB_CONTROL_SETUP_SIZE + (size_t)length);
    if (buffer == NULL) {
        return -ENOMEM;
    }
    memcpy(buffer, setup, LIBUSB_CONTROL_SETUP_SIZE);
    if ((setup[0] & LIBUSB_ENDPOINT_IN) == 0 && length > 0) {
        memcpy(buffer + LIBUSB_CONTROL_SETUP_SIZE, own->data, length);
    }
    libusb_fill_control_transfer(own->transfer, device->handle, buffer, finished, own, CONTROL_MS);
    own->transfer->flags = LIBUSB_TRANSFER_FREE_BUFFER;
    return 0;
}

void usb_release(struct usb_transfer *transfer)
{
    libusb_free_transfer(transfer->transfer);
    free(transfer);
}

int usb_submit(struct usb_device *device, uint8_t endpoint, bool interrupt, const uint8_t *setup, void *data,
               uint32_t length, usb_done *done, void *context, struct usb_transfer **transfer)
{
    struct usb_transfer *own = calloc(1, sizeof *own);
    if (own == NULL) {
        return -ENOMEM;
    }
    *own = (struct usb_transfer){libusb_alloc_transfer(0), data, done, context};
    int error = own->transfer != NULL ? fill(own, device, endpoint, interrupt, setup, length) : -ENOMEM;
    if (error == 0) {
        *transfer = own; // before its completion can be seen
        int result = libusb_submit_transfer(own->transfer);
        error = result == 0 ? 0 : result == LIBUSB_ERROR_NO_DEVICE ? -ENODEV : -EIO;
    }
    if (error != 0) {
        usb_release(own);
    }
    return error;
}

void usb_cancel(struct usb_transfer *transfer)
{
    (void)libusb_cancel_transfer(transfer->transfer); // fails when it is about to be done anyway
}
