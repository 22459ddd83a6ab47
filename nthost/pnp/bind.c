// SPDX-License-Identifier: MIT
// Services, their choice by id, and AddDevice.
#include "nthost/pnp/pnp.h"

static LIST_ENTRY PnpServices = {&PnpServices, &PnpServices};

static VOID PnpFreeService(PNP_SERVICE *Service)
{
    os_free(Service->Name.Buffer);
    os_free(Service->HardwareIds.Buffer);
    os_free(Service->ImagePath);
    os_free(Service);
}

static NTSTATUS PnpCopyPath(PCSTR Path, PCHAR *Copy)
{
    ANSI_STRING text;
    RtlInitAnsiString(&text, Path);
    *Copy = os_allocate(text.MaximumLength, 1);
    if (*Copy == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(*Copy, Path, text.MaximumLength);
    return STATUS_SUCCESS;
}

NTSTATUS PnpAddService(PCUNICODE_STRING Name, PCUNICODE_STRING HardwareIds, PDRIVER_INITIALIZE Entry,
                       PCSTR ImagePath)
{
    KIRQL irql;
    if (PnpFindService(Name) != NULL) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    PNP_SERVICE *service = IopAllocateZeroed(sizeof *service);
    if (service == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    service->Entry = Entry;
    if (!NT_SUCCESS(IopDuplicateString(Name, &service->Name)) ||
        !NT_SUCCESS(IopDuplicateString(HardwareIds, &service->HardwareIds)) ||
        (ImagePath != NULL && !NT_SUCCESS(PnpCopyPath(ImagePath, &service->ImagePath)))) {
        PnpFreeService(service);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeAcquireSpinLock(&PnpLock, &irql);
    InsertTailList(&PnpServices, &service->ListEntry);
    KeReleaseSpinLock(&PnpLock, irql);
    return STATUS_SUCCESS;
}

PNP_SERVICE *PnpFindService(PCUNICODE_STRING Name)
{
    KIRQL irql;
    PNP_SERVICE *found = NULL;
    KeAcquireSpinLock(&PnpLock, &irql);
    for (PLIST_ENTRY entry = PnpServices.Flink; found == NULL && entry != &PnpServices;
         entry = entry->Flink) {
        PNP_SERVICE *service = CONTAINING_RECORD(entry, PNP_SERVICE, ListEntry);
        found = IopEqualNames(&service->Name, Name) ? service : NULL;
    }
    KeReleaseSpinLock(&PnpLock, irql);
    return found;
}

static VOID PnpUnloadImage(PNP_SERVICE *Service)
{
    if (Service->Image != NULL) {
        ImgUnload(Service->Image);
        Service->Image = NULL;
    }
}

static VOID PnpUnloadService(PNP_SERVICE *Service)
{
    PDRIVER_OBJECT driver = Service->Driver;
    Service->Driver = NULL;
    IopUnloadDriver(driver);
    PnpUnloadImage(Service);
}

VOID PnpFreeServices(VOID)
{
    while (!IsListEmpty(&PnpServices)) {
        PNP_SERVICE *service = CONTAINING_RECORD(RemoveHeadList(&PnpServices), PNP_SERVICE, ListEntry);
        if (service->Driver != NULL && service->Driver->DriverUnload != NULL) {
            PnpUnloadService(service);
        }
        PnpFreeService(service);
    }
}

// The strings of a MULTI_SZ, one after the other. Length 0: the end.
static UNICODE_STRING PnpListString(PCUNICODE_STRING List, ULONG At)
{
    ULONG end = List->Length / sizeof(WCHAR), stop = At;
    if (At >= end) {
        return (UNICODE_STRING){0};
    }
    while (stop < end && List->Buffer[stop] != 0) {
        stop++;
    }
    USHORT length = (USHORT)((stop - At) * sizeof(WCHAR));
    return (UNICODE_STRING){length, length, List->Buffer + At};
}

static BOOLEAN PnpListContains(PCUNICODE_STRING List, PCUNICODE_STRING Id)
{
    UNICODE_STRING candidate = PnpListString(List, 0);
    for (ULONG at = 0; candidate.Length != 0; candidate = PnpListString(List, at)) {
        if (IopEqualNames(&candidate, Id)) {
            return TRUE;
        }
        at += candidate.Length / sizeof(WCHAR) + 1;
    }
    return FALSE;
}

// The best id of the device decides, whichever service lists it.
static PNP_SERVICE *PnpMatchList(PCUNICODE_STRING Ids)
{
    UNICODE_STRING id = PnpListString(Ids, 0);
    for (ULONG at = 0; id.Length != 0; id = PnpListString(Ids, at)) {
        for (PLIST_ENTRY entry = PnpServices.Flink; entry != &PnpServices; entry = entry->Flink) {
            PNP_SERVICE *service = CONTAINING_RECORD(entry, PNP_SERVICE, ListEntry);
            if (PnpListContains(&service->HardwareIds, &id)) {
                return service;
            }
        }
        at += id.Length / sizeof(WCHAR) + 1;
    }
    return NULL;
}

static PNP_SERVICE *PnpMatchService(PNP_NODE *Node)
{
    KIRQL irql;
    KeAcquireSpinLock(&PnpLock, &irql);
    PNP_SERVICE *service = PnpMatchList(&Node->HardwareIds);
    if (service == NULL) {
        service = PnpMatchList(&Node->CompatibleIds);
    }
    KeReleaseSpinLock(&PnpLock, irql);
    return service;
}

static VOID PnpCheckStack(PNP_NODE *Node, PDRIVER_OBJECT Driver)
{
    PDEVICE_OBJECT top = IopStackTop(Node->Pdo);
    PCSTR name = IopDriverName(Driver);
    PDEVICE_OBJECT lower = IopDevice(top)->AttachedTo;
    if (top->DriverObject != Driver || lower == NULL) {
        VfBreak(VfRuleDeviceNotAttached, (ULONG_PTR)top, 0, 0, "AddDevice of %s succeeded without attaching",
                name);
    }
    if ((top->Flags & DO_DEVICE_INITIALIZING) != 0) {
        VfBreak(VfRuleDeviceInitializingLeft, (ULONG_PTR)top, 0, 0,
                "AddDevice of %s left DO_DEVICE_INITIALIZING", name);
    }
    if ((top->Flags & (DO_BUFFERED_IO | DO_DIRECT_IO)) == (DO_BUFFERED_IO | DO_DIRECT_IO)) {
        VfBreak(VfRuleDeviceBothIoFlags, (ULONG_PTR)top, 0, 0, "%s set both DO_BUFFERED_IO and DO_DIRECT_IO",
                name);
    }
    if ((lower->Flags & DO_POWER_PAGABLE) != 0 && (top->Flags & DO_POWER_PAGABLE) == 0) {
        VfBreak(VfRuleDevicePagableNotInherited, (ULONG_PTR)top, 0, 0, "%s did not inherit DO_POWER_PAGABLE",
                name);
    }
}

static NTSTATUS PnpLoadImage(PNP_SERVICE *Service, IOP_CODE *Code)
{
    NTSTATUS status = ImgLoad(Service->ImagePath, &Service->Image);
    if (NT_SUCCESS(status)) {
        PVOID entry = ImgEntry(Service->Image);
        *Code = (IOP_CODE){(PDRIVER_INITIALIZE)(ULONG_PTR)entry, ImgBase(Service->Image),
                           ImgSize(Service->Image)};
    } else {
        KiPrint(ImgReport()); // it was well when the service was added
    }
    return status;
}

static NTSTATUS PnpLoadService(PNP_SERVICE *Service)
{
    if (Service->Driver != NULL) {
        return STATUS_SUCCESS;
    }
    IOP_CODE code = {Service->Entry, NULL, 0};
    NTSTATUS status = Service->ImagePath != NULL ? PnpLoadImage(Service, &code) : STATUS_SUCCESS;
    if (NT_SUCCESS(status)) {
        status = IopLoadDriver(&Service->Name, &code, &Service->Counts, &Service->Driver);
    }
    if (!NT_SUCCESS(status)) {
        PnpUnloadImage(Service);
    }
    return status;
}

static NTSTATUS PnpAddToStack(PNP_NODE *Node, PDRIVER_OBJECT Driver)
{
    if (Driver->DriverExtension->AddDevice == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    NTSTATUS status = IopCallAddDevice(Driver, Node->Pdo);
    if (!NT_SUCCESS(status)) {
        if (Node->Pdo->AttachedDevice != NULL) {
            PnpRemoveStack(Node);
        }
        return status;
    }
    if (VfEnabled) {
        PnpCheckStack(Node, Driver);
    }
    Node->State = PnpAdded;
    return STATUS_SUCCESS;
}

// STATUS_NOT_FOUND: nobody drives the device.
NTSTATUS PnpBind(PNP_NODE *Node)
{
    PNP_SERVICE *service = PnpMatchService(Node);
    if (service == NULL) {
        return STATUS_NOT_FOUND;
    }
    Node->Service = service;
    Node->Problem = STATUS_SUCCESS;
    NTSTATUS status = PnpLoadService(service);
    if (NT_SUCCESS(status)) {
        status = PnpAddToStack(Node, service->Driver);
        if (!NT_SUCCESS(status)) {
            PnpPost(PnpUnloadIdle, service->Driver, 0);
        }
    }
    return status;
}

static NTSTATUS PnpBindUnbound(PNP_NODE *Node, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (Node->State == PnpUnbound && Node != PnpRoot) {
        (void)PnpBringUp(Node);
    }
    return STATUS_SUCCESS;
}

VOID PnpBindAll(VOID)
{
    (void)PnpWalk(PnpRoot, FALSE, PnpBindUnbound, NULL);
}

// Two references are left when a driver has no device object any more: its own, and the name's.
VOID PnpUnloadIdle(PNP_ACTION *Action)
{
    PDRIVER_OBJECT driver = Action->Object;
    PNP_SERVICE *service = PnpFindService(&driver->DriverExtension->ServiceKeyName);
    BOOLEAN idle = service != NULL && service->Driver == driver && driver->DriverUnload != NULL &&
                   !IopHasDevices(driver) && ObpReferenceCount(driver) <= 3; // and this action's
    if (idle) {
        PnpUnloadService(service);
    }
}

VOID PnpDeviceDeleted(PDRIVER_OBJECT Driver)
{
    if (!IopHasDevices(Driver) && Driver->DriverUnload != NULL) {
        PnpPost(PnpUnloadIdle, Driver, 0);
    }
}
