// SPDX-License-Identifier: MIT
// A card wakes the reader, wdm: IRP_MN_WAIT_WAKE.
#include "reader/slot.h"

BOOLEAN WakePossible(PREADER Reader)
{
    return Reader->Usb.RemoteWake && Reader->Power.Wake >= PowerDeviceD2 && !Reader->Interrupt.Lost &&
           (Reader->Usb.Interface.Descriptor.Features & CCID_FEATURE_WAKE_UP) != 0 &&
           !Reader->Idle.WakeRefused;
}

// The IRP is gone; the lock keeps the reader until here.
static VOID NTAPI WakeEnded(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction, POWER_STATE State,
                            PVOID Context, PIO_STATUS_BLOCK IoStatus)
{
    PREADER reader = Context;
    KIRQL irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(MinorFunction);
    UNREFERENCED_PARAMETER(State);
    if (IoStatus->Status != STATUS_CANCELLED) {
        if (!NT_SUCCESS(IoStatus->Status)) {
            KeAcquireSpinLock(&reader->Idle.Lock, &irql);
            reader->Idle.WakeRefused = TRUE;
            KeReleaseSpinLock(&reader->Idle.Lock, irql);
        }
        IdleWake(reader);
    }
    IoReleaseRemoveLock(&reader->RemoveLock, &reader->Idle);
}

VOID WakeArm(PREADER Reader)
{
    POWER_STATE state = {.SystemState = PowerSystemWorking};
    BOOLEAN armed;
    NTSTATUS status;
    KIRQL irql;

    KeAcquireSpinLock(&Reader->Idle.Lock, &irql);
    armed = Reader->Idle.WakeIrp != NULL;
    KeReleaseSpinLock(&Reader->Idle.Lock, irql);
    if (armed || !NT_SUCCESS(IoAcquireRemoveLock(&Reader->RemoveLock, &Reader->Idle))) {
        return;
    }
    status = PoRequestPowerIrp(Reader->Physical, IRP_MN_WAIT_WAKE, state, WakeEnded, Reader, NULL);
    if (status != STATUS_PENDING) {
        KeAcquireSpinLock(&Reader->Idle.Lock, &irql);
        Reader->Idle.WakeRefused = TRUE;
        KeReleaseSpinLock(&Reader->Idle.Lock, irql);
        IoReleaseRemoveLock(&Reader->RemoveLock, &Reader->Idle);
    }
}

// While it is being cancelled the IRP must not go: whoever comes second completes it.
static NTSTATUS NTAPI WakeDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PREADER reader = Context;
    PIDLE idle = &reader->Idle;
    BOOLEAN keep;
    KIRQL irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    KeAcquireSpinLock(&idle->Lock, &irql);
    idle->WakeIrp = NULL;
    keep = idle->WakeCancelling;
    idle->WakeCompleted = keep;
    KeReleaseSpinLock(&idle->Lock, irql);
    if (keep) {
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    IoReleaseRemoveLock(&reader->RemoveLock, Irp);
    return STATUS_CONTINUE_COMPLETION;
}

NTSTATUS WakeDispatch(PREADER Reader, PIRP Irp)
{
    PIDLE idle = &Reader->Idle;
    KIRQL irql;

    IoMarkIrpPending(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, WakeDone, Reader, TRUE, TRUE, TRUE);
    KeAcquireSpinLock(&idle->Lock, &irql);
    idle->WakeIrp = Irp;
    KeReleaseSpinLock(&idle->Lock, irql);
    PoCallDriver(Reader->Lower, Irp);
    return STATUS_PENDING;
}

VOID WakeDisarm(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    BOOLEAN finish;
    PIRP irp;
    KIRQL irql;

    KeAcquireSpinLock(&idle->Lock, &irql);
    irp = idle->WakeCancelling ? NULL : idle->WakeIrp;
    idle->WakeCancelling |= irp != NULL;
    KeReleaseSpinLock(&idle->Lock, irql);
    if (irp == NULL) {
        return;
    }
    IoCancelIrp(irp);
    KeAcquireSpinLock(&idle->Lock, &irql);
    idle->WakeCancelling = FALSE;
    finish = idle->WakeCompleted;
    idle->WakeCompleted = FALSE;
    KeReleaseSpinLock(&idle->Lock, irql);
    if (finish) {
        IoCompleteRequest(irp, IO_NO_INCREMENT);
        IoReleaseRemoveLock(&Reader->RemoveLock, irp);
    }
}
