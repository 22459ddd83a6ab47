// SPDX-License-Identifier: MIT
#include "nthost/pnp/pnp.h"

KSPIN_LOCK PnpLock;
PNP_NODE *PnpRoot;
LIST_ENTRY PnpWaitingNodes = {&PnpWaitingNodes, &PnpWaitingNodes};

PNP_NODE *PnpNodeOf(PDEVICE_OBJECT Pdo)
{
    return Pdo != NULL && Pdo->Type == IO_TYPE_DEVICE ? IopDevice(Pdo)->Node : NULL;
}

NTSTATUS PnpCreateNode(PNP_NODE *Parent, PDEVICE_OBJECT Pdo, PNP_NODE **Node)
{
    KIRQL irql;
    PNP_NODE *node = IopAllocateZeroed(sizeof *node);
    if (node == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    InitializeListHead(&node->Children);
    InitializeListHead(&node->Interfaces);
    node->Parent = Parent;
    node->Pdo = Pdo;
    node->Present = TRUE;
    node->SystemState = PowerSystemWorking;
    ObReferenceObject(Pdo);
    KeAcquireSpinLock(&PnpLock, &irql);
    IopDevice(Pdo)->OpenBlocked = TRUE; // until START
    IopDevice(Pdo)->Node = node;
    Pdo->Flags |= DO_BUS_ENUMERATED_DEVICE;
    if (Parent != NULL) {
        InsertTailList(&Parent->Children, &node->SiblingEntry);
    } else {
        InitializeListHead(&node->SiblingEntry);
    }
    KeReleaseSpinLock(&PnpLock, irql);
    *Node = node;
    return STATUS_SUCCESS;
}

VOID PnpDestroyNode(PNP_NODE *Node)
{
    KIRQL irql;
    PnpFreeInterfaces(Node);
    KeAcquireSpinLock(&PnpLock, &irql);
    RemoveEntryList(&Node->SiblingEntry);
    IopDevice(Node->Pdo)->Node = NULL;
    KeReleaseSpinLock(&PnpLock, irql);
    ObDereferenceObject(Node->Pdo);
    PUNICODE_STRING strings[] = {&Node->Instance,    &Node->DeviceId,      &Node->InstanceId,
                                 &Node->HardwareIds, &Node->CompatibleIds, &Node->Description,
                                 &Node->Location};
    for (ULONG i = 0; i < RTL_NUMBER_OF(strings); i++) {
        os_free(strings[i]->Buffer);
    }
    os_free(Node);
}

// The children's list may lose the visited child, nothing else.
static NTSTATUS PnpWalkChildren(PNP_NODE *Node, BOOLEAN ChildrenFirst, PNP_VISITOR *Visitor, PVOID Context)
{
    PLIST_ENTRY head = &Node->Children, next;
    for (PLIST_ENTRY entry = ChildrenFirst ? head->Blink : head->Flink; entry != head; entry = next) {
        next = ChildrenFirst ? entry->Blink : entry->Flink;
        PNP_NODE *child = CONTAINING_RECORD(entry, PNP_NODE, SiblingEntry);
        NTSTATUS status = PnpWalk(child, ChildrenFirst, Visitor, Context);
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
    return STATUS_SUCCESS;
}

NTSTATUS PnpWalk(PNP_NODE *Node, BOOLEAN ChildrenFirst, PNP_VISITOR *Visitor, PVOID Context)
{
    NTSTATUS status = ChildrenFirst ? PnpWalkChildren(Node, TRUE, Visitor, Context) : Visitor(Node, Context);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return ChildrenFirst ? Visitor(Node, Context) : PnpWalkChildren(Node, FALSE, Visitor, Context);
}

typedef struct _PNP_SEARCH {
    PCUNICODE_STRING Instance;
    PNP_NODE *Found;
} PNP_SEARCH;

static NTSTATUS PnpMatchInstance(PNP_NODE *Node, PVOID Context)
{
    PNP_SEARCH *search = Context;
    if (IopEqualNames(&Node->Instance, search->Instance)) {
        search->Found = Node;
        return STATUS_UNSUCCESSFUL; // ends the walk
    }
    return STATUS_SUCCESS;
}

PNP_NODE *PnpFindInstance(PCUNICODE_STRING Instance)
{
    PNP_SEARCH search = {Instance, NULL};
    (void)PnpWalk(PnpRoot, FALSE, PnpMatchInstance, &search);
    return search.Found;
}
