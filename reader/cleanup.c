// SPDX-License-Identifier: MIT
#include "reader/driver.h"
#include "reader/slot.h"

// The last handle is closed: nobody is left to wait for a card or a reply.
NTSTATUS NTAPI DispatchCleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSLOT slot = IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (slot != NULL) {
        SlotTrackingCancel(slot);
        SlotCancel(slot);
    }
    return DriverComplete(Irp, STATUS_SUCCESS);
}
