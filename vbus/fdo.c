// SPDX-License-Identifier: MIT
// The bus device: its name, its PnP and power requests.
#include "vbus/vbus.h"

#define VBUS_WIDE_(text) L##text
#define VBUS_WIDE(text)  VBUS_WIDE_(text)

#define VBUS_DEVICE_NAME L"\\Device\\" VBUS_WIDE(VBUS_DOS_NAME)
#define VBUS_LINK_NAME   L"\\DosDevices\\" VBUS_WIDE(VBUS_DOS_NAME)

static IO_COMPLETION_ROUTINE VbusFdoLowerDone;

static NTSTATUS VbusFdoCreate(_In_ PDRIVER_OBJECT DriverObject, _Out_ PDEVICE_OBJECT *Device,
                              _Out_ PBOOLEAN Named)
{
    UNICODE_STRING name;
    NTSTATUS status;

    RtlInitUnicodeString(&name, VBUS_DEVICE_NAME);
    status = IoCreateDevice(DriverObject, sizeof(VBUS_FDO), &name, FILE_DEVICE_BUS_EXTENDER,
                            FILE_DEVICE_SECURE_OPEN, FALSE, Device);
    *Named = NT_SUCCESS(status);
    if (status == STATUS_OBJECT_NAME_COLLISION) { // a second bus is reached by its interface only
        status = IoCreateDevice(DriverObject, sizeof(VBUS_FDO), NULL, FILE_DEVICE_BUS_EXTENDER,
                                FILE_DEVICE_SECURE_OPEN, FALSE, Device);
    }
    return status;
}

static NTSTATUS VbusFdoLink(_Inout_ PVBUS_FDO Fdo)
{
    UNICODE_STRING name, link;
    NTSTATUS status;

    RtlInitUnicodeString(&name, VBUS_DEVICE_NAME);
    RtlInitUnicodeString(&link, VBUS_LINK_NAME);
    status = IoCreateSymbolicLink(&link, &name);
    Fdo->Linked = NT_SUCCESS(status);
    return status;
}

static VOID VbusFdoUnlink(_Inout_ PVBUS_FDO Fdo)
{
    UNICODE_STRING link;

    RtlInitUnicodeString(&link, VBUS_LINK_NAME);
    if (Fdo->Linked) {
        (VOID) IoDeleteSymbolicLink(&link); // fails only if somebody else has deleted it
        Fdo->Linked = FALSE;
    }
}

NTSTATUS NTAPI VbusFdoAdd(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT PhysicalDeviceObject)
{
    static const UCHAR bytes[sizeof(GUID)] = VBUS_INTERFACE_GUID;
    PDEVICE_OBJECT device;
    BOOLEAN named;
    GUID guid;
    NTSTATUS status = VbusFdoCreate(DriverObject, &device, &named);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    PVBUS_FDO fdo = device->DeviceExtension;
    fdo->Common.Self = device;
    fdo->Pdo = PhysicalDeviceObject;
    KeInitializeMutex(&fdo->Lock, 0);
    InitializeListHead(&fdo->Children);
    IoInitializeRemoveLock(&fdo->RemoveLock, VBUS_TAG, 0, 0);
    status = named ? VbusFdoLink(fdo) : STATUS_SUCCESS;
    if (!NT_SUCCESS(status)) {
        goto CleanupDevice;
    }
    fdo->Lower = IoAttachDeviceToDeviceStack(device, PhysicalDeviceObject);
    if (fdo->Lower == NULL) {
        status = STATUS_NO_SUCH_DEVICE;
        goto CleanupLink;
    }
    RtlCopyMemory(&guid, bytes, sizeof guid);
    status = IoRegisterDeviceInterface(PhysicalDeviceObject, &guid, NULL, &fdo->InterfaceLink);
    if (!NT_SUCCESS(status)) {
        goto CleanupAttachment;
    }
    device->Flags |= DO_POWER_PAGABLE;
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;

CleanupAttachment:
    IoDetachDevice(fdo->Lower);
CleanupLink:
    VbusFdoUnlink(fdo);
CleanupDevice:
    IoDeleteDevice(device);
    return status;
}

NTSTATUS VbusFdoForward(PVBUS_FDO Fdo, PIRP Irp)
{
    NTSTATUS status = IoAcquireRemoveLock(&Fdo->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        return VbusComplete(Irp, status);
    }
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(Fdo->Lower, Irp);
    IoReleaseRemoveLock(&Fdo->RemoveLock, Irp);
    return status;
}

NTSTATUS VbusFdoPower(PVBUS_FDO Fdo, PIRP Irp)
{
    NTSTATUS status = IoAcquireRemoveLock(&Fdo->RemoveLock, Irp);

    PoStartNextPowerIrp(Irp);
    if (!NT_SUCCESS(status)) {
        return VbusComplete(Irp, status);
    }
    // A bus without hardware has no device states of its own: every request is its parent's to answer.
    IoSkipCurrentIrpStackLocation(Irp);
    status = PoCallDriver(Fdo->Lower, Irp);
    IoReleaseRemoveLock(&Fdo->RemoveLock, Irp);
    return status;
}

