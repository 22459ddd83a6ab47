// SPDX-License-Identifier: MIT
// The bus device: its name, its PnP requests, the thread that hands libusb's events over.
#include "usbbus/usbbus.h"

#define UBUS_WIDE_(text) L##text
#define UBUS_WIDE(text)  UBUS_WIDE_(text)
#define UBUS_DEVICE_NAME L"\\Device\\" UBUS_WIDE(USBBUS_DOS_NAME)
#define UBUS_LINK_NAME   L"\\DosDevices\\" UBUS_WIDE(USBBUS_DOS_NAME)

static IO_COMPLETION_ROUTINE UbusLowerDone;
static KSTART_ROUTINE UbusThread;

NTSTATUS NTAPI UbusFdoAdd(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT PhysicalDeviceObject)
{
    UNICODE_STRING name, link;
    PDEVICE_OBJECT device;
    NTSTATUS status;

    RtlInitUnicodeString(&name, UBUS_DEVICE_NAME);
    RtlInitUnicodeString(&link, UBUS_LINK_NAME);
    status = IoCreateDevice(DriverObject, sizeof(UBUS_FDO), &name, FILE_DEVICE_BUS_EXTENDER,
                            FILE_DEVICE_SECURE_OPEN, FALSE, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    PUBUS_FDO fdo = device->DeviceExtension;
    fdo->Self = device;
    fdo->Pdo = PhysicalDeviceObject;
    IoInitializeRemoveLock(&fdo->Taken, UBUS_TAG, 0, 0);
    KeInitializeMutex(&fdo->Lock, 0);
    InitializeListHead(&fdo->Children);
    status = IoCreateSymbolicLink(&link, &name);
    if (!NT_SUCCESS(status)) {
        goto CleanupDevice;
    }
    fdo->Lower = IoAttachDeviceToDeviceStack(device, PhysicalDeviceObject);
    if (fdo->Lower == NULL) {
        status = STATUS_NO_SUCH_DEVICE;
        goto CleanupLink;
    }
    device->Flags |= DO_POWER_PAGABLE;
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;

CleanupLink:
    (VOID) IoDeleteSymbolicLink(&link); // just made
CleanupDevice:
    IoDeleteDevice(device);
    return status;
}

static NTSTATUS NTAPI UbusLowerDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS UbusForwardAndWait(_In_ PUBUS_FDO Fdo, _Inout_ PIRP Irp)
{
    KEVENT done;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, UbusLowerDone, &done, TRUE, TRUE, TRUE);
    if (IoCallDriver(Fdo->Lower, Irp) == STATUS_PENDING) {
        (VOID) KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    }
    return Irp->IoStatus.Status;
}

static void UbusLeft(void *context, uint8_t bus, uint8_t address)
{
    UbusChildLeft(context, bus, address);
}

static VOID NTAPI UbusThread(PVOID Context)
{
    PUBUS_FDO fdo = Context;

    usb_bus_run(fdo->Bus);
    (VOID) PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS UbusThreadStart(_Inout_ PUBUS_FDO Fdo)
{
    HANDLE handle;
    NTSTATUS status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, UbusThread, Fdo);

    if (NT_SUCCESS(status)) {
        status = ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &Fdo->Thread, NULL);
        (VOID) ZwClose(handle);
    }
    return status;
}

static NTSTATUS UbusFdoStart(_Inout_ PUBUS_FDO Fdo, _Inout_ PIRP Irp)
{
    NTSTATUS status = UbusForwardAndWait(Fdo, Irp);

    if (NT_SUCCESS(status) && Fdo->Bus == NULL) { // else it was only stopped
        status = usb_bus_open(&Fdo->Bus, UbusLeft, Fdo) == 0 ? UbusThreadStart(Fdo)
                                                             : STATUS_INSUFFICIENT_RESOURCES;
    }
    return UbusComplete(Irp, NT_SUCCESS(status) ? STATUS_SUCCESS : status, 0);
}

static VOID UbusFdoEnd(_Inout_ PUBUS_FDO Fdo)
{
    UbusChildrenDelete(Fdo);                      // the thread ends their transfers
    (VOID) IoAcquireRemoveLock(&Fdo->Taken, Fdo); // the last reference is what is waited for
    IoReleaseRemoveLockAndWait(&Fdo->Taken, Fdo);
    if (Fdo->Thread != NULL) {
        usb_bus_stop(Fdo->Bus);
        (VOID) KeWaitForSingleObject(Fdo->Thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(Fdo->Thread);
    }
    if (Fdo->Bus != NULL) {
        usb_bus_close(Fdo->Bus);
    }
}

static NTSTATUS UbusFdoRemove(_Inout_ PUBUS_FDO Fdo, _Inout_ PIRP Irp)
{
    UNICODE_STRING link;
    NTSTATUS status;

    RtlInitUnicodeString(&link, UBUS_LINK_NAME);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(Fdo->Lower, Irp);
    UbusFdoEnd(Fdo);
    (VOID) IoDeleteSymbolicLink(&link); // fails only if somebody else has deleted it
    IoDetachDevice(Fdo->Lower);
    IoDeleteDevice(Fdo->Self);
    return status;
}

static NTSTATUS UbusFdoRelations(_Inout_ PUBUS_FDO Fdo, _Inout_ PIRP Irp)
{
    PDEVICE_RELATIONS relations = NULL;

    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryDeviceRelations.Type == BusRelations) {
        NTSTATUS status = UbusChildRelations(Fdo, &relations);
        if (!NT_SUCCESS(status)) {
            return UbusComplete(Irp, status, 0);
        }
        Irp->IoStatus.Status = STATUS_SUCCESS;
        Irp->IoStatus.Information = (ULONG_PTR)relations;
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Fdo->Lower, Irp);
}

NTSTATUS UbusFdoPnp(PUBUS_FDO Fdo, PIRP Irp)
{
    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return UbusFdoStart(Fdo, Irp);
    case IRP_MN_REMOVE_DEVICE:
        return UbusFdoRemove(Fdo, Irp);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        return UbusFdoRelations(Fdo, Irp);
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    default:
        break;
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Fdo->Lower, Irp);
}
