// SPDX-License-Identifier: MIT
// The interrupt pipe: one transfer always pending, CCID 1.1 6.3.
#pragma once
#include "reader/usb.h"

#define INTERRUPT_BUFFER 1024 // the largest packet of an interrupt endpoint, USB 2.0 5.7.3

typedef struct _INTERRUPT {
    KSPIN_LOCK Lock; // Stopping, and the right to prepare the IRP
    BOOLEAN Stopping;
    BOOLEAN Lost;           // given up: card events are polled
    volatile LONG Arrivals; // submitter and completion routine; the second one goes on
    ULONG Failures;         // in a row
    KEVENT Idle;            // set: no transfer pending and none will be until InterruptStart
    PIRP Irp;               // NULL: no interrupt pipe
    struct _URB_BULK_OR_INTERRUPT_TRANSFER Urb;
    UCHAR Buffer[INTERRUPT_BUFFER];
} INTERRUPT, *PINTERRUPT;

VOID InterruptInitialize(_Out_ PINTERRUPT Interrupt);
// A reader without the pipe is no failure, but Lost.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS InterruptOpen(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID InterruptClose(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID InterruptStart(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID InterruptStop(_Inout_ PREADER Reader);
// After a failed transfer: clears the pipe and goes on, or gives it up after too many failures in a row.
_IRQL_requires_(PASSIVE_LEVEL)
VOID InterruptRecover(_Inout_ PREADER Reader);
