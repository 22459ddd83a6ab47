// SPDX-License-Identifier: MIT
#include <ntddk.h>
#include "include/smclib.h"
#include "tests/smclib/testreader.h"
#include "tests/smclib/testcallbacks.h"

struct test_reader test_reader;

static DRIVER_ADD_DEVICE AddDevice;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH DispatchOpen;
static DRIVER_DISPATCH DispatchCleanup;
static DRIVER_DISPATCH DispatchControl;
static DRIVER_DISPATCH DispatchPnp;
static DRIVER_DISPATCH DispatchPower;
static DRIVER_DISPATCH DispatchSystemControl;
DRIVER_INITIALIZE TestReaderEntry;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Length)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Length;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI DispatchOpen(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;

    if (IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_CLOSE) {
        SmartcardReleaseRemoveLockWithTag(ext, 'lCrC');
        return Complete(Irp, STATUS_SUCCESS, 0);
    }
    return Complete(Irp, SmartcardAcquireRemoveLockWithTag(ext, 'lCrC'), 0);
}

static NTSTATUS NTAPI DispatchCleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    TrackingComplete(DeviceObject->DeviceExtension, STATUS_CANCELLED);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS ControlState(PSMARTCARD_EXTENSION Ext, PIRP Irp)
{
    ULONG state = *(PULONG)Irp->AssociatedIrp.SystemBuffer;
    BOOLEAN changed;
    KIRQL irql;

    KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
    changed = (Ext->ReaderCapabilities.CurrentState > SCARD_ABSENT) != (state > SCARD_ABSENT);
    Ext->ReaderCapabilities.CurrentState = state;
    KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
    if (changed) {
        TrackingComplete(Ext, STATUS_SUCCESS);
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS ControlFinish(PSMARTCARD_EXTENSION Ext, PIRP Irp)
{
    PIRP pending;
    KIRQL irql;

    KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
    pending = Ext->OsData->CurrentIrp;
    Ext->OsData->CurrentIrp = NULL;
    KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
    if (pending == NULL) {
        return Complete(Irp, STATUS_UNSUCCESSFUL, 0);
    }
    Complete(pending, STATUS_SUCCESS, 0);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS ControlLog(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const UCHAR *text = Irp->AssociatedIrp.SystemBuffer;
    ULONG length = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.InputBufferLength;
    WCHAR wide[256];
    UNICODE_STRING insertion = {(USHORT)(length * sizeof(WCHAR)), sizeof(wide), wide};

    for (ULONG i = 0; i < length; i++) {
        wide[i] = text[i];
    }
    SmartcardLogError(DeviceObject, (LONG)0xC0100002, length != 0 ? &insertion : NULL, 0x12345678);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

// What the library must have left behind; only looked at while no request is under way.
static VOID NoteIdle(PSMARTCARD_EXTENSION Ext)
{
    test_reader.idle = Ext->IoRequest.RequestBuffer == NULL && Ext->IoRequest.ReplyBuffer == NULL &&
                       Ext->IoRequest.RequestBufferLength == 0 && Ext->IoRequest.ReplyBufferLength == 0 &&
                       Ext->IoRequest.Information != NULL && Ext->OsData->CurrentIrp == NULL;
    test_reader.wiped = TRUE;
    for (ULONG i = 0; i < Ext->SmartcardRequest.BufferSize; i++) {
        test_reader.wiped = test_reader.wiped && Ext->SmartcardRequest.Buffer[i] == 0;
    }
}

static NTSTATUS ControlPass(PSMARTCARD_EXTENSION Ext, PIRP Irp)
{
    POS_DEP_DATA data = Ext->OsData;
    NTSTATUS status;

    if (test_reader.concurrent) {
        return SmartcardDeviceControl(Ext, Irp);
    }
    Ext->Version = test_reader.version;
    Ext->ReaderCapabilities.SupportedProtocols = test_reader.protocols;
    Ext->ReaderCapabilities.MechProperties =
        SCARD_READER_EJECTS | (test_reader.swallows ? SCARD_READER_SWALLOWS : 0);
    Ext->ReaderCapabilities.CardConfiscated = test_reader.confiscated;
    CallbacksInstall(Ext);
    Ext->OsData = test_reader.uninitialised ? NULL : data;
    status = SmartcardDeviceControl(Ext, Irp);
    Ext->OsData = data;
    Ext->Version = SMCLIB_VERSION;
    if (status != STATUS_PENDING) {
        NoteIdle(Ext);
    }
    return status;
}

static NTSTATUS NTAPI DispatchControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;
    NTSTATUS status = SmartcardAcquireRemoveLockWithTag(ext, 'tcoI');

    if (!NT_SUCCESS(status)) {
        return Complete(Irp, STATUS_DEVICE_REMOVED, 0);
    }
    switch (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode) {
    case TEST_STATE:
        status = ControlState(ext, Irp);
        break;
    case TEST_FINISH:
        status = ControlFinish(ext, Irp);
        break;
    case TEST_LOG:
        status = ControlLog(DeviceObject, Irp);
        break;
    case TEST_RELEASE:
        CallbackRelease(ext);
        status = Complete(Irp, STATUS_SUCCESS, 0);
        break;
    default:
        status = ControlPass(ext, Irp);
    }
    SmartcardReleaseRemoveLockWithTag(ext, 'tcoI');
    return status;
}

static NTSTATUS PnpRemove(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;
    PREADER_EXTENSION reader = ext->ReaderExtension;
    NTSTATUS status;

    TrackingComplete(ext, STATUS_CANCELLED);
    SmartcardReleaseRemoveLockAndWait(ext);
    IoDeleteSymbolicLink(&reader->Link);
    ExFreePool(reader->Link.Buffer);
    SmartcardExit(ext);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(reader->Lower, Irp);
    IoDetachDevice(reader->Lower);
    ExFreePoolWithTag(reader, 'RtsT');
    IoDeleteDevice(DeviceObject);
    return status;
}

static NTSTATUS NTAPI DispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;
    PDEVICE_OBJECT lower = ext->ReaderExtension->Lower;
    NTSTATUS status = SmartcardAcquireRemoveLockWithTag(ext, ' pnP');

    if (!NT_SUCCESS(status)) {
        return Complete(Irp, status, 0);
    }
    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_REMOVE_DEVICE:
        return PnpRemove(DeviceObject, Irp);
    case IRP_MN_START_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    default:
        break;
    }
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(lower, Irp);
    SmartcardReleaseRemoveLockWithTag(ext, ' pnP');
    return status;
}

static NTSTATUS NTAPI DispatchPower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;

    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(ext->ReaderExtension->Lower, Irp);
}

