// SPDX-License-Identifier: MIT
// What a hub does for a device: its internal device controls besides URBs, selective suspend among them.
#include "vbus/vbus.h"

// ms_abi in the native build; the header's own type forgets the calling convention.
typedef VOID NTAPI VBUS_IDLE_CALLBACK(PVOID Context);

static DRIVER_CANCEL VbusSlotCancel;
static IO_WORKITEM_ROUTINE VbusPortIdleWork;

// Takes the IRP out of its slot; the lock is held. NULL: the function driver is being called for it, and
// whoever calls completes it afterwards.
static PIRP VbusSlotTake(_Inout_ PVBUS_PDO Pdo, _Inout_ PIRP *Slot, _In_ NTSTATUS Status)
{
    PIRP irp = *Slot;

    if (Slot == &Pdo->Idle && Pdo->Calling) {
        Pdo->IdleEnded = Status;
        return NULL;
    }
    *Slot = NULL;
    return irp;
}

static VOID NTAPI VbusSlotCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVBUS_PDO pdo = DeviceObject->DeviceExtension;
    PIRP irp = Irp;
    KIRQL irql;

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeAcquireSpinLock(&pdo->Lock, &irql);
    if (pdo->WaitWake == Irp) {
        irp = VbusSlotTake(pdo, &pdo->WaitWake, STATUS_CANCELLED);
    } else if (pdo->Idle == Irp) {
        irp = VbusSlotTake(pdo, &pdo->Idle, STATUS_CANCELLED);
    }
    KeReleaseSpinLock(&pdo->Lock, irql);
    if (irp != NULL) {
        VbusComplete(irp, STATUS_CANCELLED);
    }
}

BOOLEAN VbusSlotHold(PVBUS_PDO Pdo, PIRP *Slot, PIRP Irp)
{
    NTSTATUS status = STATUS_PENDING;
    KIRQL irql;

    IoMarkIrpPending(Irp);
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    if (!Pdo->Present) {
        status = STATUS_NO_SUCH_DEVICE;
    } else if (*Slot != NULL) {
        status = STATUS_DEVICE_BUSY;
    } else {
        *Slot = Irp;
        IoSetCancelRoutine(Irp, VbusSlotCancel);
        if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
            *Slot = NULL;
            status = STATUS_CANCELLED;
        }
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    if (status != STATUS_PENDING) {
        VbusComplete(Irp, status);
    }
    return status == STATUS_PENDING;
}

VOID VbusSlotComplete(PVBUS_PDO Pdo, PIRP *Slot, NTSTATUS Status)
{
    PIRP irp = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&Pdo->Lock, &irql);
    // Without a cancel routine it is that one's, which waits for the lock or has left it to the call.
    if (*Slot != NULL && IoSetCancelRoutine(*Slot, NULL) != NULL) {
        irp = VbusSlotTake(Pdo, Slot, Status);
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    if (irp != NULL) {
        VbusComplete(irp, Status);
    }
}

// The hub's part of selective suspend: asks the function driver, in a thread of its own, to go to sleep.
static VOID NTAPI VbusPortIdleWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PVBUS_PDO pdo = DeviceObject->DeviceExtension;
    PUSB_IDLE_CALLBACK_INFO info = NULL;
    NTSTATUS ended = STATUS_PENDING;
    PIRP irp = NULL;
    KIRQL irql;

    IoFreeWorkItem(Context);
    KeAcquireSpinLock(&pdo->Lock, &irql);
    if (pdo->Idle != NULL && !pdo->Calling && !pdo->Idle->Cancel) {
        info = IoGetCurrentIrpStackLocation(pdo->Idle)->Parameters.DeviceIoControl.Type3InputBuffer;
        pdo->Calling = TRUE;
        pdo->IdleEnded = STATUS_PENDING;
    }
    KeReleaseSpinLock(&pdo->Lock, irql);
    if (info == NULL) {
        return;
    }
    ((VBUS_IDLE_CALLBACK *)(PVOID)info->IdleCallback)(info->IdleContext);
    KeAcquireSpinLock(&pdo->Lock, &irql);
    pdo->Calling = FALSE;
    ended = pdo->IdleEnded;
    if (ended != STATUS_PENDING) {
        irp = VbusSlotTake(pdo, &pdo->Idle, ended);
    }
    KeReleaseSpinLock(&pdo->Lock, irql);
    if (irp != NULL) {
        VbusComplete(irp, ended);
    }
}

