// SPDX-License-Identifier: MIT
// A complete WDM smart card reader driver on smclib, for one slot and TPDU exchanges: its devices and
// requests. Copy it, replace hardware.c. What is left out: power management of the device itself, settings
// from the registry.
#include "minimal.h"
#include "hardware.h"

#define TAG_OPEN    'nepO'
#define TAG_CONTROL 'lrtC'
#define TAG_PNP     ' PnP'

DRIVER_INITIALIZE DriverEntry;

NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static DRIVER_DISPATCH DispatchOpen;
static NTSTATUS NTAPI DispatchOpen(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER_EXTENSION reader = DeviceObject->DeviceExtension;

    switch (IoGetCurrentIrpStackLocation(Irp)->MajorFunction) {
    case IRP_MJ_CREATE:
        return Complete(Irp, SmartcardAcquireRemoveLockWithTag(&reader->Smartcard, TAG_OPEN));
    case IRP_MJ_CLEANUP:
        TrackingEnd(&reader->Smartcard, STATUS_CANCELLED);
        return Complete(Irp, STATUS_SUCCESS);
    default: // IRP_MJ_CLOSE
        SmartcardReleaseRemoveLockWithTag(&reader->Smartcard, TAG_OPEN);
        return Complete(Irp, STATUS_SUCCESS);
    }
}

// The library completes the request, or a callback has kept it: neither is ours to touch afterwards.
static DRIVER_DISPATCH DispatchControl;
static NTSTATUS NTAPI DispatchControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER_EXTENSION reader = DeviceObject->DeviceExtension;
    NTSTATUS status = SmartcardAcquireRemoveLockWithTag(&reader->Smartcard, TAG_CONTROL);

    if (!NT_SUCCESS(status)) {
        return Complete(Irp, STATUS_DEVICE_REMOVED);
    }
    status = reader->Started ? SmartcardDeviceControl(&reader->Smartcard, Irp)
                             : Complete(Irp, STATUS_DEVICE_REMOVED);
    SmartcardReleaseRemoveLockWithTag(&reader->Smartcard, TAG_CONTROL);
    return status;
}

static NTSTATUS PnpStart(PREADER_EXTENSION Reader, PIRP Irp)
{
    if (!IoForwardIrpSynchronously(Reader->Lower, Irp)) {
        return Complete(Irp, STATUS_UNSUCCESSFUL);
    }
    if (NT_SUCCESS(Irp->IoStatus.Status)) {
        HardwareStart(CardMoved, &Reader->Smartcard);
        SetState(&Reader->Smartcard, HardwareCardPresent() ? SCARD_PRESENT : SCARD_ABSENT);
        Reader->Started = TRUE;
        Irp->IoStatus.Status = IoSetDeviceInterfaceState(&Reader->Interface, TRUE);
    }
    return Complete(Irp, Irp->IoStatus.Status);
}

static VOID PnpStop(PREADER_EXTENSION Reader)
{
    if (Reader->Started) {
        Reader->Started = FALSE;
        (VOID) IoSetDeviceInterfaceState(&Reader->Interface, FALSE);
        HardwareStop();
    }
    TrackingEnd(&Reader->Smartcard, STATUS_CANCELLED);
}

static NTSTATUS PnpRemove(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER_EXTENSION reader = DeviceObject->DeviceExtension;
    NTSTATUS status;

    PnpStop(reader);
    SmartcardReleaseRemoveLockAndWait(&reader->Smartcard);
    SmartcardExit(&reader->Smartcard);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(reader->Lower, Irp);
    RtlFreeUnicodeString(&reader->Interface);
    IoDetachDevice(reader->Lower);
    IoDeleteDevice(DeviceObject);
    return status;
}

