// SPDX-License-Identifier: MIT
// Real USB readers: claimed through libusb, handed to the reader driver as the emulated ones are. A reader
// that is pulled out leaves as any other device; its port still wants rig_unplug.
#pragma once
#include "rig/rig.h"

enum { RIG_USB_WHY_MAX = 256 };

// The names of real readers, hexadecimal ids and decimal places, as libccid and pcscd's hotplug have them:
//   usb                                                 the first one
//   usb:VVVV/PPPP[:libusb-1.0:BUS:ADDRESS[:INTERFACE]]
//   usb:VVVV/PPPP:libudev:INTERFACE:/dev/bus/usb/BUS/ADDRESS
bool rig_usb_named(const char *text);
// Claims the reader and waits until its driver has started. On failure `why` has a sentence.
nt_status rig_usb_plug(const char *name, uint32_t *port, char why[RIG_USB_WHY_MAX]);
