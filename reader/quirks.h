// SPDX-License-Identifier: MIT
// What is known to be wrong with certain readers.
#pragma once
#include <ntddk.h>

#define QUIRK_NO_PIN 0x00000001 // PINs must not be typed there, or cannot
#define QUIRK_OLD    0x00000002 // its maker has newer firmware that repairs it

// The flags of one reader, QUIRK_*. Release: bcdDevice.
ULONG QuirksFind(_In_ USHORT Vendor, _In_ USHORT Product, _In_ USHORT Release);
