// SPDX-License-Identifier: MIT
// The IRPs that drivers have built for them. Those with an event belong to the I/O manager until completion;
// the asynchronous one is the driver's own.
#include "nthost/io/io.h"
#include "nthost/verifier/faults.h"

// Copies out, fills the caller's status block, signals, frees: what the completion APC does on NT.
static VOID IopFinishBuilt(IOP_IRP *Irp)
{
    PIRP irp = &Irp->Irp;
    PKEVENT event = irp->UserEvent;
    NTSTATUS status = irp->IoStatus.Status;
    if ((irp->Flags & IRP_INPUT_OPERATION) != 0 && !NT_ERROR(status)) {
        ULONG_PTR limit = (ULONG_PTR)Irp->Context;
        RtlCopyMemory(irp->UserBuffer, irp->AssociatedIrp.SystemBuffer,
                      min(irp->IoStatus.Information, limit));
    }
    if ((irp->Flags & IRP_DEALLOCATE_BUFFER) != 0) {
        os_free(irp->AssociatedIrp.SystemBuffer);
    }
    while (irp->MdlAddress != NULL) {
        PMDL mdl = irp->MdlAddress;
        irp->MdlAddress = mdl->Next;
        MmUnlockPages(mdl);
        IoFreeMdl(mdl);
    }
    // NT reports an error that was never pending through the return value alone.
    BOOLEAN silent = NT_ERROR(status) && !irp->PendingReturned;
    if (irp->UserIosb != NULL && !silent) {
        *irp->UserIosb = irp->IoStatus;
    }
    IopFreeIrp(irp);
    if (event != NULL && !silent) {
        KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    }
}

static PIRP IopBuild(PDEVICE_OBJECT Device, PKEVENT Event, PIO_STATUS_BLOCK Iosb, ULONG OutLength)
{
    PIRP irp = IopAllocateIrp(Device->StackSize, IopFinishBuilt, (PVOID)(ULONG_PTR)OutLength);
    if (irp != NULL) {
        irp->UserEvent = Event;
        irp->UserIosb = Iosb;
        irp->Tail.Overlay.Thread = (PETHREAD)KeGetCurrentThread();
    }
    return irp;
}

static BOOLEAN IopBuildMdl(PIRP Irp, PVOID Buffer, ULONG Length, LOCK_OPERATION Operation)
{
    if (Length == 0) {
        return TRUE;
    }
    PMDL mdl = IoAllocateMdl(Buffer, Length, FALSE, FALSE, Irp);
    if (mdl != NULL) {
        MmProbeAndLockPages(mdl, KernelMode, Operation);
    }
    return mdl != NULL;
}

static BOOLEAN IopBuildSystemBuffer(PIRP Irp, PVOID In, ULONG InLength, ULONG Length)
{
    if (Length == 0) {
        return TRUE;
    }
    Irp->AssociatedIrp.SystemBuffer = os_allocate(Length, 16);
    if (Irp->AssociatedIrp.SystemBuffer == NULL) {
        return FALSE;
    }
    RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, In, InLength);
    Irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    return TRUE;
}

static BOOLEAN IopBuildControlBuffers(PIRP Irp, PIO_STACK_LOCATION Location, ULONG Method, PVOID In,
                                      ULONG InLength, PVOID Out, ULONG OutLength)
{
    Irp->UserBuffer = Out;
    switch (Method) {
    case METHOD_NEITHER:
        Location->Parameters.DeviceIoControl.Type3InputBuffer = In;
        return TRUE;
    case METHOD_BUFFERED:
        Irp->Flags |= OutLength != 0 ? IRP_INPUT_OPERATION : 0;
        return IopBuildSystemBuffer(Irp, In, InLength, max(InLength, OutLength));
    default:
        return IopBuildSystemBuffer(Irp, In, InLength, InLength) &&
               IopBuildMdl(Irp, Out, OutLength, Method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess);
    }
}

static VOID IopDiscardBuilt(PIRP Irp)
{
    os_free(Irp->AssociatedIrp.SystemBuffer);
    IopFreeIrp(Irp);
}

