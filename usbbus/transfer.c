// SPDX-License-Identifier: MIT
// URBs in flight: IRPs pended with their libusb transfers, ended by libusb's event thread as a DPC would.
#include "usbbus/usbbus.h"

typedef struct _UBUS_TRANSFER {
    LIST_ENTRY Link; // in the PDO's list until its IRP may be completed
    PUBUS_PDO Pdo;
    PIRP Irp;
    struct usb_transfer *Transfer;
    UCHAR Endpoint;
    BOOLEAN CancelRan, Done; // whichever of the two comes last completes the IRP
} UBUS_TRANSFER, *PUBUS_TRANSFER;

static DRIVER_CANCEL UbusTransferCancel;

static USBD_STATUS UbusResult(_In_ enum usb_result Result)
{
    switch (Result) {
    case USB_DONE:
        return USBD_STATUS_SUCCESS;
    case USB_STALLED:
        return USBD_STATUS_STALL_PID;
    case USB_CANCELLED:
        return USBD_STATUS_CANCELED;
    case USB_GONE:
        return USBD_STATUS_DEVICE_GONE;
    default:
        return USBD_STATUS_DEV_NOT_RESPONDING;
    }
}

static VOID UbusTransferFill(_In_ PUBUS_TRANSFER Transfer, _In_ USBD_STATUS Status, _In_ ULONG Length)
{
    PURB urb = IoGetCurrentIrpStackLocation(Transfer->Irp)->Parameters.Others.Argument1;

    urb->UrbHeader.Status = Status;
    if (urb->UrbHeader.Length >= sizeof(struct _URB_BULK_OR_INTERRUPT_TRANSFER)) {
        urb->UrbBulkOrInterruptTransfer.TransferBufferLength = Length; // at one place in all shapes
    }
    Transfer->Irp->IoStatus.Status = UbusUrbStatus(Status);
    Transfer->Irp->IoStatus.Information = 0;
}

// The lock is held.
static VOID UbusTransferUnlink(_Inout_ PUBUS_TRANSFER Transfer)
{
    RemoveEntryList(&Transfer->Link);
    if (IsListEmpty(&Transfer->Pdo->Transfers)) {
        KeSetEvent(&Transfer->Pdo->Drained, IO_NO_INCREMENT, FALSE);
    }
}

// The IRP is completed before the PDO can be seen to be drained, lest it be deleted under it.
static VOID UbusTransferEnd(_Inout_ PUBUS_TRANSFER Transfer, _Inout_ PIRP Irp)
{
    PUBUS_PDO pdo = Transfer->Pdo;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    KeAcquireSpinLockAtDpcLevel(&pdo->Lock);
    UbusTransferUnlink(Transfer);
    KeReleaseSpinLockFromDpcLevel(&pdo->Lock);
    KeLowerIrql(irql);
    ExFreePoolWithTag(Transfer, UBUS_TAG);
}

static void UbusTransferDone(void *context, enum usb_result result, uint32_t moved)
{
    PUBUS_TRANSFER transfer = context;
    PUBUS_PDO pdo = transfer->Pdo;
    PIRP irp = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&pdo->Lock, &irql);
    struct usb_transfer *ended = transfer->Transfer;
    UbusTransferFill(transfer, UbusResult(result), moved);
    transfer->Done = TRUE;
    if (transfer->CancelRan || IoSetCancelRoutine(transfer->Irp, NULL) != NULL) {
        irp = transfer->Irp;
        transfer->Irp = NULL; // another may soon have its address
    }
    KeReleaseSpinLock(&pdo->Lock, irql);
    usb_release(ended);
    if (result == USB_GONE) {
        UbusChildLose(pdo); // hotplug may be late, or not there
    }
    if (irp != NULL) {
        UbusTransferEnd(transfer, irp);
    }
}

static VOID NTAPI UbusTransferCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PUBUS_PDO pdo = DeviceObject->DeviceExtension;
    PUBUS_TRANSFER ended = NULL;
    KIRQL irql;

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeAcquireSpinLock(&pdo->Lock, &irql);
    for (PLIST_ENTRY entry = pdo->Transfers.Flink; entry != &pdo->Transfers; entry = entry->Flink) {
        PUBUS_TRANSFER transfer = CONTAINING_RECORD(entry, UBUS_TRANSFER, Link);
        if (transfer->Irp == Irp && !transfer->CancelRan) {
            transfer->CancelRan = TRUE;
            ended = transfer->Done ? transfer : NULL;
            if (!transfer->Done) {
                usb_cancel(transfer->Transfer);
            }
            break;
        }
    }
    KeReleaseSpinLock(&pdo->Lock, irql);
    if (ended != NULL) {
        UbusTransferEnd(ended, Irp);
    }
}

