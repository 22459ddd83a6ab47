// SPDX-License-Identifier: MIT
// Where the contract leaves the library a choice that a driver can notice. A bit in SMC_OTHER_CHOICES makes
// that one the other way; the tests of the reader driver run on a library with all of them (docs/smclib.md,
// open points).
#pragma once
#include <ntddk.h>

#ifndef SMC_OTHER_CHOICES
#define SMC_OTHER_CHOICES 0
#endif

typedef enum _SMC_CHOICE {
    SmcOtherNegotiate = 0x00001, // a card with nothing to negotiate stays NEGOTIABLE too
    SmcOtherParse = 0x00002,     // the ATR is parsed after every reset, whatever the driver did
    SmcOtherState = 0x00004,     // a power-down or a failed reset lowers the state
    SmcOtherKeepCard = 0x00008,  // nothing is cleared before a reset
    SmcOtherAtr = 0x00010,       // the driver alone returns the ATR
    SmcOtherShortAtr = 0x00020,  // the driver sees a reply buffer too short for an ATR
    SmcOtherSpecific = 0x00040,  // SET_PROTOCOL calls the driver in state SPECIFIC
    SmcOtherMask = 0x00080,      // MinorIoControlCode is the client's whole mask
    SmcOtherAnswer = 0x00100,    // SET_PROTOCOL is answered by the driver, in the client's buffer
    SmcOtherStale = 0x00200,     // IoRequest and both buffers keep what the last request left
    SmcOtherUnknown = 0x00400,   // SCARD_UNKNOWN is neither present nor absent
    SmcOtherMark = 0x00800,      // tracking: the driver marks the request pending
    SmcOtherCancel = 0x01000,    // tracking: the driver looks at Irp->Cancel
    SmcOtherQueue = 0x02000,     // tracking: every request waits for the running callback
    SmcOtherTransmit = 0x04000,  // TRANSMIT is passed on in any state with a card
    SmcOtherT0Room = 0x08000,    // T=0 with P3 = 0 needs room for 256 bytes
    SmcOtherSilence = 0x10000,   // T=1: a card that never answered is STATUS_IO_TIMEOUT
    SmcOtherSurplus = 0x20000,   // T=1: bytes behind a block are dropped
    SmcOtherTimes = 0x40000,     // etu, GT and WT by the other reading of their descriptions
    SmcOtherOptimal = 0x80000,   // OPTIMAL is content with the default parameters
    SmcOtherLink = 0x100000,     // one SCReaderN, and the object manager's status when it is taken
    SmcOtherTags = 0x200000      // tags are not followed
} SMC_CHOICE;

static inline BOOLEAN SmcOther(_In_ SMC_CHOICE Choice)
{
    return (SMC_OTHER_CHOICES & (ULONG)Choice) != 0;
}
