// SPDX-License-Identifier: MIT
#include "nthost/pnp/pnp.h"

VOID PnpBlockOpens(PNP_NODE *Node, BOOLEAN Block)
{
    KIRQL irql;
    IopLockDevices(&irql);
    IopDevice(Node->Pdo)->OpenBlocked = Block;
    IopUnlockDevices(irql);
}

static BOOLEAN PnpHasDriver(const PNP_NODE *Node)
{
    return Node->State == PnpAdded || Node->State == PnpStarted || Node->State == PnpStopped;
}

// What a stack must look like after SURPRISE_REMOVAL (as before) and after REMOVE (nothing but the PDO).
static VOID PnpCheckSurprised(PNP_NODE *Node, PDEVICE_OBJECT Top)
{
    PCSTR name = IopDriverName(Top->DriverObject);
    if (Top != Node->Pdo && IopDevice(Top)->DeletePending) {
        VfBreak(VfRulePnpDeletedInSurprise, (ULONG_PTR)Top, 0, 0, "%s deleted its device in SURPRISE_REMOVAL",
                name);
    }
    if (Top != Node->Pdo && IopDevice(Top)->AttachedTo == NULL) {
        VfBreak(VfRulePnpDetachedInSurprise, (ULONG_PTR)Top, 0, 0,
                "%s detached its device in SURPRISE_REMOVAL", name);
    }
}

static VOID PnpCheckRemoved(PNP_NODE *Node, PDEVICE_OBJECT Top)
{
    PCSTR name = IopDriverName(Top->DriverObject);
    if (Node->Pdo->AttachedDevice != NULL) {
        VfBreak(VfRulePnpNotDetached, (ULONG_PTR)Top, 0, 0, "%s did not detach its device in REMOVE", name);
    }
    if (Top != Node->Pdo && !IopDevice(Top)->DeletePending) {
        VfBreak(VfRulePnpNotDeleted, (ULONG_PTR)Top, 0, 0, "%s did not delete its device in REMOVE", name);
    }
}

static VOID PnpSendAndCheck(PNP_NODE *Node, UCHAR Minor, VOID (*Check)(PNP_NODE *, PDEVICE_OBJECT))
{
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(Node->Pdo);
    (void)PnpSendMinor(Node, Minor); // may not fail
    if (VfEnabled) {
        Check(Node, top);
    }
    ObDereferenceObject(top);
}

VOID PnpRemoveStack(PNP_NODE *Node)
{
    PnpSendAndCheck(Node, IRP_MN_REMOVE_DEVICE, PnpCheckRemoved);
    PnpDisableInterfaces(Node);
    PnpBlockOpens(Node, TRUE);
}

static NTSTATUS PnpCheckFiles(PNP_NODE *Node, PVOID Context)
{
    KIRQL irql;
    UNREFERENCED_PARAMETER(Context);
    IopLockDevices(&irql);
    BOOLEAN open = IopDevice(Node->Pdo)->Files != 0;
    if (!open) {
        IopDevice(Node->Pdo)->OpenBlocked = TRUE;
    }
    IopUnlockDevices(irql);
    return open ? STATUS_PLUGPLAY_QUERY_VETOED : STATUS_SUCCESS;
}

// The children go with their parent: its driver deletes their PDOs.
static NTSTATUS PnpRemoveOne(PNP_NODE *Node, PVOID Root)
{
    PnpRemoveStack(Node);
    if (Node != Root || Node->Gone) {
        PnpDestroyNode(Node);
    } else {
        Node->State = NT_SUCCESS(Node->Problem) ? PnpRemoved : PnpFailed;
    }
    return STATUS_SUCCESS;
}

static VOID PnpFinishRemoval(PNP_NODE *Node)
{
    if (NT_SUCCESS(PnpWalk(Node, TRUE, PnpCheckFiles, NULL))) {
        (void)PnpWalk(Node, TRUE, PnpRemoveOne, Node);
    }
}

static NTSTATUS PnpSurpriseOne(PNP_NODE *Node, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    PnpBlockOpens(Node, TRUE);
    if (PnpHasDriver(Node)) {
        PnpSendAndCheck(Node, IRP_MN_SURPRISE_REMOVAL, PnpCheckSurprised);
    }
    Node->State = PnpSurprised;
    return STATUS_SUCCESS;
}

VOID PnpSurpriseTree(PNP_NODE *Node, BOOLEAN Gone)
{
    KIRQL irql;
    (void)PnpWalk(Node, TRUE, PnpSurpriseOne, NULL);
    if (Gone) {
        // Out of the tree: while this one waits for its files a new device may take its place and name.
        KeAcquireSpinLock(&PnpLock, &irql);
        RemoveEntryList(&Node->SiblingEntry);
        InsertTailList(&PnpWaitingNodes, &Node->SiblingEntry);
        Node->Parent = NULL;
        Node->Gone = TRUE;
        KeReleaseSpinLock(&PnpLock, irql);
    }
    PnpFinishRemoval(Node);
}

VOID PnpRetryWaiting(PNP_ACTION *Action)
{
    PNP_NODE *node = PnpNodeOf(Action->Object);
    if (node == NULL || node->State != PnpSurprised) {
        return;
    }
    while (node->Parent != NULL && node->Parent->State == PnpSurprised) {
        node = node->Parent;
    }
    PnpFinishRemoval(node);
}

VOID PnpFilesClosed(PDEVICE_OBJECT Bottom)
{
    PnpPost(PnpRetryWaiting, Bottom, 0);
}

static NTSTATUS PnpQueryRemove(PNP_NODE *Node, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (!PnpHasDriver(Node)) {
        return STATUS_SUCCESS;
    }
    if ((Node->PnpState & PNP_DEVICE_NOT_DISABLEABLE) != 0) {
        return STATUS_PLUGPLAY_QUERY_VETOED;
    }
    return PnpSendMinor(Node, IRP_MN_QUERY_REMOVE_DEVICE);
}

static NTSTATUS PnpCancelRemove(PNP_NODE *Node, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (PnpHasDriver(Node)) {
        (void)PnpSendMinor(Node, IRP_MN_CANCEL_REMOVE_DEVICE);
    }
    PnpBlockOpens(Node, Node->State != PnpStarted && Node->State != PnpStopped);
    return STATUS_SUCCESS;
}

NTSTATUS PnpRemoveTree(PNP_NODE *Node)
{
    NTSTATUS status = PnpAskTargets(Node, &GUID_TARGET_DEVICE_QUERY_REMOVE);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PnpWalk(Node, TRUE, PnpQueryRemove, NULL);
    // Open files turn a query that every driver agreed to into a failure.
    if (NT_SUCCESS(status)) {
        status = PnpWalk(Node, TRUE, PnpCheckFiles, NULL);
    }
    if (!NT_SUCCESS(status)) {
        (void)PnpWalk(Node, FALSE, PnpCancelRemove, NULL);
        (void)PnpAskTargets(Node, &GUID_TARGET_DEVICE_REMOVE_CANCELLED);
        return status;
    }
    (void)PnpWalk(Node, TRUE, PnpRemoveOne, Node);
    return STATUS_SUCCESS;
}
