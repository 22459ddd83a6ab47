// SPDX-License-Identifier: MIT
// Device controls from user mode. A finished request stays with its file for the next one, so that the common
// case allocates nothing; under the verifier every request is new, so that its memory is checked.
#include "nthost/io/track.h"

enum { IOP_SPARE_BUFFER = 8192 }; // larger system buffers are not kept

struct _IOP_REQUEST {
    IOP_FILE *File;
    IOP_CONTROL Control;
    IO_STATUS_BLOCK Iosb;
    KEVENT Done;
    PVOID Buffer; // system buffer
    ULONG Capacity;
    CCHAR StackSize;
    BOOLEAN Finished; // without having been pending: nobody waits for the event
    BOOLEAN Shared;   // sent by one thread and waited for by another: always through the event
    PMDL Mdl;
    IOP_IRP Irp; // last: the stack locations follow
};

static VOID IopFreeRequest(IOP_REQUEST *Request)
{
    IopReleaseTrack(&Request->Irp);
    os_free(Request->Buffer);
    IopRetireMemory(Request);
}

static IOP_REQUEST *IopNewRequest(CCHAR StackSize)
{
    IOP_REQUEST *request = os_allocate(FIELD_OFFSET(IOP_REQUEST, Irp) + IopIrpSize(StackSize), 16);
    if (request != NULL) {
        request->Buffer = NULL;
        request->Capacity = 0;
        request->Irp.Track = NULL;
        request->StackSize = StackSize;
        KeInitializeEvent(&request->Done, NotificationEvent, FALSE);
    }
    return request;
}

static IOP_REQUEST *IopTakeRequest(IOP_FILE *File, CCHAR StackSize)
{
    IOP_REQUEST *spare = InterlockedExchangePointer((PVOID volatile *)&File->Spare, NULL);
    if (spare == NULL) {
        return IopNewRequest(StackSize);
    }
    if (spare->StackSize >= StackSize) {
        if (!spare->Finished) { // else nobody has set it
            KeClearEvent(&spare->Done);
        }
        return spare;
    }
    IopFreeRequest(spare);
    return IopNewRequest(StackSize);
}

static VOID IopKeepRequest(IOP_FILE *File, IOP_REQUEST *Request)
{
    BOOLEAN keep = !VfEnabled && Request->Capacity <= IOP_SPARE_BUFFER;
    if (!keep || InterlockedCompareExchangePointer((PVOID volatile *)&File->Spare, Request, NULL) != NULL) {
        IopFreeRequest(Request);
    }
}

VOID IopFreeSpareRequest(IOP_FILE *File)
{
    if (File->Spare != NULL) {
        IopFreeRequest(File->Spare);
    }
}

static BOOLEAN IopReserveBuffer(IOP_REQUEST *Request, ULONG Length)
{
    if (Length == 0 || Length <= Request->Capacity) {
        return TRUE;
    }
    os_free(Request->Buffer);
    Request->Buffer = os_allocate(Length, 16);
    Request->Capacity = Request->Buffer != NULL ? Length : 0;
    return Request->Buffer != NULL;
}

static ULONG_PTR IopCheckInformation(IOP_REQUEST *Request, PIRP Irp)
{
    ULONG_PTR length = Irp->IoStatus.Information;
    const IOP_CONTROL *control = &Request->Control;
    if (length <= control->OutLength || (control->Code & 3) == METHOD_NEITHER) {
        return length;
    }
    if (VfEnabled) {
        IOP_BREAK(VfRuleIrpInformationTooLarge, Irp, length,
                  "IoStatus.Information is %Iu for control %08x with %u bytes of output", length,
                  control->Code, control->OutLength);
    }
    return control->OutLength;
}

static VOID IopCopyOut(IOP_REQUEST *Request, PIRP Irp)
{
    NTSTATUS status = Irp->IoStatus.Status;
    if (NT_ERROR(status) || status == STATUS_VERIFY_REQUIRED) {
        return;
    }
    ULONG_PTR length = IopCheckInformation(Request, Irp);
    if ((Irp->Flags & IRP_INPUT_OPERATION) != 0) {
        RtlCopyMemory(Request->Control.Out, Irp->AssociatedIrp.SystemBuffer, length);
    }
}

static VOID IopFinishControl(IOP_IRP *Irp)
{
    IOP_REQUEST *request = Irp->Context;
    BOOLEAN pending = Irp->Irp.PendingReturned;
    IopCopyOut(request, &Irp->Irp);
    request->Iosb = Irp->Irp.IoStatus;
    if (request->Mdl != NULL) {
        MmUnlockPages(request->Mdl);
        IoFreeMdl(request->Mdl);
    }
    Irp->Irp.Type = 0;
    IopReleaseTrack(Irp);
    if (pending || request->Shared) {
        KeSetEvent(&request->Done, IO_NO_INCREMENT, FALSE);
    } else {
        request->Finished = TRUE;
    }
}

static BOOLEAN IopMapDirect(IOP_REQUEST *Request, PIRP Irp, LOCK_OPERATION Operation)
{
    if (Request->Control.OutLength == 0) {
        return TRUE;
    }
    Request->Mdl = IoAllocateMdl(Request->Control.Out, Request->Control.OutLength, FALSE, FALSE, Irp);
    if (Request->Mdl == NULL) {
        return FALSE;
    }
    MmProbeAndLockPages(Request->Mdl, UserMode, Operation);
    return TRUE;
}

