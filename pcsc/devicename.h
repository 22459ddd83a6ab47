// SPDX-License-Identifier: MIT
// DEVICENAME of a reader.conf entry:
//
//   usb...    a real reader, see rig/usb.h; pcscd's hotplug makes such names
//   emulated[:model=NAME][:models=FILE][:card=NAME[/NAME...]][:driver=PATH]
//
// model   a row of readers.tsv; missing: the built-in reader
// models  another table than the installed one
// driver  an x64 driver image, FILE.sys with what it imports from beside it, or the folder of lectern.sys; it
// runs in a
//         process of its own. All readers of one pcscd have the same. Missing: the driver built into this
//         library
// card    what is in the slots from the start, slot 0 first; "-" or nothing: an empty slot
//
// Parts are separated by ':' because pcscd takes a comma for the end of the word; unknown parts are ignored,
// as the handler interface asks.
#pragma once
#include "emulator/emulator.h"

enum { DEVICENAME_PART_MAX = 256, DEVICENAME_PATH_MAX = 1024 };

struct device_name {
    char model[EMU_NAME_MAX];
    char models[DEVICENAME_PART_MAX]; // empty: the installed table
    char driver[DEVICENAME_PATH_MAX]; // empty: the built-in one
    char usb[DEVICENAME_PART_MAX];    // a real reader's name, see rig/usb.h; empty: an emulated one
    char cards[EMU_SLOTS_MAX][EMU_NAME_MAX];
};

// 0; -ENODEV: not a name of ours; -EINVAL: a part is too long, or more cards than slots.
int device_name_parse(const char *text, struct device_name *name);
