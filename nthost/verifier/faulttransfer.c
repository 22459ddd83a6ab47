// SPDX-License-Identifier: MIT
// Transfers that fail on their way down, arrive late, or are cancelled there, as a host controller's driver
// may do to them.
#include "nthost/io/track.h"
#include "nthost/verifier/faults.h"

#include <usb.h>
#ifndef FILE_DEVICE_USB
#define FILE_DEVICE_USB FILE_DEVICE_UNKNOWN // the kernel headers lack it
#endif
#include <usbioctl.h>

// Two references: the IRP's and the timer's. `Irp` changes under the cancel spin lock.
typedef struct _VF_HELD {
    PIRP Irp; // NULL: no longer held
    PDEVICE_OBJECT Device;
    BOOLEAN Cancels;
    volatile LONG References;
    KTIMER Timer;
    KDPC Dpc;
} VF_HELD;

static DRIVER_CANCEL VfHeldCancel;
static KDEFERRED_ROUTINE VfHeldDue;

static VOID VfReleaseHeld(VF_HELD *Held, LONG Count)
{
    if (InterlockedExchangeAdd(&Held->References, -Count) == Count) {
        ObDereferenceObject(Held->Device);
        os_free(Held);
    }
}

static NTSTATUS VfFinishTransfer(PIRP Irp, USBD_STATUS UsbStatus, NTSTATUS Status)
{
    PURB Urb = IoGetCurrentIrpStackLocation(Irp)->Parameters.Others.Argument1;
    Urb->UrbHeader.Status = UsbStatus;
    if (Urb->UrbHeader.Function == URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER) {
        Urb->UrbBulkOrInterruptTransfer.TransferBufferLength = 0;
    }
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID NTAPI VfHeldCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    VF_HELD *Held = Irp->Tail.Overlay.DriverContext[0];
    UNREFERENCED_PARAMETER(DeviceObject);
    Held->Irp = NULL;
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    LONG Count = KeCancelTimer(&Held->Timer) ? 2 : 1;
    VfReleaseHeld(Held, Count);
    VfFinishTransfer(Irp, USBD_STATUS_CANCELED, STATUS_CANCELLED);
}

static VOID VfDeliver(PDEVICE_OBJECT Device, PIRP Irp)
{
    VF_FRAME Frame;
    PDRIVER_DISPATCH Routine = Device->DriverObject->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL];
    IopEnterDriver(&Frame, Device->DriverObject, (PVOID)(ULONG_PTR)Routine);
    (VOID) Routine(Device, Irp); // its sender was told STATUS_PENDING long ago
    IopLeaveDriver(&Frame, "dispatch routine");
}

static VOID NTAPI VfHeldDue(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    VF_HELD *Held = Context;
    KIRQL Irql;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    IoAcquireCancelSpinLock(&Irql);
    PIRP Irp = Held->Irp;
    Held->Irp = NULL;
    if (Irp != NULL) {
        IoSetCancelRoutine(Irp, NULL);
    }
    IoReleaseCancelSpinLock(Irql);
    if (Irp != NULL && Held->Cancels) {
        VfFinishTransfer(Irp, USBD_STATUS_CANCELED, STATUS_CANCELLED);
    } else if (Irp != NULL) {
        VfDeliver(Held->Device, Irp);
    }
    VfReleaseHeld(Held, Irp != NULL ? 2 : 1);
}

// FALSE: it was cancelled before.
static BOOLEAN VfHoldIrp(VF_HELD *Held, PIRP Irp)
{
    KIRQL Irql;
    IoAcquireCancelSpinLock(&Irql);
    BOOLEAN Hold = !Irp->Cancel;
    if (Hold) {
        Held->Irp = Irp;
        Irp->Tail.Overlay.DriverContext[0] = Held;
        IoSetCancelRoutine(Irp, VfHeldCancel);
    }
    IoReleaseCancelSpinLock(Irql);
    return Hold;
}

static NTSTATUS VfHold(PDEVICE_OBJECT Device, PIRP Irp, BOOLEAN Cancels)
{
    VF_HELD *Held = IopAllocateZeroed(sizeof *Held);
    if (Held == NULL) {
        return VfFinishTransfer(Irp, USBD_STATUS_INSUFFICIENT_RESOURCES, STATUS_INSUFFICIENT_RESOURCES);
    }
    IoMarkIrpPending(Irp);
    ObReferenceObject(Device);
    Held->Device = Device;
    Held->Cancels = Cancels;
    Held->References = 2;
    KeInitializeTimer(&Held->Timer);
    KeInitializeDpc(&Held->Dpc, VfHeldDue, Held);
    Held->Dpc.Number = 0; // the kernel's own
    LARGE_INTEGER Due = {.QuadPart = -(LONGLONG)(VfFaultDelay() + 1)};
    // From here on the IRP may be gone; the timer's reference keeps what is used of it.
    if (VfHoldIrp(Held, Irp)) {
        (VOID) KeSetTimer(&Held->Timer, Due, &Held->Dpc);
    } else {
        VfReleaseHeld(Held, 2);
        VfFinishTransfer(Irp, USBD_STATUS_CANCELED, STATUS_CANCELLED);
    }
    return STATUS_PENDING;
}

static BOOLEAN VfIsTransfer(PIRP Irp)
{
    PIO_STACK_LOCATION Next = IoGetNextIrpStackLocation(Irp);
    return Irp->CurrentLocation > 1 && Next->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL &&
           Next->Parameters.DeviceIoControl.IoControlCode == IOCTL_INTERNAL_USB_SUBMIT_URB;
}

static VOID VfEnterLocation(PDEVICE_OBJECT Device, PIRP Irp)
{
    Irp->CurrentLocation--;
    Irp->Tail.Overlay.CurrentStackLocation--;
    Irp->Tail.Overlay.CurrentStackLocation->DeviceObject = Device;
}

BOOLEAN VfFaultTransfer(PDEVICE_OBJECT Device, PIRP Irp, PVOID Caller, NTSTATUS *Status)
{
    VF_DRIVER Sender = VfCurrentDriver();
    if (!VfIsTransfer(Irp)) {
        return FALSE;
    }
    KiCurrentThread()->Caller = Caller;
    VfFaultMeet(NT_FAULT_TRANSFER);
    BOOLEAN Fails = VfFaultAt(NT_FAULT_FAIL, NT_FAULT_TRANSFER, Sender);
    BOOLEAN Cancels = VfFaultAt(NT_FAULT_CANCEL, NT_FAULT_TRANSFER, Sender);
    if (!Fails && !Cancels && !VfFaultAt(NT_FAULT_LATE, NT_FAULT_TRANSFER, Sender)) {
        return FALSE;
    }
    VF_FRAME Frame;
    VfEnterLocation(Device, Irp);
    VfEnterDriver(&Frame, 0, NULL);
    *Status = Fails ? VfFinishTransfer(Irp, USBD_STATUS_DEV_NOT_RESPONDING, STATUS_UNSUCCESSFUL)
                    : VfHold(Device, Irp, Cancels);
    VfLeaveDriver(&Frame, "fault");
    return TRUE;
}
