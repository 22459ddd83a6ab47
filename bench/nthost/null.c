// SPDX-License-Identifier: MIT
// The least a driver can do with a device control.
#include <ntddk.h>

DRIVER_INITIALIZE BenchNullDriverEntry;
static DRIVER_ADD_DEVICE NullAdd;
static DRIVER_DISPATCH NullSucceed, NullPnp, NullForward;
static DRIVER_UNLOAD NullUnload;

static NTSTATUS NTAPI NullSucceed(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

#define NULL_DEVICE L"\\Device\\BenchNull"
#define NULL_LINK   L"\\DosDevices\\BenchNull"

static PDEVICE_OBJECT NullLower(PDEVICE_OBJECT Device)
{
    return *(PDEVICE_OBJECT *)Device->DeviceExtension;
}

static NTSTATUS NullRemove(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNICODE_STRING link;
    RtlInitUnicodeString(&link, NULL_LINK);
    IoSkipCurrentIrpStackLocation(Irp);
    NTSTATUS status = IoCallDriver(NullLower(Device), Irp);
    (VOID) IoDeleteSymbolicLink(&link);
    IoDetachDevice(NullLower(Device));
    IoDeleteDevice(Device);
    return status;
}

static NTSTATUS NTAPI NullPnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    NTSTATUS status;
    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        status =
            IoForwardIrpSynchronously(NullLower(Device), Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
        Irp->IoStatus.Status = status;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return status;
    case IRP_MN_REMOVE_DEVICE:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        return NullRemove(Device, Irp);
    case IRP_MN_SURPRISE_REMOVAL:
    case IRP_MN_QUERY_REMOVE_DEVICE:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    default:
        break;
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(NullLower(Device), Irp);
}

static NTSTATUS NTAPI NullForward(PDEVICE_OBJECT Device, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(NullLower(Device), Irp);
}

static NTSTATUS NTAPI NullAdd(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    UNICODE_STRING name, link;
    PDEVICE_OBJECT device;
    RtlInitUnicodeString(&name, NULL_DEVICE);
    RtlInitUnicodeString(&link, NULL_LINK);
    NTSTATUS status =
        IoCreateDevice(Driver, sizeof(PDEVICE_OBJECT), &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = IoCreateSymbolicLink(&link, &name);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(device);
        return status;
    }
    PDEVICE_OBJECT lower = IoAttachDeviceToDeviceStack(device, Pdo);
    *(PDEVICE_OBJECT *)device->DeviceExtension = lower;
    device->Flags |= lower->Flags & (DO_POWER_PAGABLE | DO_POWER_INRUSH);
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI NullUnload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

NTSTATUS NTAPI BenchNullDriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->DriverExtension->AddDevice = NullAdd;
    Driver->DriverUnload = NullUnload;
    Driver->MajorFunction[IRP_MJ_CREATE] = NullSucceed;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = NullSucceed;
    Driver->MajorFunction[IRP_MJ_CLOSE] = NullSucceed;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = NullSucceed;
    Driver->MajorFunction[IRP_MJ_PNP] = NullPnp;
    Driver->MajorFunction[IRP_MJ_POWER] = NullForward;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = NullForward;
    return STATUS_SUCCESS;
}
