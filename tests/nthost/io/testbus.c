// SPDX-License-Identifier: MIT
// The bus: children on request, as a hub would have them.
#include "tests/nthost/io/testdriver.h"

enum { MAXIMUM = 64 };

typedef struct _BUS {
    BOOLEAN IsBus; // first in both extensions
    PDEVICE_OBJECT Pdo, Lower;
    PDEVICE_OBJECT Children[MAXIMUM]; // as far as present
} BUS;

typedef struct _CHILD {
    BOOLEAN IsBus;
    ULONG Number;
    BOOLEAN Present;
    PIRP WaitWake;
} CHILD;

NTSTATUS TestComplete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS Pass(BUS *Bus, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Bus->Lower, Irp);
}

static NTSTATUS ReportChildren(BUS *Bus, PIRP Irp)
{
    PDEVICE_RELATIONS relations =
        ExAllocatePoolWithTag(PagedPool, sizeof *relations + MAXIMUM * sizeof(PDEVICE_OBJECT), TEST_TAG);
    if (relations == NULL) {
        return TestComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    relations->Count = 0;
    for (ULONG i = 0; i < MAXIMUM; i++) {
        if (Bus->Children[i] != NULL) {
            ObReferenceObject(Bus->Children[i]);
            relations->Objects[relations->Count++] = Bus->Children[i];
        }
    }
    if (TestFault == ReportsFdo && relations->Count != 0) {
        relations->Objects[0] = Bus->Pdo->AttachedDevice;
    }
    Irp->IoStatus.Information = (ULONG_PTR)relations;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return Pass(Bus, Irp);
}

static NTSTATUS RemoveBus(PDEVICE_OBJECT Device, BUS *Bus, PIRP Irp)
{
    UNICODE_STRING link = {0};
    RtlInitUnicodeString(&link, L"\\DosDevices\\TestBus");
    IoDeleteSymbolicLink(&link);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS status = Pass(Bus, Irp);
    for (ULONG i = 0; i < MAXIMUM; i++) {
        if (Bus->Children[i] != NULL) {
            IoDeleteDevice(Bus->Children[i]);
        }
    }
    IoDetachDevice(Bus->Lower);
    IoDeleteDevice(Device);
    return status;
}

static NTSTATUS StartBus(BUS *Bus, PIRP Irp)
{
    if (!IoForwardIrpSynchronously(Bus->Lower, Irp)) {
        return TestComplete(Irp, STATUS_UNSUCCESSFUL);
    }
    return TestComplete(Irp, Irp->IoStatus.Status);
}

static NTSTATUS BusPnp(PDEVICE_OBJECT Device, BUS *Bus, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    switch (location->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return StartBus(Bus, Irp);
    case IRP_MN_REMOVE_DEVICE:
        return RemoveBus(Device, Bus, Irp);
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        return Pass(Bus, Irp);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        if (location->Parameters.QueryDeviceRelations.Type == BusRelations) {
            return ReportChildren(Bus, Irp);
        }
        return Pass(Bus, Irp);
    default:
        return Pass(Bus, Irp);
    }
}

static NTSTATUS GiveId(CHILD *Child, PIRP Irp, BUS_QUERY_ID_TYPE Type)
{
    WCHAR number[2] = {(WCHAR)(L'0' + (TestFault == SameIds ? 0 : Child->Number)), 0};
    PCWSTR text = Type == BusQueryInstanceID ? number : L"TEST\\CHILD";
    if (TestFault == BadIds) {
        text = L"TEST CHILD";
    }
    if (Type > BusQueryInstanceID) {
        return TestComplete(Irp, Irp->IoStatus.Status);
    }
    if (Type == BusQueryCompatibleIDs) {
        text = L"TEST\\GENERIC";
    }
    UNICODE_STRING source;
    RtlInitUnicodeString(&source, text);
    PWSTR copy = ExAllocatePoolWithTag(PagedPool, source.Length + 2 * sizeof(WCHAR), TEST_TAG);
    if (copy == NULL) {
        return TestComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    RtlZeroMemory(copy, source.Length + 2 * sizeof(WCHAR));
    RtlCopyMemory(copy, text, source.Length);
    Irp->IoStatus.Information = (ULONG_PTR)copy;
    return TestComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS RemoveChild(PDEVICE_OBJECT Device, CHILD *Child, PIRP Irp)
{
    BOOLEAN present = Child->Present;
    PIRP wake = Child->WaitWake;
    Child->WaitWake = NULL;
    if (wake != NULL && IoSetCancelRoutine(wake, NULL) != NULL) {
        TestComplete(wake, STATUS_CANCELLED);
    }
    NTSTATUS status = TestComplete(Irp, STATUS_SUCCESS);
    if (!present) {
        IoDeleteDevice(Device);
    }
    return status;
}

static NTSTATUS ChildPnp(PDEVICE_OBJECT Device, CHILD *Child, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    switch (location->MinorFunction) {
    case IRP_MN_START_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        return TestComplete(Irp, STATUS_SUCCESS);
    case IRP_MN_REMOVE_DEVICE:
        return RemoveChild(Device, Child, Irp);
    case IRP_MN_QUERY_ID:
        return GiveId(Child, Irp, location->Parameters.QueryId.IdType);
    case IRP_MN_QUERY_CAPABILITIES:
        location->Parameters.DeviceCapabilities.Capabilities->UniqueID = TRUE;
        return TestComplete(Irp, STATUS_SUCCESS);
    default:
        return TestComplete(Irp, Irp->IoStatus.Status);
    }
}

static NTSTATUS NTAPI DispatchPnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    BUS *bus = Device->DeviceExtension;
    return bus->IsBus ? BusPnp(Device, bus, Irp) : ChildPnp(Device, Device->DeviceExtension, Irp);
}

static VOID NTAPI CancelWake(PDEVICE_OBJECT Device, PIRP Irp)
{
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    ((CHILD *)Device->DeviceExtension)->WaitWake = NULL;
    TestNote("wake-cancelled");
    TestComplete(Irp, STATUS_CANCELLED);
}

static NTSTATUS ChildPower(CHILD *Child, PIRP Irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    if (location->MinorFunction == IRP_MN_WAIT_WAKE) {
        IoMarkIrpPending(Irp);
        Child->WaitWake = Irp;
        IoSetCancelRoutine(Irp, CancelWake);
        return STATUS_PENDING;
    }
    PoStartNextPowerIrp(Irp);
    if (location->MinorFunction == IRP_MN_SET_POWER && location->Parameters.Power.Type == DevicePowerState) {
        TestNote(location->Parameters.Power.State.DeviceState == PowerDeviceD0 ? "pdo:D0" : "pdo:Dx");
    }
    return TestComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS NTAPI DispatchPower(PDEVICE_OBJECT Device, PIRP Irp)
{
    BUS *bus = Device->DeviceExtension;
    if (!bus->IsBus) {
        return ChildPower(Device->DeviceExtension, Irp);
    }
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    if (location->MinorFunction == IRP_MN_SET_POWER) {
        TestNote(location->Parameters.Power.State.SystemState == PowerSystemWorking ? "bus:S0" : "bus:Sx");
    }
    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(bus->Lower, Irp);
}

static NTSTATUS NTAPI DispatchPass(PDEVICE_OBJECT Device, PIRP Irp)
{
    BUS *bus = Device->DeviceExtension;
    return bus->IsBus ? Pass(bus, Irp) : TestComplete(Irp, Irp->IoStatus.Status);
}

static NTSTATUS NTAPI DispatchFile(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return TestComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS Plug(BUS *Bus, PDRIVER_OBJECT Driver, ULONG Number)
{
    PDEVICE_OBJECT pdo;
    if (Number >= MAXIMUM || Bus->Children[Number] != NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = IoCreateDevice(Driver, sizeof(CHILD), NULL, FILE_DEVICE_UNKNOWN,
                                     FILE_AUTOGENERATED_DEVICE_NAME, FALSE, &pdo);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    CHILD *child = pdo->DeviceExtension;
    child->Number = Number;
    child->Present = TRUE;
    pdo->Flags |= DO_POWER_PAGABLE;
    pdo->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    Bus->Children[Number] = pdo;
    IoInvalidateDeviceRelations(Bus->Pdo, BusRelations);
    return STATUS_SUCCESS;
}

static NTSTATUS Unplug(BUS *Bus, ULONG Number)
{
    if (Number >= MAXIMUM || Bus->Children[Number] == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    ((CHILD *)Bus->Children[Number]->DeviceExtension)->Present = FALSE;
    Bus->Children[Number] = NULL;
    IoInvalidateDeviceRelations(Bus->Pdo, BusRelations);
    return STATUS_SUCCESS;
}

// The bus's own controls, and what reaches a child from the driver above it.
static NTSTATUS NTAPI DispatchControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    BUS *bus = Device->DeviceExtension;
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    PULONG number = Irp->AssociatedIrp.SystemBuffer;
    if (!bus->IsBus) {
        Irp->IoStatus.Information = 0;
        if (TestFault == DoesNotPropagate || TestFault == FreesInUse || TestFault == ReusesInUse ||
            TestFault == CompletesBelow) {
            IoMarkIrpPending(Irp);
            if (TestFault == DoesNotPropagate) {
                TestComplete(Irp, STATUS_SUCCESS);
            }
            return STATUS_PENDING;
        }
        return TestComplete(Irp, STATUS_SUCCESS);
    }
    if (location->Parameters.DeviceIoControl.InputBufferLength < sizeof *number) {
        return TestComplete(Irp, STATUS_INVALID_PARAMETER);
    }
    switch (location->Parameters.DeviceIoControl.IoControlCode) {
    case TEST_BUS_PLUG:
        return TestComplete(Irp, Plug(bus, Device->DriverObject, *number));
    case TEST_BUS_UNPLUG:
        return TestComplete(Irp, Unplug(bus, *number));
    default:
        return TestComplete(Irp, STATUS_INVALID_DEVICE_REQUEST);
    }
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT device;
    UNICODE_STRING name, link;
    RtlInitUnicodeString(&name, L"\\Device\\TestBus");
    RtlInitUnicodeString(&link, L"\\DosDevices\\TestBus");
    NTSTATUS status = IoCreateDevice(Driver, sizeof(BUS), &name, FILE_DEVICE_BUS_EXTENDER, 0, FALSE, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    BUS *bus = device->DeviceExtension;
    bus->IsBus = TRUE;
    bus->Pdo = Pdo;
    bus->Lower = IoAttachDeviceToDeviceStack(device, Pdo);
    device->Flags |= DO_POWER_PAGABLE;
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return IoCreateSymbolicLink(&link, &name);
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    TestNote("bus:Unload");
}

NTSTATUS NTAPI TestBusEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->DriverExtension->AddDevice = AddDevice;
    Driver->DriverUnload = Unload;
    Driver->MajorFunction[IRP_MJ_PNP] = DispatchPnp;
    Driver->MajorFunction[IRP_MJ_POWER] = DispatchPower;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = DispatchPass;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DispatchControl;
    Driver->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = DispatchControl;
    Driver->MajorFunction[IRP_MJ_CREATE] = DispatchFile;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = DispatchFile;
    Driver->MajorFunction[IRP_MJ_CLOSE] = DispatchFile;
    return STATUS_SUCCESS;
}
