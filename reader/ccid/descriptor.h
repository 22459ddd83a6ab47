// SPDX-License-Identifier: MIT
// The class descriptor and where it hides in a configuration descriptor; CCID 1.1 chapter 5, USB 2.0
// chapter 9.
#pragma once
#include <ntddk.h>
#include "reader/ccid/ccid.h"

typedef struct _CCID_CLASS {
    USHORT Version; // BCD, unchecked: 10.01 is in the field
    UCHAR MaxSlotIndex;
    UCHAR VoltageSupport;
    ULONG Protocols;    // CCID_PROTOCOL_*
    ULONG DefaultClock; // kHz
    ULONG MaximumClock; // kHz
    UCHAR ClockCount;   // entries of GET_CLOCK_FREQUENCIES, 0: none promised
    ULONG DefaultRate;  // bit/s
    ULONG MaximumRate;  // bit/s
    UCHAR RateCount;    // entries of GET_DATA_RATES
    ULONG MaxIfsd;
    ULONG Mechanical;
    ULONG Features;
    ULONG MaxMessageLength; // header included, as the reader states it
    UCHAR ClassGetResponse;
    UCHAR ClassEnvelope;
    USHORT LcdLayout;
    UCHAR PinSupport;
    UCHAR MaxBusySlots;
} CCID_CLASS, *PCCID_CLASS;

typedef enum _CCID_TRANSPORT {
    CcidBulk,
    CcidTokenA, // ICCD: control requests, T=0 bytes
    CcidTokenB, // ICCD: control requests, blocks
} CCID_TRANSPORT;

// Endpoint addresses 0 stand for an absent endpoint.
typedef struct _CCID_INTERFACE {
    UCHAR Number;
    UCHAR AlternateSetting;
    UCHAR Class;
    UCHAR Protocol; // 0 CCID, 1 ICCD version A, 2 ICCD version B
    CCID_TRANSPORT Transport;
    UCHAR BulkIn;
    UCHAR BulkOut;
    UCHAR Interrupt;
    USHORT BulkInPacket;
    ULONG Offset; // of the interface descriptor within the configuration
    CCID_CLASS Descriptor;
} CCID_INTERFACE, *PCCID_INTERFACE;

// Length: bytes at Bytes, at least CCID_CLASS_LENGTH. FALSE: not a class descriptor.
_Must_inspect_result_
BOOLEAN CcidClassDecode(_In_ const UCHAR *Bytes, _In_ ULONG Length, _Out_ PCCID_CLASS Class);

// Walks a whole configuration descriptor of Length received bytes and takes the first usable reader
// interface. STATUS_DEVICE_CONFIGURATION_ERROR: lengths that overlap or lead outside, however harmless.
// STATUS_NO_MATCH: well formed, but no CCID or ICCD interface in it.
_Must_inspect_result_
NTSTATUS CcidInterfaceFind(_In_ const UCHAR *Configuration, _In_ ULONG Length,
                           _Out_ PCCID_INTERFACE Interface);
