// SPDX-License-Identifier: MIT
// libusb's half of the bus driver, behind plain C: devices opened and described, transfers in flight. Nothing
// here waits for a device, except usb_clear_halt, usb_reset and opening. Results are 0 or negative errno.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "usbbus/usbbusioctl.h"

enum { USB_CONFIG_MAX = 1024, USB_IDS_MAX = 160, USB_PIPES_MAX = 8, USB_TEXT_MAX = 64, USB_WHY_MAX = 256 };

struct usb_pipe {
    uint8_t address, attributes, interval;
    uint16_t packet;
};

struct usb_about { // one interface of a device, as its function driver shall see it
    uint8_t device[18];
    uint8_t config[USB_CONFIG_MAX]; // the interface alone, if there are others
    uint16_t config_length;
    uint8_t number, interface_class, subclass, protocol, value; // value: of the configuration
    uint8_t pipe_count;
    struct usb_pipe pipes[USB_PIPES_MAX];
    char device_id[USB_IDS_MAX], instance_id[USB_IDS_MAX];       // ASCII
    char hardware_ids[USB_IDS_MAX], compatible_ids[USB_IDS_MAX]; // each ends with a NUL, the list with two
    char text[USB_TEXT_MAX];
};

struct usb_bus;
struct usb_device;
struct usb_transfer;

enum usb_result { USB_DONE, USB_STALLED, USB_CANCELLED, USB_GONE, USB_FAILED };

typedef void usb_left(void *context, uint8_t bus, uint8_t address); // from the thread in usb_bus_run
int usb_bus_open(struct usb_bus **bus, usb_left *left, void *context);
void usb_bus_run(struct usb_bus *bus); // handles events until usb_bus_stop
// Keeps usb_bus_run from what is submitted next; usb_bus_yield handles what of it has ended by then. false:
// it is waiting for events and will see them first.
bool usb_bus_take(struct usb_bus *bus);
void usb_bus_yield(struct usb_bus *bus);
void usb_bus_stop(struct usb_bus *bus);
void usb_bus_close(struct usb_bus *bus); // no device is open any more

// `place` with zeros chooses. -ENODEV: none such; -EACCES, -EBUSY: `why` says what is in the way; -EINVAL:
// its descriptors make no sense.
int usb_device_open(struct usb_bus *bus, struct usbbus_place *place, struct usb_about *about,
                    struct usb_device **device, char why[USB_WHY_MAX]);
void usb_device_close(struct usb_device *device); // nothing is in flight any more
int usb_clear_halt(struct usb_device *device, uint8_t endpoint);
int usb_reset(struct usb_device *device);

typedef void usb_done(void *context, enum usb_result result,
                      uint32_t moved); // from the thread in usb_bus_run
// `setup`: 8 bytes for endpoint 0, else NULL. `data` is the caller's until the transfer is done. After an
// error nothing is in flight and usb_done is never called.
int usb_submit(struct usb_device *device, uint8_t endpoint, bool interrupt, const uint8_t *setup, void *data,
               uint32_t length, usb_done *done, void *context, struct usb_transfer **transfer);
void usb_cancel(struct usb_transfer *transfer);  // it is done soon, cancelled or not
void usb_release(struct usb_transfer *transfer); // after it is done
