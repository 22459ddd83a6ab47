// SPDX-License-Identifier: MIT
// Power IRPs that drivers ask for. A stack has one device query or set at a time; further ones wait in its
// lowest device.
#include "nthost/io/track.h"
#include "nthost/po/po.h"
#include "nthost/verifier/faults.h"

BOOLEAN IopLegacyPower;

typedef struct _POP_REQUEST {
    LIST_ENTRY ListEntry;
    WORK_QUEUE_ITEM Work; // when the stack wants PASSIVE_LEVEL and the caller is above
    PIRP Irp;
    PDEVICE_OBJECT Device, Top, Bottom; // referenced
    UCHAR Minor;
    POWER_STATE State;
    PREQUEST_POWER_COMPLETE Complete;
    PVOID Context;
    VF_DRIVER Driver; // who asked
} POP_REQUEST;

static KSPIN_LOCK PopLock;

// One of a kind: wait/wake IRPs pend in the bus driver and are not in the way of the others.
static BOOLEAN PopTakeTurn(POP_REQUEST *Request)
{
    KIRQL irql;
    IOP_DEVICE *bottom = IopDevice(Request->Bottom);
    if (Request->Minor == IRP_MN_WAIT_WAKE) {
        return TRUE;
    }
    KeAcquireSpinLock(&PopLock, &irql);
    BOOLEAN free = !bottom->PowerBusy;
    bottom->PowerBusy = TRUE;
    if (!free) {
        InsertTailList(&bottom->PowerQueue, &Request->ListEntry);
    }
    KeReleaseSpinLock(&PopLock, irql);
    return free;
}

static POP_REQUEST *PopNextTurn(PDEVICE_OBJECT Bottom)
{
    KIRQL irql;
    IOP_DEVICE *bottom = IopDevice(Bottom);
    POP_REQUEST *next = NULL;
    KeAcquireSpinLock(&PopLock, &irql);
    if (IsListEmpty(&bottom->PowerQueue)) {
        bottom->PowerBusy = FALSE;
    } else {
        next = CONTAINING_RECORD(RemoveHeadList(&bottom->PowerQueue), POP_REQUEST, ListEntry);
    }
    KeReleaseSpinLock(&PopLock, irql);
    return next;
}

static VOID NTAPI PopSend(PVOID Parameter)
{
    POP_REQUEST *request = Parameter;
    PDEVICE_OBJECT top = request->Top;
    ObReferenceObject(top); // the request may be gone when the call returns
    (void)IoCallDriver(top, request->Irp);
    ObDereferenceObject(top);
}

static VOID PopDispatch(POP_REQUEST *Request)
{
    if ((Request->Top->Flags & DO_POWER_PAGABLE) != 0 && KeGetCurrentIrql() > PASSIVE_LEVEL) {
        ExInitializeWorkItem(&Request->Work, PopSend, Request);
        ExQueueWorkItem(&Request->Work, DelayedWorkQueue);
    } else {
        PopSend(Request);
    }
}

static VOID PopCallBack(POP_REQUEST *Request, PIO_STATUS_BLOCK Iosb)
{
    VF_FRAME frame;
    if (Request->Complete == NULL) {
        return;
    }
    if (VfEnabled) {
        VfEnterDriver(&frame, Request->Driver, (PVOID)(ULONG_PTR)Request->Complete);
    }
    Request->Complete(Request->Device, Request->Minor, Request->State, Request->Context, Iosb);
    IopLeaveDriver(&frame, "power completion");
}

static VOID PopFree(POP_REQUEST *Request)
{
    ObDereferenceObject(Request->Device);
    ObDereferenceObject(Request->Top);
    ObDereferenceObject(Request->Bottom);
    os_free(Request);
}

static VOID PopFinish(IOP_IRP *Irp)
{
    POP_REQUEST *request = Irp->Context;
    IO_STATUS_BLOCK iosb = Irp->Irp.IoStatus;
    BOOLEAN turn = request->Minor != IRP_MN_WAIT_WAKE;
    POP_REQUEST *next = turn ? PopNextTurn(request->Bottom) : NULL;
    IopFreeIrp(&Irp->Irp);
    PopCallBack(request, &iosb);
    PopFree(request);
    if (next != NULL) {
        PopDispatch(next);
    }
}

