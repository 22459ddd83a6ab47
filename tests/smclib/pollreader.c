// SPDX-License-Identifier: MIT
// A debug build of a reader that has no interrupts: a timer's DPC looks for cards and carries every exchange,
// so TRANSMIT pends and the protocol routines run at DISPATCH_LEVEL. Written from docs/smclib.md alone. Its
// hardware and its card are imitated in pollcard.c.
#include "tests/smclib/pollreader.h"

#define TAG_OPEN      'nepO'
#define TAG_CONTROL   'lrtC'
#define TAG_PNP       ' PnP'
#define POLL_INTERVAL 20 // ms

DRIVER_INITIALIZE PollReaderEntry;

NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Length)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Length;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

// ---- requests ----

static DRIVER_DISPATCH DispatchOpen;
static NTSTATUS NTAPI DispatchOpen(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;

    switch (IoGetCurrentIrpStackLocation(Irp)->MajorFunction) {
    case IRP_MJ_CREATE:
        return Complete(Irp, SmartcardAcquireRemoveLockWithTag(ext, TAG_OPEN), 0);
    case IRP_MJ_CLEANUP:
        TrackingEnd(ext, STATUS_CANCELLED);
        return Complete(Irp, STATUS_SUCCESS, 0);
    default:
        SmartcardReleaseRemoveLockWithTag(ext, TAG_OPEN);
        return Complete(Irp, STATUS_SUCCESS, 0);
    }
}

static DRIVER_DISPATCH DispatchControl;
static NTSTATUS NTAPI DispatchControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;
    NTSTATUS status = SmartcardAcquireRemoveLockWithTag(ext, TAG_CONTROL);

    if (!NT_SUCCESS(status)) {
        return Complete(Irp, STATUS_DEVICE_REMOVED, 0);
    }
    status = ext->ReaderCapabilities.CurrentState == SCARD_UNKNOWN ? Complete(Irp, STATUS_DEVICE_REMOVED, 0)
                                                                   : SmartcardDeviceControl(ext, Irp);
    SmartcardReleaseRemoveLockWithTag(ext, TAG_CONTROL);
    return status;
}

static VOID SetState(PSMARTCARD_EXTENSION SmartcardExtension, ULONG State)
{
    KIRQL irql;

    AccessUnsafeData(&irql);
    SmartcardExtension->ReaderCapabilities.CurrentState = State;
    EndAccessUnsafeData(irql);
}

static NTSTATUS ReaderStart(PSMARTCARD_EXTENSION Ext)
{
    PREADER_EXTENSION reader = Ext->ReaderExtension;
    LARGE_INTEGER due;

    due.QuadPart = -10000LL * POLL_INTERVAL;
    SetState(Ext, SCARD_ABSENT);
    KeSetTimerEx(&reader->Poll, due, POLL_INTERVAL, &reader->PollDpc);
    return IoSetDeviceInterfaceState(&reader->Interface, TRUE);
}

// A transfer whose timer can be taken back ends here; one whose DPC runs ends by itself.
static VOID ReaderStop(PSMARTCARD_EXTENSION Ext)
{
    PREADER_EXTENSION reader = Ext->ReaderExtension;

    if (Ext->ReaderCapabilities.CurrentState == SCARD_UNKNOWN) {
        return;
    }
    (VOID) IoSetDeviceInterfaceState(&reader->Interface, FALSE);
    KeCancelTimer(&reader->Poll);
    KeFlushQueuedDpcs();
    SetState(Ext, SCARD_UNKNOWN);
    reader->Present = FALSE;
    if (KeCancelTimer(&reader->Transfer)) {
        TransferEnd(Ext, STATUS_DEVICE_REMOVED);
    }
    TrackingEnd(Ext, STATUS_CANCELLED);
}

static VOID ReaderFree(PSMARTCARD_EXTENSION Ext)
{
    PREADER_EXTENSION reader = Ext->ReaderExtension;

    SmartcardExit(Ext);
    RtlFreeUnicodeString(&reader->Interface);
    ExFreePoolWithTag(reader, SMARTCARD_POOL_TAG);
}

static NTSTATUS PnpRemove(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;
    PDEVICE_OBJECT lower = ext->ReaderExtension->Lower;
    NTSTATUS status;

    ReaderStop(ext);
    SmartcardReleaseRemoveLockAndWait(ext);
    ReaderFree(ext);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(lower, Irp);
    IoDetachDevice(lower);
    IoDeleteDevice(DeviceObject);
    return status;
}

