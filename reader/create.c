// SPDX-License-Identifier: MIT
#include "reader/driver.h"
#include "reader/slot.h"

// The first slot is the device itself, the others are decimal names below it. NULL: no such slot.
static PSLOT SlotOfName(PREADER Reader, const UNICODE_STRING *Name)
{
    ULONG count = Name->Length / sizeof(WCHAR);
    ULONG index = 0;

    if (count == 0) {
        return Reader->Slots[0];
    }
    if (count < 2 || count > 3 || Name->Buffer[0] != L'\\' || Name->Buffer[1] == L'0') {
        return NULL;
    }
    for (ULONG i = 1; i < count; i++) {
        if (Name->Buffer[i] < L'0' || Name->Buffer[i] > L'9') {
            return NULL;
        }
        index = index * 10 + (Name->Buffer[i] - L'0');
    }
    return index < Reader->SlotCount ? Reader->Slots[index] : NULL;
}

static NTSTATUS SlotOpen(PREADER Reader, PFILE_OBJECT File)
{
    PSLOT slot;

    if (ReaderGone(Reader) || ReaderState(Reader) == ReaderRemovePending) {
        return STATUS_DEVICE_REMOVED;
    }
    if (ReaderState(Reader) == ReaderNotStarted) {
        return STATUS_DEVICE_NOT_READY;
    }
    slot = SlotOfName(Reader, &File->FileName);
    if (slot == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    // The resource manager shares the reader among applications; it wants to be alone here.
    if (InterlockedCompareExchange(&slot->Opened, 1, 0) != 0) {
        return STATUS_ACCESS_DENIED;
    }
    File->FsContext = slot;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DispatchCreate(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER reader = ReaderOfDevice(DeviceObject);
    NTSTATUS status = IoAcquireRemoveLock(&reader->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        return DriverComplete(Irp, status);
    }
    status = SlotOpen(reader, IoGetCurrentIrpStackLocation(Irp)->FileObject);
    if (NT_SUCCESS(status)) {
        IdleOpened(reader);
    }
    status = DriverComplete(Irp, status);
    IoReleaseRemoveLock(&reader->RemoveLock, Irp);
    return status;
}

// The device outlives its open files, so no lock is needed to find the slot.
NTSTATUS NTAPI DispatchClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PSLOT slot = file->FsContext;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (slot != NULL) {
        file->FsContext = NULL;
        InterlockedExchange(&slot->Opened, 0);
    }
    return DriverComplete(Irp, STATUS_SUCCESS);
}
