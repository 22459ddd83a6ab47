// SPDX-License-Identifier: MIT
// Cancel-safe queues. The WDK links them into the driver (csq.lib); mingw-w64's ntoskrnl import library
// exports them.
#include "nthost/io/io.h"

static VOID IopCsqDetachContext(PIO_CSQ_IRP_CONTEXT Context, PIRP Irp)
{
    if (Context != NULL && Context->Type == IO_TYPE_CSQ_IRP_CONTEXT) {
        Context->Irp = NULL;
    }
    Irp->Tail.Overlay.DriverContext[3] = NULL;
}

static PIO_CSQ IopCsqOf(PIRP Irp)
{
    // DriverContext[3] is the queue itself, or the caller's context, which names the queue.
    PIO_CSQ_IRP_CONTEXT context = Irp->Tail.Overlay.DriverContext[3];
    return context->Type == IO_TYPE_CSQ_IRP_CONTEXT ? context->Csq : (PIO_CSQ)context;
}

static VOID NTAPI IopCsqCancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    PIO_CSQ_IRP_CONTEXT context = Irp->Tail.Overlay.DriverContext[3];
    PIO_CSQ queue = IopCsqOf(Irp);
    KIRQL irql;
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    queue->CsqAcquireLock(queue, &irql);
    queue->CsqRemoveIrp(queue, Irp);
    IopCsqDetachContext(context, Irp);
    queue->CsqReleaseLock(queue, irql);
    queue->CsqCompleteCanceledIrp(queue, Irp);
}

static NTSTATUS IopCsqInitialize(PIO_CSQ Queue, ULONG Type, const IO_CSQ *Routines)
{
    *Queue = *Routines;
    Queue->Type = Type;
    Queue->ReservePointer = NULL;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP Insert, PIO_CSQ_REMOVE_IRP Remove,
                               PIO_CSQ_PEEK_NEXT_IRP Peek, PIO_CSQ_ACQUIRE_LOCK Acquire,
                               PIO_CSQ_RELEASE_LOCK Release, PIO_CSQ_COMPLETE_CANCELED_IRP Complete)
{
    IO_CSQ routines = {0, Insert, Remove, Peek, Acquire, Release, Complete, NULL};
    return IopCsqInitialize(Csq, IO_TYPE_CSQ, &routines);
}

NTSTATUS NTAPI IoCsqInitializeEx(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP_EX Insert, PIO_CSQ_REMOVE_IRP Remove,
                                 PIO_CSQ_PEEK_NEXT_IRP Peek, PIO_CSQ_ACQUIRE_LOCK Acquire,
                                 PIO_CSQ_RELEASE_LOCK Release, PIO_CSQ_COMPLETE_CANCELED_IRP Complete)
{
    IO_CSQ routines = {0, (PIO_CSQ_INSERT_IRP)(PVOID)Insert, Remove, Peek, Acquire, Release, Complete, NULL};
    return IopCsqInitialize(Csq, IO_TYPE_CSQ_EX, &routines);
}

static NTSTATUS IopCsqLink(PIO_CSQ Csq, PIRP Irp, PVOID InsertContext)
{
    if (Csq->Type != IO_TYPE_CSQ_EX) {
        Csq->CsqInsertIrp(Csq, Irp);
        return STATUS_SUCCESS;
    }
    return ((PIO_CSQ_INSERT_IRP_EX)(PVOID)Csq->CsqInsertIrp)(Csq, Irp, InsertContext);
}

NTSTATUS NTAPI IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context, PVOID InsertContext)
{
    NT_ENTRY(IoCsqInsertIrpEx);
    KIRQL irql;
    if (Context != NULL) {
        Context->Type = IO_TYPE_CSQ_IRP_CONTEXT;
        Context->Irp = Irp;
        Context->Csq = Csq;
    }
    Irp->Tail.Overlay.DriverContext[3] = Context != NULL ? (PVOID)Context : (PVOID)Csq;
    Csq->CsqAcquireLock(Csq, &irql);
    IoMarkIrpPending(Irp);
    NTSTATUS status = IopCsqLink(Csq, Irp, InsertContext);
    if (!NT_SUCCESS(status)) {
        IoGetCurrentIrpStackLocation(Irp)->Control &= (UCHAR)~SL_PENDING_RETURNED;
        IopCsqDetachContext(Context, Irp);
        Csq->CsqReleaseLock(Csq, irql);
        return status;
    }
    IoSetCancelRoutine(Irp, IopCsqCancel);
    // Whoever takes the cancel routine out owns the IRP: this path only when the canceller came before it was
    // set.
    if (__atomic_load_n(&Irp->Cancel, __ATOMIC_SEQ_CST) && IoSetCancelRoutine(Irp, NULL) != NULL) {
        Csq->CsqRemoveIrp(Csq, Irp);
        IopCsqDetachContext(Context, Irp);
        Csq->CsqReleaseLock(Csq, irql);
        Csq->CsqCompleteCanceledIrp(Csq, Irp);
        return status;
    }
    Csq->CsqReleaseLock(Csq, irql);
    return status;
}

VOID NTAPI IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
    NT_ENTRY(IoCsqInsertIrp);
    (void)IoCsqInsertIrpEx(Csq, Irp, Context, NULL);
}

PIRP NTAPI IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext)
{
    NT_ENTRY(IoCsqRemoveNextIrp);
    KIRQL irql;
    Csq->CsqAcquireLock(Csq, &irql);
    PIRP irp = Csq->CsqPeekNextIrp(Csq, NULL, PeekContext);
    while (irp != NULL && IoSetCancelRoutine(irp, NULL) == NULL) {
        irp = Csq->CsqPeekNextIrp(Csq, irp, PeekContext);
    }
    if (irp != NULL) {
        Csq->CsqRemoveIrp(Csq, irp);
        IopCsqDetachContext(irp->Tail.Overlay.DriverContext[3], irp);
    }
    Csq->CsqReleaseLock(Csq, irql);
    return irp;
}

PIRP NTAPI IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context)
{
    NT_ENTRY(IoCsqRemoveIrp);
    KIRQL irql;
    Csq->CsqAcquireLock(Csq, &irql);
    PIRP irp = Context->Irp;
    if (irp != NULL && IoSetCancelRoutine(irp, NULL) != NULL) {
        Csq->CsqRemoveIrp(Csq, irp);
        IopCsqDetachContext(Context, irp);
    } else {
        irp = NULL;
    }
    Csq->CsqReleaseLock(Csq, irql);
    return irp;
}
