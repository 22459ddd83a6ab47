// SPDX-License-Identifier: MIT
// What PnP and power IRPs demand of every driver they pass: pass on what is not yours, succeed where failing
// is no choice, leave the status alone. Only drivers above the physical device are judged; it may answer
// anything.
#include "nthost/io/track.h"

static BOOLEAN IopIsPowerStateMinor(UCHAR Minor)
{
    return Minor == IRP_MN_SET_POWER || Minor == IRP_MN_QUERY_POWER;
}

// The minors whose answer is the bus driver's alone.
static BOOLEAN IopIsBusMinor(UCHAR Minor)
{
    switch (Minor) {
    case IRP_MN_QUERY_RESOURCES:
    case IRP_MN_QUERY_RESOURCE_REQUIREMENTS:
    case IRP_MN_QUERY_DEVICE_TEXT:
    case IRP_MN_READ_CONFIG:
    case IRP_MN_WRITE_CONFIG:
    case IRP_MN_EJECT:
    case IRP_MN_SET_LOCK:
    case IRP_MN_QUERY_ID:
    case IRP_MN_QUERY_BUS_INFORMATION:
        return TRUE;
    default:
        return Minor > IRP_MN_SURPRISE_REMOVAL;
    }
}

static BOOLEAN IopMustSucceed(UCHAR Minor)
{
    switch (Minor) {
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        return TRUE;
    default:
        return FALSE;
    }
}

static VOID IopCheckPnpPass(const IOP_TRACK *Track, PIRP Irp, PCSTR Driver)
{
    NTSTATUS status = Irp->IoStatus.Status;
    if (IopIsBusMinor(Track->Minor) && status != Track->EntryStatus) {
        IOP_BREAK(VfRulePnpStatusChanged, Irp, status,
                  "%s changed the status of PnP minor %02x, which is not its own", Driver, Track->Minor);
    }
    if (!NT_SUCCESS(status) && status != STATUS_NOT_SUPPORTED) {
        IOP_BREAK(VfRulePnpFailedPassedDown, Irp, status,
                  "%s failed PnP minor %02x with %08x and passed it down", Driver, Track->Minor, status);
    }
}

static VOID IopCheckPowerPass(IOP_TRACK *Track, PIRP Irp, PCSTR Driver)
{
    NTSTATUS status = Irp->IoStatus.Status;
    if (!NT_SUCCESS(status) && status != STATUS_NOT_SUPPORTED) {
        IOP_BREAK(VfRulePowerFailedPassedDown, Irp, status,
                  "%s failed power minor %02x with %08x and passed it down", Driver, Track->Minor, status);
    }
    if (IopLegacyPower && !Track->PoCall) {
        IOP_BREAK(VfRulePowerCallDriver, Irp, 0,
                  "%s passed a power IRP down with IoCallDriver, not PoCallDriver", Driver);
    }
    Track->PoCall = FALSE;
}

VOID IopCheckPass(IOP_TRACK *Track, PDEVICE_OBJECT Device, PIRP Irp, const IO_STACK_LOCATION *Next)
{
    PDEVICE_OBJECT sender = Track->EntryDevice;
    if (sender == NULL || (Next->MajorFunction != IRP_MJ_PNP && Next->MajorFunction != IRP_MJ_POWER)) {
        Track->PoCall = FALSE;
        return;
    }
    PCSTR driver = IopDriverName(sender->DriverObject);
    PDEVICE_OBJECT lower = IopDevice(sender)->AttachedTo;
    if (lower != NULL && lower != Device) {
        IOP_BREAK(VfRulePnpSkippedDevice, Irp, Device,
                  "%s passed the IRP to %p instead of the device below it", driver, Device);
    }
    if (Next->MajorFunction == IRP_MJ_PNP) {
        IopCheckPnpPass(Track, Irp, driver);
    } else {
        IopCheckPowerPass(Track, Irp, driver);
    }
}

static VOID IopCheckPnpAnswer(const IOP_TRACK *Track, PIRP Irp, PCSTR Driver)
{
    NTSTATUS status = Irp->IoStatus.Status;
    UCHAR minor = Track->Minor;
    if (status == STATUS_NOT_SUPPORTED) {
        IOP_BREAK(VfRulePnpNotSupported, Irp, minor, "%s completed PnP minor %02x with STATUS_NOT_SUPPORTED",
                  Driver, minor);
    }
    if (IopMustSucceed(minor) && !NT_SUCCESS(status)) {
        VF_RULE rule = minor == IRP_MN_REMOVE_DEVICE ? VfRulePnpRemoveFailed : VfRulePnpMustSucceed;
        IOP_BREAK(rule, Irp, status, "%s failed PnP minor %02x with %08x", Driver, minor, status);
    }
    if (minor == IRP_MN_START_DEVICE && NT_SUCCESS(status)) {
        IOP_BREAK(VfRulePnpStartBeforeLower, Irp, status,
                  "%s completed START before the device below was started", Driver);
    }
    if (IopIsBusMinor(minor) || (NT_SUCCESS(status) && minor != IRP_MN_QUERY_INTERFACE)) {
        IOP_BREAK(VfRulePnpNotPassedDown, Irp, minor,
                  "%s completed PnP minor %02x instead of passing it down", Driver, minor);
    }
}

static VOID IopCheckPowerAnswer(const IOP_TRACK *Track, PIRP Irp, PCSTR Driver)
{
    NTSTATUS status = Irp->IoStatus.Status;
    UCHAR minor = Track->Minor;
    if (status == STATUS_NOT_SUPPORTED) {
        IOP_BREAK(VfRulePowerNotSupported, Irp, minor,
                  "%s completed power minor %02x with STATUS_NOT_SUPPORTED", Driver, minor);
    }
    // A removed device answers STATUS_DELETE_PENDING.
    if (minor == IRP_MN_SET_POWER && !NT_SUCCESS(status) && status != STATUS_DELETE_PENDING) {
        IOP_BREAK(VfRulePowerSetFailed, Irp, status, "%s failed a set-power IRP with %08x", Driver, status);
    }
    if (NT_SUCCESS(status)) {
        IOP_BREAK(VfRulePowerNotPassedDown, Irp, minor,
                  "%s completed power minor %02x instead of passing it down", Driver, minor);
    }
}

VOID IopCheckAnswer(const IOP_TRACK *Track, PIRP Irp)
{
    PDEVICE_OBJECT device = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
    if (device == NULL || IopDevice(device)->AttachedTo == NULL) {
        return;
    }
    if (Track->Major == IRP_MJ_PNP) {
        IopCheckPnpAnswer(Track, Irp, IopDriverName(device->DriverObject));
    } else if (Track->Major == IRP_MJ_POWER) {
        IopCheckPowerAnswer(Track, Irp, IopDriverName(device->DriverObject));
    }
}

VOID IopCheckPowerDone(const IOP_TRACK *Track, PIRP Irp)
{
    if (IopLegacyPower && Track->Major == IRP_MJ_POWER && IopIsPowerStateMinor(Track->Minor) &&
        Track->StartNextCalls < Track->Entries) {
        IOP_BREAK(VfRulePowerStartNext, Irp, Track->Minor,
                  "%d drivers saw the power IRP, PoStartNextPowerIrp was called %d times", Track->Entries,
                  Track->StartNextCalls);
    }
}
