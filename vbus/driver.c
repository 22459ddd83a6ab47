// SPDX-License-Identifier: MIT
#include "vbus/vbus.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD VbusUnload;
static DRIVER_DISPATCH VbusDispatchFile, VbusDispatchControl, VbusDispatchInternal, VbusDispatchPnp,
    VbusDispatchPower, VbusDispatchSystem;

NTSTATUS VbusCompleteWith(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

NTSTATUS VbusComplete(PIRP Irp, NTSTATUS Status)
{
    return VbusCompleteWith(Irp, Status, 0);
}

VBUS_STATE VbusStateGet(PVBUS_COMMON Common)
{
    return (VBUS_STATE)InterlockedCompareExchange(&Common->State, 0, 0);
}

VOID VbusStateSet(PVBUS_COMMON Common, VBUS_STATE State)
{
    InterlockedExchange(&Common->State, State);
}

VOID VbusStateQuery(PVBUS_COMMON Common, VBUS_STATE Pending)
{
    Common->Before = VbusStateGet(Common);
    VbusStateSet(Common, Pending);
}

VOID VbusStateCancel(PVBUS_COMMON Common, VBUS_STATE Pending)
{
    if (VbusStateGet(Common) == Pending) { // else the query never came this far
        VbusStateSet(Common, Common->Before);
    }
}

static NTSTATUS NTAPI VbusDispatchFile(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVBUS_COMMON common = DeviceObject->DeviceExtension;
    BOOLEAN create = IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_CREATE;
    VBUS_STATE state = VbusStateGet(common);

    if (create && state != VbusStarted && state != VbusStopPending) {
        return VbusComplete(Irp, STATUS_DEVICE_NOT_READY);
    }
    return VbusComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS NTAPI VbusDispatchControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVBUS_COMMON common = DeviceObject->DeviceExtension;

    if (common->IsPdo) {
        return VbusComplete(Irp, STATUS_INVALID_DEVICE_REQUEST);
    }
    return VbusFdoControl((PVBUS_FDO)common, Irp);
}

static NTSTATUS NTAPI VbusDispatchInternal(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVBUS_COMMON common = DeviceObject->DeviceExtension;

    if (!common->IsPdo) {
        return VbusFdoForward((PVBUS_FDO)common, Irp);
    }
    return VbusPdoInternalControl((PVBUS_PDO)common, Irp);
}

static NTSTATUS NTAPI VbusDispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVBUS_COMMON common = DeviceObject->DeviceExtension;

    return common->IsPdo ? VbusPdoPnp((PVBUS_PDO)common, Irp) : VbusFdoPnp((PVBUS_FDO)common, Irp);
}

static NTSTATUS NTAPI VbusDispatchPower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVBUS_COMMON common = DeviceObject->DeviceExtension;

    return common->IsPdo ? VbusPdoPower((PVBUS_PDO)common, Irp) : VbusFdoPower((PVBUS_FDO)common, Irp);
}

static NTSTATUS NTAPI VbusDispatchSystem(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVBUS_COMMON common = DeviceObject->DeviceExtension;

    if (!common->IsPdo) {
        return VbusFdoForward((PVBUS_FDO)common, Irp);
    }
    return VbusCompleteWith(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
}

// Nothing of the driver's own is left once its devices are gone.
static VOID NTAPI VbusUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = VbusDispatchFile;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = VbusDispatchFile;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = VbusDispatchFile;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = VbusDispatchControl;
    DriverObject->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = VbusDispatchInternal;
    DriverObject->MajorFunction[IRP_MJ_PNP] = VbusDispatchPnp;
    DriverObject->MajorFunction[IRP_MJ_POWER] = VbusDispatchPower;
    DriverObject->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = VbusDispatchSystem;
    DriverObject->DriverExtension->AddDevice = VbusFdoAdd;
    DriverObject->DriverUnload = VbusUnload;
    return STATUS_SUCCESS;
}
