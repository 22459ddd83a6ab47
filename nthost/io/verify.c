// SPDX-License-Identifier: MIT
// The verifier's eyes on every dispatch call, completion and completion routine.
#include "nthost/io/track.h"
#include "nthost/verifier/faults.h"

static VOID IopNote(IOP_TRACK *Track, IOP_EVENT_KIND Kind, PIRP Irp, PDEVICE_OBJECT Device, NTSTATUS Status)
{
    if (Track != NULL) {
        VF_DRIVER driver = Device != NULL ? IopDriver(Device->DriverObject)->Id : Track->Owner;
        IOP_EVENT event = {Kind, Irp->CurrentLocation, Track->Major, Track->Minor, Status, driver};
        IopNoteEvent(Track, &event);
    }
}

static VOID IopCheckCallable(PDEVICE_OBJECT Device, PIRP Irp)
{
    if (Irp->Type != IO_TYPE_IRP || Irp->CurrentLocation > Irp->StackCount + 1) {
        IOP_BREAK(VfRuleIrpCalledAfterCompletion, Irp, Device,
                  "IoCallDriver(%p): the IRP is complete or freed", Irp);
    }
    if (Device == NULL || Device->Type != IO_TYPE_DEVICE) {
        IOP_BREAK(VfRuleIrpBadDevice, Irp, Device, "IoCallDriver(%p): %p is no device object", Irp, Device);
    }
    if (Irp->CancelRoutine != NULL) {
        IOP_BREAK(VfRuleIrpForwardedCancelable, Irp, Irp->CancelRoutine,
                  "IoCallDriver(%p): its cancel routine is still set", Irp);
    }
}

static VOID IopCheckMajorIrql(PIRP Irp, UCHAR Major)
{
    KIRQL irql = KeGetCurrentIrql();
    BOOLEAN passive = Major == IRP_MJ_CREATE || Major == IRP_MJ_CLOSE || Major == IRP_MJ_CLEANUP ||
                      Major == IRP_MJ_PNP || Major == IRP_MJ_SYSTEM_CONTROL;
    if (passive && irql > PASSIVE_LEVEL) {
        IOP_BREAK(VfRuleIrpIrqlForMajor, Irp, irql, "an IRP of major function %02x is sent at IRQL %u", Major,
                  irql);
    }
}

static VOID IopBeginFlight(IOP_TRACK *Track, PIRP Irp, const IO_STACK_LOCATION *Next)
{
    Track->InFlight = TRUE;
    Track->Base = Irp->CurrentLocation;
    Track->Lowest = Irp->CurrentLocation;
    Track->Entries = 0;
    Track->StartNextCalls = 0;
    Track->EntryDevice = NULL;
    Track->Major = Next->MajorFunction;
    Track->Minor = Next->MinorFunction;
    BOOLEAN answered =
        Track->Major == IRP_MJ_PNP || Track->Major == IRP_MJ_POWER || Track->Major == IRP_MJ_SYSTEM_CONTROL;
    if (answered && Irp->IoStatus.Status != STATUS_NOT_SUPPORTED) {
        IOP_BREAK(VfRuleIrpWrongInitialStatus, Irp, Irp->IoStatus.Status,
                  "a PnP, power or WMI IRP starts with STATUS_NOT_SUPPORTED, not %08x", Irp->IoStatus.Status);
    }
}

// Returns the location's pass. A location entered again without having been left is one that was skipped.
static ULONG IopEnterLevel(IOP_TRACK *Track, PDEVICE_OBJECT Device, PIRP Irp)
{
    CHAR index = (CHAR)(Irp->CurrentLocation - 1);
    IOP_LEVEL *level = &Track->Levels[(int)index];
    if (level->Pass == 0 || level->HasCompleted) {
        *level = (IOP_LEVEL){.Pass = level->Pass + 1};
    }
    Track->Lowest = min(Track->Lowest, index);
    Track->Entries++;
    Track->EntryStatus = Irp->IoStatus.Status;
    Track->EntryDevice = Device;
    return level->Pass;
}

