// SPDX-License-Identifier: MIT
#include "nthost/io/io.h"

static KSPIN_LOCK IopCancelLock;

VOID NTAPI IoAcquireCancelSpinLock(PKIRQL Irql)
{
    NT_ENTRY(IoAcquireCancelSpinLock);
    KeAcquireSpinLock(&IopCancelLock, Irql);
}

VOID NTAPI IoReleaseCancelSpinLock(KIRQL Irql)
{
    NT_ENTRY(IoReleaseCancelSpinLock);
    KeReleaseSpinLock(&IopCancelLock, Irql);
}

BOOLEAN NTAPI IoCancelIrp(PIRP Irp)
{
    NT_ENTRY(IoCancelIrp);
    KIRQL irql;
    VF_FRAME frame = {0};
    IoAcquireCancelSpinLock(&irql);
    __atomic_store_n(&Irp->Cancel, TRUE, __ATOMIC_SEQ_CST);
    PDRIVER_CANCEL routine = IoSetCancelRoutine(Irp, NULL);
    if (routine == NULL) {
        IoReleaseCancelSpinLock(irql);
        return FALSE;
    }
    PDEVICE_OBJECT device = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
    Irp->CancelIrql = irql;
    IopEnterDriver(&frame, device->DriverObject, (PVOID)(ULONG_PTR)routine);
    routine(device, Irp);
    // The routine releases the cancel lock, which was held when it was called.
    if (VfEnabled) {
        frame.Irql = irql;
        frame.HeldCount--;
    }
    IopLeaveDriver(&frame, "cancel");
    return TRUE;
}
