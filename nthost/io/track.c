// SPDX-License-Identifier: MIT
#include "nthost/io/track.h"

static LIST_ENTRY IopTracks = {&IopTracks, &IopTracks};
static KSPIN_LOCK IopTracksLock;

enum { IOP_RETIRED = 32 };
static PVOID volatile IopRetired[IOP_RETIRED]; // with a reference each
static volatile LONG IopRetiredCount;

IOP_TRACK *IopCreateTrack(PIRP Irp)
{
    IOP_TRACK *track = IopAllocateZeroed(FIELD_OFFSET(IOP_TRACK, Levels) +
                                         ((SIZE_T)Irp->StackCount + 1) * sizeof(IOP_LEVEL));
    if (track != NULL) {
        track->References = 1;
        track->Irp = Irp;
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

static VOID IopDropRetired(PVOID Track)
{
    if (Track != NULL) {
        IopDereferenceTrack(Track);
    }
}

VOID IopForgetTracks(VOID)
{
    for (ULONG i = 0; i < IOP_RETIRED; i++) {
        IopDropRetired(InterlockedExchangePointer(&IopRetired[i], NULL));
    }
}

VOID IopRetireTrack(IOP_TRACK *Track)
{
    KIRQL irql;
    KeAcquireSpinLock(&IopTracksLock, &irql);
    RemoveEntryList(&Track->ListEntry);
    KeReleaseSpinLock(&IopTracksLock, irql);
    ULONG slot = (ULONG)InterlockedIncrement(&IopRetiredCount) % IOP_RETIRED;
    IopDropRetired(InterlockedExchangePointer(&IopRetired[slot], Track));
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
        VfTell("  irp: location %d %02x/%02x %s %s, status %08x\n", event->Location, event->Major,
               event->Minor, kinds[event->Kind], VfDriverName(event->Driver), event->Status);
    }
}

VOID IopPrintHistoryOf(PIRP Irp)
{
    const IOP_TRACK *track = IopTrackOf(Irp);
    ULONG newest = (ULONG)IopRetiredCount;
    // A track that is taken is not given back: the report ends the process.
    for (ULONG i = 0; i < IOP_RETIRED && track == NULL; i++) {
        const IOP_TRACK *retired = InterlockedExchangePointer(&IopRetired[(newest - i) % IOP_RETIRED], NULL);
        track = retired != NULL && retired->Irp == Irp ? retired : NULL;
    }
    IopPrintHistory(track);
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
