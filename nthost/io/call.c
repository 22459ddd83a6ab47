// SPDX-License-Identifier: MIT
// The two ends of an IRP's way: down through IoCallDriver, up through IoCompleteRequest.
#include "nthost/io/track.h"

static volatile LONGLONG IopCompleted;

IOP_WATCH *IopWatch;

ULONGLONG IopIrpsCompleted(VOID)
{
    return (ULONGLONG)IopCompleted;
}

NTSTATUS IopCall(PDEVICE_OBJECT Device, PIRP Irp)
{
    if (Irp->CurrentLocation <= 1) {
        IOP_BREAK(VfRuleIrpNoStackLocation, Irp, 0, "IoCallDriver(%p): the IRP has no stack location left",
                  Irp);
    }
    Irp->CurrentLocation--;
    PIO_STACK_LOCATION location = --Irp->Tail.Overlay.CurrentStackLocation;
    PDRIVER_OBJECT driver = Device->DriverObject;
    location->DeviceObject = Device;
    IopCountCall(driver, location->MajorFunction);
    return driver->MajorFunction[location->MajorFunction](Device, Irp);
}

NTSTATUS FASTCALL IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    NT_ENTRY(IofCallDriver);
    KiPoint(Irp);
    if (IopWatch != NULL && Irp->CurrentLocation > 1) {
        IopWatch(DeviceObject, Irp, FALSE);
    }
    return VfEnabled ? IopVerifiedCall(DeviceObject, Irp) : IopCall(DeviceObject, Irp);
}

static BOOLEAN IopWantsRoutine(PIRP Irp, UCHAR Control)
{
    UCHAR wanted = NT_SUCCESS(Irp->IoStatus.Status) ? SL_INVOKE_ON_SUCCESS : SL_INVOKE_ON_ERROR;
    if (__atomic_load_n(&Irp->Cancel, __ATOMIC_RELAXED)) {
        wanted |= SL_INVOKE_ON_CANCEL;
    }
    return (Control & wanted) != 0;
}

// The routine sees the location below its own as if it had never been used.
static VOID IopWipeLocation(PIO_STACK_LOCATION Location)
{
    Location->MinorFunction = 0;
    Location->Flags = 0;
    Location->Control = 0;
    RtlZeroMemory(&Location->Parameters, sizeof Location->Parameters);
    Location->FileObject = NULL;
}

// One step up. FALSE: the routine has taken the IRP, which may be gone.
static BOOLEAN IopLeaveLocation(PIRP Irp)
{
    PIO_STACK_LOCATION location = Irp->Tail.Overlay.CurrentStackLocation;
    UCHAR control = location->Control;
    Irp->PendingReturned = (control & SL_PENDING_RETURNED) != 0;
    if (VfEnabled) {
        IopTrackLeave(Irp, location);
    }
    Irp->CurrentLocation++;
    Irp->Tail.Overlay.CurrentStackLocation++;
    BOOLEAN above = Irp->CurrentLocation <= Irp->StackCount;
    if (!above) {
        __atomic_fetch_add(&IopCompleted, 1, __ATOMIC_RELAXED); // a statistic
    }
    if (!IopWantsRoutine(Irp, control)) {
        if (Irp->PendingReturned && above) {
            IoMarkIrpPending(Irp);
        }
        return TRUE;
    }
    PIO_COMPLETION_ROUTINE routine = location->CompletionRoutine;
    PDEVICE_OBJECT device = above ? IoGetCurrentIrpStackLocation(Irp)->DeviceObject : NULL;
    IopWipeLocation(location);
    NTSTATUS status = VfEnabled ? IopCallRoutine(routine, device, Irp, location->Context)
                                : routine(device, Irp, location->Context);
    return status != STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID IopFinishAssociated(PIRP Irp)
{
    PIRP master = Irp->AssociatedIrp.MasterIrp;
    IoFreeIrp(Irp);
    if (InterlockedDecrement(&master->AssociatedIrp.IrpCount) == 0) {
        IoCompleteRequest(master, IO_NO_INCREMENT);
    }
}

static VOID IopFinish(PIRP Irp)
{
    IOP_IRP *irp = IopIrp(Irp);
    if ((Irp->Flags & IRP_ASSOCIATED_IRP) != 0) {
        IopFinishAssociated(Irp);
    } else if (irp != NULL && irp->Finish != NULL) {
        irp->Finish(irp);
    } else {
        IOP_BREAK(VfRuleIrpNotReclaimed, Irp, 0,
                  "IRP %p is a driver's own, and no completion routine of its maker took it", Irp);
    }
}

VOID FASTCALL IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    NT_ENTRY(IofCompleteRequest);
    UNREFERENCED_PARAMETER(PriorityBoost);
    KiPoint(Irp);
    if (Irp->Type != IO_TYPE_IRP || Irp->CurrentLocation > Irp->StackCount + 1) {
        IOP_BREAK(VfRuleIrpCompletedTwice, Irp, 0, "IoCompleteRequest(%p): the IRP is already complete", Irp);
    }
    // A canceller may be taking the routine out at this moment.
    if (__atomic_load_n(&Irp->CancelRoutine, __ATOMIC_ACQUIRE) != NULL) {
        IOP_BREAK(VfRuleIrpCancelRoutineSet, Irp, Irp->CancelRoutine,
                  "IoCompleteRequest(%p): its cancel routine is still set", Irp);
    }
    if (VfEnabled) {
        IopCheckCompletion(Irp);
    }
    if (IopWatch != NULL && Irp->CurrentLocation <= Irp->StackCount) {
        IopWatch(IoGetCurrentIrpStackLocation(Irp)->DeviceObject, Irp, TRUE);
    }
    while (Irp->CurrentLocation <= Irp->StackCount) {
        if (!IopLeaveLocation(Irp)) {
            return;
        }
    }
    IopFinish(Irp);
}

static NTSTATUS NTAPI IopForwardDone(PDEVICE_OBJECT Device, PIRP Irp, PVOID Event)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

BOOLEAN NTAPI IoForwardIrpSynchronously(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    NT_ENTRY(IoForwardIrpSynchronously);
    KEVENT done;
    if (Irp->CurrentLocation <= 1) {
        return FALSE;
    }
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, IopForwardDone, &done, TRUE, TRUE, TRUE);
    if (IoCallDriver(DeviceObject, Irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    }
    return TRUE;
}

NTSTATUS NTAPI IoSetCompletionRoutineEx(PDEVICE_OBJECT DeviceObject, PIRP Irp, PIO_COMPLETION_ROUTINE Routine,
                                        PVOID Context, BOOLEAN InvokeOnSuccess, BOOLEAN InvokeOnError,
                                        BOOLEAN InvokeOnCancel)
{
    NT_ENTRY(IoSetCompletionRoutineEx);
    // A driver is unloaded here only after its devices, so nothing has to be held for the routine.
    UNREFERENCED_PARAMETER(DeviceObject);
    IoSetCompletionRoutine(Irp, Routine, Context, InvokeOnSuccess, InvokeOnError, InvokeOnCancel);
    return STATUS_SUCCESS;
}
