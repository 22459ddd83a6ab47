// SPDX-License-Identifier: MIT
#include "tests/nthost/io/testdriver.h"

static NTSTATUS Finish(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Information = Information;
    return TestComplete(Irp, Status);
}

// ---- the queue of TEST_PEND ----

static VOID NTAPI Insert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&CONTAINING_RECORD(Csq, TEST_FN, Queue)->QueueHead, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI Remove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI Peek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    TEST_FN *fn = CONTAINING_RECORD(Csq, TEST_FN, Queue);
    PLIST_ENTRY next = Irp != NULL ? Irp->Tail.Overlay.ListEntry.Flink : fn->QueueHead.Flink;
    UNREFERENCED_PARAMETER(Context);
    return next != &fn->QueueHead ? CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry) : NULL;
}

static VOID NTAPI Acquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&CONTAINING_RECORD(Csq, TEST_FN, Queue)->QueueLock, Irql);
}

static VOID NTAPI Release(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&CONTAINING_RECORD(Csq, TEST_FN, Queue)->QueueLock, Irql);
}

static VOID NTAPI Cancelled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    Finish(Irp, STATUS_CANCELLED, 0);
}

static VOID NTAPI TimerRan(PKDPC Dpc, PVOID Context, PVOID Unused1, PVOID Unused2)
{
    TEST_FN *fn = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Unused1);
    UNREFERENCED_PARAMETER(Unused2);
    Finish(fn->Later, STATUS_SUCCESS, 0);
}

VOID TestFnInitializeQueue(TEST_FN *Fn)
{
    KeInitializeSpinLock(&Fn->QueueLock);
    InitializeListHead(&Fn->QueueHead);
    KeInitializeTimer(&Fn->Timer);
    KeInitializeDpc(&Fn->Dpc, TimerRan, Fn);
    IoCsqInitialize(&Fn->Queue, Insert, Remove, Peek, Acquire, Release, Cancelled);
}

static NTSTATUS Later(TEST_FN *Fn, PIRP Irp)
{
    LARGE_INTEGER due = {.QuadPart = -10000000};
    IoMarkIrpPending(Irp);
    Fn->Later = Irp;
    KeSetTimer(&Fn->Timer, due, &Fn->Dpc);
    return STATUS_PENDING;
}

// Frees itself, as it may.
static VOID NTAPI Worked(PVOID Device, PVOID Context, PIO_WORKITEM Work)
{
    UNREFERENCED_PARAMETER(Device);
    IoFreeWorkItem(Work);
    Finish(Context, KeGetCurrentIrql() == PASSIVE_LEVEL ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, 0);
}

static NTSTATUS QueueWork(TEST_FN *Fn, PIRP Irp)
{
    PIO_WORKITEM work = IoAllocateWorkItem(Fn->Self);
    if (work == NULL) {
        return Finish(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    IoMarkIrpPending(Irp);
    IoQueueWorkItemEx(work, Worked, DelayedWorkQueue, Irp);
    return STATUS_PENDING;
}

// ---- transfers ----

static NTSTATUS Echo(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PUCHAR buffer = Irp->AssociatedIrp.SystemBuffer;
    ULONG length = min(Location->Parameters.DeviceIoControl.InputBufferLength,
                       Location->Parameters.DeviceIoControl.OutputBufferLength);
    for (ULONG i = 0; i < length; i++) {
        buffer[i]++;
    }
    return Finish(Irp, STATUS_SUCCESS, length);
}

static NTSTATUS FillAndFinish(PIRP Irp, NTSTATUS Status)
{
    *(PULONG)Irp->AssociatedIrp.SystemBuffer = 0x12345678;
    return Finish(Irp, Status, sizeof(ULONG));
}

static NTSTATUS Direct(PIRP Irp, PIO_STACK_LOCATION Location, BOOLEAN Writes)
{
    ULONG length = Location->Parameters.DeviceIoControl.OutputBufferLength;
    PUCHAR mapped =
        Irp->MdlAddress != NULL ? MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority) : NULL;
    if (mapped == NULL || MmGetMdlByteCount(Irp->MdlAddress) != length) {
        return Finish(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    for (ULONG i = 0; Writes && i < length; i++) {
        mapped[i] = (UCHAR)i;
    }
    return Finish(Irp, STATUS_SUCCESS, Writes ? length : mapped[0]);
}

static NTSTATUS Neither(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PUCHAR in = Location->Parameters.DeviceIoControl.Type3InputBuffer, out = Irp->UserBuffer;
    out[0] = in[0];
    return Finish(Irp, STATUS_SUCCESS, 1);
}

// ---- down the stack ----

static NTSTATUS NTAPI DownDone(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
    if (Irp->PendingReturned && TestFault != DoesNotPropagate) {
        IoMarkIrpPending(Irp);
    }
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS Down(TEST_FN *Fn, PIRP Irp)
{
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    IoSetCompletionRoutine(Irp, DownDone, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(Fn->Lower, Irp);
}

static NTSTATUS DownOwn(TEST_FN *Fn, PIRP Irp)
{
    KEVENT done;
    IO_STATUS_BLOCK iosb = {.Status = STATUS_UNSUCCESSFUL};
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    PIRP own = IoBuildDeviceIoControlRequest(TEST_NULL, Fn->Lower, NULL, 0, NULL, 0, TRUE, &done, &iosb);
    if (own == NULL) {
        return Finish(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    if (IoCallDriver(Fn->Lower, own) == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    }
    return Finish(Irp, iosb.Status, 0);
}

NTSTATUS NTAPI TestFnControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    TEST_FN *fn = Device->DeviceExtension;
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    PIRP queued;
    switch (location->Parameters.DeviceIoControl.IoControlCode) {
    case TEST_NULL:
        return TestFault != NoFault ? TestMisbehave(fn, Irp) : Finish(Irp, STATUS_SUCCESS, 0);
    case TEST_ECHO:
        return Echo(Irp, location);
    case TEST_PEND:
        IoCsqInsertIrp(&fn->Queue, Irp, NULL);
        return STATUS_PENDING;
    case TEST_RELEASE:
        queued = IoCsqRemoveNextIrp(&fn->Queue, NULL);
        if (queued != NULL) {
            Finish(queued, STATUS_SUCCESS, 0);
        }
        return Finish(Irp, queued != NULL ? STATUS_SUCCESS : STATUS_NOT_FOUND, 0);
    case TEST_LATER:
        return Later(fn, Irp);
    case TEST_WORK:
        return QueueWork(fn, Irp);
    case TEST_IN_DIRECT:
        return Direct(Irp, location, FALSE);
    case TEST_OUT_DIRECT:
        return Direct(Irp, location, TRUE);
    case TEST_NEITHER:
        return Neither(Irp, location);
    case TEST_DOWN:
        return Down(fn, Irp);
    case TEST_DOWN_OWN:
        return DownOwn(fn, Irp);
    case TEST_OVERFLOW:
        return FillAndFinish(Irp, STATUS_BUFFER_OVERFLOW);
    case TEST_FAIL:
        return FillAndFinish(Irp, STATUS_UNSUCCESSFUL);
    default:
        return Finish(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}
