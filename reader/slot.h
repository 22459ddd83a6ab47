// SPDX-License-Identifier: MIT
// One slot: what the class library calls a reader.
#pragma once
#include "reader/reader.h"
#include <smclib.h>

typedef struct _READER_EXTENSION {
    SMARTCARD_EXTENSION Smartcard;
    PREADER Reader;
    UCHAR Index;
    volatile LONG Opened;
    UNICODE_STRING Interface; // Buffer NULL: none
    UNICODE_STRING Link;      // \DosDevices\SCReaderN
    BOOLEAN InterfaceEnabled;
    KEVENT Cancel;          // set: nobody waits for the running request any more
    KEVENT Departed;        // set: the card has left since it began
    KEVENT Idle;            // set: no request is between RequestWait and its end
    BOOLEAN Announced;      // the notification that follows enumeration has been seen; under SpinLock
    BOOLEAN Vacant;         // power on has told so, whatever the reader says; under SpinLock
    BOOLEAN PresentAtSleep; // before the reader was halted
} SLOT;

static inline PSLOT SlotOfExtension(_In_ PSMARTCARD_EXTENSION Smartcard)
{
    return Smartcard->ReaderExtension;
}

static inline BOOLEAN SlotCancelled(_In_ PSLOT Slot)
{
    return KeReadStateEvent(&Slot->Cancel) != 0;
}

// slot.c
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS SlotCreate(_Inout_ PREADER Reader, _In_ UCHAR Index);
// Waits for the requests inside; all transfers must have been ended.
_IRQL_requires_(PASSIVE_LEVEL)
VOID SlotDestroy(_Inout_ PSLOT Slot);
_IRQL_requires_(PASSIVE_LEVEL)
VOID SlotDescribe(_Inout_ PSLOT Slot); // attributes, once the reader is known
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS SlotInterfaceEnable(_Inout_ PSLOT Slot, _In_ BOOLEAN Enable);

// slot_request.c: frames the work of a library callback that talks to the reader. Waits while the reader
// sleeps; the request can be cancelled meanwhile. NeedsCard: a failure without a card becomes
// STATUS_NO_MEDIA.
typedef NTSTATUS SLOT_WORK(_Inout_ PSLOT Slot);
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS SlotServe(_Inout_ PSLOT Slot, _In_ SLOT_WORK *Work, _In_ BOOLEAN NeedsCard);
// Cancels the running request, if there is one.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SlotCancel(_Inout_ PSLOT Slot);

// slot_state.c: the card's state, under the library's spin lock.
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG SlotState(_In_ PSLOT Slot);
// Changes the state unless the card has left meanwhile.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SlotStateSet(_Inout_ PSLOT Slot, _In_ ULONG State);
// What a reply says of the card, CCID_ICC_*; a changed presence completes tracking.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SlotObserve(_Inout_ PSLOT Slot, _In_ UCHAR IccStatus);
// No card answers where the reader says there is one: it is believed to be absent until the reader tells of
// a new one, or until SlotOccupy.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SlotVacate(_Inout_ PSLOT Slot);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SlotOccupy(_Inout_ PSLOT Slot);
// What an interrupt message says. TRUE: only the reader knows more, see SlotVerify.
_Must_inspect_result_
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN SlotNotify(_Inout_ PSLOT Slot, _In_ BOOLEAN Present);
// Reads the slot's status from the reader.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS SlotQuery(_Inout_ PSLOT Slot);
// A card was announced where a powered one should be: without power it is another one.
_IRQL_requires_(PASSIVE_LEVEL)
VOID SlotVerify(_Inout_ PSLOT Slot);
// After sleep. Swappable: nobody would have noticed another card, so one before and after is an event.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SlotWake(_Inout_ PSLOT Slot, _In_ BOOLEAN Swappable);
// The reader has gone.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SlotLose(_Inout_ PSLOT Slot);

// slot_tracking.c
NTSTATUS NTAPI SlotCardTracking(_Inout_ PSMARTCARD_EXTENSION Smartcard);
// Takes the waiting request; the caller holds the library's spin lock. NULL: none waits.
_IRQL_requires_(DISPATCH_LEVEL)
PIRP SlotTrackingTake(_Inout_ PSLOT Slot);
// The same if it waits for the card to go: a library may let that wait until the state is known.
_IRQL_requires_(DISPATCH_LEVEL)
PIRP SlotTrackingAbsent(_Inout_ PSLOT Slot);
// Completes what was taken; NULL is allowed. No lock is held.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SlotTrackingFinish(_Inout_opt_ PIRP Irp, _In_ NTSTATUS Status);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID SlotTrackingCancel(_Inout_ PSLOT Slot);

// slot_power.c
NTSTATUS NTAPI SlotCardPower(_Inout_ PSMARTCARD_EXTENSION Smartcard);
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS SlotReset(_Inout_ PSLOT Slot, _In_ BOOLEAN Cold);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS SlotPowerOff(_Inout_ PSLOT Slot, _In_ COMMAND_ORIGIN Origin);

// slot_protocol.c
NTSTATUS NTAPI SlotSetProtocol(_Inout_ PSMARTCARD_EXTENSION Smartcard);
// Tells the reader what the card uses; Protocol is SCARD_PROTOCOL_T0 or _T1.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS SlotParametersSet(_Inout_ PSLOT Slot, _In_ ULONG Protocol, _In_ UCHAR FiDi);
// bit/s of a card at Clock kHz with FiDi; and whether the reader goes so fast.
ULONG SlotRate(_In_ PSLOT Slot, _In_ ULONG Clock, _In_ UCHAR FiDi);
ULONG SlotRateMost(_In_ PSLOT Slot); // what the reader can in this slot
BOOLEAN SlotRateReached(_In_ PSLOT Slot, _In_ ULONG Rate);

// slot_pin.c: the features of PC/SC part 10. STATUS_NOT_SUPPORTED: none of them, or not this reader's.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS SlotPinControl(_Inout_ PSLOT Slot);

// slot_vendor.c
NTSTATUS NTAPI SlotVendorControl(_Inout_ PSMARTCARD_EXTENSION Smartcard);

// unit.c: numbers that distinguish readers of one name
_Must_inspect_result_
NTSTATUS UnitAllocate(_Out_ PULONG Unit);
VOID UnitFree(_In_ ULONG Unit);
