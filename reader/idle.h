// SPDX-License-Identifier: MIT
// Selective suspend: a reader nobody needs sleeps while the system works. The hub is offered the idleness by
// a request that pends; when it agrees it calls back, and the reader goes to D2 until a request or a card
// comes.
#pragma once
#include <ntddk.h>
#include "reader/usb.h"

typedef struct _READER *PREADER;

typedef enum _IDLE_STATE {
    IdleAwake,
    IdleOffered,   // the request pends
    IdleWithdrawn, // and has been cancelled
    IdleEntering,  // the hub has agreed, D2 is on its way
    IdleAsleep,
    IdleLeaving, // D0 is on its way
} IDLE_STATE;

typedef struct _IDLE {
    KSPIN_LOCK Lock; // everything up to Period, and the reader's Running
    IDLE_STATE State;
    BOOLEAN Stopped;      // by PnP
    BOOLEAN SystemAsleep; // the system's turn
    BOOLEAN SystemSlept;  // since the reader was last awake
    BOOLEAN Wanted;       // a request has come while the reader fell asleep
    BOOLEAN Known;        // the reader works and so much is known of its slots that requests may pass
    BOOLEAN WakeRefused;  // by the bus
    BOOLEAN WakeCancelling;
    BOOLEAN WakeCompleted; // while it was being cancelled
    BOOLEAN Revive;        // the reader did not wake up, and is wanted
    BOOLEAN Queued;        // the work item
    BOOLEAN Again;         // it has something to do
    ULONG Users;           // requests inside
    PIRP WakeIrp;          // NULL: no wait/wake request pends
    ULONG Period;          // ms without requests, 0: never
    PIRP Irp;              // the offer; NULL until the reader may sleep for the first time
    USB_IDLE_CALLBACK_INFO Info;
    KEVENT OfferOver;    // set: Irp is idle
    KEVENT CallbackOver; // set: the hub's call is not inside
    KEVENT WorkOver;     // set: the work item is neither queued nor running
    KEVENT Awake;        // set: neither Entering nor Asleep nor Leaving
    KTIMER Timer;
    KDPC Dpc;
    PIO_WORKITEM Item;
} IDLE, *PIDLE;

_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS IdleCreate(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID IdleDestroy(_Inout_ PREADER Reader);

// PnP, without the turn. Stopped, the reader is in D0 or gone.
_IRQL_requires_(PASSIVE_LEVEL)
VOID IdleStart(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID IdleStop(_Inout_ PREADER Reader);
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN IdleStopped(_Inout_ PREADER Reader);

// Around whatever needs the reader; afterwards Reader->Running tells when it is awake.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID IdleBusy(_Inout_ PREADER Reader);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID IdleRest(_Inout_ PREADER Reader);
// A slot has been opened: waits until its state is known, which a sleeping reader that cannot wake does not
// tell.
_IRQL_requires_(PASSIVE_LEVEL)
VOID IdleOpened(_Inout_ PREADER Reader);

// Power. The system goes to sleep or has come back.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID IdleSystem(_Inout_ PREADER Reader, _In_ BOOLEAN Asleep);
// The device is about to leave D0, or has reached it, or could not: then what waits for it goes on.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID IdleDown(_Inout_ PREADER Reader);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID IdleUp(_Inout_ PREADER Reader, _In_ BOOLEAN Reached);
// The reader's transfers end; it works again, once whoever has found that calls IdleUp or IdleStart; a query
// makes requests wait, while the reader is in ReaderStopPending.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID IdleHalt(_Inout_ PREADER Reader);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID IdleKnow(_Inout_ PREADER Reader);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID IdleHold(_Inout_ PREADER Reader);
// TRUE: no card can have moved since the reader fell asleep.
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN IdleWatched(_Inout_ PREADER Reader);
// The reader must wake up: the work item sees to it.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID IdleWake(_Inout_ PREADER Reader);

// The caller holds the lock.
BOOLEAN IdleUnused(_In_ const IDLE *Idle);
BOOLEAN IdleWithdraw(_Inout_ PIDLE Idle); // TRUE: the offer must be cancelled once the lock is released
VOID IdleRun(_Inout_ PREADER Reader);     // lets requests go on, if they may
VOID IdleTimerArm(_Inout_ PIDLE Idle);
VOID IdleTimerSet(_Inout_ PIDLE Idle, _In_ ULONG Milliseconds);

// idle_offer.c
VOID IdleOfferInitialize(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID IdleWorkRun(_Inout_ PREADER Reader, _In_ IDLE_STATE State, _In_ BOOLEAN Revive);

// wake.c: the wait/wake request.
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN WakePossible(_In_ PREADER Reader);
// From the hub's call; it stays armed when the reader does not sleep after all.
_IRQL_requires_(PASSIVE_LEVEL)
VOID WakeArm(_Inout_ PREADER Reader);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WakeDisarm(_Inout_ PREADER Reader);
// Passes it on; the reader's remove lock is released when it ends.
NTSTATUS WakeDispatch(_Inout_ PREADER Reader, _Inout_ PIRP Irp);
