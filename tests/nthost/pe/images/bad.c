// SPDX-License-Identifier: MIT
// A root-enumerated driver: a device, and the actions of badctl.h.
#include "images/bad.h"

static UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\Bad");
static UNICODE_STRING LinkName = RTL_CONSTANT_STRING(L"\\DosDevices\\Bad");

DRIVER_INITIALIZE DriverEntry;
DRIVER_ADD_DEVICE BadAddDevice;
DRIVER_UNLOAD BadUnload;
DRIVER_DISPATCH BadOpenClose, BadControl, BadPnp, BadPower, BadForward;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

NTSTATUS NTAPI BadOpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI BadControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    ULONG Room = Location->Parameters.DeviceIoControl.OutputBufferLength;
    ULONG Action = BAD_ACTION(Location->Parameters.DeviceIoControl.IoControlCode);
    ULONG Length = 0;
    UNREFERENCED_PARAMETER(Device);
    if (Room < sizeof(struct bad_place)) {
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    }
    NTSTATUS Status = BadAct(Action, Irp->AssociatedIrp.SystemBuffer, &Length);
    return Complete(Irp, Status, Length);
}

NTSTATUS NTAPI BadForward(PDEVICE_OBJECT Device, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(*(PDEVICE_OBJECT *)Device->DeviceExtension, Irp);
}

NTSTATUS NTAPI BadPower(PDEVICE_OBJECT Device, PIRP Irp)
{
    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(*(PDEVICE_OBJECT *)Device->DeviceExtension, Irp);
}

NTSTATUS NTAPI BadPnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    PDEVICE_OBJECT Lower = *(PDEVICE_OBJECT *)Device->DeviceExtension;
    UCHAR Minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    if (Minor != IRP_MN_QUERY_CAPABILITIES && Minor != IRP_MN_QUERY_DEVICE_RELATIONS) {
        Irp->IoStatus.Status = STATUS_SUCCESS;
    }
    IoSkipCurrentIrpStackLocation(Irp);
    NTSTATUS Status = IoCallDriver(Lower, Irp);
    if (Minor == IRP_MN_REMOVE_DEVICE) {
        IoDeleteSymbolicLink(&LinkName);
        IoDetachDevice(Lower);
        IoDeleteDevice(Device);
    }
    return Status;
}

NTSTATUS NTAPI BadAddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    NTSTATUS Status =
        IoCreateDevice(Driver, sizeof(PDEVICE_OBJECT), &DeviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IoCreateSymbolicLink(&LinkName, &DeviceName);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    *(PDEVICE_OBJECT *)Device->DeviceExtension = IoAttachDeviceToDeviceStack(Device, Pdo);
    Device->Flags = (Device->Flags | DO_POWER_PAGABLE) & ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

VOID NTAPI BadUnload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    ULONG_PTR Inside = (ULONG_PTR)&DeviceName - (ULONG_PTR)Driver->DriverStart;
    if (Inside >= Driver->DriverSize) {
        return STATUS_UNSUCCESSFUL;
    }
    Driver->DriverExtension->AddDevice = BadAddDevice;
    Driver->DriverUnload = BadUnload;
    Driver->MajorFunction[IRP_MJ_CREATE] = BadOpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = BadOpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = BadOpenClose;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = BadControl;
    Driver->MajorFunction[IRP_MJ_PNP] = BadPnp;
    Driver->MajorFunction[IRP_MJ_POWER] = BadPower;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = BadForward;
    return STATUS_SUCCESS;
}
