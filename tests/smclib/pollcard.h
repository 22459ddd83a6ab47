// SPDX-License-Identifier: MIT
// The card in pollreader.c's imitated reader: T=0, T=1 with one waiting time extension per command, raw
// bytes.
#pragma once
#include <ntddk.h>

#define POLL_MOVE_CARD 0x00312000 // vendor code; in: a byte, 1 puts a card in

typedef struct _POLL_CARD {
    UCHAR Number; // of its next I-block
} POLL_CARD, *PPOLL_CARD;

ULONG PollCardReset(_Out_ PPOLL_CARD Card, _Out_ PUCHAR Atr);

// Every command is answered by its own INS and 90 00, raw bytes by themselves.
ULONG PollCardExchange(_Inout_ PPOLL_CARD Card, _In_ ULONG Protocol,
                       _In_reads_bytes_(Length) const UCHAR *Command, _In_ ULONG Length, _Out_ PUCHAR Answer);
