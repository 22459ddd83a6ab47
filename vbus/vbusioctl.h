// SPDX-License-Identifier: MIT
// Device controls of the virtual USB bus: plug emulated readers, move cards. Plain C, for user mode as well.
// All are METHOD_BUFFERED; open VBUS_USER_PATH or the device interface GUID_DEVINTERFACE_LECTERN_VBUS.
#pragma once
#include "emulator/emulator.h"

#define VBUS_DOS_NAME  "LecternVbus" // \DosDevices\LecternVbus
#define VBUS_USER_PATH "\\\\.\\" VBUS_DOS_NAME
#define VBUS_ROOT_ID   "ROOT\\LECTVBUS" // hardware id of the root-enumerated bus device

// GUID_DEVINTERFACE_LECTERN_VBUS {1B0C7A5E-6D0F-4C55-9C5B-3E8B5B1F2D47}, in memory order.
#define VBUS_INTERFACE_GUID                                                                                  \
    {                                                                                                        \
        0x5E, 0x7A, 0x0C, 0x1B, 0x0F, 0x6D, 0x55, 0x4C, 0x9C, 0x5B, 0x3E, 0x8B, 0x5B, 0x1F, 0x2D, 0x47       \
    }

#define VBUS_CTL(function, access)                                                                           \
    ((0x2Au << 16) | ((access) << 14) | ((0x800u + (function)) << 2)) // FILE_DEVICE_BUS_EXTENDER
#define VBUS_WRITE 2u                                                 // FILE_WRITE_ACCESS

#define IOCTL_VBUS_PLUG       VBUS_CTL(0, VBUS_WRITE) // in: struct vbus_plug, out: uint32_t port
#define IOCTL_VBUS_UNPLUG     VBUS_CTL(1, VBUS_WRITE) // in: uint32_t port
#define IOCTL_VBUS_INSERT     VBUS_CTL(2, VBUS_WRITE) // in: struct vbus_card
#define IOCTL_VBUS_REMOVE     VBUS_CTL(3, VBUS_WRITE) // in: struct vbus_card, name ignored
#define IOCTL_VBUS_STATISTICS VBUS_CTL(4, 0u)         // in: uint32_t port, out: struct emu_statistics
#define IOCTL_VBUS_USER       VBUS_CTL(5, VBUS_WRITE) // in: struct vbus_user
#define IOCTL_VBUS_FAULT      VBUS_CTL(6, VBUS_WRITE) // in: struct vbus_fault

enum { VBUS_CARD_NAME_MAX = 32, VBUS_PORTS_MAX = 1024 };

// Plugging with a card in the slot avoids a race between insertion and start. An empty name: empty slot.
struct vbus_plug {
    struct emu_model model;
    char cards[EMU_SLOTS_MAX][VBUS_CARD_NAME_MAX];
};

struct vbus_card {
    uint32_t port, slot;
    char name[VBUS_CARD_NAME_MAX];
};

struct vbus_fault {
    uint32_t port;
    struct emu_fault fault;
};

struct vbus_user { // who sits at the PIN pad
    uint32_t port;
    struct emu_user user;
};