static DRIVER_DISPATCH DispatchPnp;
static NTSTATUS NTAPI DispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;
    PDEVICE_OBJECT lower = ext->ReaderExtension->Lower;
    UCHAR minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    NTSTATUS status = SmartcardAcquireRemoveLockWithTag(ext, TAG_PNP);

    if (!NT_SUCCESS(status)) {
        return Complete(Irp, status, 0);
    }
    if (minor == IRP_MN_REMOVE_DEVICE) {
        return PnpRemove(DeviceObject, Irp);
    }
    if (minor == IRP_MN_START_DEVICE && IoForwardIrpSynchronously(lower, Irp)) {
        status = NT_SUCCESS(Irp->IoStatus.Status) ? ReaderStart(ext) : Irp->IoStatus.Status;
        status = Complete(Irp, status, 0);
    } else {
        if (minor == IRP_MN_SURPRISE_REMOVAL) {
            ReaderStop(ext);
        }
        if (minor == IRP_MN_SURPRISE_REMOVAL || minor == IRP_MN_QUERY_REMOVE_DEVICE ||
            minor == IRP_MN_CANCEL_REMOVE_DEVICE) {
            Irp->IoStatus.Status = STATUS_SUCCESS;
        }
        IoSkipCurrentIrpStackLocation(Irp);
        status = IoCallDriver(lower, Irp);
    }
    SmartcardReleaseRemoveLockWithTag(ext, TAG_PNP);
    return status;
}

// On the way up the card is reset as a client would: outside any request.
static DRIVER_DISPATCH DispatchPower;
static NTSTATUS NTAPI DispatchPower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PDEVICE_OBJECT lower = ext->ReaderExtension->Lower;

    if (stack->MinorFunction == IRP_MN_SET_POWER && ext->ReaderExtension->Present) {
        ext->MinorIoControlCode = SCARD_COLD_RESET;
        (VOID) CardPower(ext);
    }
    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(lower, Irp);
}

static DRIVER_DISPATCH DispatchBelow;
static NTSTATUS NTAPI DispatchBelow(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;

    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(ext->ReaderExtension->Lower, Irp);
}

// ---- the device ----

static VOID Describe(PSMARTCARD_EXTENSION Ext)
{
    static LONG units;
    PSCARD_READER_CAPABILITIES capabilities = &Ext->ReaderCapabilities;

    Ext->Version = SMCLIB_VERSION;
    RtlCopyMemory(Ext->VendorAttr.IfdType.Buffer, "Poll", 4);
    Ext->VendorAttr.IfdType.Length = 4;
    Ext->VendorAttr.VendorName.Length = 4;
    RtlCopyMemory(Ext->VendorAttr.VendorName.Buffer, "Test", 4);
    Ext->VendorAttr.UnitNo = (ULONG)InterlockedIncrement(&units);
    capabilities->SupportedProtocols = SCARD_PROTOCOL_Tx | SCARD_PROTOCOL_RAW;
    capabilities->ReaderType = SCARD_READER_TYPE_SERIAL;
    capabilities->CurrentState = SCARD_UNKNOWN;
    capabilities->CLKFrequency.Default = capabilities->CLKFrequency.Max = 3571;
    capabilities->DataRate.Default = capabilities->DataRate.Max = 9600;
    capabilities->MaxIFSD = 254;
    Ext->SmartcardRequest.BufferSize = Ext->SmartcardReply.BufferSize = MIN_BUFFER_SIZE;
    CallbacksInstall(Ext);
}

static DRIVER_ADD_DEVICE AddDevice;
static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT device;
    PSMARTCARD_EXTENSION ext;
    PREADER_EXTENSION reader;
    NTSTATUS status =
        IoCreateDevice(DriverObject, sizeof(*ext), NULL, FILE_DEVICE_SMARTCARD, 0, FALSE, &device);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    reader = ExAllocatePool(NonPagedPool, sizeof(*reader));
    if (reader == NULL) {
        IoDeleteDevice(device);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(reader, sizeof(*reader));
    ext = device->DeviceExtension;
    ext->ReaderExtension = reader;
    reader->Smartcard = ext;
    KeInitializeTimer(&reader->Poll);
    KeInitializeTimer(&reader->Transfer);
    KeInitializeDpc(&reader->PollDpc, PollDpc, reader);
    KeInitializeDpc(&reader->TransferDpc, TransferDpc, reader);
    Describe(ext);
    status = SmartcardInitialize(ext);
    if (!NT_SUCCESS(status)) {
        goto Cleanup;
    }
    ext->OsData->DeviceObject = device;
    status = IoRegisterDeviceInterface(Pdo, &SmartCardReaderGuid, NULL, &reader->Interface);
    if (!NT_SUCCESS(status)) {
        goto Cleanup;
    }
    reader->Lower = IoAttachDeviceToDeviceStack(device, Pdo);
    device->Flags |= DO_BUFFERED_IO | (reader->Lower->Flags & (DO_POWER_PAGABLE | DO_POWER_INRUSH));
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;

Cleanup:
    SmartcardLogError(DriverObject, (LONG)0xC0100001, NULL, (ULONG)status);
    if (ext->OsData != NULL) {
        SmartcardReleaseRemoveLockAndWait(ext);
    }
    ReaderFree(ext);
    IoDeleteDevice(device);
    return status;
}

static DRIVER_UNLOAD Unload;
static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI PollReaderEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    SmartcardSetDebugLevel(DEBUG_TRACE | DEBUG_IOCTL);
    DriverObject->DriverExtension->AddDevice = AddDevice;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = DispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = DispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = DispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DispatchControl;
    DriverObject->MajorFunction[IRP_MJ_PNP] = DispatchPnp;
    DriverObject->MajorFunction[IRP_MJ_POWER] = DispatchPower;
    DriverObject->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = DispatchBelow;
    return STATUS_SUCCESS;
}
