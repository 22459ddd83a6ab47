// SPDX-License-Identifier: MIT
// Bulk and interrupt transfers: queued, tried at every event and when the reader said it would have
// something. The queue is cancel-safe by its own lock, see VbusTransferClaim.
#include "vbus/vbus.h"

static DRIVER_CANCEL VbusTransferCancel;

static PURB VbusUrbOf(_In_ PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)->Parameters.Others.Argument1;
}

static PVBUS_PIPE VbusPipeOf(_In_ PIRP Irp)
{
    return VbusUrbOf(Irp)->UrbBulkOrInterruptTransfer.PipeHandle;
}

ULONG64 VbusTime(PVBUS_PDO Pdo)
{
    LARGE_INTEGER frequency;
    ULONG64 ticks = (ULONG64)KeQueryPerformanceCounter(&frequency).QuadPart;
    ULONG64 rate = (ULONG64)frequency.QuadPart;
    ULONG64 now = ticks / rate * 1000000 + ticks % rate * 1000000 / rate;

    Pdo->LastTime = max(Pdo->LastTime, now);
    return Pdo->LastTime;
}

static VOID VbusTransferFinish(_Inout_ PIRP Irp, _In_ USBD_STATUS Status, _In_ ULONG Length)
{
    PURB urb = VbusUrbOf(Irp);

    urb->UrbHeader.Status = Status;
    urb->UrbBulkOrInterruptTransfer.TransferBufferLength = Length;
    Irp->IoStatus.Status = VbusUrbStatus(Status);
    Irp->IoStatus.Information = 0;
}

// Completes at DISPATCH_LEVEL, as a host controller's DPC would.
static VOID VbusTransferComplete(_Inout_ PLIST_ENTRY Done)
{
    KIRQL irql;

    if (IsListEmpty(Done)) {
        return;
    }
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    while (!IsListEmpty(Done)) {
        IoCompleteRequest(CONTAINING_RECORD(RemoveHeadList(Done), IRP, Tail.Overlay.ListEntry),
                          IO_NO_INCREMENT);
    }
    KeLowerIrql(irql);
}

static VOID NTAPI VbusTransferCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVBUS_PDO pdo = DeviceObject->DeviceExtension;
    KIRQL irql;

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeAcquireSpinLock(&pdo->Lock, &irql);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&pdo->Lock, irql);
    VbusTransferFinish(Irp, USBD_STATUS_CANCELED, 0);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

// TRUE: the IRP is the caller's. FALSE: its cancel routine waits for the lock; a lone entry keeps that one
// happy.
static BOOLEAN VbusTransferClaim(_Inout_ PIRP Irp)
{
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    if (IoSetCancelRoutine(Irp, NULL) != NULL) {
        return TRUE;
    }
    InitializeListHead(&Irp->Tail.Overlay.ListEntry);
    return FALSE;
}

// The counterpart: FALSE: cancelled meanwhile, the IRP is the caller's to complete.
static BOOLEAN VbusTransferHold(_Inout_ PIRP Irp, _Inout_ PLIST_ENTRY Before)
{
    InsertTailList(Before, &Irp->Tail.Overlay.ListEntry);
    IoSetCancelRoutine(Irp, VbusTransferCancel);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
        return FALSE;
    }
    return TRUE;
}

static USBD_STATUS VbusTransferResult(_Inout_ PVBUS_PIPE Pipe, _In_ enum emu_status Status)
{
    switch (Status) {
    case EMU_OK:
        return USBD_STATUS_SUCCESS;
    case EMU_STALL:
        Pipe->Halted = TRUE;
        return USBD_STATUS_STALL_PID;
    default:
        Pipe->Halted = TRUE;
        return USBD_STATUS_DEV_NOT_RESPONDING;
    }
}

// FALSE: the endpoint has nothing to say yet. TRUE: the URB is filled in.
static BOOLEAN VbusTransferTry(_Inout_ PVBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    struct _URB_BULK_OR_INTERRUPT_TRANSFER *transfer = &VbusUrbOf(Irp)->UrbBulkOrInterruptTransfer;
    PVBUS_PIPE pipe = VbusPipeOf(Irp);
    BOOLEAN in = (pipe->Address & 0x80) != 0;
    size_t length = transfer->TransferBufferLength;
    enum emu_status result;
    PUCHAR data;

    if (pipe->Halted) {
        VbusTransferFinish(Irp, USBD_STATUS_ENDPOINT_HALTED, 0);
        return TRUE;
    }
    USBD_STATUS status = VbusUrbBuffer(transfer->TransferBuffer, transfer->TransferBufferMDL,
                                       transfer->TransferBufferLength, &data);
    if (!USBD_SUCCESS(status)) {
        VbusTransferFinish(Irp, status, 0);
        return TRUE;
    }
    if (in) {
        result = emu_in(Pdo->Reader, VbusTime(Pdo), pipe->Address, data, &length);
    } else {
        result = emu_out(Pdo->Reader, VbusTime(Pdo), pipe->Address, data, length);
    }
    if (result == EMU_NAK) {
        return FALSE;
    }
    status = VbusTransferResult(pipe, result);
    VbusTransferFinish(Irp, status, USBD_SUCCESS(status) ? (ULONG)length : 0);
    return TRUE;
}

