// SPDX-License-Identifier: MIT
// A claimed reader as PnP sees it.
#include "usbbus/usbbus.h"

// {9D7DEBBC-C85D-11D1-9EB4-006008C3A19A}
static const GUID UbusBusTypeUsb = {
    0x9D7DEBBC, 0xC85D, 0x11D1, {0x9E, 0xB4, 0x00, 0x60, 0x08, 0xC3, 0xA1, 0x9A}};

// `Length` characters of ASCII with all their terminators, as PnP frees it.
static NTSTATUS UbusAnswerText(_Inout_ PIRP Irp, _In_ const char *Text, _In_ SIZE_T Length)
{
    PWCHAR wide = ExAllocatePoolWithTag(PagedPool, Length * sizeof(WCHAR), UBUS_TAG);

    if (wide == NULL) {
        return UbusComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    for (SIZE_T i = 0; i < Length; i++) {
        wide[i] = (UCHAR)Text[i];
    }
    return UbusComplete(Irp, STATUS_SUCCESS, (ULONG_PTR)wide);
}

static NTSTATUS UbusPdoQueryId(_In_ PUBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    const struct usb_about *about = &Pdo->About;

    switch (IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryId.IdType) {
    case BusQueryDeviceID:
        return UbusAnswerText(Irp, about->device_id, sizeof about->device_id);
    case BusQueryHardwareIDs:
        return UbusAnswerText(Irp, about->hardware_ids, sizeof about->hardware_ids);
    case BusQueryCompatibleIDs:
        return UbusAnswerText(Irp, about->compatible_ids, sizeof about->compatible_ids);
    case BusQueryInstanceID:
        return UbusAnswerText(Irp, about->instance_id, sizeof about->instance_id);
    default:
        return UbusComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    }
}

static NTSTATUS UbusPdoQueryText(_In_ PUBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryDeviceText.DeviceTextType !=
        DeviceTextDescription) {
        return UbusComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    }
    return UbusAnswerText(Irp, Pdo->About.text, sizeof Pdo->About.text);
}

static NTSTATUS UbusPdoCapabilities(_In_ PUBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    PDEVICE_CAPABILITIES caps = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceCapabilities.Capabilities;

    if (caps->Version != 1 || caps->Size < sizeof *caps) {
        return UbusComplete(Irp, STATUS_UNSUCCESSFUL, 0);
    }
    caps->Removable = TRUE;
    caps->UniqueID = TRUE;
    caps->Address = Pdo->Port;
    caps->UINumber = Pdo->Port;
    // Linux suspends devices by itself: here a reader only works or does not.
    caps->DeviceState[PowerSystemWorking] = PowerDeviceD0;
    for (ULONG state = PowerSystemSleeping1; state < PowerSystemMaximum; state++) {
        caps->DeviceState[state] = PowerDeviceD3;
    }
    return UbusComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS UbusPdoQueryBus(_Inout_ PIRP Irp)
{
    PPNP_BUS_INFORMATION information = ExAllocatePoolWithTag(PagedPool, sizeof *information, UBUS_TAG);

    if (information == NULL) {
        return UbusComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    *information = (PNP_BUS_INFORMATION){UbusBusTypeUsb, PNPBus, 0};
    return UbusComplete(Irp, STATUS_SUCCESS, (ULONG_PTR)information);
}

static NTSTATUS UbusPdoRelations(_In_ PUBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    PDEVICE_RELATIONS relations;

    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryDeviceRelations.Type != TargetDeviceRelation) {
        return UbusComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    }
    relations = ExAllocatePoolWithTag(PagedPool, sizeof *relations, UBUS_TAG);
    if (relations == NULL) {
        return UbusComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    ObReferenceObject(Pdo->Self);
    relations->Count = 1;
    relations->Objects[0] = Pdo->Self;
    return UbusComplete(Irp, STATUS_SUCCESS, (ULONG_PTR)relations);
}

static NTSTATUS UbusPdoRemove(_Inout_ PUBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    BOOLEAN missing = Pdo->Missing;

    UbusTransferDrain(Pdo);
    Pdo->Started = Pdo->Configured = FALSE;
    UbusComplete(Irp, STATUS_SUCCESS, 0);
    if (missing) {
        UbusChildDelete(Pdo);
    }
    return STATUS_SUCCESS; // a reader still claimed keeps its PDO
}

static NTSTATUS UbusPdoStart(_Inout_ PUBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    POWER_STATE power = {.DeviceState = PowerDeviceD0};

    Pdo->Started = TRUE;
    PoSetPowerState(Pdo->Self, DevicePowerState, power);
    return UbusComplete(Irp, STATUS_SUCCESS, 0);
}

NTSTATUS UbusPdoPnp(PUBUS_PDO Pdo, PIRP Irp)
{
    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return UbusPdoStart(Pdo, Irp);
    case IRP_MN_SURPRISE_REMOVAL:
        UbusTransferAbort(Pdo, 0xFF);
        return UbusComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_STOP_DEVICE:
        return UbusComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MN_REMOVE_DEVICE:
        return UbusPdoRemove(Pdo, Irp);
    case IRP_MN_QUERY_ID:
        return UbusPdoQueryId(Pdo, Irp);
    case IRP_MN_QUERY_DEVICE_TEXT:
        return UbusPdoQueryText(Pdo, Irp);
    case IRP_MN_QUERY_CAPABILITIES:
        return UbusPdoCapabilities(Pdo, Irp);
    case IRP_MN_QUERY_BUS_INFORMATION:
        return UbusPdoQueryBus(Irp);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        return UbusPdoRelations(Pdo, Irp);
    default: // not for us: as it came
        return UbusComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    }
}

NTSTATUS UbusPdoPower(PUBUS_PDO Pdo, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = Irp->IoStatus.Status;

    if (stack->MinorFunction == IRP_MN_SET_POWER) {
        if (stack->Parameters.Power.Type == DevicePowerState) {
            (VOID) PoSetPowerState(Pdo->Self, DevicePowerState, stack->Parameters.Power.State);
            if (stack->Parameters.Power.State.DeviceState != PowerDeviceD0) {
                UbusTransferAbort(Pdo, 0xFF);
            }
        }
        status = STATUS_SUCCESS;
    } else if (stack->MinorFunction == IRP_MN_QUERY_POWER) {
        status = STATUS_SUCCESS;
    }
    PoStartNextPowerIrp(Irp);
    return UbusComplete(Irp, status, 0);
}
