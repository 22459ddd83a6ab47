// SPDX-License-Identifier: MIT
// Between START_DEVICE and rest: what the reader needs to work, and how it stops working.
#include "reader/events.h"
#include "reader/exchange.h"
#include "reader/registry.h"
#include "reader/slot.h"

#define QUERY_ATTEMPTS 3

static NTSTATUS SlotsCreate(PREADER Reader)
{
    ULONG wanted = Reader->Usb.Interface.Descriptor.MaxSlotIndex + 1u;
    NTSTATUS status = STATUS_SUCCESS;

    while (NT_SUCCESS(status) && Reader->SlotCount < min(wanted, READER_SLOTS_MAX)) {
        status = SlotCreate(Reader, (UCHAR)Reader->SlotCount);
    }
    for (ULONG i = 0; NT_SUCCESS(status) && i < Reader->SlotCount; i++) {
        SlotDescribe(Reader->Slots[i]);
    }
    return status;
}

static NTSTATUS SlotsQuery(PREADER Reader)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (ULONG i = 0; NT_SUCCESS(status) && i < Reader->SlotCount; i++) {
        PSLOT slot = Reader->Slots[i];
        SlotStateSet(slot, SCARD_PRESENT); // whatever it was, the card has no power that we know of
        slot->Announced = FALSE;
        SlotOccupy(slot);
        for (ULONG attempt = 0; attempt < QUERY_ATTEMPTS; attempt++) {
            status = SlotQuery(slot);
            if (NT_SUCCESS(status) || status == STATUS_CANCELLED || status == STATUS_DEVICE_NOT_CONNECTED) {
                break;
            }
        }
    }
    return status;
}

NTSTATUS ReaderResume(PREADER Reader)
{
    BOOLEAN watched = IdleWatched(Reader);
    NTSTATUS status;

    IdleHalt(Reader); // after a failure requests would pass
    InterlockedExchange(&Reader->Power.Failure, STATUS_SUCCESS);
    KeClearEvent(&Reader->Halt);
    // A removal that set it a moment ago has set the state before.
    status = ReaderGone(Reader) ? STATUS_DEVICE_NOT_CONNECTED : SlotsQuery(Reader);
    if (!NT_SUCCESS(status)) {
        KeSetEvent(&Reader->Halt, IO_NO_INCREMENT, FALSE);
        return status;
    }
    MonitorStart(Reader);
    InterruptStart(Reader);
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        SlotWake(Reader->Slots[i], !watched);
    }
    IdleKnow(Reader);
    return STATUS_SUCCESS;
}

VOID ReaderQuiesce(PREADER Reader)
{
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        Reader->Slots[i]->PresentAtSleep = SlotState(Reader->Slots[i]) > SCARD_ABSENT;
    }
    IdleHalt(Reader);
    MonitorStop(Reader);
    InterruptStop(Reader);
    ChannelDrain(Reader);
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        (VOID) KeWaitForSingleObject(&Reader->Slots[i]->Idle, Executive, KernelMode, FALSE, NULL);
    }
}

VOID ReaderRelease(PREADER Reader)
{
    InterruptClose(Reader);
    ChannelClose(Reader);
    UsbClose(Reader);
}

static VOID RateLimit(PUSB_FUNCTION Usb, ULONG Most)
{
    ULONG kept = 0;

    for (ULONG i = 0; i < Usb->RateCount; i++) {
        if (Usb->Rates[i] <= Most) {
            Usb->Rates[kept++] = Usb->Rates[i];
        }
    }
    Usb->RateCount = kept;
    Usb->Interface.Descriptor.MaximumRate = min(Usb->Interface.Descriptor.MaximumRate, Most);
}