static DRIVER_DISPATCH DispatchPnp;
static NTSTATUS NTAPI DispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER_EXTENSION reader = DeviceObject->DeviceExtension;
    UCHAR minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    NTSTATUS status = SmartcardAcquireRemoveLockWithTag(&reader->Smartcard, TAG_PNP);

    if (!NT_SUCCESS(status)) {
        return Complete(Irp, status);
    }
    switch (minor) {
    case IRP_MN_REMOVE_DEVICE:
        return PnpRemove(DeviceObject, Irp);
    case IRP_MN_START_DEVICE:
        status = PnpStart(reader, Irp);
        break;
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        PnpStop(reader); // and what all the others need
        // fall through
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        // fall through
    default:
        IoSkipCurrentIrpStackLocation(Irp);
        status = IoCallDriver(reader->Lower, Irp);
    }
    SmartcardReleaseRemoveLockWithTag(&reader->Smartcard, TAG_PNP);
    return status;
}

static DRIVER_DISPATCH DispatchBelow;
static NTSTATUS NTAPI DispatchBelow(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER_EXTENSION reader = DeviceObject->DeviceExtension;

    if (IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_POWER) {
        PoStartNextPowerIrp(Irp);
        IoSkipCurrentIrpStackLocation(Irp);
        return PoCallDriver(reader->Lower, Irp);
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(reader->Lower, Irp);
}

// ---- the device ----

static VOID Describe(PSMARTCARD_EXTENSION SmartcardExtension)
{
    PVENDOR_ATTR vendor = &SmartcardExtension->VendorAttr;
    PSCARD_READER_CAPABILITIES capabilities = &SmartcardExtension->ReaderCapabilities;

    SmartcardExtension->Version = SMCLIB_VERSION;
    vendor->VendorName.Length = 7;
    RtlCopyMemory(vendor->VendorName.Buffer, "Example", 7);
    vendor->IfdType.Length = 7;
    RtlCopyMemory(vendor->IfdType.Buffer, "Minimal", 7);
    capabilities->SupportedProtocols = SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1;
    capabilities->ReaderType = SCARD_READER_TYPE_VENDOR;
    capabilities->CurrentState = SCARD_ABSENT;
    capabilities->CLKFrequency.Default = capabilities->CLKFrequency.Max = 4000; // kHz
    capabilities->DataRate.Default = 10752;                                     // bit/s
    capabilities->DataRate.Max = 344086;
    capabilities->MaxIFSD = 254;
    CallbacksInstall(SmartcardExtension);
}

static DRIVER_ADD_DEVICE AddDevice;
static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT device;
    PREADER_EXTENSION reader;
    NTSTATUS status = IoCreateDevice(DriverObject, sizeof(*reader), NULL, FILE_DEVICE_SMARTCARD,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &device);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    reader = device->DeviceExtension;
    Describe(&reader->Smartcard);
    reader->Smartcard.ReaderExtension = reader;
    status = SmartcardInitialize(&reader->Smartcard);
    if (!NT_SUCCESS(status)) {
        goto CleanupSmartcard;
    }
    reader->Smartcard.OsData->DeviceObject = device;
    status = IoRegisterDeviceInterface(Pdo, &SmartCardReaderGuid, NULL, &reader->Interface);
    if (!NT_SUCCESS(status)) {
        goto CleanupSmartcard;
    }
    reader->Lower = IoAttachDeviceToDeviceStack(device, Pdo);
    if (reader->Lower == NULL) {
        status = STATUS_DEVICE_REMOVED;
        goto CleanupInterface;
    }
    device->Flags |= DO_BUFFERED_IO | (reader->Lower->Flags & (DO_POWER_PAGABLE | DO_POWER_INRUSH));
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;

CleanupInterface:
    RtlFreeUnicodeString(&reader->Interface);
CleanupSmartcard:
    if (reader->Smartcard.OsData != NULL) {
        SmartcardReleaseRemoveLockAndWait(&reader->Smartcard);
        SmartcardExit(&reader->Smartcard);
    }
    IoDeleteDevice(device);
    return status;
}

static DRIVER_UNLOAD Unload;
static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverExtension->AddDevice = AddDevice;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = DispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = DispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = DispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DispatchControl;
    DriverObject->MajorFunction[IRP_MJ_PNP] = DispatchPnp;
    DriverObject->MajorFunction[IRP_MJ_POWER] = DispatchBelow;
    DriverObject->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = DispatchBelow;
    return STATUS_SUCCESS;
}
