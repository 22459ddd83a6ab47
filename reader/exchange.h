// SPDX-License-Identifier: MIT
// How APDUs reach the card: one table per exchange level, chosen from dwFeatures (CCID 1.1 5.1).
#pragma once
#include "reader/slot.h"

typedef struct _EXCHANGE {
    SLOT_WORK *TransmitT0;
    SLOT_WORK *TransmitT1;
    ULONG PpsAnswer; // wLevelParameter of a PPS: bytes wanted back, 0 where the reader knows by itself
    BOOLEAN Pps;     // the host can send one
} EXCHANGE;

extern const EXCHANGE ExchangeApdu;
extern const EXCHANGE ExchangeTpdu;
extern const EXCHANGE ExchangeCharacter;

const EXCHANGE *ExchangeSelect(_In_ const CCID_INTERFACE *Interface);

// RDF_TRANSMIT
NTSTATUS NTAPI ExchangeTransmit(_Inout_ PSMARTCARD_EXTENSION Smartcard);
// PPS by the host. *FiDi: wanted in, agreed out. Readers at APDU level cannot, and keep the default.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ExchangePps(_Inout_ PSLOT Slot, _In_ ULONG Protocol, _Inout_ PUCHAR FiDi);

// One XfrBlock. Command->Specific, Data, Reply and sizes are the caller's; type, origin and time-out are set
// here. Multiplier: of the block waiting time, 0 for none.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ExchangeBlock(_Inout_ PSLOT Slot, _Inout_ PCOMMAND Command, _In_ USHORT Level,
                       _In_ UCHAR Multiplier);
// How many trailing bytes of a T=0 command in the request buffer are the Le of a case 4 command.
ULONG ExchangeTrailingLe(_In_ const SMARTCARD_EXTENSION *Smartcard);
