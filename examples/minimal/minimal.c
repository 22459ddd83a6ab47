// SPDX-License-Identifier: MIT
// A complete WDM smart card reader driver on smclib, for one slot and TPDU exchanges: copy it, replace
// hardware.c. What is left out: power management of the device itself, and a configuration from the registry.
#include <ntddk.h>
#define DRIVER_NAME "MINIMAL"
#include <smclib.h>
#include "hardware.h"

#define TAG_OPEN    'nepO'
#define TAG_CONTROL 'lrtC'
#define TAG_PNP     ' PnP'

#define IOCTL_MINIMAL_MOVE_CARD SCARD_CTL_CODE(2048) // in: ULONG, 1 puts the imitated card in

// At the head of the device extension, so that one pointer serves dispatch routines and callbacks.
typedef struct _READER_EXTENSION {
    SMARTCARD_EXTENSION Smartcard;
    PDEVICE_OBJECT Lower;
    UNICODE_STRING Interface;
    BOOLEAN Started;
} READER_EXTENSION;

DRIVER_INITIALIZE DriverEntry;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID SetState(PSMARTCARD_EXTENSION SmartcardExtension, ULONG State)
{
    KIRQL irql;

    AccessUnsafeData(&irql);
    SmartcardExtension->ReaderCapabilities.CurrentState = State;
    EndAccessUnsafeData(irql);
}

// ---- card tracking: whoever takes NotificationIrp out completes it ----

static VOID TrackingEnd(PSMARTCARD_EXTENSION SmartcardExtension, NTSTATUS Status)
{
    PIRP irp =
        InterlockedExchangePointer((PVOID volatile *)&SmartcardExtension->OsData->NotificationIrp, NULL);
    KIRQL irql;

    if (irp == NULL) {
        return;
    }
    IoAcquireCancelSpinLock(&irql);
    IoSetCancelRoutine(irp, NULL);
    IoReleaseCancelSpinLock(irql);
    (VOID) Complete(irp, Status);
}

static DRIVER_CANCEL TrackingCancel;
static VOID NTAPI TrackingCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER_EXTENSION reader = DeviceObject->DeviceExtension;
    PVOID volatile *place = (PVOID volatile *)&reader->Smartcard.OsData->NotificationIrp;
    PIRP taken = InterlockedCompareExchangePointer(place, NULL, Irp);

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    if (taken == Irp) {
        (VOID) Complete(Irp, STATUS_CANCELLED);
    }
}

static NTSTATUS NTAPI CardTracking(PSMARTCARD_EXTENSION SmartcardExtension)
{
    PVOID volatile *place = (PVOID volatile *)&SmartcardExtension->OsData->NotificationIrp;
    BOOLEAN cancelled = FALSE;
    PIRP irp;
    KIRQL irql;

    IoAcquireCancelSpinLock(&irql);
    irp = InterlockedCompareExchangePointer(place, NULL, NULL);
    if (irp != NULL) { // NULL: a card event was faster
        IoSetCancelRoutine(irp, TrackingCancel);
        cancelled = irp->Cancel;
    }
    IoReleaseCancelSpinLock(irql);
    if (cancelled) {
        TrackingEnd(SmartcardExtension, STATUS_CANCELLED);
    }
    return STATUS_PENDING;
}

static VOID CardMoved(PVOID Context, BOOLEAN Present)
{
    PSMARTCARD_EXTENSION SmartcardExtension = Context;

    SetState(SmartcardExtension, Present ? SCARD_PRESENT : SCARD_ABSENT);
    TrackingEnd(SmartcardExtension, STATUS_SUCCESS);
}

// ---- callbacks: one at a time, at PASSIVE_LEVEL ----

static NTSTATUS UseProtocol(PSMARTCARD_EXTENSION SmartcardExtension, ULONG Protocol, BOOLEAN Pps)
{
    const PTS_DATA *pts = &SmartcardExtension->CardCapabilities.PtsData;

    return HardwareSetProtocol(Protocol, pts->Fl, pts->Dl, Pps);
}

static NTSTATUS NTAPI CardPower(PSMARTCARD_EXTENSION SmartcardExtension)
{
    PSCARD_CARD_CAPABILITIES card = &SmartcardExtension->CardCapabilities;
    BOOLEAN warm = SmartcardExtension->MinorIoControlCode == SCARD_WARM_RESET &&
                   SmartcardExtension->ReaderCapabilities.CurrentState > SCARD_SWALLOWED;
    UCHAR atr[MAXIMUM_ATR_LENGTH];
    ULONG length;
    NTSTATUS status;
    KIRQL irql;

    if (SmartcardExtension->MinorIoControlCode == SCARD_POWER_DOWN) {
        HardwarePowerOff();
        SetState(SmartcardExtension, HardwareCardPresent() ? SCARD_PRESENT : SCARD_ABSENT);
        return STATUS_SUCCESS;
    }
    status = HardwareReset(warm, atr, &length);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    AccessUnsafeData(&irql);
    RtlCopyMemory(card->ATR.Buffer, atr, length);
    card->ATR.Length = (UCHAR)length;
    EndAccessUnsafeData(irql);
    status = SmartcardUpdateCardCapabilities(SmartcardExtension);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (SmartcardExtension->IoRequest.ReplyBuffer != NULL) {
        RtlCopyMemory(SmartcardExtension->IoRequest.ReplyBuffer, atr, length);
        *SmartcardExtension->IoRequest.Information = length;
    }
    // SPECIFIC already: no SET_PROTOCOL will come.
    return card->Protocol.Selected == SCARD_PROTOCOL_UNDEFINED
               ? STATUS_SUCCESS
               : UseProtocol(SmartcardExtension, card->Protocol.Selected, FALSE);
}

