// SPDX-License-Identifier: MIT
#include "reader/driver.h"
#include "reader/slot.h"

static NTSTATUS NTAPI ForwardDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS ForwardAndWait(PREADER Reader, PIRP Irp)
{
    KEVENT done;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, ForwardDone, &done, TRUE, TRUE, TRUE);
    (VOID) IoCallDriver(Reader->Lower, Irp);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    return Irp->IoStatus.Status;
}

static NTSTATUS Forward(PREADER Reader, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Reader->Lower, Irp);
}

static NTSTATUS ForwardSucceeded(PREADER Reader, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return Forward(Reader, Irp);
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS StartDevice(PREADER Reader, PIRP Irp)
{
    NTSTATUS status = ForwardAndWait(Reader, Irp);

    if (NT_SUCCESS(status)) {
        ReaderTurnTake(Reader);
        status = ReaderStart(Reader);
        ReaderTurnGive(Reader);
    }
    if (NT_SUCCESS(status)) {
        ReaderStateSet(Reader, ReaderStarted);
        IdleStart(Reader);
    }
    return Complete(Irp, status);
}

// What a query has held up goes on.
static VOID ReaderContinue(PREADER Reader)
{
    IdleStart(Reader);
    PowerRevive(Reader);
}

// Requests that arrive from here on wait in their callbacks; one under way on the pipes is not torn apart.
static NTSTATUS QueryStopDevice(PREADER Reader, PIRP Irp)
{
    if (ReaderState(Reader) == ReaderStarted) {
        ReaderStateSet(Reader, ReaderStopPending);
        IdleHold(Reader);
        if (ChannelBusy(Reader)) {
            ReaderStateSet(Reader, ReaderStarted);
            IdleStart(Reader);
            return Complete(Irp, STATUS_DEVICE_BUSY);
        }
        IdleStop(Reader);
    }
    return ForwardSucceeded(Reader, Irp);
}

static NTSTATUS CancelStopDevice(PREADER Reader, PIRP Irp)
{
    NTSTATUS status;

    if (ReaderState(Reader) != ReaderStopPending) {
        return ForwardSucceeded(Reader, Irp);
    }
    status = ForwardAndWait(Reader, Irp);
    ReaderStateSet(Reader, ReaderStarted);
    ReaderContinue(Reader);
    return Complete(Irp, status);
}

static NTSTATUS StopDevice(PREADER Reader, PIRP Irp)
{
    IdleStop(Reader);
    ReaderTurnTake(Reader);
    ReaderQuiesce(Reader);
    ReaderRelease(Reader);
    ReaderTurnGive(Reader);
    ReaderStateSet(Reader, ReaderStopped);
    return ForwardSucceeded(Reader, Irp);
}

static NTSTATUS QueryRemoveDevice(PREADER Reader, PIRP Irp)
{
    if (ReaderState(Reader) != ReaderRemovePending) {
        Reader->PreviousState = ReaderState(Reader);
        ReaderStateSet(Reader, ReaderRemovePending);
        IdleStop(Reader);
    }
    return ForwardSucceeded(Reader, Irp);
}

static NTSTATUS CancelRemoveDevice(PREADER Reader, PIRP Irp)
{
    NTSTATUS status;

    if (ReaderState(Reader) != ReaderRemovePending) {
        return ForwardSucceeded(Reader, Irp);
    }
    status = ForwardAndWait(Reader, Irp);
    ReaderStateSet(Reader, Reader->PreviousState);
    if (Reader->PreviousState == ReaderStarted) {
        ReaderContinue(Reader);
    }
    return Complete(Irp, status);
}

// From any state to the end of all I/O. Requests that wait see the state once Running wakes them. A waking
// that is under way ends soon by Halt; one that comes later sees the state.
static VOID ReaderLose(PREADER Reader, READER_STATE State)
{
    ReaderStateSet(Reader, State);
    KeSetEvent(&Reader->Running, IO_NO_INCREMENT, FALSE);
    KeSetEvent(&Reader->Halt, IO_NO_INCREMENT, FALSE);
    IdleStop(Reader);
    ReaderTurnTake(Reader);
    KeSetEvent(&Reader->Running, IO_NO_INCREMENT, FALSE); // falling asleep had cleared it, perhaps just now
    ReaderQuiesce(Reader);
    ReaderTurnGive(Reader);
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        SlotLose(Reader->Slots[i]);
        // A failure would mean that it was not enabled, which is all that matters.
        (VOID) SlotInterfaceEnable(Reader->Slots[i], FALSE);
    }
}

static NTSTATUS SurpriseRemoval(PREADER Reader, PIRP Irp)
{
    ReaderLose(Reader, ReaderSurpriseRemoved);
    return ForwardSucceeded(Reader, Irp);
}

// wdm: REMOVE_DEVICE travels down before the waiting, since lower drivers end on it what may hold the locks.
static NTSTATUS RemoveDevice(PREADER Reader, PIRP Irp)
{
    NTSTATUS status;

    if (ReaderState(Reader) != ReaderSurpriseRemoved) {
        ReaderLose(Reader, ReaderRemoved);
    }
    ReaderStateSet(Reader, ReaderRemoved);
    status = ForwardSucceeded(Reader, Irp);
    IoReleaseRemoveLockAndWait(&Reader->RemoveLock, Irp);
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        SlotDestroy(Reader->Slots[i]);
    }
    ReaderRelease(Reader);
    IdleDestroy(Reader);
    MonitorDestroy(Reader);
    PowerDestroy(Reader);
    IoDetachDevice(Reader->Lower);
    IoDeleteDevice(Reader->DeviceObject);
    return status;
}

static NTSTATUS QueryCapabilities(PREADER Reader, PIRP Irp)
{
    PDEVICE_CAPABILITIES capabilities =
        IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceCapabilities.Capabilities;
    NTSTATUS status = ForwardAndWait(Reader, Irp);

    if (NT_SUCCESS(status) && capabilities->Version == 1 && capabilities->Size >= sizeof(*capabilities)) {
        capabilities->SurpriseRemovalOK = TRUE;
        PowerCapabilities(Reader, capabilities);
    }
    return Complete(Irp, status);
}

// Device usage, relations, identifiers and all else are the bus driver's.
static NTSTATUS Handle(PREADER Reader, PIRP Irp)
{
    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return StartDevice(Reader, Irp);
    case IRP_MN_QUERY_STOP_DEVICE:
        return QueryStopDevice(Reader, Irp);
    case IRP_MN_CANCEL_STOP_DEVICE:
        return CancelStopDevice(Reader, Irp);
    case IRP_MN_STOP_DEVICE:
        return StopDevice(Reader, Irp);
    case IRP_MN_QUERY_REMOVE_DEVICE:
        return QueryRemoveDevice(Reader, Irp);
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        return CancelRemoveDevice(Reader, Irp);
    case IRP_MN_SURPRISE_REMOVAL:
        return SurpriseRemoval(Reader, Irp);
    case IRP_MN_QUERY_CAPABILITIES:
        return QueryCapabilities(Reader, Irp);
    default:
        return Forward(Reader, Irp);
    }
}

NTSTATUS NTAPI DispatchPnP(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER reader = ReaderOfDevice(DeviceObject);
    UCHAR minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    NTSTATUS status = IoAcquireRemoveLock(&reader->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        return Complete(Irp, status);
    }
    if (minor == IRP_MN_REMOVE_DEVICE) {
        return RemoveDevice(reader, Irp); // takes the lock with it
    }
    status = Handle(reader, Irp);
    IoReleaseRemoveLock(&reader->RemoveLock, Irp);
    return status;
}
