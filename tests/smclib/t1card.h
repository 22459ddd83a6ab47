// SPDX-License-Identifier: MIT
// A T=1 card in a few lines, written apart from the library: answers the bytes of the command, each XOR 5A,
// as many as its first two bytes say.
#pragma once
#include <ntddk.h>

#define T1_CARD_IFSC 32

VOID T1CardReset(_In_ BOOLEAN Crc, _In_ ULONG Seed);

// One block in, one block out; 0: the card stays silent. Noise is the chance of 1000 that a block is lost or
// has one bit flipped, in each direction.
ULONG T1CardExchange(_In_reads_bytes_(Length) const UCHAR *Block, _In_ ULONG Length, _In_ ULONG Noise,
                     _Out_ PUCHAR Answer);

ULONG T1CardRandom(_In_ ULONG Limit);
UCHAR T1CardByte(_In_ UCHAR CommandByte);