static NTSTATUS NTAPI SetProtocol(PSMARTCARD_EXTENSION SmartcardExtension)
{
    ULONG mask = SmartcardExtension->MinorIoControlCode;
    ULONG protocol = (mask & SCARD_PROTOCOL_T1) != 0 ? SCARD_PROTOCOL_T1 : SCARD_PROTOCOL_T0;
    NTSTATUS status = UseProtocol(SmartcardExtension, protocol, TRUE);
    KIRQL irql;

    if (!NT_SUCCESS(status)) {
        return status;
    }
    AccessUnsafeData(&irql);
    SmartcardExtension->CardCapabilities.Protocol.Selected = protocol;
    EndAccessUnsafeData(irql);
    return STATUS_SUCCESS; // the library fills in the answer and the state
}

static NTSTATUS Exchange(PSMARTCARD_EXTENSION SmartcardExtension, ULONG WaitMicroseconds)
{
    PSMARTCARD_REQUEST request = &SmartcardExtension->SmartcardRequest;
    PSMARTCARD_REPLY reply = &SmartcardExtension->SmartcardReply;

    return HardwareExchange(request->Buffer, request->BufferLength, WaitMicroseconds, reply->Buffer,
                            reply->BufferSize, &reply->BufferLength);
}

static NTSTATUS TransmitT0(PSMARTCARD_EXTENSION SmartcardExtension)
{
    NTSTATUS status = SmartcardT0Request(SmartcardExtension);

    if (NT_SUCCESS(status)) {
        status = Exchange(SmartcardExtension, SmartcardExtension->CardCapabilities.T0.WT);
    }
    return NT_SUCCESS(status) ? SmartcardT0Reply(SmartcardExtension) : status;
}

static NTSTATUS TransmitT1(PSMARTCARD_EXTENSION SmartcardExtension)
{
    NTSTATUS status;

    do {
        ULONG factor;
        SmartcardExtension->SmartcardRequest.BufferLength = 0; // no header of the reader's own
        SmartcardExtension->T1.NAD = 0;
        status = SmartcardT1Request(SmartcardExtension);
        if (!NT_SUCCESS(status)) {
            break;
        }
        factor = SmartcardExtension->T1.Wtx != 0 ? SmartcardExtension->T1.Wtx : 1;
        if (!NT_SUCCESS(Exchange(SmartcardExtension, factor * SmartcardExtension->CardCapabilities.T1.BWT))) {
            SmartcardExtension->SmartcardReply.BufferLength = 0; // silence: the library decides what to do
        }
        status = SmartcardT1Reply(SmartcardExtension);
    } while (status == STATUS_MORE_PROCESSING_REQUIRED);
    return status;
}

static NTSTATUS NTAPI Transmit(PSMARTCARD_EXTENSION SmartcardExtension)
{
    switch (SmartcardExtension->CardCapabilities.Protocol.Selected) {
    case SCARD_PROTOCOL_T0:
        return TransmitT0(SmartcardExtension);
    case SCARD_PROTOCOL_T1:
        return TransmitT1(SmartcardExtension);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static NTSTATUS NTAPI Vendor(PSMARTCARD_EXTENSION SmartcardExtension)
{
    if (SmartcardExtension->MajorIoControlCode != IOCTL_MINIMAL_MOVE_CARD) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (SmartcardExtension->IoRequest.RequestBufferLength < sizeof(ULONG)) {
        return STATUS_INVALID_PARAMETER;
    }
    HardwareMoveCard(*(PULONG)SmartcardExtension->IoRequest.RequestBuffer != 0);
    return STATUS_SUCCESS;
}

// ---- dispatch routines ----

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
    SmartcardExtension->ReaderFunction[RDF_CARD_POWER] = CardPower;
    SmartcardExtension->ReaderFunction[RDF_SET_PROTOCOL] = SetProtocol;
    SmartcardExtension->ReaderFunction[RDF_TRANSMIT] = Transmit;
    SmartcardExtension->ReaderFunction[RDF_CARD_TRACKING] = CardTracking;
    SmartcardExtension->ReaderFunction[RDF_IOCTL_VENDOR] = Vendor;
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
