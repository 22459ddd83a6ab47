// SPDX-License-Identifier: MIT
#include "nthost/io/io.h"
#include "nthost/verifier/faults.h"

// Who made which link, kept for the report at unload only.
typedef struct _IOP_LINK {
    LIST_ENTRY ListEntry;
    VF_DRIVER Driver;
    UNICODE_STRING Name; // the last component: the directories have several spellings
} IOP_LINK;

static LIST_ENTRY IopLinks = {&IopLinks, &IopLinks};
static KSPIN_LOCK IopLinksLock;

static UNICODE_STRING IopLastComponent(PCUNICODE_STRING Path)
{
    USHORT start = Path->Length / sizeof(WCHAR);
    while (start > 0 && Path->Buffer[start - 1] != L'\\') {
        start--;
    }
    USHORT length = (USHORT)(Path->Length - start * sizeof(WCHAR));
    return (UNICODE_STRING){length, length, Path->Buffer + start};
}

static VOID IopFreeLink(IOP_LINK *Link)
{
    os_free(Link->Name.Buffer);
    os_free(Link);
}

static VOID IopRecordLink(PCUNICODE_STRING Path)
{
    UNICODE_STRING name = IopLastComponent(Path);
    IOP_LINK *link = IopAllocateZeroed(sizeof *link);
    if (link == NULL) {
        return;
    }
    link->Driver = VfCurrentDriver();
    if (!NT_SUCCESS(IopDuplicateString(&name, &link->Name))) {
        os_free(link);
        return;
    }
    ExInterlockedInsertTailList(&IopLinks, &link->ListEntry, &IopLinksLock);
}

static VOID IopForgetLink(PCUNICODE_STRING Path)
{
    KIRQL irql;
    UNICODE_STRING name = IopLastComponent(Path);
    IOP_LINK *found = NULL;
    KeAcquireSpinLock(&IopLinksLock, &irql);
    for (PLIST_ENTRY entry = IopLinks.Flink; found == NULL && entry != &IopLinks; entry = entry->Flink) {
        IOP_LINK *link = CONTAINING_RECORD(entry, IOP_LINK, ListEntry);
        if (IopEqualNames(&link->Name, &name)) {
            RemoveEntryList(entry);
            found = link;
        }
    }
    KeReleaseSpinLock(&IopLinksLock, irql);
    if (found != NULL) {
        IopFreeLink(found);
    }
}

VOID IopReportLinkLeaks(VF_DRIVER Driver)
{
    KIRQL irql;
    IOP_LINK *left = NULL;
    KeAcquireSpinLock(&IopLinksLock, &irql);
    for (PLIST_ENTRY entry = IopLinks.Flink; left == NULL && entry != &IopLinks; entry = entry->Flink) {
        IOP_LINK *link = CONTAINING_RECORD(entry, IOP_LINK, ListEntry);
        left = link->Driver == Driver ? link : NULL;
    }
    KeReleaseSpinLock(&IopLinksLock, irql);
    if (left != NULL) {
        VfBreak(VfRuleUnloadSymbolicLinks, 0, 0, 0, "%s left the symbolic link %wZ", VfDriverName(Driver),
                &left->Name);
    }
}

VOID IopFreeLinks(VOID)
{
    while (!IsListEmpty(&IopLinks)) {
        IopFreeLink(CONTAINING_RECORD(RemoveHeadList(&IopLinks), IOP_LINK, ListEntry));
    }
}

NTSTATUS NTAPI IoCreateSymbolicLink(PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName)
{
    NT_ENTRY(IoCreateSymbolicLink);
    NT_MAY_FAIL(OBJECT, STATUS_INSUFFICIENT_RESOURCES);
    VfCheckString(SymbolicLinkName);
    VfCheckString(DeviceName);
    NTSTATUS status = ObpCreateSymbolicLink(SymbolicLinkName, DeviceName);
    if (NT_SUCCESS(status) && VfEnabled) {
        IopRecordLink(SymbolicLinkName);
    }
    return status;
}

NTSTATUS NTAPI IoDeleteSymbolicLink(PUNICODE_STRING SymbolicLinkName)
{
    NT_ENTRY(IoDeleteSymbolicLink);
    VfCheckString(SymbolicLinkName);
    NTSTATUS status = ObpDeleteSymbolicLink(SymbolicLinkName);
    if (NT_SUCCESS(status) && VfEnabled) {
        IopForgetLink(SymbolicLinkName);
    }
    return status;
}
