// SPDX-License-Identifier: MIT
// A pcapng file with the records of usbmon, as Wireshark reads them. Each record is written at once and in
// one piece: what is there when the process breaks is whole.
#pragma once
#include "nthost/user/trace.h"

enum { PCAPNG_USB, PCAPNG_TEXT }; // the file's interfaces

int pcapng_open(const char *path); // a descriptor, or negative errno
// `data`: what is to be shown of the transfer's own, NULL: nothing. 0 or negative errno.
int pcapng_transfer(int file, const struct nt_transfer *transfer, unsigned device, const uint8_t *data);
int pcapng_text(int file, uint64_t time_us, const char *text);