static VOID IopCompareLevel(const IOP_TRACK *Track, PIRP Irp, const IOP_LEVEL *Level, PDEVICE_OBJECT Device)
{
    PCSTR driver = Device != NULL ? IopDriverName(Device->DriverObject) : "?";
    BOOLEAN pending = Level->Returned == STATUS_PENDING;
    if (pending == Level->Marked && (pending || Level->Returned == Level->Completed)) {
        return;
    }
    IopPrintHistory(Track);
    if (pending) {
        VfBreak(VfRuleIrpPendingNotMarked, 0, (ULONG_PTR)Irp, 0,
                "%s returned STATUS_PENDING for an IRP that is not marked pending", driver);
    }
    if (Level->Marked) {
        VfBreak(VfRuleIrpMarkedNotPending, 0, (ULONG_PTR)Irp, Level->Returned,
                "%s returned %08x for an IRP that is marked pending", driver, Level->Returned);
    }
    VfBreak(VfRuleIrpReturnMismatch, 0, (ULONG_PTR)Irp, Level->Completed,
            "%s returned %08x for an IRP completed with %08x", driver, Level->Returned, Level->Completed);
}

static VOID IopLeaveLevel(IOP_TRACK *Track, PDEVICE_OBJECT Device, PIRP Irp, CHAR Index, ULONG Pass,
                          NTSTATUS Status)
{
    KIRQL irql;
    IOP_EVENT event = {IOP_EVENT_RETURN, Index,  Track->Major,
                       Track->Minor,     Status, IopDriver(Device->DriverObject)->Id};
    IopNoteEvent(Track, &event);
    KeAcquireSpinLock(&Track->Lock, &irql);
    IOP_LEVEL *level = &Track->Levels[(int)Index];
    BOOLEAN current = level->Pass == Pass;
    BOOLEAN lost = current && !level->HasCompleted && !level->Marked && Status != STATUS_PENDING;
    IOP_LEVEL seen = *level;
    seen.Returned = Status;
    if (current) {
        level->HasReturned = TRUE;
        level->Returned = Status;
    }
    KeReleaseSpinLock(&Track->Lock, irql);
    if (lost) {
        IopPrintHistory(Track);
        VfBreak(VfRuleIrpLost, 0, (ULONG_PTR)Irp, (ULONG_PTR)Status,
                "%s returned %08x and neither completed the IRP nor passed it on",
                IopDriverName(Device->DriverObject), Status);
    }
    if (current && seen.HasCompleted) {
        IopCompareLevel(Track, Irp, &seen, Device);
    }
}

NTSTATUS IopVerifiedCall(PDEVICE_OBJECT Device, PIRP Irp)
{
    IopCheckCallable(Device, Irp);
    IOP_TRACK *track = IopTrackOf(Irp);
    PDRIVER_OBJECT driver = Device->DriverObject;
    PVOID caller = KiCurrentThread()->Caller;
    VF_FRAME frame;
    CHAR index = (CHAR)(Irp->CurrentLocation - 1);
    ULONG pass = 0;
    if (track != NULL && index > 0) {
        PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(Irp);
        IopReferenceTrack(track);
        if (!track->InFlight) {
            IopCheckMajorIrql(Irp, next->MajorFunction);
            IopBeginFlight(track, Irp, next);
        }
        IopCheckPass(track, Device, Irp, next);
        pass = IopEnterLevel(track, Device, Irp);
        IopNote(track, IOP_EVENT_CALL, Irp, Device, Irp->IoStatus.Status);
    }
    PVOID routine =
        index > 0 ? (PVOID)driver->MajorFunction[IoGetNextIrpStackLocation(Irp)->MajorFunction] : NULL;
    NTSTATUS status;
    ObReferenceObject(Device); // the dispatch routine may delete it
    if (!VfFaultsTransfers() || !VfFaultTransfer(Device, Irp, caller, &status)) {
        IopEnterDriver(&frame, driver, routine);
        status = IopCall(Device, Irp);
        IopLeaveDriver(&frame, "dispatch routine");
    }
    if (pass != 0) {
        IopLeaveLevel(track, Device, Irp, index, pass, status);
        IopDereferenceTrack(track);
    }
    ObDereferenceObject(Device);
    return status;
}

