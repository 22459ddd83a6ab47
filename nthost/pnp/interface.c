// SPDX-License-Identifier: MIT
// Device interfaces. They belong to the device node and persist with it; a symbolic link exists while one is
// enabled.
#include "nthost/pnp/pnp.h"
#include "nthost/verifier/faults.h"

enum { PNP_LINK_MAXIMUM = 400 };

LIST_ENTRY PnpInterfaces = {&PnpInterfaces, &PnpInterfaces};

static PNP_INTERFACE *PnpFindInterfaceLocked(PCUNICODE_STRING Link)
{
    for (PLIST_ENTRY entry = PnpInterfaces.Flink; entry != &PnpInterfaces; entry = entry->Flink) {
        PNP_INTERFACE *face = CONTAINING_RECORD(entry, PNP_INTERFACE, ListEntry);
        if (IopEqualNames(&face->Link, Link)) {
            return face;
        }
    }
    return NULL;
}

static VOID PnpAppendPath(PUNICODE_STRING Link, PCUNICODE_STRING Instance)
{
    USHORT start = Link->Length / sizeof(WCHAR);
    RtlAppendUnicodeStringToString(Link, Instance);
    for (SIZE_T i = start; i < Link->Length / sizeof(WCHAR); i++) {
        if (Link->Buffer[i] == L'\\') {
            Link->Buffer[i] = L'#';
        }
    }
}

static VOID PnpAppendGuid(PUNICODE_STRING Text, const GUID *Guid)
{
    static const WCHAR digits[] = L"0123456789abcdef";
    static const UCHAR order[] = {3,    2, 1, 0,    0xFF, 5,  4,  0xFF, 7,  6,
                                  0xFF, 8, 9, 0xFF, 10,   11, 12, 13,   14, 15};
    WCHAR buffer[40];
    ULONG used = 0;
    buffer[used++] = L'{';
    for (ULONG i = 0; i < sizeof order; i++) {
        if (order[i] == 0xFF) {
            buffer[used++] = L'-';
        } else {
            UCHAR byte = ((const UCHAR *)Guid)[order[i]];
            buffer[used++] = digits[byte >> 4];
            buffer[used++] = digits[byte & 15];
        }
    }
    buffer[used++] = L'}';
    buffer[used] = 0;
    RtlAppendUnicodeToString(Text, buffer);
}

// \??\USB#VID_xxxx&PID_xxxx#instance#{class} and \reference if there is one.
static NTSTATUS PnpMakeLink(PNP_NODE *Node, const GUID *Class, PUNICODE_STRING Reference,
                            PUNICODE_STRING Link)
{
    NTSTATUS status = RtlAppendUnicodeToString(Link, L"\\??\\");
    PnpAppendPath(Link, &Node->Instance);
    RtlAppendUnicodeToString(Link, L"#");
    PnpAppendGuid(Link, Class);
    if (NT_SUCCESS(status) && Reference != NULL && Reference->Length != 0) {
        RtlAppendUnicodeToString(Link, L"\\");
        status = RtlAppendUnicodeStringToString(Link, Reference);
    }
    return status;
}

// What the driver gets: pool that RtlFreeUnicodeString frees.
static NTSTATUS PnpGiveLink(PCUNICODE_STRING Link, PUNICODE_STRING Copy)
{
    USHORT size = (USHORT)(Link->Length + sizeof(WCHAR));
    Copy->Buffer = ExAllocatePoolWithTag(PagedPool, size, IOP_TAG);
    if (Copy->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Copy->Buffer, Link->Buffer, Link->Length);
    Copy->Buffer[Link->Length / sizeof(WCHAR)] = 0;
    Copy->Length = Link->Length;
    Copy->MaximumLength = size;
    return STATUS_SUCCESS;
}

