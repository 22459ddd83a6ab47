// SPDX-License-Identifier: MIT
#include "nthost/io/io.h"

static VOID IopDeleteDriverObject(PVOID Body);
OBJECT_TYPE IopDriverType = {.Name = "Driver", .Delete = IopDeleteDriverObject};

PCSTR IopDriverName(PDRIVER_OBJECT Driver)
{
    return VfDriverName(IopDriver(Driver)->Id);
}

static NTSTATUS NTAPI IopInvalidRequest(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    // An unhandled power IRP still has to let the next one through.
    if (location->MajorFunction == IRP_MJ_POWER) {
        PoStartNextPowerIrp(Irp);
    }
    Irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}

static VOID IopDeleteDriverObject(PVOID Body)
{
    IOP_DRIVER *driver = Body;
    IopFreeClientExtensions(driver);
    os_free(driver->Object.DriverName.Buffer);
    os_free(driver->Extension.ServiceKeyName.Buffer);
}

static NTSTATUS IopNameDriver(IOP_DRIVER *Driver, PCUNICODE_STRING Service)
{
    static const WCHAR prefix[] = L"\\Driver\\";
    PUNICODE_STRING name = &Driver->Object.DriverName;
    USHORT length = (USHORT)(sizeof prefix + Service->Length);
    name->Buffer = os_allocate(length, 2);
    if (name->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    name->MaximumLength = length;
    RtlAppendUnicodeToString(name, prefix);
    RtlAppendUnicodeStringToString(name, Service);
    return IopDuplicateString(Service, &Driver->Extension.ServiceKeyName);
}

static VOID IopFillDriver(IOP_DRIVER *Driver, const IOP_CODE *Code, IOP_COUNTS *Counts)
{
    static UNICODE_STRING hardware = IOP_STRING(L"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM");
    PDRIVER_OBJECT object = &Driver->Object;
    InitializeListHead(&Driver->ClientExtensions);
    Driver->Counts = Counts;
    Driver->Extension.DriverObject = object;
    object->Type = IO_TYPE_DRIVER;
    object->Size = sizeof *object;
    object->DriverExtension = &Driver->Extension;
    object->HardwareDatabase = &hardware;
    object->DriverInit = Code->Entry;
    object->DriverStart = Code->Start != NULL ? Code->Start : (PVOID)(ULONG_PTR)Code->Entry;
    object->DriverSize = Code->Size;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        object->MajorFunction[i] = IopInvalidRequest;
    }
}

// The path lives only for the call, and nothing terminates it.
static NTSTATUS IopCallDriverEntry(IOP_DRIVER *Driver, PCUNICODE_STRING Service)
{
    static const WCHAR prefix[] = L"\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\";
    VF_FRAME frame;
    UNICODE_STRING path = {0, (USHORT)(sizeof prefix - sizeof(WCHAR) + Service->Length), NULL};
    path.Buffer = os_allocate(path.MaximumLength, 2);
    if (path.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(path.Buffer, prefix, sizeof prefix - sizeof(WCHAR));
    path.Length = sizeof prefix - sizeof(WCHAR);
    RtlAppendUnicodeStringToString(&path, Service);
    IopCountCall(&Driver->Object, IOP_COUNT_DRIVER_ENTRY);
    IopEnterDriver(&frame, &Driver->Object, (PVOID)(ULONG_PTR)Driver->Object.DriverInit);
    NTSTATUS status = Driver->Object.DriverInit(&Driver->Object, &path);
    IopLeaveDriver(&frame, "DriverEntry");
    os_free(path.Buffer);
    return status;
}

static VOID IopCheckDispatchTable(IOP_DRIVER *Driver)
{
    static const UCHAR required[] = {IRP_MJ_PNP, IRP_MJ_POWER, IRP_MJ_SYSTEM_CONTROL};
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        if (Driver->Object.MajorFunction[i] == NULL) {
            VfBreak(VfRuleDispatchMissing, i, 0, 0, "%s set dispatch routine %02x to NULL",
                    IopDriverName(&Driver->Object), i);
        }
    }
    for (ULONG i = 0; VfEnabled && Driver->Extension.AddDevice != NULL && i < RTL_NUMBER_OF(required); i++) {
        if (Driver->Object.MajorFunction[required[i]] == IopInvalidRequest) {
            VfBreak(VfRuleDispatchMissing, required[i], 0, 0,
                    "%s has AddDevice but no dispatch routine for %02x", IopDriverName(&Driver->Object),
                    required[i]);
        }
    }
}