// The IRP belongs to the driver of its current location, whoever sent it there.
static VOID IopCheckOwner(PIRP Irp)
{
    PDEVICE_OBJECT device = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
    VF_DRIVER current = VfCurrentDriver();
    if (device != NULL && current != 0 && current != IopDriver(device->DriverObject)->Id) {
        IOP_BREAK(VfRuleIrpCompletedBelow, Irp, device, "%s completes an IRP that %s has",
                  VfDriverName(current), IopDriverName(device->DriverObject));
    }
}

VOID IopCheckCompletion(PIRP Irp)
{
    NTSTATUS status = Irp->IoStatus.Status;
    IOP_TRACK *track = IopTrackOf(Irp);
    if (status == STATUS_PENDING || status == (NTSTATUS)-1) {
        IOP_BREAK(VfRuleIrpCompletedPending, Irp, status, "IoCompleteRequest(%p) with status %08x", Irp,
                  status);
    }
    if (track == NULL || !track->InFlight) {
        return;
    }
    IopNote(track, IOP_EVENT_COMPLETE, Irp, IoGetCurrentIrpStackLocation(Irp)->DeviceObject, status);
    IopCheckOwner(Irp);
    if (track->Lowest == Irp->CurrentLocation) {
        IopCheckAnswer(track, Irp);
    }
}

VOID IopTrackLeave(PIRP Irp, const IO_STACK_LOCATION *Location)
{
    IOP_TRACK *track = IopTrackOf(Irp);
    if (track == NULL || !track->InFlight) {
        return;
    }
    KIRQL irql;
    KeAcquireSpinLock(&track->Lock, &irql);
    IOP_LEVEL *level = &track->Levels[(int)Irp->CurrentLocation];
    level->HasCompleted = TRUE;
    level->Marked = (Location->Control & SL_PENDING_RETURNED) != 0;
    level->Completed = Irp->IoStatus.Status;
    IOP_LEVEL seen = *level;
    KeReleaseSpinLock(&track->Lock, irql);
    if (seen.HasReturned) {
        IopCompareLevel(track, Irp, &seen, Location->DeviceObject);
    }
    if (Irp->CurrentLocation + 1 == track->Base) {
        IopCheckPowerDone(track, Irp);
        track->InFlight = FALSE;
    }
}

// The routine belongs to the driver above the location just left; the maker's own has no device.
NTSTATUS IopCallRoutine(PIO_COMPLETION_ROUTINE Routine, PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    IOP_TRACK *track = IopTrackOf(Irp);
    VF_DRIVER owner = track != NULL ? track->Owner : VfCurrentDriver();
    VF_DRIVER driver = Device != NULL ? IopDriver(Device->DriverObject)->Id : owner;
    BOOLEAN mustMark = Device != NULL && Irp->PendingReturned;
    VF_FRAME frame;
    IopNote(track, IOP_EVENT_ROUTINE, Irp, Device, Irp->IoStatus.Status);
    VfEnterDriver(&frame, driver, Routine);
    NTSTATUS status = Routine(Device, Irp, Context);
    VfLeaveDriver(&frame, "completion routine");
    if (status != STATUS_MORE_PROCESSING_REQUIRED && mustMark &&
        (IoGetCurrentIrpStackLocation(Irp)->Control & SL_PENDING_RETURNED) == 0) {
        IOP_BREAK(VfRuleIrpPendingNotPropagated, Irp, Routine,
                  "completion routine %p: PendingReturned without IoMarkIrpPending", Routine);
    }
    return status;
}