NTSTATUS VbusPortIdle(PVBUS_PDO Pdo, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PUSB_IDLE_CALLBACK_INFO info = stack->Parameters.DeviceIoControl.Type3InputBuffer;
    PIO_WORKITEM item;

    if (info == NULL || info->IdleCallback == NULL ||
        stack->Parameters.DeviceIoControl.InputBufferLength < sizeof *info) {
        return VbusComplete(Irp, STATUS_INVALID_PARAMETER);
    }
    item = IoAllocateWorkItem(Pdo->Common.Self);
    if (item == NULL) {
        return VbusComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    if (VbusSlotHold(Pdo, &Pdo->Idle, Irp)) {
        IoQueueWorkItem(item, VbusPortIdleWork, DelayedWorkQueue, item);
    } else {
        IoFreeWorkItem(item);
    }
    return STATUS_PENDING;
}

static NTSTATUS VbusPortReset(_Inout_ PVBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    struct emu_setup configure = {0x00, 0x09, 1, 0, 0};
    ULONG length = 0;
    BOOLEAN configured = FALSE;
    KIRQL irql;

    VbusTransferAbort(Pdo, NULL, USBD_STATUS_CANCELED);
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    if (Pdo->Present) {
        emu_reader_reset(Pdo->Reader, VbusTime(Pdo));
        configured = Pdo->Configured;
    }
    for (ULONG i = 0; i < VBUS_PIPES; i++) {
        Pdo->Pipes[i].Halted = FALSE;
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    USBD_STATUS status = configured ? VbusDeviceControl(Pdo, &configure, NULL, &length) : USBD_STATUS_SUCCESS;
    VbusTransferPump(Pdo);
    return VbusComplete(Irp, VbusUrbStatus(status));
}

static NTSTATUS VbusPortStatus(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    PULONG status = IoGetCurrentIrpStackLocation(Irp)->Parameters.Others.Argument1;

    if (status == NULL) {
        return VbusComplete(Irp, STATUS_INVALID_PARAMETER);
    }
    *status = VbusChildPresent(Pdo) ? USBD_PORT_ENABLED | USBD_PORT_CONNECTED : 0;
    return VbusComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS VbusPortCycle(_Inout_ PVBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    PVBUS_FDO parent = Pdo->Parent;

    if (parent == NULL || !VbusChildPresent(Pdo)) {
        return VbusComplete(Irp, STATUS_NO_SUCH_DEVICE);
    }
    Pdo->Replug = TRUE;
    VbusChildUnplug(Pdo);
    IoInvalidateDeviceRelations(parent->Pdo, BusRelations);
    return VbusComplete(Irp, STATUS_SUCCESS);
}

NTSTATUS VbusPdoInternalControl(PVBUS_PDO Pdo, PIRP Irp)
{
    switch (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_INTERNAL_USB_SUBMIT_URB:
        return VbusUrbSubmit(Pdo, Irp);
    case IOCTL_INTERNAL_USB_RESET_PORT:
        return VbusPortReset(Pdo, Irp);
    case IOCTL_INTERNAL_USB_CYCLE_PORT:
        return VbusPortCycle(Pdo, Irp);
    case IOCTL_INTERNAL_USB_GET_PORT_STATUS:
        return VbusPortStatus(Pdo, Irp);
    case IOCTL_INTERNAL_USB_SUBMIT_IDLE_NOTIFICATION:
        return VbusPortIdle(Pdo, Irp);
    default:
        return VbusComplete(Irp, STATUS_NOT_SUPPORTED);
    }
}
