// SPDX-License-Identifier: MIT
// What the two halves of the polling reader share.
#pragma once
#include <ntddk.h>
#define DRIVER_NAME "POLLREADER"
#include "include/smclib.h"
#include "tests/smclib/pollcard.h"

#undef SMARTCARD_POOL_TAG // a driver's allocations carry its own tag
#define SMARTCARD_POOL_TAG 'lloP'

typedef struct _READER_EXTENSION {
    PDEVICE_OBJECT Lower;
    UNICODE_STRING Interface;
    PSMARTCARD_EXTENSION Smartcard;
    KTIMER Poll, Transfer;
    KDPC PollDpc, TransferDpc;
    POLL_CARD Card;
    BOOLEAN Present; // what the imitated switch says
    ULONG IdleInformation;
} READER_EXTENSION;

NTSTATUS Complete(_In_ PIRP Irp, _In_ NTSTATUS Status, _In_ ULONG_PTR Length);

// pollcallbacks.c
extern KDEFERRED_ROUTINE PollDpc;
extern KDEFERRED_ROUTINE TransferDpc;
VOID CallbacksInstall(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);
VOID TrackingEnd(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension, _In_ NTSTATUS Status);
VOID TransferEnd(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension, _In_ NTSTATUS Status);
NTSTATUS NTAPI CardPower(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);
