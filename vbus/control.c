// SPDX-License-Identifier: MIT
// Device controls of the bus: readers plugged and unplugged, cards moved.
#include "vbus/vbus.h"

typedef struct _VBUS_CALL {
    PVBUS_FDO Fdo;
    PVOID Buffer; // input and output
    ULONG InputLength, OutputLength;
    ULONG_PTR Information;
} VBUS_CALL, *PVBUS_CALL;

static NTSTATUS VbusCardStatus(_In_ int Result)
{
    switch (Result) {
    case 0:
        return STATUS_SUCCESS;
    case -1:
        return STATUS_INVALID_PARAMETER;
    case -2:
        return STATUS_OBJECT_NAME_NOT_FOUND;
    default:
        return STATUS_INVALID_DEVICE_STATE;
    }
}

static NTSTATUS VbusControlPlug(_Inout_ PVBUS_CALL Call)
{
    struct vbus_plug *plug = Call->Buffer;
    ULONG port = 0;

    if (Call->InputLength < sizeof *plug || Call->OutputLength < sizeof(ULONG)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (plug->model.endpoints > VBUS_PIPES) {
        return STATUS_INVALID_PARAMETER;
    }
    for (ULONG slot = 0; slot < EMU_SLOTS_MAX; slot++) {
        plug->cards[slot][VBUS_CARD_NAME_MAX - 1] = '\0';
    }
    NTSTATUS status = VbusChildPlug(Call->Fdo, plug, 0, &port);
    if (NT_SUCCESS(status)) {
        *(PULONG)Call->Buffer = port;
        Call->Information = sizeof(ULONG);
        IoInvalidateDeviceRelations(Call->Fdo->Pdo, BusRelations);
    }
    return status;
}

static NTSTATUS VbusControlUnplug(_Inout_ PVBUS_CALL Call, _In_ PVBUS_PDO Pdo)
{
    VbusChildUnplug(Pdo);
    IoInvalidateDeviceRelations(Call->Fdo->Pdo, BusRelations);
    return STATUS_SUCCESS;
}

static NTSTATUS VbusCardMove(_Inout_ PVBUS_PDO Pdo, _In_ const struct vbus_card *Card, _In_ BOOLEAN Insert)
{
    ULONG64 now = VbusTime(Pdo);
    int result = Insert ? emu_insert(Pdo->Reader, now, Card->slot, Card->name)
                        : emu_remove(Pdo->Reader, now, Card->slot);

    if (result == 0 && Insert) {
        RtlCopyMemory(Pdo->Plug.cards[Card->slot], Card->name, VBUS_CARD_NAME_MAX);
    } else if (result == 0) {
        Pdo->Plug.cards[Card->slot][0] = '\0';
    }
    return VbusCardStatus(result);
}

static NTSTATUS VbusControlCard(_In_ PVBUS_CALL Call, _In_ PVBUS_PDO Pdo, _In_ BOOLEAN Insert)
{
    struct vbus_card *card = Call->Buffer;
    NTSTATUS status = STATUS_NO_SUCH_DEVICE;
    KIRQL irql;

    if (Call->InputLength < sizeof *card) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    card->name[VBUS_CARD_NAME_MAX - 1] = '\0';
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    if (Pdo->Present) {
        status = VbusCardMove(Pdo, card, Insert);
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    if (NT_SUCCESS(status)) {
        VbusTransferPump(Pdo);
        VbusPdoWake(Pdo);
    }
    return status;
}

static NTSTATUS VbusControlStatistics(_Inout_ PVBUS_CALL Call, _In_ PVBUS_PDO Pdo)
{
    struct emu_statistics statistics = {0};
    BOOLEAN present;
    KIRQL irql;

    if (Call->OutputLength < sizeof statistics) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    present = Pdo->Present;
    if (present) {
        emu_reader_statistics(Pdo->Reader, &statistics);
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    if (!present) {
        return STATUS_NO_SUCH_DEVICE;
    }
    RtlCopyMemory(Call->Buffer, &statistics, sizeof statistics);
    Call->Information = sizeof statistics;
    return STATUS_SUCCESS;
}

static NTSTATUS VbusControlUser(_In_ PVBUS_CALL Call, _In_ PVBUS_PDO Pdo)
{
    struct vbus_user *user = Call->Buffer;
    BOOLEAN present;
    KIRQL irql;

    if (Call->InputLength < sizeof *user) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    present = Pdo->Present;
    if (present) {
        emu_user(Pdo->Reader, &user->user);
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    RtlZeroMemory(user, sizeof *user);
    return present ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
}

static NTSTATUS VbusControlFault(_In_ PVBUS_CALL Call, _In_ PVBUS_PDO Pdo)
{
    const struct vbus_fault *fault = Call->Buffer;
    BOOLEAN present;
    KIRQL irql;

    if (Call->InputLength < sizeof *fault) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    present = Pdo->Present;
    if (present) {
        emu_fault(Pdo->Reader, &fault->fault);
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    VbusTransferPump(Pdo); // what was held back may go on
    return present ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
}

// The requests that name a port begin with it.
static NTSTATUS VbusControlPort(_Inout_ PVBUS_CALL Call, _In_ ULONG Code)
{
    NTSTATUS status;

    if (Call->InputLength < sizeof(ULONG)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    PVBUS_PDO pdo = VbusChildFind(Call->Fdo, *(PULONG)Call->Buffer);
    if (pdo == NULL) {
        return STATUS_NO_SUCH_DEVICE;
    }
    switch (Code) {
    case IOCTL_VBUS_UNPLUG:
        status = VbusControlUnplug(Call, pdo);
        break;
    case IOCTL_VBUS_USER:
        status = VbusControlUser(Call, pdo);
        break;
    case IOCTL_VBUS_STATISTICS:
        status = VbusControlStatistics(Call, pdo);
        break;
    case IOCTL_VBUS_FAULT:
        status = VbusControlFault(Call, pdo);
        break;
    default:
        status = VbusControlCard(Call, pdo, Code == IOCTL_VBUS_INSERT);
        break;
    }
    VbusChildRelease(pdo);
    return status;
}

static NTSTATUS VbusControlRun(_Inout_ PVBUS_CALL Call, _In_ ULONG Code)
{
    VBUS_STATE state = VbusStateGet(&Call->Fdo->Common);

    if (state != VbusStarted && state != VbusStopPending) {
        return STATUS_DEVICE_NOT_READY;
    }
    switch (Code) {
    case IOCTL_VBUS_PLUG:
        return VbusControlPlug(Call);
    case IOCTL_VBUS_UNPLUG:
    case IOCTL_VBUS_INSERT:
    case IOCTL_VBUS_REMOVE:
    case IOCTL_VBUS_STATISTICS:
    case IOCTL_VBUS_USER:
    case IOCTL_VBUS_FAULT:
        return VbusControlPort(Call, Code);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

NTSTATUS VbusFdoControl(PVBUS_FDO Fdo, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    VBUS_CALL call = {Fdo, Irp->AssociatedIrp.SystemBuffer,
                      stack->Parameters.DeviceIoControl.InputBufferLength,
                      stack->Parameters.DeviceIoControl.OutputBufferLength, 0};
    NTSTATUS status = IoAcquireRemoveLock(&Fdo->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        return VbusComplete(Irp, status);
    }
    status = VbusControlRun(&call, stack->Parameters.DeviceIoControl.IoControlCode);
    VbusCompleteWith(Irp, status, call.Information);
    IoReleaseRemoveLock(&Fdo->RemoveLock, Irp);
    return status;
}
