// SPDX-License-Identifier: MIT
// The reader device: one USB interface, its device object, and up to READER_SLOTS_MAX slots behind it.
#pragma once
#include "reader/channel.h"
#include "reader/idle.h"
#include "reader/interrupt.h"
#include "reader/monitor.h"
#include "reader/power.h"
#include "reader/quirks.h"
#include "reader/report.h"
#include "reader/usb.h"

#define READER_TAG 'dRcL'

typedef struct _READER_EXTENSION *PSLOT; // slot.h

typedef enum _READER_STATE {
    ReaderNotStarted,
    ReaderStarted,
    ReaderStopPending,
    ReaderStopped,
    ReaderRemovePending,
    ReaderSurpriseRemoved,
    ReaderRemoved
} READER_STATE;

typedef struct _READER {
    PDEVICE_OBJECT DeviceObject;
    PDEVICE_OBJECT Physical;
    PDEVICE_OBJECT Lower;
    IO_REMOVE_LOCK RemoveLock;
    volatile LONG State;        // READER_STATE; written by the PnP manager's thread alone
    READER_STATE PreviousState; // before a query to remove
    BOOLEAN EscapeEnabled;
    ULONG QuirksDisabled; // bit n: kind n
    QUIRKS Quirks;
    KEVENT Running; // set: requests may reach the card; set for good when the device is gone, to wake the
                    // waiting
    KEVENT Halt;    // set: every transfer of a request ends now
    KEVENT Turn;    // synchronization: PnP and power start, wake, quiesce and release one after the other
    USB_FUNCTION Usb;
    CHANNEL Channel;
    INTERRUPT Interrupt;
    MONITOR Monitor;
    POWER Power;
    IDLE Idle;
    REPORTS Reports;
    const struct _EXCHANGE *Exchange; // how APDUs travel, from dwFeatures
    ULONG SlotCount;
    PSLOT Slots[READER_SLOTS_MAX];
} READER, *PREADER;

static inline PREADER ReaderOfDevice(_In_ PDEVICE_OBJECT DeviceObject)
{
    return DeviceObject->DeviceExtension;
}

static inline READER_STATE ReaderState(_Inout_ PREADER Reader)
{
    return (READER_STATE)InterlockedCompareExchange(&Reader->State, 0, 0);
}

static inline VOID ReaderStateSet(_Inout_ PREADER Reader, _In_ READER_STATE State)
{
    InterlockedExchange(&Reader->State, State);
}

static inline BOOLEAN ReaderGone(_Inout_ PREADER Reader)
{
    READER_STATE state = ReaderState(Reader);

    return state == ReaderSurpriseRemoved || state == ReaderRemoved;
}

// Between a successful start and STOP_DEVICE or REMOVE_DEVICE.
static inline BOOLEAN ReaderOpened(_In_ const READER *Reader)
{
    return Reader->Channel.InBuffer != NULL;
}

_IRQL_requires_max_(APC_LEVEL)
static inline VOID ReaderTurnTake(_Inout_ PREADER Reader)
{
    KeWaitForSingleObject(&Reader->Turn, Executive, KernelMode, FALSE, NULL);
}

static inline VOID ReaderTurnGive(_Inout_ PREADER Reader)
{
    KeSetEvent(&Reader->Turn, IO_NO_INCREMENT, FALSE);
}

// start.c; all four with the turn.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ReaderStart(_Inout_ PREADER Reader);
// Ends every transfer and request; slots keep what they know. Safe in any state, waits for no card.
_IRQL_requires_(PASSIVE_LEVEL)
VOID ReaderQuiesce(_Inout_ PREADER Reader);
// Reads the slots anew and lets requests through again.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ReaderResume(_Inout_ PREADER Reader);
// Back to what AddDevice left, apart from the slots.
_IRQL_requires_(PASSIVE_LEVEL)
VOID ReaderRelease(_Inout_ PREADER Reader);
