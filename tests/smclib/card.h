// SPDX-License-Identifier: MIT
// An extension with a card in it, for the tests of the routines that work on one.
#pragma once
#include <ntddk.h>
#include "include/smclib.h"
#include "tests/support/wdmtest.h"
#include "tests/smclib/kernel.h"

#define TEST_BUFFER (70 * 1024)

extern PSMARTCARD_EXTENSION Ext; // initialised, reader R1 of the reference, card present
extern UCHAR User[TEST_BUFFER];  // the system buffer of a request: input and output are the same memory
extern ULONG Information;

VOID CardSetup(void);
VOID CardTeardown(void);

VOID ReaderR1(void); // 4000 kHz, 10752 to 344086 bit/s, no list
VOID ReaderR2(void); // 3571 kHz, 9600 to 115200 bit/s, list

// Stores an ATR as a driver does and has it parsed.
NTSTATUS CardAtr(_In_ const char *Hex);

// Hex text to bytes; returns how many.
ULONG HexBytes(_In_ const char *Hex, _Out_ PUCHAR Bytes);

// A transmit request: PCI header with Protocol, then the command; Reply is the client's output length.
VOID RequestBegin(_In_ ULONG Protocol, _In_ const char *Command, _In_ ULONG Reply);
VOID RequestBeginBytes(_In_ ULONG Protocol, _In_reads_bytes_(Length) const UCHAR *Command, _In_ ULONG Length,
                       _In_ ULONG Reply);

// What the reader received from the card.
VOID ReplyBytes(_In_ const char *Hex);

// The request buffer from byte Header on is exactly these bytes.
VOID CheckRequest(_In_ ULONG Header, _In_ const char *Hex);

// The user's buffer is { protocol, 8 } and these bytes, and Information counts them.
VOID CheckUser(_In_ const char *Hex);
