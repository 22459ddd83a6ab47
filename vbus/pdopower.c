// SPDX-License-Identifier: MIT
// Power of a plugged reader: D0, suspended, and waking the host.
#include "vbus/vbus.h"

static VOID VbusPdoSuspend(_Inout_ PVBUS_PDO Pdo, _In_ DEVICE_POWER_STATE State)
{
    // DEVICE_REMOTE_WAKEUP only for a sleep from which the host wants to be woken.
    struct emu_setup wake = {0x00, 0x03, 1, 0, 0};
    BOOLEAN armed;
    ULONG length = 0;
    KIRQL irql;

    KeAcquireSpinLock(&Pdo->Lock, &irql);
    armed = State == PowerDeviceD2 && Pdo->WaitWake != NULL;
    KeReleaseSpinLock(&Pdo->Lock, irql);
    VbusTransferAbort(Pdo, NULL, USBD_STATUS_CANCELED);
    if (armed) {
        (VOID) VbusDeviceControl(Pdo, &wake, NULL,
                                 &length); // a reader that cannot wake refuses: nobody is woken
    }
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    if (Pdo->Present) {
        emu_suspend(Pdo->Reader, VbusTime(Pdo), TRUE);
    }
    Pdo->Power = State;
    KeReleaseSpinLock(&Pdo->Lock, irql);
    VbusPdoWake(Pdo); // a card may have moved while nobody listened any more
}

static VOID VbusPdoResume(_Inout_ PVBUS_PDO Pdo)
{
    struct emu_setup no_wake = {0x00, 0x01, 1, 0, 0};
    ULONG length = 0;
    KIRQL irql;

    KeAcquireSpinLock(&Pdo->Lock, &irql);
    if (Pdo->Present) {
        emu_suspend(Pdo->Reader, VbusTime(Pdo), FALSE);
    }
    Pdo->Power = PowerDeviceD0;
    KeReleaseSpinLock(&Pdo->Lock, irql);
    (VOID) VbusDeviceControl(Pdo, &no_wake, NULL, &length);
    VbusTransferPump(Pdo);
    VbusSlotComplete(Pdo, &Pdo->Idle, STATUS_SUCCESS);
}

static VOID VbusPdoSetDevice(_Inout_ PVBUS_PDO Pdo, _In_ POWER_STATE State)
{
    (VOID) PoSetPowerState(Pdo->Common.Self, DevicePowerState, State);
    if (State.DeviceState == PowerDeviceD0) {
        VbusPdoResume(Pdo);
    } else {
        VbusPdoSuspend(Pdo, State.DeviceState);
    }
}

static NTSTATUS VbusPdoWaitWake(_Inout_ PVBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    if ((Pdo->Plug.model.ccid[42] & 0x10) == 0) { // dwFeatures 00100000
        return VbusComplete(Irp, STATUS_NOT_SUPPORTED);
    }
    (VOID) VbusSlotHold(Pdo, &Pdo->WaitWake, Irp);
    return STATUS_PENDING;
}

NTSTATUS VbusPdoPower(PVBUS_PDO Pdo, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = Irp->IoStatus.Status;

    if (stack->MinorFunction == IRP_MN_WAIT_WAKE) {
        return VbusPdoWaitWake(Pdo, Irp);
    }
    if (stack->MinorFunction == IRP_MN_SET_POWER) {
        if (stack->Parameters.Power.Type == DevicePowerState) {
            VbusPdoSetDevice(Pdo, stack->Parameters.Power.State);
        }
        status = STATUS_SUCCESS;
    } else if (stack->MinorFunction == IRP_MN_QUERY_POWER) {
        status = STATUS_SUCCESS;
    }
    PoStartNextPowerIrp(Irp);
    return VbusCompleteWith(Irp, status, Irp->IoStatus.Information);
}

// A card has moved: wakes the host if the reader sleeps and was told to.
VOID VbusPdoWake(PVBUS_PDO Pdo)
{
    BOOLEAN wakes;
    KIRQL irql;

    KeAcquireSpinLock(&Pdo->Lock, &irql);
    wakes = Pdo->Present && emu_wakes(Pdo->Reader);
    KeReleaseSpinLock(&Pdo->Lock, irql);
    if (wakes) {
        VbusSlotComplete(Pdo, &Pdo->WaitWake, STATUS_SUCCESS);
    }
}

VOID VbusPdoDropWaits(PVBUS_PDO Pdo)
{
    VbusSlotComplete(Pdo, &Pdo->WaitWake, STATUS_CANCELLED);
    VbusSlotComplete(Pdo, &Pdo->Idle, STATUS_CANCELLED);
}
