// SPDX-License-Identifier: MIT
// What the two halves of the driver share.
#pragma once
#include <ntddk.h>
#define DRIVER_NAME "MINIMAL"
#include <smclib.h>

#define IOCTL_MINIMAL_MOVE_CARD SCARD_CTL_CODE(2048) // in: ULONG, 1 puts the imitated card in

// One pointer serves dispatch routines and callbacks: the extension of smclib lies at its head.
typedef struct _READER_EXTENSION {
    SMARTCARD_EXTENSION Smartcard;
    PDEVICE_OBJECT Lower;
    UNICODE_STRING Interface;
    BOOLEAN Started;
} READER_EXTENSION;

NTSTATUS Complete(_In_ PIRP Irp, _In_ NTSTATUS Status);

// callbacks.c
VOID CallbacksInstall(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension);
VOID SetState(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension, _In_ ULONG State);
VOID TrackingEnd(_Inout_ PSMARTCARD_EXTENSION SmartcardExtension, _In_ NTSTATUS Status);
VOID CardMoved(_In_ PVOID Context, _In_ BOOLEAN Present); // whenever the hardware says so
