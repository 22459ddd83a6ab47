// SPDX-License-Identifier: MIT
#include "reader/events.h"
#include "reader/exchange.h"
#include "reader/slot.h"

#define DEVICE_NAME_CHARACTERS 128

static NTSTATUS LibraryInitialize(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    PDEVICE_OBJECT device = Slot->Reader->DeviceObject;
    NTSTATUS status;

    smartcard->Version = SMCLIB_VERSION;
    smartcard->ReaderExtension = Slot;
    smartcard->SmartcardRequest.BufferSize = MIN_BUFFER_SIZE;
    smartcard->SmartcardReply.BufferSize = MIN_BUFFER_SIZE;
    smartcard->ReaderFunction[RDF_CARD_POWER] = SlotCardPower;
    smartcard->ReaderFunction[RDF_TRANSMIT] = ExchangeTransmit;
    smartcard->ReaderFunction[RDF_SET_PROTOCOL] = SlotSetProtocol;
    smartcard->ReaderFunction[RDF_CARD_TRACKING] = SlotCardTracking;
    smartcard->ReaderFunction[RDF_IOCTL_VENDOR] = SlotVendorControl;
    status = SmartcardInitialize(smartcard);
    if (!NT_SUCCESS(status)) {
        // The library leaves its block only when it refuses the version.
        SmartcardLogError(device, smartcard->OsData != NULL ? LECTERN_WRONG_LIBRARY : LECTERN_NO_MEMORY, NULL,
                          (ULONG)status);
        if (smartcard->OsData != NULL) {
            SmartcardReleaseRemoveLockAndWait(smartcard);
        }
        SmartcardExit(smartcard);
        return status;
    }
    smartcard->OsData->DeviceObject = device;
    // Waiting for the end drops a reference of the waiter's beside the first one; without it, it would miss
    // one request that is still under way.
    return SmartcardAcquireRemoveLockWithTag(smartcard, READER_TAG);
}

// SCReaderN leads to the physical device; the slots behind the first one are names below it, as with
// interfaces.
static VOID LinkCreate(PSLOT Slot, PCUNICODE_STRING Reference)
{
    WCHAR text[DEVICE_NAME_CHARACTERS];
    UNICODE_STRING name = {0, sizeof(text), text};
    ULONG length = 0;
    NTSTATUS status = IoGetDeviceProperty(Slot->Reader->Physical, DevicePropertyPhysicalDeviceObjectName,
                                          sizeof(text), text, &length);

    if (!NT_SUCCESS(status) || length < sizeof(WCHAR)) {
        return;
    }
    name.Length = (USHORT)(length - sizeof(WCHAR)); // the property ends with a zero
    if (Slot->Index != 0) {
        status = RtlAppendUnicodeToString(&name, L"\\");
        if (NT_SUCCESS(status)) {
            status = RtlAppendUnicodeStringToString(&name, (PUNICODE_STRING)Reference);
        }
    }
    // The link is for callers older than device interfaces and there are few numbers: the reader works
    // without.
    if (!NT_SUCCESS(status) || !NT_SUCCESS(SmartcardCreateLink(&Slot->Link, &name))) {
        RtlInitUnicodeString(&Slot->Link, NULL);
    }
}

static VOID LinkDelete(PSLOT Slot)
{
    if (Slot->Link.Buffer != NULL) {
        IoDeleteSymbolicLink(&Slot->Link);
        ExFreePool(Slot->Link.Buffer);
        RtlInitUnicodeString(&Slot->Link, NULL);
    }
}

NTSTATUS SlotCreate(PREADER Reader, UCHAR Index)
{
    WCHAR digits[4];
    UNICODE_STRING reference = {0, sizeof(digits), digits};
    PSLOT slot = ExAllocatePoolWithTag(NonPagedPool, sizeof(*slot), READER_TAG);
    NTSTATUS status;

    if (slot == NULL) {
        SmartcardLogError(Reader->DeviceObject, LECTERN_NO_MEMORY, NULL, Index);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(slot, sizeof(*slot));
    slot->Reader = Reader;
    slot->Index = Index;
    KeInitializeEvent(&slot->Cancel, NotificationEvent, FALSE);
    KeInitializeEvent(&slot->Departed, NotificationEvent, FALSE);
    KeInitializeEvent(&slot->Idle, NotificationEvent, TRUE);
    status = UnitAllocate(&slot->Smartcard.VendorAttr.UnitNo);
    if (!NT_SUCCESS(status)) {
        goto CleanupSlot;
    }
    status = LibraryInitialize(slot);
    if (!NT_SUCCESS(status)) {
        goto CleanupUnit;
    }
    status = RtlIntegerToUnicodeString(Index, 10, &reference);
    if (NT_SUCCESS(status)) {
        status = IoRegisterDeviceInterface(Reader->Physical, &SmartCardReaderGuid,
                                           Index == 0 ? NULL : &reference, &slot->Interface);
    }
    if (!NT_SUCCESS(status)) {
        goto CleanupLibrary;
    }
    LinkCreate(slot, &reference);
    Reader->Slots[Index] = slot;
    Reader->SlotCount = Index + 1u;
    return STATUS_SUCCESS;

CleanupLibrary:
    SmartcardReleaseRemoveLockAndWait(&slot->Smartcard);
    SmartcardExit(&slot->Smartcard);
CleanupUnit:
    UnitFree(slot->Smartcard.VendorAttr.UnitNo);
CleanupSlot:
    ExFreePoolWithTag(slot, READER_TAG);
    return status;
}

VOID SlotDestroy(PSLOT Slot)
{
    SmartcardReleaseRemoveLockAndWait(&Slot->Smartcard);
    LinkDelete(Slot);
    RtlFreeUnicodeString(&Slot->Interface);
    SmartcardExit(&Slot->Smartcard);
    UnitFree(Slot->Smartcard.VendorAttr.UnitNo);
    ExFreePoolWithTag(Slot, READER_TAG);
}

NTSTATUS SlotInterfaceEnable(PSLOT Slot, BOOLEAN Enable)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (Slot->InterfaceEnabled != Enable) {
        status = IoSetDeviceInterfaceState(&Slot->Interface, Enable);
        Slot->InterfaceEnabled = Enable && NT_SUCCESS(status);
    }
    return status;
}
