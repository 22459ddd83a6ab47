// SPDX-License-Identifier: MIT
// The verifier's view of one IRP: where it went, what each driver returned, what each left in it. It is kept
// apart from the IRP because a driver may free the IRP while the dispatch calls that carried it have not
// returned yet.
#pragma once
#include "nthost/io/io.h"

typedef enum { IOP_EVENT_CALL, IOP_EVENT_RETURN, IOP_EVENT_COMPLETE, IOP_EVENT_ROUTINE } IOP_EVENT_KIND;

typedef struct _IOP_EVENT {
    IOP_EVENT_KIND Kind;
    CHAR Location;
    UCHAR Major, Minor;
    NTSTATUS Status;
    VF_DRIVER Driver;
} IOP_EVENT;

// One stack location, since IoCallDriver last entered it anew.
typedef struct _IOP_LEVEL {
    ULONG Pass; // distinguishes a re-send from the call that is still returning
    BOOLEAN HasReturned, HasCompleted, Marked;
    NTSTATUS Returned, Completed;
} IOP_LEVEL;

enum { IOP_EVENTS = 16 };

struct _IOP_TRACK {
    LIST_ENTRY ListEntry; // the live ones
    PIRP Irp;             // for who asks about an IRP that is gone
    volatile LONG References;
    KSPIN_LOCK Lock;
    VF_DRIVER Owner;      // 0: the I/O manager
    BOOLEAN InFlight;     // between the maker's IoCallDriver and the walk's return to the maker
    BOOLEAN PoCall;       // the next call comes through PoCallDriver
    CHAR Base;            // CurrentLocation at the maker's IoCallDriver
    CHAR Lowest;          // deepest location since
    LONG Entries;         // dispatch calls since
    LONG StartNextCalls;  // PoStartNextPowerIrp calls since
    NTSTATUS EntryStatus; // IoStatus.Status when the last driver was entered
    PDEVICE_OBJECT EntryDevice;
    UCHAR Major, Minor; // as sent
    ULONG EventCount;
    IOP_EVENT Events[IOP_EVENTS]; // the last ones, a ring
    IOP_LEVEL Levels[];           // [1..StackCount]
};

IOP_TRACK *IopCreateTrack(PIRP Irp);
VOID IopRetireTrack(IOP_TRACK *Track);
VOID IopRestartTrack(IOP_TRACK *Track);
VOID IopReferenceTrack(IOP_TRACK *Track);
VOID IopDereferenceTrack(IOP_TRACK *Track);
VOID IopNoteEvent(IOP_TRACK *Track, const IOP_EVENT *Event);
VOID IopPrintHistory(const IOP_TRACK *Track); // into the report
VOID IopPrintHistoryOf(PIRP Irp);             // also of one that was completed or freed lately
VOID IopForgetTracks(VOID);

static inline IOP_TRACK *IopTrackOf(PIRP Irp)
{
    IOP_IRP *irp = IopIrp(Irp);
    return irp != NULL ? irp->Track : NULL;
}

// Breaks an IRP rule; the IRP's history goes into the report first.
#define IOP_BREAK(rule, irp, p4, ...)                                                                        \
    do {                                                                                                     \
        IopPrintHistoryOf(irp);                                                                              \
        VfBreak(rule, (ULONG_PTR)__builtin_return_address(0), (ULONG_PTR)(irp), (ULONG_PTR)(p4),             \
                __VA_ARGS__);                                                                                \
    } while (0)

NTSTATUS IopCall(PDEVICE_OBJECT Device, PIRP Irp); // without checks
NTSTATUS IopVerifiedCall(PDEVICE_OBJECT Device, PIRP Irp);
VOID IopCheckCompletion(PIRP Irp); // on entry of IoCompleteRequest, verifier on
VOID IopTrackLeave(PIRP Irp, const IO_STACK_LOCATION *Location);
NTSTATUS IopCallRoutine(PIO_COMPLETION_ROUTINE Routine, PDEVICE_OBJECT Device, PIRP Irp, PVOID Context);

// PnP and power rules, sequence.c: on the way down before a driver is entered; at the driver that completes;
// at the top.
VOID IopCheckPass(IOP_TRACK *Track, PDEVICE_OBJECT Device, PIRP Irp, const IO_STACK_LOCATION *Next);
VOID IopCheckAnswer(const IOP_TRACK *Track, PIRP Irp);
VOID IopCheckPowerDone(const IOP_TRACK *Track, PIRP Irp);
