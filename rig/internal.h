// SPDX-License-Identifier: MIT
// Between the sources of rig/ only.
#pragma once
#include "rig/rig.h"

nt_entry_point LecternDriverEntry;
nt_entry_point LectvbusDriverEntry;

// A device control of the virtual bus; an answer shorter than `out_length` is a failure.
nt_status rig_bus_control(uint32_t code, const void *in, size_t in_length, void *out, size_t out_length);
void rig_unplug_all(void);

enum { RIG_USB_PORTS = 0x10000 }; // real readers' ports begin here
// Plugs the reader and sets its port; the rest of it is found out by what appears.
typedef nt_status rig_plug_sender(struct rig_reader *reader);
nt_status rig_plug_by(struct rig_reader *reader, rig_plug_sender *send);
nt_status rig_usb_release(uint32_t port);
// What of the options depends on which driver runs; 0 or -ENOENT: the program to run it in is not there.
int rig_prepare_options(struct nt_options *options);
int rig_add_services(void); // the bus's and the reader driver's, once the kernel has booted
// A device has come: what a chosen package holds is installed for it, as by its INF.
nt_status rig_install_package(const char *instance);
