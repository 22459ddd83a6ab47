// SPDX-License-Identifier: MIT
// The reader hardware as minimal.c needs it. Replace hardware.c by what talks to yours.
#pragma once

typedef VOID HARDWARE_CARD_EVENT(_In_ PVOID Context, _In_ BOOLEAN Present);

// Called at DISPATCH_LEVEL or below whenever a card comes or goes.
VOID HardwareStart(_In_ HARDWARE_CARD_EVENT *Event, _In_ PVOID Context);
VOID HardwareStop(void);
BOOLEAN HardwareCardPresent(void);

// Powers the card up, or resets it; the ATR has room for 33 bytes.
NTSTATUS HardwareReset(_In_ BOOLEAN Warm, _Out_writes_(33) PUCHAR Atr, _Out_ PULONG Length);
VOID HardwarePowerOff(void);

// Sends a PPS for this protocol and these indices of F and D when Pps is set, then uses them.
NTSTATUS HardwareSetProtocol(_In_ ULONG Protocol, _In_ UCHAR Fl, _In_ UCHAR Dl, _In_ BOOLEAN Pps);

// One T=0 command or T=1 block out, the card's answer back; a silent card: STATUS_IO_TIMEOUT.
NTSTATUS HardwareExchange(_In_reads_(Length) const UCHAR *Command, _In_ ULONG Length,
                          _In_ ULONG WaitMicroseconds, _Out_writes_to_(Capacity, *Answered) PUCHAR Answer,
                          _In_ ULONG Capacity, _Out_ PULONG Answered);

// The imitation in hardware.c only: puts a card in or takes it out.
VOID HardwareMoveCard(_In_ BOOLEAN Present);
