// SPDX-License-Identifier: MIT
#include "nthost/io/io.h"
#include "nthost/verifier/faults.h"

typedef struct _IOP_CLIENT_EXTENSION {
    LIST_ENTRY ListEntry;
    PVOID Id;
    ULONG64 Data[]; // aligned for anything a driver puts there
} IOP_CLIENT_EXTENSION;

VOID IopFreeClientExtensions(IOP_DRIVER *Driver)
{
    while (!IsListEmpty(&Driver->ClientExtensions)) {
        PLIST_ENTRY entry = RemoveHeadList(&Driver->ClientExtensions);
        os_free(CONTAINING_RECORD(entry, IOP_CLIENT_EXTENSION, ListEntry));
    }
}

static IOP_CLIENT_EXTENSION *IopFindClientExtension(PDRIVER_OBJECT Driver, PVOID Id)
{
    PLIST_ENTRY head = &IopDriver(Driver)->ClientExtensions;
    for (PLIST_ENTRY entry = head->Flink; entry != head; entry = entry->Flink) {
        IOP_CLIENT_EXTENSION *extension = CONTAINING_RECORD(entry, IOP_CLIENT_EXTENSION, ListEntry);
        if (extension->Id == Id) {
            return extension;
        }
    }
    return NULL;
}

NTSTATUS NTAPI IoAllocateDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress,
                                               ULONG Size, PVOID *Extension)
{
    NT_ENTRY(IoAllocateDriverObjectExtension);
    NT_MAY_FAIL(OBJECT, STATUS_INSUFFICIENT_RESOURCES);
    KIRQL irql;
    *Extension = NULL;
    IOP_CLIENT_EXTENSION *extension = IopAllocateZeroed(sizeof *extension + Size);
    if (extension == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    extension->Id = ClientIdentificationAddress;
    IopLockDevices(&irql);
    BOOLEAN taken = IopFindClientExtension(DriverObject, ClientIdentificationAddress) != NULL;
    if (!taken) {
        InsertTailList(&IopDriver(DriverObject)->ClientExtensions, &extension->ListEntry);
    }
    IopUnlockDevices(irql);
    if (taken) {
        os_free(extension);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    *Extension = extension->Data;
    return STATUS_SUCCESS;
}

PVOID NTAPI IoGetDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress)
{
    NT_ENTRY(IoGetDriverObjectExtension);
    KIRQL irql;
    IopLockDevices(&irql);
    IOP_CLIENT_EXTENSION *extension = IopFindClientExtension(DriverObject, ClientIdentificationAddress);
    IopUnlockDevices(irql);
    return extension != NULL ? extension->Data : NULL;
}
