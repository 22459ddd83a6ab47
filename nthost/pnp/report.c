// SPDX-License-Identifier: MIT
// What drivers tell the PnP manager about their devices.
#include "nthost/pnp/pnp.h"

static BOOLEAN PnpIsPdo(PDEVICE_OBJECT Pdo, PCSTR Routine)
{
    if (PnpNodeOf(Pdo) != NULL) {
        return TRUE;
    }
    if (VfEnabled) {
        VfBreak(VfRuleNotPhysicalDevice, (ULONG_PTR)Pdo, 0, 0, "%s(%p): no physical device object", Routine,
                Pdo);
    }
    return FALSE;
}

static VOID PnpReportRelations(PNP_ACTION *Action)
{
    PNP_NODE *node = PnpNodeOf(Action->Object);
    if (node != NULL && (node->State == PnpStarted || node == PnpRoot)) {
        PnpEnumerate(node);
    }
}

static VOID PnpReportState(PNP_ACTION *Action)
{
    PNP_NODE *node = PnpNodeOf(Action->Object);
    if (node != NULL) {
        PnpQueryState(node);
    }
}

static VOID PnpReportEject(PNP_ACTION *Action)
{
    PNP_NODE *node = PnpNodeOf(Action->Object);
    if (node != NULL && NT_SUCCESS(PnpRemoveTree(node))) {
        (void)PnpSendMinor(node, IRP_MN_EJECT);
    }
}

VOID NTAPI IoInvalidateDeviceRelations(PDEVICE_OBJECT DeviceObject, DEVICE_RELATION_TYPE Type)
{
    NT_ENTRY(IoInvalidateDeviceRelations);
    if (PnpIsPdo(DeviceObject, "IoInvalidateDeviceRelations") && Type == BusRelations) {
        PnpPost(PnpReportRelations, DeviceObject, 0);
    }
}

VOID NTAPI IoInvalidateDeviceState(PDEVICE_OBJECT PhysicalDeviceObject)
{
    NT_ENTRY(IoInvalidateDeviceState);
    if (PnpIsPdo(PhysicalDeviceObject, "IoInvalidateDeviceState")) {
        PnpPost(PnpReportState, PhysicalDeviceObject, 0);
    }
}

VOID NTAPI IoRequestDeviceEject(PDEVICE_OBJECT PhysicalDeviceObject)
{
    NT_ENTRY(IoRequestDeviceEject);
    if (PnpIsPdo(PhysicalDeviceObject, "IoRequestDeviceEject")) {
        PnpPost(PnpReportEject, PhysicalDeviceObject, 0);
    }
}
