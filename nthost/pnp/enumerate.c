// SPDX-License-Identifier: MIT
#include "nthost/pnp/pnp.h"

static NTSTATUS PnpQueryChildren(PNP_NODE *Node, PDEVICE_RELATIONS *Relations)
{
    IO_STACK_LOCATION location = {.MinorFunction = IRP_MN_QUERY_DEVICE_RELATIONS};
    ULONG_PTR information = 0;
    location.Parameters.QueryDeviceRelations.Type = BusRelations;
    NTSTATUS status = PnpSend(Node, &location, &information);
    *Relations = NT_SUCCESS(status) ? (PDEVICE_RELATIONS)information : NULL;
    return status;
}

static VOID PnpCheckRelation(PNP_NODE *Parent, PDEVICE_OBJECT Pdo)
{
    if (Pdo == NULL || Pdo->Type != IO_TYPE_DEVICE || IopDevice(Pdo)->AttachedTo != NULL ||
        IopDevice(Pdo)->DeletePending) {
        VfBreak(VfRulePnpBadRelations, (ULONG_PTR)Pdo, 0, 0, "%s reported %p, which is no live PDO",
                IopDriverName(Parent->Pdo->DriverObject), Pdo);
    }
}

static VOID PnpMarkChildren(PNP_NODE *Node, BOOLEAN Present)
{
    for (PLIST_ENTRY entry = Node->Children.Flink; entry != &Node->Children; entry = entry->Flink) {
        CONTAINING_RECORD(entry, PNP_NODE, SiblingEntry)->Present = Present;
    }
}

static VOID PnpRemoveMissing(PNP_NODE *Node)
{
    PLIST_ENTRY previous;
    for (PLIST_ENTRY entry = Node->Children.Blink; entry != &Node->Children; entry = previous) {
        PNP_NODE *child = CONTAINING_RECORD(entry, PNP_NODE, SiblingEntry);
        previous = entry->Blink;
        if (!child->Present) {
            PnpSurpriseTree(child, TRUE);
        }
    }
}

static NTSTATUS PnpMatchOther(PNP_NODE *Node, PVOID Context)
{
    PNP_NODE *newcomer = Context;
    return Node != newcomer && IopEqualNames(&Node->Instance, &newcomer->Instance)
               ? STATUS_OBJECT_NAME_COLLISION
               : STATUS_SUCCESS;
}

static VOID PnpAddChild(PNP_NODE *Parent, PDEVICE_OBJECT Pdo)
{
    PNP_NODE *node;
    if (!NT_SUCCESS(PnpCreateNode(Parent, Pdo, &node))) {
        return; // found again by the next enumeration
    }
    NTSTATUS status = PnpQueryIdentity(node);
    if (NT_SUCCESS(status) && !NT_SUCCESS(PnpWalk(PnpRoot, FALSE, PnpMatchOther, node))) {
        VfBreak(VfRulePnpSameId, (ULONG_PTR)Pdo, 0, 0, "two devices have the instance id %wZ",
                &node->Instance);
    }
    if (!NT_SUCCESS(status)) {
        DbgPrint("pnp: a device of %s cannot be identified, status %08x\n", IopDriverName(Pdo->DriverObject),
                 status);
        node->State = PnpFailed;
        node->Problem = status;
    }
}

VOID PnpEnumerate(PNP_NODE *Node)
{
    PDEVICE_RELATIONS relations;
    if (!NT_SUCCESS(PnpQueryChildren(Node, &relations))) {
        return; // no bus
    }
    PnpMarkChildren(Node, FALSE);
    for (ULONG i = 0; relations != NULL && i < relations->Count; i++) {
        PDEVICE_OBJECT pdo = relations->Objects[i];
        PnpCheckRelation(Node, pdo);
        if (PnpNodeOf(pdo) != NULL) {
            PnpNodeOf(pdo)->Present = TRUE;
        } else {
            PnpAddChild(Node, pdo);
        }
        ObDereferenceObject(pdo); // the bus driver's reference; the node has its own
    }
    if (relations != NULL) {
        ExFreePool(relations);
    }
    PnpRemoveMissing(Node);
    for (PLIST_ENTRY entry = Node->Children.Flink, next; entry != &Node->Children; entry = next) {
        PNP_NODE *child = CONTAINING_RECORD(entry, PNP_NODE, SiblingEntry);
        next = entry->Flink;
        if (child->State == PnpUnbound) {
            (void)PnpBringUp(child);
        }
    }
}

// Brings a device up as far as it gets; what failed is in its Problem.
NTSTATUS PnpBringUp(PNP_NODE *Node)
{
    NTSTATUS status = PnpBind(Node);
    if (status == STATUS_NOT_FOUND) {
        return status; // stays unbound
    }
    if (NT_SUCCESS(status)) {
        status = PnpStart(Node);
    }
    if (!NT_SUCCESS(status)) {
        Node->State = PnpFailed;
        Node->Problem = status;
    }
    return status;
}
