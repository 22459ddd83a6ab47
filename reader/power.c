// SPDX-License-Identifier: MIT
#include "reader/driver.h"
#include "reader/slot.h"

NTSTATUS PowerCreate(PREADER Reader)
{
    for (ULONG i = 0; i < PowerSystemMaximum; i++) {
        Reader->Power.Map[i] = PowerDeviceD3;
    }
    Reader->Power.Map[PowerSystemWorking] = PowerDeviceD0;
    Reader->Power.Device = PowerDeviceD3;
    Reader->Power.System = PowerSystemWorking;
    Reader->Power.Item = IoAllocateWorkItem(Reader->DeviceObject);
    return Reader->Power.Item == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

VOID PowerDestroy(PREADER Reader)
{
    if (Reader->Power.Item != NULL) {
        IoFreeWorkItem(Reader->Power.Item);
        Reader->Power.Item = NULL;
    }
}

VOID PowerCapabilities(PREADER Reader, const DEVICE_CAPABILITIES *Capabilities)
{
    Reader->Power.Wake = Capabilities->DeviceWake;
    for (ULONG i = PowerSystemSleeping1; i < PowerSystemMaximum; i++) {
        DEVICE_POWER_STATE state = Capabilities->DeviceState[i];
        if (state >= PowerDeviceD1 && state <= PowerDeviceD3) {
            Reader->Power.Map[i] = state;
        }
    }
}

static VOID PowerRelease(PREADER Reader, PIRP Irp)
{
    IoReleaseRemoveLock(&Reader->RemoveLock, Irp);
}

static VOID PowerFinish(PREADER Reader, PIRP Irp)
{
    PoStartNextPowerIrp(Irp);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    PowerRelease(Reader, Irp);
}

static NTSTATUS PowerForward(PREADER Reader, PIRP Irp)
{
    NTSTATUS status;

    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    status = PoCallDriver(Reader->Lower, Irp);
    PowerRelease(Reader, Irp);
    return status;
}

// The device has reached its state for the sleep; now the system's request may end. It cannot fail any more.
static VOID NTAPI DeviceStateReached(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction, POWER_STATE State,
                                     PVOID Context, PIO_STATUS_BLOCK IoStatus)
{
    PIRP irp = Context;
    PREADER reader = ReaderOfDevice(IoGetCurrentIrpStackLocation(irp)->DeviceObject);

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(MinorFunction);
    UNREFERENCED_PARAMETER(State);
    UNREFERENCED_PARAMETER(IoStatus);
    irp->IoStatus.Status = STATUS_SUCCESS;
    PowerFinish(reader, irp);
}

// Nobody may wait for a power that does not come; Halt is still set. With or without the turn.
VOID PowerWakeFailed(PREADER Reader, NTSTATUS Status)
{
    InterlockedExchange(&Reader->Power.Failure, Status);
    SmartcardLogError(Reader->DeviceObject, IO_ERR_NOT_READY, NULL, (ULONG)Status);
    IdleUp(Reader, Reader->Power.Device == PowerDeviceD0);
}

static NTSTATUS NTAPI SystemPowerDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PREADER reader = Context;
    SYSTEM_POWER_STATE system = IoGetCurrentIrpStackLocation(Irp)->Parameters.Power.State.SystemState;
    POWER_STATE state;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(DeviceObject);
    state.DeviceState = system < PowerSystemMaximum ? reader->Power.Map[system] : PowerDeviceD3;
    if (NT_SUCCESS(Irp->IoStatus.Status)) {
        InterlockedExchange(&reader->Power.System, (LONG)system);
        IdleSystem(reader, system != PowerSystemWorking);
    }
    if (NT_SUCCESS(Irp->IoStatus.Status) && system != PowerSystemWorking) {
        status = PoRequestPowerIrp(reader->Physical, IRP_MN_SET_POWER, state, DeviceStateReached, Irp, NULL);
        if (status == STATUS_PENDING) {
            return STATUS_MORE_PROCESSING_REQUIRED;
        }
        // Nothing will call back, and the system must not be kept awake.
        Irp->IoStatus.Status = STATUS_SUCCESS;
    } else if (NT_SUCCESS(Irp->IoStatus.Status)) {
        // Waking is not delayed by the reader: its requests wait for D0 by themselves.
        status = PoRequestPowerIrp(reader->Physical, IRP_MN_SET_POWER, state, NULL, NULL, NULL);
        if (status != STATUS_PENDING) {
            PowerWakeFailed(reader, status);
        }
    }
    PoStartNextPowerIrp(Irp);
    PowerRelease(reader, Irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS SystemPowerSet(PREADER Reader, PIRP Irp)
{
    IoMarkIrpPending(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, SystemPowerDone, Reader, TRUE, TRUE, TRUE);
    PoCallDriver(Reader->Lower, Irp);
    return STATUS_PENDING;
}

static NTSTATUS NTAPI PowerDownDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    PowerRelease(Context, Irp);
    return STATUS_CONTINUE_COMPLETION;
}

static VOID CardsPowerOff(PREADER Reader)
{
    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        if (SlotState(Reader->Slots[i]) > SCARD_SWALLOWED) {
            // The port loses power next, so a reader that does not answer changes nothing.
            (VOID) SlotPowerOff(Reader->Slots[i], CommandOfShutdown);
        }
    }
}

