// SPDX-License-Identifier: MIT
// The root enumerator: the bus of devices that no hardware bus reports, and the driver of their PDOs.
#include "nthost/pnp/pnp.h"

typedef struct _PNP_ROOT_DEVICE {
    LIST_ENTRY ListEntry; // unlinked for the root itself
    PDEVICE_OBJECT Pdo;
    WCHAR HardwareId[100];
    WCHAR InstanceId[8];
    BOOLEAN Missing; // deleted when REMOVE comes
} PNP_ROOT_DEVICE;

static IOP_COUNTS PnpRootCounts;
static PDRIVER_OBJECT PnpRootDriver;
static LIST_ENTRY PnpRootDevices = {&PnpRootDevices, &PnpRootDevices};
static ULONG PnpRootNext;

static PNP_ROOT_DEVICE *PnpRootDevice(PDEVICE_OBJECT Pdo)
{
    return Pdo->DeviceExtension;
}

static NTSTATUS PnpRootComplete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS PnpRootRelations(PDEVICE_OBJECT Pdo, PIRP Irp, DEVICE_RELATION_TYPE Type)
{
    if (Pdo != PnpRoot->Pdo || Type != BusRelations) {
        return Irp->IoStatus.Status;
    }
    ULONG count = 0;
    for (PLIST_ENTRY entry = PnpRootDevices.Flink; entry != &PnpRootDevices; entry = entry->Flink) {
        count++;
    }
    PDEVICE_RELATIONS relations =
        ExAllocatePoolWithTag(PagedPool, sizeof *relations + count * sizeof(PDEVICE_OBJECT), IOP_TAG);
    if (relations == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    relations->Count = 0;
    for (PLIST_ENTRY entry = PnpRootDevices.Flink; entry != &PnpRootDevices; entry = entry->Flink) {
        PNP_ROOT_DEVICE *device = CONTAINING_RECORD(entry, PNP_ROOT_DEVICE, ListEntry);
        if (!device->Missing) {
            ObReferenceObject(device->Pdo);
            relations->Objects[relations->Count++] = device->Pdo;
        }
    }
    Irp->IoStatus.Information = (ULONG_PTR)relations;
    return STATUS_SUCCESS;
}

// A copy in paged pool with room for a MULTI_SZ's second terminator.
static NTSTATUS PnpRootId(PDEVICE_OBJECT Pdo, PIRP Irp, BUS_QUERY_ID_TYPE Type)
{
    PNP_ROOT_DEVICE *device = PnpRootDevice(Pdo);
    PCWSTR text = Type == BusQueryInstanceID ? device->InstanceId : device->HardwareId;
    if (Type != BusQueryDeviceID && Type != BusQueryHardwareIDs && Type != BusQueryInstanceID) {
        return Irp->IoStatus.Status;
    }
    UNICODE_STRING source;
    RtlInitUnicodeString(&source, text);
    PWSTR copy = ExAllocatePoolWithTag(PagedPool, source.Length + 2 * sizeof(WCHAR), IOP_TAG);
    if (copy == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(copy, source.Length + 2 * sizeof(WCHAR));
    RtlCopyMemory(copy, source.Buffer, source.Length);
    Irp->IoStatus.Information = (ULONG_PTR)copy;
    return STATUS_SUCCESS;
}

static NTSTATUS PnpRootCapabilities(PDEVICE_CAPABILITIES Capabilities)
{
    Capabilities->UniqueID = TRUE;
    for (ULONG i = PowerSystemSleeping1; i < PowerSystemMaximum; i++) {
        Capabilities->DeviceState[i] = PowerDeviceD3;
    }
    Capabilities->DeviceState[PowerSystemWorking] = PowerDeviceD0;
    return STATUS_SUCCESS;
}

static NTSTATUS PnpRootRemove(PDEVICE_OBJECT Pdo, PIRP Irp)
{
    PNP_ROOT_DEVICE *device = PnpRootDevice(Pdo);
    BOOLEAN missing = device->Missing;
    if (missing) {
        RemoveEntryList(&device->ListEntry);
    }
    NTSTATUS status = PnpRootComplete(Irp, STATUS_SUCCESS);
    if (missing) {
        IoDeleteDevice(Pdo);
    }
    return status;
}

static NTSTATUS NTAPI PnpRootDispatchPnp(PDEVICE_OBJECT Pdo, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    switch (location->MinorFunction) {
    case IRP_MN_START_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        return PnpRootComplete(Irp, STATUS_SUCCESS);
    case IRP_MN_REMOVE_DEVICE:
        return PnpRootRemove(Pdo, Irp);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        return PnpRootComplete(Irp,
                               PnpRootRelations(Pdo, Irp, location->Parameters.QueryDeviceRelations.Type));
    case IRP_MN_QUERY_ID:
        return PnpRootComplete(Irp, PnpRootId(Pdo, Irp, location->Parameters.QueryId.IdType));
    case IRP_MN_QUERY_CAPABILITIES:
        return PnpRootComplete(Irp,
                               PnpRootCapabilities(location->Parameters.DeviceCapabilities.Capabilities));
    default:
        return PnpRootComplete(Irp, Irp->IoStatus.Status);
    }
}

static NTSTATUS NTAPI PnpRootDispatchPower(PDEVICE_OBJECT Pdo, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Pdo);
    UCHAR minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    PoStartNextPowerIrp(Irp);
    BOOLEAN known = minor == IRP_MN_SET_POWER || minor == IRP_MN_QUERY_POWER;
    return PnpRootComplete(Irp, known ? STATUS_SUCCESS : Irp->IoStatus.Status);
}

static NTSTATUS NTAPI PnpRootDispatchWmi(PDEVICE_OBJECT Pdo, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Pdo);
    return PnpRootComplete(Irp, Irp->IoStatus.Status);
}

