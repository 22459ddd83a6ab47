// SPDX-License-Identifier: MIT
#include "usbbus/usbbus.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD UbusUnload;
static DRIVER_DISPATCH UbusDispatchFile, UbusDispatchControl, UbusDispatchInternal, UbusDispatchPnp,
    UbusDispatchPower, UbusDispatchSystem;

NTSTATUS UbusComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static BOOLEAN UbusIsPdo(_In_ PDEVICE_OBJECT DeviceObject)
{
    return ((PUBUS_FDO)DeviceObject->DeviceExtension)->IsPdo;
}

static NTSTATUS UbusForward(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(((PUBUS_FDO)DeviceObject->DeviceExtension)->Lower, Irp);
}

static NTSTATUS NTAPI UbusDispatchFile(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return UbusComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI UbusDispatchControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    if (UbusIsPdo(DeviceObject)) {
        return UbusComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    return UbusFdoControl(DeviceObject->DeviceExtension, Irp);
}

static NTSTATUS NTAPI UbusDispatchInternal(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    return UbusIsPdo(DeviceObject) ? UbusPdoInternalControl(DeviceObject->DeviceExtension, Irp)
                                   : UbusForward(DeviceObject, Irp);
}

static NTSTATUS NTAPI UbusDispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    return UbusIsPdo(DeviceObject) ? UbusPdoPnp(DeviceObject->DeviceExtension, Irp)
                                   : UbusFdoPnp(DeviceObject->DeviceExtension, Irp);
}

static NTSTATUS NTAPI UbusDispatchPower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    if (UbusIsPdo(DeviceObject)) {
        return UbusPdoPower(DeviceObject->DeviceExtension, Irp);
    }
    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(((PUBUS_FDO)DeviceObject->DeviceExtension)->Lower, Irp);
}

static NTSTATUS NTAPI UbusDispatchSystem(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    return UbusIsPdo(DeviceObject) ? UbusComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information)
                                   : UbusForward(DeviceObject, Irp);
}

// Nothing of the driver's own is left once its devices are gone.
static VOID NTAPI UbusUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = UbusDispatchFile;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = UbusDispatchFile;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = UbusDispatchFile;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = UbusDispatchControl;
    DriverObject->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = UbusDispatchInternal;
    DriverObject->MajorFunction[IRP_MJ_PNP] = UbusDispatchPnp;
    DriverObject->MajorFunction[IRP_MJ_POWER] = UbusDispatchPower;
    DriverObject->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = UbusDispatchSystem;
    DriverObject->DriverExtension->AddDevice = UbusFdoAdd;
    DriverObject->DriverUnload = UbusUnload;
    return STATUS_SUCCESS;
}