static VOID LevelCorrect(PCCID_CLASS Class, const QUIRKS *Quirks)
{
    const ULONG apdu = CCID_FEATURE_SHORT_APDU | CCID_FEATURE_EXTENDED_APDU;

    // Newer firmware or another mode of such a reader may work below the APDU level.
    if (Quirks->Values[QuirkShort] != 0 && (Class->Features & CCID_FEATURE_EXTENDED_APDU) != 0) {
        Class->Features = (Class->Features & ~apdu) | CCID_FEATURE_SHORT_APDU;
    }
    if (Quirks->Values[QuirkExtended] != 0 && (Class->Features & CCID_FEATURE_SHORT_APDU) != 0) {
        Class->Features = (Class->Features & ~apdu) | CCID_FEATURE_EXTENDED_APDU;
    }
    if (Quirks->Values[QuirkAutoIfsd] != 0) {
        Class->Features |= CCID_FEATURE_AUTO_IFSD;
    }
}

// What a wrong descriptor is to blame for; the other quirks show where the driver meets them.
static VOID QuirksApply(PREADER Reader)
{
    const USB_DEVICE_DESCRIPTOR *device = &Reader->Usb.Device;
    PCCID_CLASS ccid = &Reader->Usb.Interface.Descriptor;
    const ULONG *values = Reader->Quirks.Values;

    QuirksFind(device->idVendor, device->idProduct, device->bcdDevice, Reader->QuirksDisabled,
               &Reader->Quirks);
    if (values[QuirkNoPin] != 0 && ccid->PinSupport != 0) {
        ReportWrite(Reader, LECTERN_PIN_DISABLED, ccid->PinSupport);
        ccid->PinSupport = 0;
    }
    if (values[QuirkFirmware] != 0) {
        ReportWrite(Reader, LECTERN_FIRMWARE_OLD, device->bcdDevice);
    }
    if (values[QuirkRate] != 0) {
        RateLimit(&Reader->Usb, values[QuirkRate]);
    }
    LevelCorrect(ccid, &Reader->Quirks);
}

static NTSTATUS HardwareOpen(PREADER Reader)
{
    NTSTATUS status = UsbOpen(Reader);

    if (!NT_SUCCESS(status)) {
        SmartcardLogError(Reader->DeviceObject, LECTERN_CANT_READ_DESCRIPTORS, NULL, (ULONG)status);
        return status;
    }
    RegistryRead(Reader);
    QuirksApply(Reader);
    Reader->Exchange = ExchangeSelect(&Reader->Usb.Interface);
    status = ChannelOpen(Reader);
    if (NT_SUCCESS(status)) {
        status = InterruptOpen(Reader);
    }
    if (NT_SUCCESS(status)) {
        status = SlotsCreate(Reader);
    }
    if (!NT_SUCCESS(status)) {
        SmartcardLogError(Reader->DeviceObject, LECTERN_NO_MEMORY, NULL, (ULONG)status);
    }
    return status;
}

static NTSTATUS InterfacesEnable(PREADER Reader)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (ULONG i = 0; NT_SUCCESS(status) && i < Reader->SlotCount; i++) {
        status = SlotInterfaceEnable(Reader->Slots[i], TRUE);
    }
    return status;
}

NTSTATUS ReaderStart(PREADER Reader)
{
    POWER_STATE state = {.DeviceState = PowerDeviceD0};
    NTSTATUS status = HardwareOpen(Reader);

    if (!NT_SUCCESS(status)) {
        ReaderRelease(Reader);
        return status;
    }
    Reader->Power.Device = PowerDeviceD0;
    PoSetPowerState(Reader->DeviceObject, DevicePowerState, state);
    status = ReaderResume(Reader);
    if (!NT_SUCCESS(status)) {
        SmartcardLogError(Reader->DeviceObject, LECTERN_READER_SILENT, NULL, (ULONG)status);
        ReaderRelease(Reader);
        return status;
    }
    status = InterfacesEnable(Reader);
    if (!NT_SUCCESS(status)) {
        ReaderQuiesce(Reader);
        ReaderRelease(Reader);
    }
    return status;
}