static NTSTATUS PnpInsertInterface(PNP_NODE *Node, const GUID *Class, PCUNICODE_STRING Link)
{
    KIRQL irql;
    PNP_INTERFACE *face = IopAllocateZeroed(sizeof *face);
    if (face == NULL || !NT_SUCCESS(IopDuplicateString(Link, &face->Link))) {
        os_free(face);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    face->Node = Node;
    face->Class = *Class;
    KeAcquireSpinLock(&PnpLock, &irql);
    InsertTailList(&Node->Interfaces, &face->NodeEntry);
    InsertTailList(&PnpInterfaces, &face->ListEntry);
    KeReleaseSpinLock(&PnpLock, irql);
    return STATUS_SUCCESS;
}

// The link's name ends before a reference string, which the open passes on as the file's name.
static UNICODE_STRING PnpLinkName(const PNP_INTERFACE *Interface)
{
    UNICODE_STRING name = Interface->Link;
    for (SIZE_T i = 4; i < name.Length / sizeof(WCHAR); i++) {
        if (name.Buffer[i] == L'\\') {
            name.Length = (USHORT)(i * sizeof(WCHAR));
        }
    }
    return name;
}

static NTSTATUS PnpLinkInterface(PNP_INTERFACE *Interface)
{
    UNICODE_STRING target, link = PnpLinkName(Interface);
    NTSTATUS status = ObpQueryName(Interface->Node->Pdo, &target);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ObpCreateSymbolicLink(&link, &target);
    // Interfaces of one class that differ in their reference share the link.
    return status == STATUS_OBJECT_NAME_COLLISION ? STATUS_SUCCESS : status;
}

static BOOLEAN PnpSharesLink(const PNP_INTERFACE *One, const PNP_INTERFACE *Other)
{
    return One != Other && Other->Enabled && One->Node == Other->Node &&
           RtlCompareMemory(&One->Class, &Other->Class, sizeof(GUID)) == sizeof(GUID);
}

static VOID PnpUnlinkInterface(PNP_INTERFACE *Interface)
{
    KIRQL irql;
    BOOLEAN shared = FALSE;
    UNICODE_STRING link = PnpLinkName(Interface);
    PLIST_ENTRY head = &Interface->Node->Interfaces;
    KeAcquireSpinLock(&PnpLock, &irql);
    for (PLIST_ENTRY entry = head->Flink; entry != head; entry = entry->Flink) {
        shared |= PnpSharesLink(Interface, CONTAINING_RECORD(entry, PNP_INTERFACE, NodeEntry));
    }
    KeReleaseSpinLock(&PnpLock, irql);
    if (!shared) {
        (void)ObpDeleteSymbolicLink(&link);
    }
}

static VOID PnpDisable(PNP_INTERFACE *Interface)
{
    Interface->Enabled = FALSE;
    PnpUnlinkInterface(Interface);
    if (Interface->Announced) {
        Interface->Announced = FALSE;
        PnpNotify(&Interface->Class, &Interface->Link, FALSE);
    }
}

// The predecessor at the same place was removed by surprise, but somebody has a file open on it still.
static VOID PnpTakeOver(PNP_INTERFACE *Interface, PNP_NODE *Node)
{
    KIRQL irql;
    if (Interface->Enabled) {
        PnpDisable(Interface);
    }
    KeAcquireSpinLock(&PnpLock, &irql);
    RemoveEntryList(&Interface->NodeEntry);
    InsertTailList(&Node->Interfaces, &Interface->NodeEntry);
    Interface->Node = Node;
    KeReleaseSpinLock(&PnpLock, irql);
}

NTSTATUS NTAPI IoRegisterDeviceInterface(PDEVICE_OBJECT PhysicalDeviceObject, CONST GUID *InterfaceClassGuid,
                                         PUNICODE_STRING ReferenceString, PUNICODE_STRING SymbolicLinkName)
{
    NT_ENTRY(IoRegisterDeviceInterface);
    NT_MAY_FAIL(OBJECT, STATUS_INSUFFICIENT_RESOURCES);
    WCHAR buffer[PNP_LINK_MAXIMUM];
    UNICODE_STRING link = {0, sizeof buffer, buffer}, name;
    KIRQL irql;
    PNP_NODE *node = PnpNodeOf(PhysicalDeviceObject);
    if (node == NULL || !NT_SUCCESS(ObpQueryName(PhysicalDeviceObject, &name)) || name.Length == 0) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    NTSTATUS status = PnpMakeLink(node, InterfaceClassGuid, ReferenceString, &link);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    KeAcquireSpinLock(&PnpLock, &irql);
    PNP_INTERFACE *face = PnpFindInterfaceLocked(&link);
    KeReleaseSpinLock(&PnpLock, irql);
    if (face != NULL && face->Node != node) {
        PnpTakeOver(face, node);
    }
    status = face != NULL ? STATUS_OBJECT_NAME_EXISTS : PnpInsertInterface(node, InterfaceClassGuid, &link);
    if (NT_SUCCESS(status)) {
        NTSTATUS given = PnpGiveLink(&link, SymbolicLinkName);
        status = NT_SUCCESS(given) ? status : given;
    }
    return status;
}

static VOID PnpAnnounce(PNP_INTERFACE *Interface)
{
    Interface->Announced = TRUE;
    PnpNotify(&Interface->Class, &Interface->Link, TRUE);
}

NTSTATUS NTAPI IoSetDeviceInterfaceState(PUNICODE_STRING SymbolicLinkName, BOOLEAN Enable)
{
    NT_ENTRY(IoSetDeviceInterfaceState);
    KIRQL irql;
    KeAcquireSpinLock(&PnpLock, &irql);
    PNP_INTERFACE *face = PnpFindInterfaceLocked(SymbolicLinkName);
    KeReleaseSpinLock(&PnpLock, irql);
    if (face == NULL || (!Enable && !face->Enabled)) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (Enable && face->Enabled) {
        return STATUS_OBJECT_NAME_EXISTS;
    }
    if (!Enable) {
        PnpDisable(face);
        return STATUS_SUCCESS;
    }
    NTSTATUS status = PnpLinkInterface(face);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    face->Enabled = TRUE;
    // In START the arrival waits until the device is started.
    if (face->Node->State == PnpStarted) {
        PnpAnnounce(face);
    }
    return STATUS_SUCCESS;
}

VOID PnpAnnounceInterfaces(PNP_NODE *Node)
{
    for (PLIST_ENTRY entry = Node->Interfaces.Flink; entry != &Node->Interfaces; entry = entry->Flink) {
        PNP_INTERFACE *face = CONTAINING_RECORD(entry, PNP_INTERFACE, NodeEntry);
        if (face->Enabled && !face->Announced) {
            PnpAnnounce(face);
        }
    }
}

VOID PnpDisableInterfaces(PNP_NODE *Node)
{
    for (PLIST_ENTRY entry = Node->Interfaces.Flink; entry != &Node->Interfaces; entry = entry->Flink) {
        PNP_INTERFACE *face = CONTAINING_RECORD(entry, PNP_INTERFACE, NodeEntry);
        if (face->Enabled && VfEnabled) {
            VfBreak(VfRuleUnloadInterfaces, (ULONG_PTR)Node->Pdo, 0, 0,
                    "interface %wZ is still enabled after REMOVE", &face->Link);
        }
        if (face->Enabled) {
            PnpDisable(face);
        }
    }
}

VOID PnpFreeInterfaces(PNP_NODE *Node)
{
    KIRQL irql;
    KeAcquireSpinLock(&PnpLock, &irql);
    while (!IsListEmpty(&Node->Interfaces)) {
        PNP_INTERFACE *face = CONTAINING_RECORD(RemoveHeadList(&Node->Interfaces), PNP_INTERFACE, NodeEntry);
        RemoveEntryList(&face->ListEntry);
        os_free(face->Link.Buffer);
        os_free(face);
    }
    KeReleaseSpinLock(&PnpLock, irql);
}