static NTSTATUS NTAPI DispatchSystemControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;

    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(ext->ReaderExtension->Lower, Irp);
}

static VOID DescribeReader(PSMARTCARD_EXTENSION Ext)
{
    Ext->Version = SMCLIB_VERSION;
    RtlCopyMemory(Ext->VendorAttr.VendorName.Buffer, "Lectern", 8);
    Ext->VendorAttr.VendorName.Length = 8; // the terminator counted, as some drivers do
    RtlCopyMemory(Ext->VendorAttr.IfdType.Buffer, "Bench", 5);
    Ext->VendorAttr.IfdType.Length = 5;
    Ext->VendorAttr.UnitNo = 3;
    Ext->VendorAttr.IfdVersion.VersionMajor = 1;
    Ext->VendorAttr.IfdVersion.VersionMinor = 2;
    Ext->VendorAttr.IfdVersion.BuildNumber = 0x345;
    Ext->ReaderCapabilities.SupportedProtocols = SCARD_PROTOCOL_Tx;
    Ext->ReaderCapabilities.ReaderType = SCARD_READER_TYPE_USB;
    Ext->ReaderCapabilities.Channel = 7;
    Ext->ReaderCapabilities.MechProperties = SCARD_READER_EJECTS;
    Ext->ReaderCapabilities.CLKFrequency.Default = 4000;
    Ext->ReaderCapabilities.CLKFrequency.Max = 5000;
    Ext->ReaderCapabilities.DataRate.Default = 10752;
    Ext->ReaderCapabilities.DataRate.Max = 344086;
    Ext->ReaderCapabilities.MaxIFSD = 254;
    Ext->ReaderCapabilities.CurrentState = SCARD_ABSENT;
    Ext->LastError = 0x1234;
}

static NTSTATUS AttachDevice(PDEVICE_OBJECT DeviceObject, PDEVICE_OBJECT Pdo, PUNICODE_STRING Name)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;
    NTSTATUS status = SmartcardInitialize(ext);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    ext->OsData->DeviceObject = DeviceObject;
    status = SmartcardCreateLink(&ext->ReaderExtension->Link, Name);
    if (!NT_SUCCESS(status)) {
        SmartcardReleaseRemoveLockAndWait(ext);
        SmartcardExit(ext);
        return status;
    }
    ext->ReaderExtension->Lower = IoAttachDeviceToDeviceStack(DeviceObject, Pdo);
    DeviceObject->Flags |=
        DO_BUFFERED_IO | (ext->ReaderExtension->Lower->Flags & (DO_POWER_PAGABLE | DO_POWER_INRUSH));
    DeviceObject->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT Pdo)
{
    UNICODE_STRING name;
    PDEVICE_OBJECT device;
    PSMARTCARD_EXTENSION ext;
    NTSTATUS status;

    RtlInitUnicodeString(&name, L"\\Device\\SmcTest");
    status = IoCreateDevice(DriverObject, sizeof(SMARTCARD_EXTENSION), &name, FILE_DEVICE_SMARTCARD, 0, FALSE,
                            &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    ext = device->DeviceExtension;
    ext->ReaderExtension = ExAllocatePoolWithTag(NonPagedPool, sizeof(*ext->ReaderExtension), 'RtsT');
    if (ext->ReaderExtension == NULL) {
        IoDeleteDevice(device);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&ext->ReaderExtension->Released, SynchronizationEvent, FALSE);
    DescribeReader(ext);
    CallbacksInstall(ext);
    status = AttachDevice(device, Pdo, &name);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(ext->ReaderExtension, 'RtsT');
        IoDeleteDevice(device);
    }
    return status;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI TestReaderEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverExtension->AddDevice = AddDevice;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = DispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = DispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = DispatchCleanup;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DispatchControl;
    DriverObject->MajorFunction[IRP_MJ_PNP] = DispatchPnp;
    DriverObject->MajorFunction[IRP_MJ_POWER] = DispatchPower;
    DriverObject->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = DispatchSystemControl;
    return STATUS_SUCCESS;
}
