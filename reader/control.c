// SPDX-License-Identifier: MIT
#include "reader/driver.h"
#include "reader/slot.h"

#define CONTROL_TAG 'tCcL'

// Other drivers may send requests without a file; they mean the first slot.
static PSLOT SlotOfRequest(PREADER Reader, PIRP Irp)
{
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(Irp)->FileObject;

    return file != NULL && file->FsContext != NULL ? file->FsContext : Reader->Slots[0];
}

NTSTATUS NTAPI DispatchDeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER reader = ReaderOfDevice(DeviceObject);
    PSLOT slot;
    NTSTATUS status = IoAcquireRemoveLock(&reader->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        return DriverComplete(Irp, status);
    }
    slot = SlotOfRequest(reader, Irp);
    status = SmartcardAcquireRemoveLockWithTag(&slot->Smartcard, CONTROL_TAG);
    IoReleaseRemoveLock(&reader->RemoveLock, Irp);
    if (!NT_SUCCESS(status)) {
        return DriverComplete(Irp, status);
    }
    if (ReaderGone(reader) || ReaderState(reader) == ReaderNotStarted) {
        status = DriverComplete(Irp, STATUS_DEVICE_NOT_CONNECTED);
    } else {
        status = SmartcardDeviceControl(&slot->Smartcard, Irp);
    }
    SmartcardReleaseRemoveLockWithTag(&slot->Smartcard, CONTROL_TAG);
    return status;
}

// Not a WMI provider.
NTSTATUS NTAPI DispatchSystemControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER reader = ReaderOfDevice(DeviceObject);
    NTSTATUS status = IoAcquireRemoveLock(&reader->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        return DriverComplete(Irp, status);
    }
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(reader->Lower, Irp);
    IoReleaseRemoveLock(&reader->RemoveLock, Irp);
    return status;
}