// One pass over the queue. A pipe whose first transfer has to wait makes the later ones wait, too.
static BOOLEAN VbusTransferPass(_Inout_ PVBUS_PDO Pdo, _Inout_ PLIST_ENTRY Done)
{
    BOOLEAN waiting[VBUS_PIPES] = {FALSE}, progress = FALSE;
    PLIST_ENTRY entry = Pdo->Transfers.Flink;

    while (entry != &Pdo->Transfers) {
        PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        PBOOLEAN waits = &waiting[VbusPipeOf(irp) - Pdo->Pipes];
        entry = entry->Flink;
        if (*waits || !VbusTransferClaim(irp)) {
            continue;
        }
        if (VbusTransferTry(Pdo, irp)) {
            InsertTailList(Done, &irp->Tail.Overlay.ListEntry);
            progress = TRUE;
        } else if (VbusTransferHold(irp, entry)) {
            *waits = TRUE;
        } else {
            VbusTransferFinish(irp, USBD_STATUS_CANCELED, 0);
            InsertTailList(Done, &irp->Tail.Overlay.ListEntry);
        }
    }
    return progress;
}

static VOID VbusTransferArm(_Inout_ PVBUS_PDO Pdo)
{
    ULONG64 next = emu_next_event(Pdo->Reader), now = VbusTime(Pdo);
    LARGE_INTEGER due;

    if (next == UINT64_MAX) {
        return; // a timer still running does no harm
    }
    due.QuadPart = next > now ? -(LONGLONG)((next - now) * 10) : -1;
    (VOID) KeSetTimer(&Pdo->Timer, due, &Pdo->Dpc);
}

// Completion routines submit the next transfer and come back here: they only leave word, which bounds the
// stack and keeps completions in order.
VOID VbusTransferPump(PVBUS_PDO Pdo)
{
    LIST_ENTRY done;
    KIRQL irql;

    InitializeListHead(&done);
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    Pdo->PumpAgain = TRUE;
    if (Pdo->Pumping) {
        KeReleaseSpinLock(&Pdo->Lock, irql);
        return;
    }
    Pdo->Pumping = TRUE;
    while (Pdo->PumpAgain && Pdo->Present) {
        Pdo->PumpAgain = FALSE;
        while (VbusTransferPass(Pdo, &done)) {
            // an OUT may have filled an IN endpoint before it in the queue
        }
        VbusTransferArm(Pdo);
        KeReleaseSpinLock(&Pdo->Lock, irql);
        VbusTransferComplete(&done);
        KeAcquireSpinLock(&Pdo->Lock, &irql);
    }
    Pdo->Pumping = FALSE;
    KeReleaseSpinLock(&Pdo->Lock, irql);
}

VOID NTAPI VbusTransferDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    VbusTransferPump(Context);
}

static USBD_STATUS VbusTransferCheck(_In_ PVBUS_PDO Pdo, _In_ PURB Urb)
{
    PVBUS_PIPE pipe;

    if (Urb->UrbHeader.Length < sizeof(struct _URB_BULK_OR_INTERRUPT_TRANSFER)) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    pipe = VbusPipeFind(Pdo, Urb->UrbBulkOrInterruptTransfer.PipeHandle);
    if (pipe == NULL) {
        return USBD_STATUS_INVALID_PIPE_HANDLE;
    }
    return Pdo->Present ? USBD_STATUS_SUCCESS : USBD_STATUS_DEVICE_GONE;
}

NTSTATUS VbusTransferQueue(PVBUS_PDO Pdo, PIRP Irp)
{
    BOOLEAN held = FALSE;
    KIRQL irql;

    IoMarkIrpPending(Irp);
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    USBD_STATUS status = VbusTransferCheck(Pdo, VbusUrbOf(Irp));
    if (USBD_SUCCESS(status)) {
        VbusUrbOf(Irp)->UrbHeader.Status = USBD_STATUS_PENDING;
        held = VbusTransferHold(Irp, &Pdo->Transfers);
        status = held ? USBD_STATUS_SUCCESS : USBD_STATUS_CANCELED;
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    if (held) {
        VbusTransferPump(Pdo);
    } else {
        VbusUrbOf(Irp)->UrbHeader.Status = status;
        VbusComplete(Irp, VbusUrbStatus(status));
    }
    return STATUS_PENDING;
}

VOID VbusTransferAbort(PVBUS_PDO Pdo, PVBUS_PIPE Pipe, USBD_STATUS Status)
{
    LIST_ENTRY done;
    KIRQL irql;

    InitializeListHead(&done);
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    PLIST_ENTRY entry = Pdo->Transfers.Flink;
    while (entry != &Pdo->Transfers) {
        PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        entry = entry->Flink;
        if ((Pipe == NULL || Pipe == VbusPipeOf(irp)) && VbusTransferClaim(irp)) {
            VbusTransferFinish(irp, Status, 0);
            InsertTailList(&done, &irp->Tail.Overlay.ListEntry);
        }
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    VbusTransferComplete(&done);
}

BOOLEAN VbusTransferPending(PVBUS_PDO Pdo, PVBUS_PIPE Pipe)
{
    BOOLEAN pending = FALSE;
    KIRQL irql;

    KeAcquireSpinLock(&Pdo->Lock, &irql);
    for (PLIST_ENTRY entry = Pdo->Transfers.Flink; entry != &Pdo->Transfers; entry = entry->Flink) {
        pending |= VbusPipeOf(CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry)) == Pipe;
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    return pending;
}