static VOID IopCheckNothingLeft(IOP_DRIVER *Driver)
{
    PCSTR name = IopDriverName(&Driver->Object);
    if (Driver->Object.DeviceObject != NULL) {
        VfBreak(VfRuleUnloadDevices, (ULONG_PTR)Driver->Object.DeviceObject, 0, 0, "%s left device %p", name,
                Driver->Object.DeviceObject);
    }
    if (Driver->WorkItems != 0) {
        VfBreak(VfRuleUnloadWorkItems, (ULONG_PTR)Driver->WorkItems, 0, 0, "%s left %d work items", name,
                Driver->WorkItems);
    }
    if (Driver->Notifications != 0) {
        VfBreak(VfRuleUnloadNotifications, (ULONG_PTR)Driver->Notifications, 0, 0,
                "%s left %d PnP notification registrations", name, Driver->Notifications);
    }
    IopReportLinkLeaks(Driver->Id);
    IopReportIrpLeaks(Driver->Id);
}

static VOID IopRetireDriver(IOP_DRIVER *Driver)
{
    if (VfEnabled) {
        IopCheckNothingLeft(Driver);
    }
    VfRetireDriver(Driver->Id);
    ObpRemoveName(Driver);
    ObDereferenceObject(Driver);
}

static NTSTATUS IopNewDriver(PCUNICODE_STRING Service, const IOP_CODE *Code, IOP_COUNTS *Counts,
                             IOP_DRIVER **Driver)
{
    ANSI_STRING name = {0};
    IOP_DRIVER *driver = ObpCreateObject(&IopDriverType, sizeof *driver);
    if (driver == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IopFillDriver(driver, Code, Counts);
    NTSTATUS status = IopNameDriver(driver, Service);
    if (NT_SUCCESS(status)) {
        status = RtlUnicodeStringToAnsiString(&name, Service, TRUE);
    }
    if (NT_SUCCESS(status)) {
        status = ObpInsertName(&driver->Object.DriverName, driver);
        driver->Id = VfRegisterDriver(name.Buffer);
        RtlFreeAnsiString(&name);
    }
    if (!NT_SUCCESS(status)) {
        ObDereferenceObject(driver);
        return status;
    }
    *Driver = driver;
    return STATUS_SUCCESS;
}

NTSTATUS IopLoadDriver(PCUNICODE_STRING Service, const IOP_CODE *Code, IOP_COUNTS *Counts,
                       PDRIVER_OBJECT *Driver)
{
    IOP_DRIVER *driver;
    NTSTATUS status = IopNewDriver(Service, Code, Counts, &driver);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = IopCallDriverEntry(driver, Service);
    if (!NT_SUCCESS(status)) {
        IopRetireDriver(driver);
        return status;
    }
    IopCheckDispatchTable(driver);
    // Devices made in DriverEntry may be opened from now on.
    for (PDEVICE_OBJECT device = driver->Object.DeviceObject; device != NULL; device = device->NextDevice) {
        device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    }
    *Driver = &driver->Object;
    return STATUS_SUCCESS;
}

VOID IopUnloadDriver(PDRIVER_OBJECT Driver)
{
    VF_FRAME frame;
    IopCountCall(Driver, IOP_COUNT_UNLOAD);
    KeFlushQueuedDpcs();
    IopEnterDriver(&frame, Driver, (PVOID)(ULONG_PTR)Driver->DriverUnload);
    Driver->DriverUnload(Driver);
    IopLeaveDriver(&frame, "DriverUnload");
    IopRetireDriver(IopDriver(Driver));
}

NTSTATUS IopCallAddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    VF_FRAME frame;
    IopCountCall(Driver, IOP_COUNT_ADD_DEVICE);
    IopEnterDriver(&frame, Driver, (PVOID)(ULONG_PTR)Driver->DriverExtension->AddDevice);
    NTSTATUS status = Driver->DriverExtension->AddDevice(Driver, Pdo);
    IopLeaveDriver(&frame, "AddDevice");
    return status;
}
