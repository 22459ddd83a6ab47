// SPDX-License-Identifier: MIT
// Devices that are told when the system shuts down: the one that registered last first.
#include "nthost/io/io.h"
#include "nthost/verifier/faults.h"

typedef struct _IOP_SHUTDOWN {
    LIST_ENTRY ListEntry;
    PDEVICE_OBJECT Device; // referenced
} IOP_SHUTDOWN;

static LIST_ENTRY IopShutdowns = {&IopShutdowns, &IopShutdowns};

NTSTATUS NTAPI IoRegisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    NT_ENTRY(IoRegisterShutdownNotification);
    NT_MAY_FAIL(OBJECT, STATUS_INSUFFICIENT_RESOURCES);
    KIRQL irql;
    IOP_SHUTDOWN *shutdown = IopAllocateZeroed(sizeof *shutdown);
    if (shutdown == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ObReferenceObject(DeviceObject);
    shutdown->Device = DeviceObject;
    IopLockDevices(&irql);
    InsertHeadList(&IopShutdowns, &shutdown->ListEntry);
    DeviceObject->Flags |= DO_SHUTDOWN_REGISTERED;
    IopUnlockDevices(irql);
    return STATUS_SUCCESS;
}

// The first registration of the device, or with NULL of any.
static IOP_SHUTDOWN *IopTakeShutdown(PDEVICE_OBJECT Device)
{
    KIRQL irql;
    IOP_SHUTDOWN *found = NULL;
    IopLockDevices(&irql);
    for (PLIST_ENTRY entry = IopShutdowns.Flink; found == NULL && entry != &IopShutdowns;
         entry = entry->Flink) {
        IOP_SHUTDOWN *shutdown = CONTAINING_RECORD(entry, IOP_SHUTDOWN, ListEntry);
        if (Device == NULL || shutdown->Device == Device) {
            RemoveEntryList(entry);
            found = shutdown;
        }
    }
    IopUnlockDevices(irql);
    return found;
}

static VOID IopReleaseShutdown(IOP_SHUTDOWN *Shutdown)
{
    ObDereferenceObject(Shutdown->Device);
    os_free(Shutdown);
}

VOID NTAPI IoUnregisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    NT_ENTRY(IoUnregisterShutdownNotification);
    DeviceObject->Flags &= ~(ULONG)DO_SHUTDOWN_REGISTERED;
    for (IOP_SHUTDOWN *shutdown = IopTakeShutdown(DeviceObject); shutdown != NULL;
         shutdown = IopTakeShutdown(DeviceObject)) {
        IopReleaseShutdown(shutdown);
    }
}

VOID IopNotifyShutdown(VOID)
{
    const IO_STACK_LOCATION location = {.MajorFunction = IRP_MJ_SHUTDOWN};
    for (IOP_SHUTDOWN *shutdown = IopTakeShutdown(NULL); shutdown != NULL; shutdown = IopTakeShutdown(NULL)) {
        // What a driver answers keeps no system from shutting down.
        (VOID) IopSendSynchronously(shutdown->Device, &location, STATUS_SUCCESS, NULL);
        IopReleaseShutdown(shutdown);
    }
}
