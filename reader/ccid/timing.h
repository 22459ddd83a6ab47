// SPDX-License-Identifier: MIT
// How long the host waits for an answer, from the card's own times. All results are milliseconds.
#pragma once
#include <ntddk.h>

#define CCID_WAIT_FLOOR   3000
#define CCID_WAIT_CEILING 120000

// All time a card may ask for within one command: ISO 7816-3 sets no end to it. The number matters where no
// time passes between two requests.
#define CCID_DURATION_MAX   600000
#define CCID_EXTENSIONS_MAX 8192

typedef struct _CCID_CARD_TIMES {
    ULONG Etu;       // microseconds
    ULONG Guard;     // microseconds, beyond 12 etu
    ULONG WorkWait;  // T=0 WT, microseconds
    ULONG BlockWait; // T=1 BWT, microseconds
    UCHAR Protocol;  // 0 or 1
} CCID_CARD_TIMES, *PCCID_CARD_TIMES;

// Multiplier: of a waiting time extension, 0 and 1 mean none.
ULONG CcidWaitBlock(_In_ const CCID_CARD_TIMES *Times, _In_ ULONG Multiplier);
ULONG CcidWaitExtend(_In_ ULONG Wait, _In_ ULONG Multiplier);
