// SPDX-License-Identifier: MIT
// Device controls of the bus of real USB readers, METHOD_BUFFERED. Plain C, for user mode as well.
#pragma once
#include <stdint.h>

#define USBBUS_DOS_NAME  "LecternUsb"
#define USBBUS_USER_PATH "\\\\.\\" USBBUS_DOS_NAME
#define USBBUS_ROOT_ID   "ROOT\\LECTUSB"

// FILE_DEVICE_BUS_EXTENDER, FILE_WRITE_ACCESS
#define IOCTL_USBBUS_CLAIM   ((0x2Au << 16) | (2u << 14) | (0x810u << 2)) // in: usbbus_place, out: usbbus_claim
#define IOCTL_USBBUS_RELEASE ((0x2Au << 16) | (2u << 14) | (0x811u << 2)) // in: uint32_t port

enum { USBBUS_ANY_INTERFACE = 0xFF };

struct usbbus_place { // zeros: the first reader that fits
    uint16_t vendor, product;
    uint8_t bus, address, number, reserved; // number: of the interface, or USBBUS_ANY_INTERFACE
};

struct usbbus_claim {
    uint32_t port; // 0: refused, `why` says it
    char name[64], why[256];
    struct usbbus_place place; // where it turned out to be
};
