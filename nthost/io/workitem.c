// SPDX-License-Identifier: MIT
// Work items hold their device (or driver) object while queued and run in the executive's system worker
// threads.
#include "nthost/io/io.h"
#include "nthost/verifier/faults.h"

struct _IO_WORKITEM {
    WORK_QUEUE_ITEM Item;
    PVOID Object; // device or driver
    PDRIVER_OBJECT Driver;
    PIO_WORKITEM_ROUTINE Routine;
    PIO_WORKITEM_ROUTINE_EX RoutineEx; // one of the two
    PVOID Context;
    volatile LONG Queued;
};

static VOID IopRunWorkItem(PIO_WORKITEM Work)
{
    PVOID object = Work->Object, context = Work->Context;
    PIO_WORKITEM_ROUTINE_EX extended = Work->RoutineEx;
    PIO_WORKITEM_ROUTINE plain = Work->Routine;
    // From here on the routine may queue the item anew, or free it.
    InterlockedExchange(&Work->Queued, 0);
    if (extended != NULL) {
        extended(object, context, Work);
    } else {
        plain(object, context);
    }
}

static VOID NTAPI IopWorker(PVOID Parameter)
{
    PIO_WORKITEM work = Parameter;
    PVOID object = work->Object;
    PDRIVER_OBJECT driver = work->Driver;
    PVOID routine =
        work->RoutineEx != NULL ? (PVOID)(ULONG_PTR)work->RoutineEx : (PVOID)(ULONG_PTR)work->Routine;
    VF_FRAME frame;
    IopEnterDriver(&frame, driver, routine);
    IopRunWorkItem(work);
    IopLeaveDriver(&frame, "work item");
    ObDereferenceObject(object);
}

VOID NTAPI IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem)
{
    NT_ENTRY(IoInitializeWorkItem);
    RtlZeroMemory(IoWorkItem, sizeof *IoWorkItem);
    IoWorkItem->Object = IoObject;
    IoWorkItem->Driver =
        ObpTypeOf(IoObject) == &IopDeviceType ? ((PDEVICE_OBJECT)IoObject)->DriverObject : IoObject;
    ExInitializeWorkItem(&IoWorkItem->Item, IopWorker, IoWorkItem);
    InterlockedIncrement(&IopDriver(IoWorkItem->Driver)->WorkItems);
}

VOID NTAPI IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem)
{
    NT_ENTRY(IoUninitializeWorkItem);
    if (IoWorkItem->Queued) {
        VfBreak(VfRuleWorkItemFreedQueued, (ULONG_PTR)IoWorkItem, 0, 0, "work item %p is freed while queued",
                IoWorkItem);
    }
    InterlockedDecrement(&IopDriver(IoWorkItem->Driver)->WorkItems);
}

ULONG NTAPI IoSizeofWorkItem(VOID)
{
    return sizeof(struct _IO_WORKITEM);
}

PIO_WORKITEM NTAPI IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    NT_ENTRY(IoAllocateWorkItem);
    NT_MAY_FAIL(WORK_ITEM, NULL);
    PIO_WORKITEM work = os_allocate(sizeof *work, 16);
    if (work != NULL) {
        IoInitializeWorkItem(DeviceObject, work);
    }
    return work;
}

VOID NTAPI IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    NT_ENTRY(IoFreeWorkItem);
    IoUninitializeWorkItem(IoWorkItem);
    os_free(IoWorkItem);
}

static VOID IopQueueWork(PIO_WORKITEM Work, WORK_QUEUE_TYPE Queue)
{
    if (InterlockedExchange(&Work->Queued, 1) != 0) {
        VfBreak(VfRuleWorkItemQueuedTwice, (ULONG_PTR)Work, 0, 0, "work item %p is queued twice", Work);
    }
    ObReferenceObject(Work->Object);
    ExQueueWorkItem(&Work->Item, Queue);
}

VOID NTAPI IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
                           WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    NT_ENTRY(IoQueueWorkItem);
    IoWorkItem->Routine = WorkerRoutine;
    IoWorkItem->RoutineEx = NULL;
    IoWorkItem->Context = Context;
    IopQueueWork(IoWorkItem, QueueType);
}

VOID NTAPI IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
                             WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    NT_ENTRY(IoQueueWorkItemEx);
    IoWorkItem->RoutineEx = WorkerRoutine;
    IoWorkItem->Context = Context;
    IopQueueWork(IoWorkItem, QueueType);
}
