// SPDX-License-Identifier: MIT
// What is known to be wrong with certain readers.
#pragma once
#include <ntddk.h>

#define QUIRK_NO_PIN    0x00000001 // PINs must not be typed there, or cannot
#define QUIRK_OLD       0x00000002 // its maker has newer firmware that repairs it
#define QUIRK_SHORT     0x00000004 // claims extended APDUs and fails with them
#define QUIRK_EXTENDED  0x00000008 // chains its answers although it claims short APDUs
#define QUIRK_AUTO_IFSD 0x00000010 // S(IFS) from the host breaks it
#define QUIRK_IFSD      0x00000020 // dwMaxIFSD is wrong
#define QUIRK_200K      0x00000040 // fails above 200 kbit/s
#define QUIRK_9600      0x00000080 // fails at anything but the default rate

// The flags of one reader, QUIRK_*. Release: bcdDevice.
ULONG QuirksFind(_In_ USHORT Vendor, _In_ USHORT Product, _In_ USHORT Release);