PIRP NTAPI IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject, PVOID InputBuffer,
                                         ULONG InputBufferLength, PVOID OutputBuffer,
                                         ULONG OutputBufferLength, BOOLEAN InternalDeviceIoControl,
                                         PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    NT_ENTRY(IoBuildDeviceIoControlRequest);
    NT_MAY_FAIL(IRP, NULL);
    PIRP irp = IopBuild(DeviceObject, Event, IoStatusBlock, OutputBufferLength);
    if (irp == NULL) {
        return NULL;
    }
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
    location->MajorFunction =
        InternalDeviceIoControl ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
    location->Parameters.DeviceIoControl.IoControlCode = IoControlCode;
    location->Parameters.DeviceIoControl.InputBufferLength = InputBufferLength;
    location->Parameters.DeviceIoControl.OutputBufferLength = OutputBufferLength;
    if (!IopBuildControlBuffers(irp, location, IoControlCode & 3, InputBuffer, InputBufferLength,
                                OutputBuffer, OutputBufferLength)) {
        IopDiscardBuilt(irp);
        return NULL;
    }
    return irp;
}

// READ and WRITE as the device wants its buffers.
static BOOLEAN IopBuildTransfer(PIRP Irp, PDEVICE_OBJECT Device, PVOID Buffer, ULONG Length, BOOLEAN Writes)
{
    Irp->UserBuffer = Buffer;
    if ((Device->Flags & DO_DIRECT_IO) != 0) {
        return IopBuildMdl(Irp, Buffer, Length, Writes ? IoReadAccess : IoWriteAccess);
    }
    if ((Device->Flags & DO_BUFFERED_IO) == 0) {
        return TRUE;
    }
    Irp->Flags |= Writes ? 0 : IRP_INPUT_OPERATION;
    return IopBuildSystemBuffer(Irp, Buffer, Writes ? Length : 0, Length);
}

static BOOLEAN IopFillFsd(PIRP Irp, ULONG MajorFunction, PDEVICE_OBJECT Device, PVOID Buffer, ULONG Length,
                          PLARGE_INTEGER StartingOffset)
{
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(Irp);
    location->MajorFunction = (UCHAR)MajorFunction;
    if (MajorFunction != IRP_MJ_READ && MajorFunction != IRP_MJ_WRITE) {
        return TRUE;
    }
    location->Parameters.Read.Length = Length; // Parameters.Write has the same layout
    if (StartingOffset != NULL) {
        location->Parameters.Read.ByteOffset = *StartingOffset;
    }
    return IopBuildTransfer(Irp, Device, Buffer, Length, MajorFunction == IRP_MJ_WRITE);
}

PIRP NTAPI IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer,
                                        ULONG Length, PLARGE_INTEGER StartingOffset, PKEVENT Event,
                                        PIO_STATUS_BLOCK IoStatusBlock)
{
    NT_ENTRY(IoBuildSynchronousFsdRequest);
    NT_MAY_FAIL(IRP, NULL);
    PIRP irp = IopBuild(DeviceObject, Event, IoStatusBlock, Length);
    if (irp != NULL && !IopFillFsd(irp, MajorFunction, DeviceObject, Buffer, Length, StartingOffset)) {
        IopDiscardBuilt(irp);
        irp = NULL;
    }
    return irp;
}

PIRP NTAPI IoBuildAsynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer,
                                         ULONG Length, PLARGE_INTEGER StartingOffset,
                                         PIO_STATUS_BLOCK IoStatusBlock)
{
    NT_ENTRY(IoBuildAsynchronousFsdRequest);
    NT_MAY_FAIL(IRP, NULL);
    PIRP irp = IoAllocateIrp(DeviceObject->StackSize, FALSE);
    if (irp == NULL) {
        return NULL;
    }
    irp->UserIosb = IoStatusBlock;
    // The driver frees the MDL, and a buffer it would not know of: buffered devices get the caller's buffer
    // itself.
    BOOLEAN buffered = (DeviceObject->Flags & DO_BUFFERED_IO) != 0;
    if (buffered) {
        irp->AssociatedIrp.SystemBuffer = Buffer;
    }
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
    location->MajorFunction = (UCHAR)MajorFunction;
    irp->UserBuffer = Buffer;
    if (MajorFunction != IRP_MJ_READ && MajorFunction != IRP_MJ_WRITE) {
        return irp;
    }
    location->Parameters.Read.Length = Length;
    if (StartingOffset != NULL) {
        location->Parameters.Read.ByteOffset = *StartingOffset;
    }
    LOCK_OPERATION operation = MajorFunction == IRP_MJ_WRITE ? IoReadAccess : IoWriteAccess;
    if (!buffered && (DeviceObject->Flags & DO_DIRECT_IO) != 0 &&
        !IopBuildMdl(irp, Buffer, Length, operation)) {
        IoFreeIrp(irp);
        return NULL;
    }
    return irp;
}
