// SPDX-License-Identifier: MIT
#include "nthost/pnp/pnp.h"

VOID PnpQueryState(PNP_NODE *Node)
{
    ULONG_PTR information = 0;
    IO_STACK_LOCATION location = {.MinorFunction = IRP_MN_QUERY_PNP_DEVICE_STATE};
    if (Node->State != PnpStarted || !NT_SUCCESS(PnpSend(Node, &location, &information))) {
        return;
    }
    Node->PnpState = (ULONG)information;
    if ((information & (PNP_DEVICE_FAILED | PNP_DEVICE_REMOVED)) != 0) {
        Node->Problem = STATUS_IO_DEVICE_ERROR;
        PnpSurpriseTree(Node, FALSE);
    }
}

static NTSTATUS PnpSendStart(PNP_NODE *Node)
{
    IO_STACK_LOCATION filter = {.MinorFunction = IRP_MN_FILTER_RESOURCE_REQUIREMENTS};
    IO_STACK_LOCATION start = {.MinorFunction = IRP_MN_START_DEVICE};
    ULONG_PTR information = 0;
    if (NT_SUCCESS(PnpSend(Node, &filter, &information)) && information != 0) {
        ExFreePool((PVOID)information);
    }
    return PnpSend(Node, &start, NULL);
}

NTSTATUS PnpStart(PNP_NODE *Node)
{
    BOOLEAN restart = Node->State == PnpStopped;
    NTSTATUS status = PnpSendStart(Node);
    if (!NT_SUCCESS(status)) {
        if (restart) {
            (void)PnpSendMinor(Node, IRP_MN_SURPRISE_REMOVAL);
        }
        PnpRemoveStack(Node);
        return status;
    }
    Node->State = PnpStarted;
    PnpBlockOpens(Node, FALSE);
    if (restart) {
        return STATUS_SUCCESS;
    }
    (void)PnpQueryCapabilities(Node);
    PnpAnnounceInterfaces(Node);
    PnpEnumerate(Node);
    PnpQueryState(Node); // last: it may take the node away
    return STATUS_SUCCESS;
}

static NTSTATUS PnpQueryStop(PNP_NODE *Node, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    return Node->State == PnpStarted ? PnpSendMinor(Node, IRP_MN_QUERY_STOP_DEVICE) : STATUS_SUCCESS;
}

static NTSTATUS PnpCancelStop(PNP_NODE *Node, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (Node->State == PnpStarted) {
        (void)PnpSendMinor(Node, IRP_MN_CANCEL_STOP_DEVICE);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS PnpStop(PNP_NODE *Node, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (Node->State == PnpStarted) {
        (void)PnpSendMinor(Node, IRP_MN_STOP_DEVICE);
        Node->State = PnpStopped;
    }
    return STATUS_SUCCESS;
}

NTSTATUS PnpStopTree(PNP_NODE *Node)
{
    if (Node->State != PnpStarted) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    NTSTATUS status = PnpWalk(Node, TRUE, PnpQueryStop, NULL);
    if (NT_SUCCESS(status)) {
        return PnpWalk(Node, TRUE, PnpStop, NULL);
    }
    (void)PnpWalk(Node, FALSE, PnpCancelStop,
                  NULL); // also to those that were not asked: a driver must bear that
    return status;
}

static NTSTATUS PnpRestart(PNP_NODE *Node, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (Node->State != PnpStopped) {
        return STATUS_SUCCESS;
    }
    NTSTATUS status = PnpStart(Node);
    if (!NT_SUCCESS(status)) {
        Node->State = PnpFailed;
        Node->Problem = status;
    }
    return status;
}

NTSTATUS PnpRestartTree(PNP_NODE *Node)
{
    return PnpWalk(Node, FALSE, PnpRestart, NULL);
}
