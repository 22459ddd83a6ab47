// SPDX-License-Identifier: MIT
#include "nthost/pnp/pnp.h"
#include "nthost/verifier/faults.h"

enum { PNP_INCLUDE_DISABLED = 1 };

static BOOLEAN PnpIsListed(const PNP_INTERFACE *Interface, const GUID *Class, PNP_NODE *Node,
                           BOOLEAN Disabled)
{
    return RtlCompareMemory(&Interface->Class, Class, sizeof(GUID)) == sizeof(GUID) &&
           (Node == NULL || Interface->Node == Node) && (Disabled || Interface->Enabled);
}

// Appends the listed links to `List` when it is there; returns the size in bytes of the MULTI_SZ.
static SIZE_T PnpFillListLocked(const GUID *Class, PNP_NODE *Node, BOOLEAN Disabled, PWSTR List)
{
    SIZE_T size = 0;
    for (PLIST_ENTRY entry = PnpInterfaces.Flink; entry != &PnpInterfaces; entry = entry->Flink) {
        PNP_INTERFACE *face = CONTAINING_RECORD(entry, PNP_INTERFACE, ListEntry);
        if (PnpIsListed(face, Class, Node, Disabled)) {
            if (List != NULL) {
                RtlCopyMemory((PUCHAR)List + size, face->Link.Buffer, face->Link.Length + sizeof(WCHAR));
            }
            size += face->Link.Length + sizeof(WCHAR);
        }
    }
    return size + sizeof(WCHAR);
}

NTSTATUS PnpListInterfaces(const GUID *Class, PNP_NODE *Node, BOOLEAN Disabled, PWSTR *List)
{
    KIRQL irql;
    SIZE_T size = 0, needed = 0;
    *List = NULL;
    do { // until the list did not grow meanwhile
        if (*List != NULL) {
            ExFreePool(*List);
        }
        KeAcquireSpinLock(&PnpLock, &irql);
        size = PnpFillListLocked(Class, Node, Disabled, NULL);
        KeReleaseSpinLock(&PnpLock, irql);
        *List = ExAllocatePoolWithTag(PagedPool, size, IOP_TAG);
        if (*List == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        RtlZeroMemory(*List, size);
        KeAcquireSpinLock(&PnpLock, &irql);
        needed = PnpFillListLocked(Class, Node, Disabled, NULL);
        if (needed <= size) {
            (void)PnpFillListLocked(Class, Node, Disabled, *List);
        }
        KeReleaseSpinLock(&PnpLock, irql);
    } while (needed > size);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoGetDeviceInterfaces(CONST GUID *InterfaceClassGuid, PDEVICE_OBJECT PhysicalDeviceObject,
                                     ULONG Flags, PWSTR *SymbolicLinkList)
{
    NT_ENTRY(IoGetDeviceInterfaces);
    NT_MAY_FAIL(OBJECT, STATUS_INSUFFICIENT_RESOURCES);
    PNP_NODE *node = PhysicalDeviceObject != NULL ? PnpNodeOf(PhysicalDeviceObject) : NULL;
    if (PhysicalDeviceObject != NULL && node == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    return PnpListInterfaces(InterfaceClassGuid, node, (Flags & PNP_INCLUDE_DISABLED) != 0, SymbolicLinkList);
}
