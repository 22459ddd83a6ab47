// SPDX-License-Identifier: MIT
// A plugged reader as PnP sees it.
#include "vbus/vbus.h"

static NTSTATUS VbusPdoRemove(_Inout_ PVBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    struct emu_setup unconfigure = {0x00, 0x09, 0, 0, 0};
    BOOLEAN missing = Pdo->Missing;
    ULONG length = 0;

    VbusTransferAbort(Pdo, NULL, USBD_STATUS_DEVICE_GONE);
    VbusPdoDropWaits(Pdo);
    VbusPipesClose(Pdo);
    (VOID) VbusDeviceControl(Pdo, &unconfigure, NULL, &length); // best effort: the function driver is gone
    VbusStateSet(&Pdo->Common, missing ? VbusRemoved : VbusNotStarted);
    VbusComplete(Irp, STATUS_SUCCESS);
    if (missing) {
        VbusChildDelete(Pdo);
    }
    return STATUS_SUCCESS; // a reader still plugged keeps its PDO
}

static NTSTATUS VbusPdoRelations(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    PDEVICE_RELATIONS relations;

    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryDeviceRelations.Type != TargetDeviceRelation) {
        return VbusCompleteWith(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    }
    relations = ExAllocatePoolWithTag(PagedPool, sizeof *relations, VBUS_TAG);
    if (relations == NULL) {
        return VbusComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    ObReferenceObject(Pdo->Common.Self);
    relations->Count = 1;
    relations->Objects[0] = Pdo->Common.Self;
    return VbusCompleteWith(Irp, STATUS_SUCCESS, (ULONG_PTR)relations);
}

static NTSTATUS VbusPdoStart(_Inout_ PVBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    POWER_STATE power = {.DeviceState = PowerDeviceD0};
    BOOLEAN present = VbusChildPresent(Pdo);

    if (present) {
        VbusStateSet(&Pdo->Common, VbusStarted);
        PoSetPowerState(Pdo->Common.Self, DevicePowerState, power);
    }
    return VbusComplete(Irp, present ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE);
}

static NTSTATUS VbusPdoSurprise(_Inout_ PVBUS_PDO Pdo, _Inout_ PIRP Irp)
{
    VbusStateSet(&Pdo->Common, VbusSurpriseRemoved);
    VbusTransferAbort(Pdo, NULL, USBD_STATUS_DEVICE_GONE);
    VbusPdoDropWaits(Pdo);
    return VbusComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS VbusPdoTransition(_Inout_ PVBUS_PDO Pdo, _Inout_ PIRP Irp, _In_ UCHAR Minor)
{
    switch (Minor) {
    case IRP_MN_QUERY_STOP_DEVICE:
        VbusStateQuery(&Pdo->Common, VbusStopPending);
        break;
    case IRP_MN_QUERY_REMOVE_DEVICE:
        VbusStateQuery(&Pdo->Common, VbusRemovePending);
        break;
    case IRP_MN_CANCEL_STOP_DEVICE:
        VbusStateCancel(&Pdo->Common, VbusStopPending);
        break;
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        VbusStateCancel(&Pdo->Common, VbusRemovePending);
        break;
    default: // IRP_MN_STOP_DEVICE
        VbusStateSet(&Pdo->Common, VbusStopped);
        break;
    }
    return VbusComplete(Irp, STATUS_SUCCESS);
}

NTSTATUS VbusPdoPnp(PVBUS_PDO Pdo, PIRP Irp)
{
    UCHAR minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;

    switch (minor) {
    case IRP_MN_START_DEVICE:
        return VbusPdoStart(Pdo, Irp);
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_STOP_DEVICE:
        return VbusPdoTransition(Pdo, Irp, minor);
    case IRP_MN_SURPRISE_REMOVAL:
        return VbusPdoSurprise(Pdo, Irp);
    case IRP_MN_REMOVE_DEVICE:
        return VbusPdoRemove(Pdo, Irp);
    case IRP_MN_QUERY_ID:
        return VbusPdoQueryId(Pdo, Irp);
    case IRP_MN_QUERY_DEVICE_TEXT:
        return VbusPdoQueryText(Pdo, Irp);
    case IRP_MN_QUERY_CAPABILITIES:
        return VbusPdoQueryCapabilities(Pdo, Irp);
    case IRP_MN_QUERY_BUS_INFORMATION:
        return VbusPdoQueryBus(Irp);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        return VbusPdoRelations(Pdo, Irp);
    default: // not for us: as it came
        return VbusCompleteWith(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    }
}