static NTSTATUS NTAPI VbusFdoLowerDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS VbusFdoForwardAndWait(_In_ PVBUS_FDO Fdo, _Inout_ PIRP Irp)
{
    KEVENT done;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, VbusFdoLowerDone, &done, TRUE, TRUE, TRUE);
    if (IoCallDriver(Fdo->Lower, Irp) == STATUS_PENDING) {
        (VOID) KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    }
    return Irp->IoStatus.Status;
}

static NTSTATUS VbusFdoStart(_Inout_ PVBUS_FDO Fdo, _Inout_ PIRP Irp)
{
    NTSTATUS status = VbusFdoForwardAndWait(Fdo, Irp);

    if (NT_SUCCESS(status) && VbusStateGet(&Fdo->Common) != VbusStopped) { // after a stop it still is enabled
        status = IoSetDeviceInterfaceState(&Fdo->InterfaceLink, TRUE);
    }
    if (NT_SUCCESS(status)) {
        VbusStateSet(&Fdo->Common, VbusStarted);
        status = STATUS_SUCCESS;
    }
    return VbusComplete(Irp, status);
}

static NTSTATUS VbusFdoRelations(_In_ PVBUS_FDO Fdo, _Inout_ PIRP Irp)
{
    PDEVICE_RELATIONS relations = (PDEVICE_RELATIONS)Irp->IoStatus.Information;
    NTSTATUS status;

    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryDeviceRelations.Type != BusRelations) {
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Fdo->Lower, Irp);
    }
    status = VbusChildRelations(Fdo, &relations);
    if (!NT_SUCCESS(status)) {
        return VbusCompleteWith(Irp, status, Irp->IoStatus.Information);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = (ULONG_PTR)relations;
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Fdo->Lower, Irp);
}

static VOID VbusFdoDisable(_Inout_ PVBUS_FDO Fdo)
{
    if (VbusStateGet(&Fdo->Common) != VbusNotStarted && VbusStateGet(&Fdo->Common) != VbusSurpriseRemoved) {
        (VOID) IoSetDeviceInterfaceState(&Fdo->InterfaceLink, FALSE); // PnP disables what is left
    }
}

static NTSTATUS VbusFdoRemove(_Inout_ PVBUS_FDO Fdo, _Inout_ PIRP Irp)
{
    NTSTATUS status;

    VbusFdoDisable(Fdo);
    VbusStateSet(&Fdo->Common, VbusRemoved);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(Fdo->Lower, Irp);
    IoReleaseRemoveLockAndWait(&Fdo->RemoveLock, Irp);
    VbusChildrenDelete(Fdo);
    VbusFdoUnlink(Fdo);
    RtlFreeUnicodeString(&Fdo->InterfaceLink);
    IoDetachDevice(Fdo->Lower);
    IoDeleteDevice(Fdo->Common.Self);
    return status;
}

static NTSTATUS VbusFdoTransition(_Inout_ PVBUS_FDO Fdo, _Inout_ PIRP Irp, _In_ UCHAR Minor)
{
    switch (Minor) {
    case IRP_MN_QUERY_STOP_DEVICE:
        VbusStateQuery(&Fdo->Common, VbusStopPending);
        break;
    case IRP_MN_QUERY_REMOVE_DEVICE:
        VbusStateQuery(&Fdo->Common, VbusRemovePending);
        break;
    case IRP_MN_STOP_DEVICE:
        VbusStateSet(&Fdo->Common, VbusStopped);
        break;
    default: // IRP_MN_SURPRISE_REMOVAL
        VbusFdoDisable(Fdo);
        VbusStateSet(&Fdo->Common, VbusSurpriseRemoved);
        VbusChildrenLose(Fdo);
        break;
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Fdo->Lower, Irp);
}

static NTSTATUS VbusFdoCancel(_Inout_ PVBUS_FDO Fdo, _Inout_ PIRP Irp, _In_ VBUS_STATE Pending)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS status = VbusFdoForwardAndWait(Fdo, Irp);

    VbusStateCancel(&Fdo->Common, Pending);
    return VbusComplete(Irp, status);
}

NTSTATUS VbusFdoPnp(PVBUS_FDO Fdo, PIRP Irp)
{
    UCHAR minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    NTSTATUS status = IoAcquireRemoveLock(&Fdo->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        return VbusComplete(Irp, status);
    }
    switch (minor) {
    case IRP_MN_START_DEVICE:
        status = VbusFdoStart(Fdo, Irp);
        break;
    case IRP_MN_REMOVE_DEVICE:
        return VbusFdoRemove(Fdo, Irp); // gives up the lock for good
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        status = VbusFdoTransition(Fdo, Irp, minor);
        break;
    case IRP_MN_CANCEL_STOP_DEVICE:
        status = VbusFdoCancel(Fdo, Irp, VbusStopPending);
        break;
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        status = VbusFdoCancel(Fdo, Irp, VbusRemovePending);
        break;
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        status = VbusFdoRelations(Fdo, Irp);
        break;
    default:
        IoSkipCurrentIrpStackLocation(Irp);
        status = IoCallDriver(Fdo->Lower, Irp);
        break;
    }
    IoReleaseRemoveLock(&Fdo->RemoveLock, Irp);
    return status;
}
