// SPDX-License-Identifier: MIT
// What a libusb device is to PnP, and why it cannot be had.
#pragma once
#include <libusb.h>

#include "usbbus/usbhost.h"

// `interface`: its number, or USBBUS_ANY_INTERFACE: the first smart card reader's. -ENODEV: it has none.
int usb_describe(libusb_device *device, uint8_t interface, struct usb_about *about);
void usb_describe_text(libusb_device_handle *handle, struct usb_about *about); // what needs the open device
void usb_explain(libusb_device *device, libusb_device_handle *handle, uint8_t interface, int error,
                 char why[USB_WHY_MAX]);