// The buffers as the transfer method in the control code has them.
static BOOLEAN IopFillBuffers(IOP_REQUEST *Request, PIRP Irp, PIO_STACK_LOCATION Location)
{
    const IOP_CONTROL *control = &Request->Control;
    ULONG method = control->Code & 3;
    ULONG length = method == METHOD_BUFFERED ? max(control->InLength, control->OutLength) : control->InLength;
    Irp->UserBuffer = control->Out;
    if (method == METHOD_NEITHER) {
        Location->Parameters.DeviceIoControl.Type3InputBuffer = (PVOID)(ULONG_PTR)control->In;
        return TRUE;
    }
    if (!IopReserveBuffer(Request, length)) {
        return FALSE;
    }
    if (length != 0) {
        Irp->AssociatedIrp.SystemBuffer = Request->Buffer;
        Irp->Flags |= IRP_BUFFERED_IO;
        RtlCopyMemory(Request->Buffer, control->In, control->InLength);
    }
    if (method != METHOD_BUFFERED) {
        return IopMapDirect(Request, Irp, method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess);
    }
    if (control->OutLength != 0) {
        Irp->Flags |= IRP_INPUT_OPERATION;
    }
    return TRUE;
}

static NTSTATUS IopPrepareControl(IOP_REQUEST *Request, CCHAR StackSize)
{
    IopPrepareIrp(&Request->Irp, StackSize, IopFinishControl, Request);
    PIRP irp = &Request->Irp.Irp;
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
    irp->RequestorMode = UserMode;
    irp->Tail.Overlay.OriginalFileObject = &Request->File->Object;
    irp->UserIosb = &Request->Iosb;
    irp->UserEvent = &Request->Done;
    location->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    location->FileObject = &Request->File->Object;
    location->Parameters.DeviceIoControl.IoControlCode = Request->Control.Code;
    location->Parameters.DeviceIoControl.InputBufferLength = Request->Control.InLength;
    location->Parameters.DeviceIoControl.OutputBufferLength = Request->Control.OutLength;
    return IopFillBuffers(Request, irp, location) ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static BOOLEAN IopAccessSuffices(const IOP_FILE *File, ULONG Code)
{
    ULONG needed =
        Code >> 14 & 3; // FILE_READ_ACCESS and FILE_WRITE_ACCESS are FILE_READ_DATA and FILE_WRITE_DATA
    return (needed & ~File->Granted) == 0;
}

NTSTATUS IopMakeControl(PFILE_OBJECT File, const IOP_CONTROL *Control, IOP_REQUEST **Request)
{
    IOP_FILE *file = IopFile(File);
    *Request = NULL;
    if (!IopAccessSuffices(file, Control->Code)) {
        return STATUS_ACCESS_DENIED;
    }
    PDEVICE_OBJECT top = IopStackTop(File->DeviceObject);
    IOP_REQUEST *request = IopTakeRequest(file, top->StackSize);
    if (request == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    request->File = file;
    request->Control = *Control;
    request->Finished = FALSE;
    request->Mdl = NULL;
    NTSTATUS status = IopPrepareControl(request, top->StackSize);
    if (!NT_SUCCESS(status)) {
        IopFreeRequest(request);
        return status;
    }
    ObReferenceObject(File);
    *Request = request;
    return STATUS_SUCCESS;
}

NTSTATUS IopSendControl(IOP_REQUEST *Request, BOOLEAN Shared)
{
    Request->Shared = Shared;
    Request->Irp.Irp.Tail.Overlay.Thread = (PETHREAD)KeGetCurrentThread();
    return IoCallDriver(IopStackTop(Request->File->Object.DeviceObject), &Request->Irp.Irp);
}

NTSTATUS IopBeginControl(PFILE_OBJECT File, const IOP_CONTROL *Control, IOP_REQUEST **Request)
{
    NTSTATUS status = IopMakeControl(File, Control, Request);
    return NT_SUCCESS(status) ? IopSendControl(*Request, FALSE) : status;
}

BOOLEAN IopWaitRequest(IOP_REQUEST *Request, PLARGE_INTEGER Timeout)
{
    return Request->Finished ||
           KeWaitForSingleObject(&Request->Done, Executive, KernelMode, FALSE, Timeout) == STATUS_SUCCESS;
}

VOID IopCancelRequest(IOP_REQUEST *Request)
{
    if (!Request->Finished) {
        IoCancelIrp(&Request->Irp.Irp);
    }
}

// As long as NT waits for the requests of a thread that ends.
static VOID IopAwaitCancelled(IOP_REQUEST *Request)
{
    enum { MINUTES = 5 };
    LARGE_INTEGER patience = {.QuadPart = MINUTES * -600000000ll};
    if (!IopWaitRequest(Request, &patience)) {
        IopPrintHistoryOf(&Request->Irp.Irp);
        VfBreak(VfRuleIrpCancelIgnored, (ULONG_PTR)&Request->Irp.Irp, 0, 0,
                "IRP %p was cancelled, and has not been completed for %u minutes", &Request->Irp.Irp,
                MINUTES);
    }
}

NTSTATUS IopEndRequest(IOP_REQUEST *Request, PULONG_PTR Information)
{
    if (VfEnabled && Request->Irp.Irp.Cancel) {
        IopAwaitCancelled(Request);
    }
    IopWaitRequest(Request, NULL);
    NTSTATUS status = Request->Iosb.Status;
    if (Information != NULL) {
        *Information = Request->Iosb.Information;
    }
    IOP_FILE *file = Request->File;
    IopKeepRequest(file, Request);
    ObDereferenceObject(&file->Object);
    return status;
}
