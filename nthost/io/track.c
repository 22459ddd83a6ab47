// SPDX-License-Identifier: MIT
#include "nthost/io/track.h"

static LIST_ENTRY IopTracks = {&IopTracks, &IopTracks};
static KSPIN_LOCK IopTracksLock;

IOP_TRACK *IopCreateTrack(PIRP Irp)
{
    IOP_TRACK *track = IopAllocateZeroed(FIELD_OFFSET(IOP_TRACK, Levels) +
                                         ((SIZE_T)Irp->StackCount + 1) * sizeof(IOP_LEVEL));
    if (track != NULL) {
        track->References = 1;
        ExInterlockedInsertTailList(&IopTracks, &track->ListEntry, &IopTracksLock);
    }
    return track;
}

VOID IopReferenceTrack(IOP_TRACK *Track)
{
    InterlockedIncrement(&Track->References);
}

VOID IopDereferenceTrack(IOP_TRACK *Track)
{
    if (InterlockedDecrement(&Track->References) == 0) {
        os_free(Track);
    }
}

VOID IopRetireTrack(IOP_TRACK *Track)
{
    KIRQL irql;
    KeAcquireSpinLock(&IopTracksLock, &irql);
    RemoveEntryList(&Track->ListEntry);
    KeReleaseSpinLock(&IopTracksLock, irql);
    IopDereferenceTrack(Track);
}

VOID IopRestartTrack(IOP_TRACK *Track)
{
    Track->InFlight = FALSE;
    Track->EventCount = 0;
}

VOID IopNoteEvent(IOP_TRACK *Track, const IOP_EVENT *Event)
{
    KIRQL irql;
    KeAcquireSpinLock(&Track->Lock, &irql);
    Track->Events[Track->EventCount++ % IOP_EVENTS] = *Event;
    KeReleaseSpinLock(&Track->Lock, irql);
}

VOID IopPrintHistory(const IOP_TRACK *Track)
{
    static const PCSTR kinds[] = {"sent to", "returned from", "completed by", "routine of"};
    if (Track == NULL) {
        return;
    }
    ULONG first = Track->EventCount > IOP_EVENTS ? Track->EventCount - IOP_EVENTS : 0;
    for (ULONG i = first; i < Track->EventCount; i++) {
        const IOP_EVENT *event = &Track->Events[i % IOP_EVENTS];
        DbgPrint("  irp: location %d %02x/%02x %s %s, status %08x\n", event->Location, event->Major,
                 event->Minor, kinds[event->Kind], VfDriverName(event->Driver), event->Status);
    }
}

VOID IopReportIrpLeaks(VF_DRIVER Driver)
{
    KIRQL irql;
    IOP_TRACK *leak = NULL;
    KeAcquireSpinLock(&IopTracksLock, &irql);
    for (PLIST_ENTRY entry = IopTracks.Flink; leak == NULL && entry != &IopTracks; entry = entry->Flink) {
        IOP_TRACK *track = CONTAINING_RECORD(entry, IOP_TRACK, ListEntry);
        leak = track->Owner == Driver ? track : NULL;
    }
    KeReleaseSpinLock(&IopTracksLock, irql);
    if (leak != NULL) {
        IopPrintHistory(leak);
        VfBreak(VfRuleIrpLeak, 0, 0, 0, "%s did not free an IRP of IoAllocateIrp before unload",
                VfDriverName(Driver));
    }
}