// Down: the driver acts before the bus. At PASSIVE_LEVEL, which a power request does not promise.
static VOID NTAPI PowerDownWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PREADER reader = Context;
    PIRP irp = reader->Power.Irp;
    POWER_STATE state = IoGetCurrentIrpStackLocation(irp)->Parameters.Power.State;

    ReaderTurnTake(reader);
    if (reader->Power.Device == PowerDeviceD0) {
        ReaderQuiesce(reader);
        if (!ReaderGone(reader) && ReaderOpened(reader)) {
            CardsPowerOff(reader);
        }
    }
    reader->Power.Device = state.DeviceState;
    IdleDown(reader);
    ReaderTurnGive(reader);
    PoSetPowerState(DeviceObject, DevicePowerState, state);
    PoStartNextPowerIrp(irp);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, PowerDownDone, reader, TRUE, TRUE, TRUE);
    PoCallDriver(reader->Lower, irp);
}

// A reader that leaves its own sleep while the system falls asleep follows it.
static VOID PowerFollowSystem(PREADER Reader)
{
    ULONG system = (ULONG)InterlockedCompareExchange(&Reader->Power.System, 0, 0);
    POWER_STATE state;

    if (system != PowerSystemWorking && system < PowerSystemMaximum) {
        state.DeviceState = Reader->Power.Map[system];
        // Without memory for it the reader stays awake, which costs nothing but current.
        (VOID) PoRequestPowerIrp(Reader->Physical, IRP_MN_SET_POWER, state, NULL, NULL, NULL);
    }
}

static VOID NTAPI PowerUpWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PREADER reader = Context;
    PIRP irp = reader->Power.Irp;
    POWER_STATE state = {.DeviceState = PowerDeviceD0};
    NTSTATUS status = STATUS_SUCCESS;

    ReaderTurnTake(reader);
    if (reader->Power.Device != PowerDeviceD0) {
        reader->Power.Device = PowerDeviceD0;
        PoSetPowerState(DeviceObject, DevicePowerState, state);
        if (!ReaderGone(reader) && ReaderOpened(reader) && !IdleStopped(reader)) {
            status = ReaderResume(reader);
        }
    }
    if (NT_SUCCESS(status)) {
        IdleUp(reader, TRUE);
    } else {
        PowerWakeFailed(reader, status);
    }
    ReaderTurnGive(reader);
    PowerFollowSystem(reader);
    PowerFinish(reader, irp);
}

static NTSTATUS NTAPI PowerUpDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PREADER reader = Context;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (!NT_SUCCESS(Irp->IoStatus.Status)) {
        PowerWakeFailed(reader, Irp->IoStatus.Status);
        PoStartNextPowerIrp(Irp);
        PowerRelease(reader, Irp);
        return STATUS_CONTINUE_COMPLETION;
    }
    reader->Power.Irp = Irp;
    IoQueueWorkItem(reader->Power.Item, PowerUpWork, CriticalWorkQueue, reader);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS DevicePowerSet(PREADER Reader, PIRP Irp)
{
    DEVICE_POWER_STATE state = IoGetCurrentIrpStackLocation(Irp)->Parameters.Power.State.DeviceState;

    IoMarkIrpPending(Irp);
    if (state == PowerDeviceD0) {
        IoCopyCurrentIrpStackLocationToNext(Irp);
        IoSetCompletionRoutine(Irp, PowerUpDone, Reader, TRUE, TRUE, TRUE);
        PoCallDriver(Reader->Lower, Irp);
    } else {
        Reader->Power.Irp = Irp;
        IoQueueWorkItem(Reader->Power.Item, PowerDownWork, CriticalWorkQueue, Reader);
    }
    return STATUS_PENDING;
}

VOID PowerRevive(PREADER Reader)
{
    POWER_STATE state = {.DeviceState = PowerDeviceD0};
    NTSTATUS status = STATUS_PENDING;

    ReaderTurnTake(Reader);
    if (Reader->Power.Device != PowerDeviceD0) {
        status = PoRequestPowerIrp(Reader->Physical, IRP_MN_SET_POWER, state, NULL, NULL, NULL);
    } else if (!ReaderGone(Reader) && ReaderOpened(Reader) && KeReadStateEvent(&Reader->Halt) != 0) {
        status = ReaderResume(Reader);
    }
    if (!NT_SUCCESS(status)) {
        PowerWakeFailed(Reader, status);
    } else if (Reader->Power.Device == PowerDeviceD0) {
        IdleUp(Reader, TRUE);
    }
    ReaderTurnGive(Reader);
}

static BOOLEAN PowerOurs(PREADER Reader)
{
    return ReaderState(Reader) != ReaderNotStarted && !ReaderGone(Reader);
}

NTSTATUS NTAPI DispatchPower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER reader = ReaderOfDevice(DeviceObject);
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = IoAcquireRemoveLock(&reader->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        PoStartNextPowerIrp(Irp);
        return DriverComplete(Irp, status);
    }
    if (stack->MinorFunction == IRP_MN_WAIT_WAKE) {
        return WakeDispatch(reader, Irp);
    }
    if (stack->MinorFunction == IRP_MN_SET_POWER && PowerOurs(reader)) {
        return stack->Parameters.Power.Type == SystemPowerState ? SystemPowerSet(reader, Irp)
                                                                : DevicePowerSet(reader, Irp);
    }
    // A sleeping reader loses nothing but its cards' sessions, so no query is refused.
    if (stack->MinorFunction == IRP_MN_QUERY_POWER) {
        Irp->IoStatus.Status = STATUS_SUCCESS;
    }
    return PowerForward(reader, Irp);
}