static VOID PopFillLocation(PIO_STACK_LOCATION Location, UCHAR Minor, POWER_STATE State)
{
    Location->MajorFunction = IRP_MJ_POWER;
    Location->MinorFunction = Minor;
    if (Minor == IRP_MN_WAIT_WAKE) {
        Location->Parameters.WaitWake.PowerState = State.SystemState;
    } else {
        Location->Parameters.Power.Type = DevicePowerState;
        Location->Parameters.Power.State = State;
        Location->Parameters.Power.ShutdownType = PowerActionNone;
    }
}

static VOID PopFindStack(POP_REQUEST *Request, PDEVICE_OBJECT Device)
{
    KIRQL irql;
    IopLockDevices(&irql);
    Request->Device = Device;
    Request->Top = IopStackTop(Device);
    Request->Bottom = IopStackBottom(Device);
    ObReferenceObject(Request->Device);
    ObReferenceObject(Request->Top);
    ObReferenceObject(Request->Bottom);
    IopUnlockDevices(irql);
}

static POP_REQUEST *PopNewRequest(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State)
{
    POP_REQUEST *request = IopAllocateZeroed(sizeof *request);
    if (request == NULL) {
        return NULL;
    }
    PopFindStack(request, Device);
    request->Minor = Minor;
    request->State = State;
    request->Driver = VfCurrentDriver();
    request->Irp = IopAllocateIrp(request->Top->StackSize, PopFinish, request);
    if (request->Irp == NULL) {
        PopFree(request);
        return NULL;
    }
    request->Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    PopFillLocation(IoGetNextIrpStackLocation(request->Irp), Minor, State);
    return request;
}

NTSTATUS NTAPI PoRequestPowerIrp(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction, POWER_STATE PowerState,
                                 PREQUEST_POWER_COMPLETE CompletionFunction, PVOID Context, PIRP *Irp)
{
    NT_ENTRY(PoRequestPowerIrp);
    NT_MAY_FAIL(IRP, STATUS_INSUFFICIENT_RESOURCES);
    if (MinorFunction != IRP_MN_SET_POWER && MinorFunction != IRP_MN_QUERY_POWER &&
        MinorFunction != IRP_MN_WAIT_WAKE) {
        return STATUS_INVALID_PARAMETER_2;
    }
    POP_REQUEST *request = PopNewRequest(DeviceObject, MinorFunction, PowerState);
    if (request == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    request->Complete = CompletionFunction;
    request->Context = Context;
    if (Irp != NULL) {
        *Irp = MinorFunction == IRP_MN_WAIT_WAKE ? request->Irp : NULL;
    }
    if (PopTakeTurn(request)) {
        PopDispatch(request);
    }
    return STATUS_PENDING;
}

NTSTATUS NTAPI PoCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    NT_ENTRY(PoCallDriver);
    IOP_TRACK *track = IopTrackOf(Irp);
    if (track != NULL) {
        track->PoCall = TRUE;
    }
    return IoCallDriver(DeviceObject, Irp);
}

VOID NTAPI PoStartNextPowerIrp(PIRP Irp)
{
    NT_ENTRY(PoStartNextPowerIrp);
    IOP_TRACK *track = IopTrackOf(Irp);
    if (track != NULL) {
        InterlockedIncrement(&track->StartNextCalls);
    }
}

POWER_STATE NTAPI PoSetPowerState(PDEVICE_OBJECT DeviceObject, POWER_STATE_TYPE Type, POWER_STATE State)
{
    NT_ENTRY(PoSetPowerState);
    POWER_STATE previous = IopDevice(DeviceObject)->DevicePower;
    if (Type == DevicePowerState) {
        IopDevice(DeviceObject)->DevicePower = State;
    }
    return previous;
}
