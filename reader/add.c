// SPDX-License-Identifier: MIT
#include "reader/driver.h"
#include "reader/events.h"
#include "reader/slot.h"

static VOID ReaderInitialize(PREADER Reader, PDEVICE_OBJECT DeviceObject, PDEVICE_OBJECT Physical)
{
    Reader->DeviceObject = DeviceObject;
    Reader->Physical = Physical;
    ReaderStateSet(Reader, ReaderNotStarted);
    IoInitializeRemoveLock(&Reader->RemoveLock, READER_TAG, 0, 0);
    KeInitializeEvent(&Reader->Running, NotificationEvent, FALSE);
    KeInitializeEvent(&Reader->Halt, NotificationEvent, TRUE);
    KeInitializeEvent(&Reader->Turn, SynchronizationEvent, TRUE);
    ChannelInitialize(&Reader->Channel);
    InterruptInitialize(&Reader->Interrupt);
}

static NTSTATUS ReaderAttach(PREADER Reader)
{
    PDEVICE_OBJECT device = Reader->DeviceObject;

    Reader->Lower = IoAttachDeviceToDeviceStack(device, Reader->Physical);
    if (Reader->Lower == NULL) {
        return STATUS_NO_SUCH_DEVICE;
    }
    device->Flags |= DO_BUFFERED_IO | (Reader->Lower->Flags & (DO_POWER_PAGABLE | DO_POWER_INRUSH));
    return STATUS_SUCCESS;
}

// The first slot belongs to every reader; how many more there are is known after START_DEVICE.
NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT PhysicalDeviceObject)
{
    PDEVICE_OBJECT device;
    PREADER reader;
    NTSTATUS status = IoCreateDevice(DriverObject, sizeof(READER), NULL, FILE_DEVICE_SMARTCARD,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &device);

    if (!NT_SUCCESS(status)) {
        SmartcardLogError(DriverObject, LECTERN_CANT_CREATE_DEVICE, NULL, (ULONG)status);
        return status;
    }
    reader = ReaderOfDevice(device);
    ReaderInitialize(reader, device, PhysicalDeviceObject);
    status = MonitorCreate(reader);
    if (!NT_SUCCESS(status)) {
        goto CleanupDevice;
    }
    status = PowerCreate(reader);
    if (!NT_SUCCESS(status)) {
        goto CleanupMonitor;
    }
    status = IdleCreate(reader);
    if (!NT_SUCCESS(status)) {
        goto CleanupPower;
    }
    status = SlotCreate(reader, 0);
    if (!NT_SUCCESS(status)) {
        goto CleanupIdle;
    }
    status = ReaderAttach(reader);
    if (!NT_SUCCESS(status)) {
        goto CleanupSlot;
    }
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;

CleanupSlot:
    SlotDestroy(reader->Slots[0]);
CleanupIdle:
    IdleDestroy(reader);
CleanupPower:
    PowerDestroy(reader);
CleanupMonitor:
    MonitorDestroy(reader);
CleanupDevice:
    IoDeleteDevice(device);
    return status;
}