// The opens that no function driver takes.
static NTSTATUS NTAPI PnpRootDispatchFile(PDEVICE_OBJECT Pdo, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Pdo);
    return PnpRootComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS NTAPI PnpRootEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->MajorFunction[IRP_MJ_PNP] = PnpRootDispatchPnp;
    Driver->MajorFunction[IRP_MJ_POWER] = PnpRootDispatchPower;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = PnpRootDispatchWmi;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = Driver->MajorFunction[IRP_MJ_CLOSE] = PnpRootDispatchFile;
    return STATUS_SUCCESS;
}

static NTSTATUS PnpCreateRootDevice(PCUNICODE_STRING HardwareId, PDEVICE_OBJECT *Pdo)
{
    if (HardwareId->Length > sizeof((PNP_ROOT_DEVICE *)0)->HardwareId - 2 * sizeof(WCHAR)) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = IoCreateDevice(PnpRootDriver, sizeof(PNP_ROOT_DEVICE), NULL, FILE_DEVICE_CONTROLLER,
                                     FILE_AUTOGENERATED_DEVICE_NAME | FILE_DEVICE_SECURE_OPEN, FALSE, Pdo);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    PNP_ROOT_DEVICE *device = PnpRootDevice(*Pdo);
    UNICODE_STRING number = {0, sizeof device->InstanceId, device->InstanceId};
    InitializeListHead(&device->ListEntry);
    device->Pdo = *Pdo;
    RtlCopyMemory(device->HardwareId, HardwareId->Buffer, HardwareId->Length);
    RtlIntegerToUnicodeString(PnpRootNext++, 10, &number);
    (*Pdo)->Flags = ((*Pdo)->Flags | DO_POWER_PAGABLE) & ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

NTSTATUS PnpBootRoot(VOID)
{
    static UNICODE_STRING service = IOP_STRING(L"PnpManager");
    static UNICODE_STRING id = IOP_STRING(L"HTREE\\ROOT");
    const IOP_CODE code = {PnpRootEntry, NULL, 0};
    PDEVICE_OBJECT pdo;
    PnpRootNext = 0;
    NTSTATUS status = IopLoadDriver(&service, &code, &PnpRootCounts, &PnpRootDriver);
    if (NT_SUCCESS(status)) {
        status = PnpCreateRootDevice(&id, &pdo);
    }
    if (NT_SUCCESS(status)) {
        status = PnpCreateNode(NULL, pdo, &PnpRoot);
    }
    return NT_SUCCESS(status) ? IopDuplicateString(&id, &PnpRoot->Instance) : status;
}

static VOID NTAPI PnpRootUnload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

VOID PnpShutdownRoot(VOID)
{
    PDEVICE_OBJECT pdo = PnpRoot->Pdo;
    PnpDestroyNode(PnpRoot);
    PnpRoot = NULL;
    IoDeleteDevice(pdo);
    PnpRootDriver->DriverUnload = PnpRootUnload; // only now: the manager's own driver never goes before
    IopUnloadDriver(PnpRootDriver);
}

NTSTATUS PnpAddRootDevice(PCUNICODE_STRING HardwareId, PDEVICE_OBJECT *Pdo)
{
    NTSTATUS status = PnpCreateRootDevice(HardwareId, Pdo);
    if (NT_SUCCESS(status)) {
        InsertTailList(&PnpRootDevices, &PnpRootDevice(*Pdo)->ListEntry);
        PnpEnumerate(PnpRoot);
    }
    return status;
}

VOID PnpMarkRootMissing(PDEVICE_OBJECT Pdo)
{
    if (Pdo->DriverObject == PnpRootDriver) {
        PnpRootDevice(Pdo)->Missing = TRUE;
    }
}