// The lock is held. The status: STATUS_PENDING, or why it is not in flight.
static NTSTATUS UbusTransferStart(_Inout_ PUBUS_TRANSFER Transfer, _In_opt_ const UCHAR *Setup,
                                  _In_opt_ const struct usb_pipe *Pipe, _In_ PVOID Data, _In_ ULONG Length)
{
    PUBUS_PDO pdo = Transfer->Pdo;
    BOOLEAN interrupt = Pipe != NULL && (Pipe->attributes & 3) == 3;

    if (!pdo->Present) {
        return STATUS_DEVICE_NOT_CONNECTED;
    }
    IoSetCancelRoutine(Transfer->Irp, UbusTransferCancel);
    if (Transfer->Irp->Cancel && IoSetCancelRoutine(Transfer->Irp, NULL) != NULL) {
        return STATUS_CANCELLED;
    }
    KeClearEvent(&pdo->Drained);
    InsertTailList(&pdo->Transfers, &Transfer->Link);
    int error = usb_submit(pdo->Device, Transfer->Endpoint, interrupt, Setup, Data, Length, UbusTransferDone,
                           Transfer, &Transfer->Transfer);
    if (error == 0) {
        return STATUS_PENDING;
    }
    // Its cancel routine may be waiting for the lock: then it is that one's to complete.
    UbusTransferFill(Transfer, error == -19 ? USBD_STATUS_DEVICE_GONE : USBD_STATUS_INSUFFICIENT_RESOURCES,
                     0);
    if (IoSetCancelRoutine(Transfer->Irp, NULL) == NULL) {
        Transfer->Done = TRUE;
        return STATUS_PENDING;
    }
    UbusTransferUnlink(Transfer);
    return STATUS_DEVICE_NOT_CONNECTED;
}

// What has ended within its submission ends in this thread, as by a DPC that interrupts it: switching to the
// event thread and back takes longer than a short transfer. Only at passive level, for hotplug may be
// handled, too.
static BOOLEAN UbusBusTake(_Inout_ PUBUS_FDO Fdo, _In_ PIRP Irp)
{
    if (KeGetCurrentIrql() != PASSIVE_LEVEL || !NT_SUCCESS(IoAcquireRemoveLock(&Fdo->Taken, Irp))) {
        return FALSE;
    }
    if (usb_bus_take(Fdo->Bus)) {
        return TRUE;
    }
    IoReleaseRemoveLock(&Fdo->Taken, Irp);
    return FALSE;
}

static VOID UbusBusYield(_Inout_ PUBUS_FDO Fdo, _In_ PIRP Irp)
{
    usb_bus_yield(Fdo->Bus);
    IoReleaseRemoveLock(&Fdo->Taken, Irp);
}

NTSTATUS UbusTransferSubmit(PUBUS_PDO Pdo, PIRP Irp, const UCHAR *Setup, const struct usb_pipe *Pipe,
                            PVOID Data, ULONG Length)
{
    PUBUS_TRANSFER transfer = ExAllocatePoolWithTag(NonPagedPool, sizeof *transfer, UBUS_TAG);
    PUBUS_FDO fdo = Pdo->Parent; // the PDO may be gone with the IRP
    NTSTATUS status;
    KIRQL irql;

    if (transfer == NULL) {
        return UbusComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    BOOLEAN taken = UbusBusTake(fdo, Irp);
    RtlZeroMemory(transfer, sizeof *transfer);
    transfer->Pdo = Pdo;
    transfer->Irp = Irp;
    transfer->Endpoint = Pipe != NULL ? Pipe->address : 0;
    IoMarkIrpPending(Irp);
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    status = UbusTransferStart(transfer, Setup, Pipe, Data, Length);
    KeReleaseSpinLock(&Pdo->Lock, irql);
    if (status != STATUS_PENDING) {
        UbusTransferFill(transfer,
                         status == STATUS_CANCELLED ? USBD_STATUS_CANCELED : USBD_STATUS_DEVICE_GONE, 0);
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        ExFreePoolWithTag(transfer, UBUS_TAG);
    }
    if (taken) {
        UbusBusYield(fdo, Irp);
    }
    return STATUS_PENDING;
}

VOID UbusTransferAbort(PUBUS_PDO Pdo, UCHAR Endpoint)
{
    KIRQL irql;

    KeAcquireSpinLock(&Pdo->Lock, &irql);
    for (PLIST_ENTRY entry = Pdo->Transfers.Flink; entry != &Pdo->Transfers; entry = entry->Flink) {
        PUBUS_TRANSFER transfer = CONTAINING_RECORD(entry, UBUS_TRANSFER, Link);
        if (!transfer->Done && (Endpoint == 0xFF || transfer->Endpoint == Endpoint)) {
            usb_cancel(transfer->Transfer);
        }
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
}

VOID UbusTransferDrain(PUBUS_PDO Pdo)
{
    KIRQL irql;

    UbusTransferAbort(Pdo, 0xFF);
    (VOID) KeWaitForSingleObject(&Pdo->Drained, Executive, KernelMode, FALSE, NULL);
    KeAcquireSpinLock(&Pdo->Lock, &irql); // who set the event has let go of it, too
    KeReleaseSpinLock(&Pdo->Lock, irql);
}
