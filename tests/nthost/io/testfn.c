// SPDX-License-Identifier: MIT
// The function driver: life cycle and power. With TestFault it commits one offence where it belongs.
#include "tests/nthost/io/testdriver.h"

const GUID TestInterfaceClass = {0x7E57C1A5, 0x1234, 0x5678, {1, 2, 3, 4, 5, 6, 7, 8}};

static NTSTATUS Pass(TEST_FN *Fn, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Fn->Lower, Irp);
}

static NTSTATUS Succeed(TEST_FN *Fn, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return Pass(Fn, Irp);
}

static NTSTATUS Start(TEST_FN *Fn, PIRP Irp)
{
    TestNote("START");
    if (TestFault == CompletesStart) {
        return TestComplete(Irp, STATUS_SUCCESS);
    }
    (void)IoForwardIrpSynchronously(Fn->Lower, Irp);
    NTSTATUS status = Irp->IoStatus.Status;
    if (TestFault == FailsStart) {
        status = STATUS_DEVICE_DATA_ERROR;
    }
    if (NT_SUCCESS(status)) {
        IoSetDeviceInterfaceState(&Fn->Interface, TRUE);
    }
    return TestComplete(Irp, status);
}

static VOID GoQuiet(TEST_FN *Fn)
{
    PIRP irp;
    if (TestFault != LeavesInterface) {
        IoSetDeviceInterfaceState(&Fn->Interface, FALSE);
    }
    while ((irp = IoCsqRemoveNextIrp(&Fn->Queue, NULL)) != NULL) {
        TestComplete(irp, STATUS_DELETE_PENDING);
    }
}

static NTSTATUS Surprise(TEST_FN *Fn, PIRP Irp)
{
    TestNote("SURPRISE");
    Fn->Surprised = TRUE;
    GoQuiet(Fn);
    PDEVICE_OBJECT lower = Fn->Lower, self = Fn->Self;
    NTSTATUS status = Succeed(Fn, Irp);
    if (TestFault == DetachesInSurprise || TestFault == DeletesInSurprise) {
        IoDetachDevice(lower);
    }
    if (TestFault == DeletesInSurprise) {
        IoDeleteDevice(self);
    }
    return status;
}

static VOID DeleteLink(TEST_FN *Fn)
{
    WCHAR buffer[] = TEST_SUBLINK;
    UNICODE_STRING link;
    buffer[RTL_NUMBER_OF(buffer) - 2] = (WCHAR)(L'0' + Fn->Number);
    RtlInitUnicodeString(&link, buffer);
    if (TestFault != LeavesLink) {
        IoDeleteSymbolicLink(&link);
    }
}

static VOID Dismantle(TEST_FN *Fn)
{
    DeleteLink(Fn);
    RtlFreeUnicodeString(&Fn->Interface);
    if (TestFault != LeavesWorkItem) {
        IoFreeWorkItem(Fn->Work);
    }
    if (TestFault != DoesNotDetach) {
        IoDetachDevice(Fn->Lower);
    }
    if (TestFault != LeavesDevice && TestFault != DoesNotDetach) {
        IoDeleteDevice(Fn->Self);
    }
}

static NTSTATUS Remove(TEST_FN *Fn, PIRP Irp)
{
    TestNote("REMOVE");
    if (TestFault == FailsRemove) {
        return TestComplete(Irp, STATUS_UNSUCCESSFUL);
    }
    if (!Fn->Surprised) {
        GoQuiet(Fn);
    }
    if (TestFault == CompletesRemove) {
        return TestComplete(Irp, STATUS_SUCCESS);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS status = Pass(Fn, Irp);
    IoReleaseRemoveLockAndWait(&Fn->RemoveLock, Irp);
    Dismantle(Fn);
    return status;
}

static NTSTATUS Query(TEST_FN *Fn, PIRP Irp, PCSTR Name, BOOLEAN Refuse)
{
    TestNote(Name);
    return Refuse ? TestComplete(Irp, STATUS_DEVICE_BUSY) : Succeed(Fn, Irp);
}

static NTSTATUS QueryId(TEST_FN *Fn, PIRP Irp)
{
    switch (TestFault) {
    case CompletesQueryId:
        return TestComplete(Irp, STATUS_SUCCESS);
    case AnswersNotSupported:
        return TestComplete(Irp, STATUS_NOT_SUPPORTED);
    case ChangesStatus:
        return Succeed(Fn, Irp);
    default:
        return Pass(Fn, Irp);
    }
}

static NTSTATUS QueryState(TEST_FN *Fn, PIRP Irp)
{
    TestNote("QUERY_STATE");
    if (TestFault == ReportsFailed) {
        Irp->IoStatus.Information |= PNP_DEVICE_FAILED;
        return Succeed(Fn, Irp);
    }
    return Pass(Fn, Irp);
}

static NTSTATUS PnpByMinor(TEST_FN *Fn, PIRP Irp, UCHAR Minor)
{
    switch (Minor) {
    case IRP_MN_START_DEVICE:
        return Start(Fn, Irp);
    case IRP_MN_SURPRISE_REMOVAL:
        return Surprise(Fn, Irp);
    case IRP_MN_QUERY_REMOVE_DEVICE:
        if (TestFault == PassesFailedDown) {
            Irp->IoStatus.Status = STATUS_UNSUCCESSFUL;
            return Pass(Fn, Irp);
        }
        return Query(Fn, Irp, "QUERY_REMOVE", TestFault == FailsQueryRemove);
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        return Query(Fn, Irp, "CANCEL_REMOVE", FALSE);
    case IRP_MN_QUERY_STOP_DEVICE:
        return Query(Fn, Irp, "QUERY_STOP", TestFault == FailsQueryStop);
    case IRP_MN_CANCEL_STOP_DEVICE:
        return Query(Fn, Irp, "CANCEL_STOP", FALSE);
    case IRP_MN_STOP_DEVICE:
        return Query(Fn, Irp, "STOP", TestFault == FailsStop);
    case IRP_MN_QUERY_ID:
        return QueryId(Fn, Irp);
    case IRP_MN_QUERY_PNP_DEVICE_STATE:
        return QueryState(Fn, Irp);
    case IRP_MN_QUERY_CAPABILITIES:
        if (TestFault == SkipsToBottom) {
            IoSkipCurrentIrpStackLocation(Irp);
            return IoCallDriver(Fn->Self, Irp);
        }
        if (TestFault == ChangesCapabilities) {
            IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceCapabilities.Capabilities->Version = 2;
        }
        return Pass(Fn, Irp);
    default:
        return Pass(Fn, Irp);
    }
}

NTSTATUS NTAPI TestFnPnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    TEST_FN *fn = Device->DeviceExtension;
    UCHAR minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    NTSTATUS status = IoAcquireRemoveLock(&fn->RemoveLock, Irp);
    if (!NT_SUCCESS(status)) {
        return TestComplete(Irp, status);
    }
    if (minor == IRP_MN_REMOVE_DEVICE) {
        return Remove(fn, Irp); // ends with the lock
    }
    status = PnpByMinor(fn, Irp, minor);
    IoReleaseRemoveLock(&fn->RemoveLock, Irp);
    return status;
}

static NTSTATUS Register(TEST_FN *Fn)
{
    WCHAR buffer[] = TEST_SUBLINK, target[] = L"\\Device\\TestFn0";
    UNICODE_STRING link, name;
    buffer[RTL_NUMBER_OF(buffer) - 2] = target[RTL_NUMBER_OF(target) - 2] = (WCHAR)(L'0' + Fn->Number);
    RtlInitUnicodeString(&link, buffer);
    RtlInitUnicodeString(&name, target);
    NTSTATUS status = IoRegisterDeviceInterface(Fn->Pdo, &TestInterfaceClass, NULL, &Fn->Interface);
    return NT_SUCCESS(status) ? IoCreateSymbolicLink(&link, &name) : status;
}

// Takes the first free name.
static NTSTATUS CreateNamed(PDRIVER_OBJECT Driver, PDEVICE_OBJECT *Device, PULONG Number)
{
    WCHAR buffer[] = L"\\Device\\TestFn0";
    UNICODE_STRING name;
    NTSTATUS status = STATUS_OBJECT_NAME_COLLISION;
    for (*Number = 0; *Number < 10 && status == STATUS_OBJECT_NAME_COLLISION; ++*Number) {
        buffer[RTL_NUMBER_OF(buffer) - 2] = (WCHAR)(L'0' + *Number);
        RtlInitUnicodeString(&name, buffer);
        status = IoCreateDevice(Driver, sizeof(TEST_FN), &name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN,
                                FALSE, Device);
    }
    --*Number;
    return status;
}

NTSTATUS NTAPI TestFnAddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT device;
    ULONG number;
    TestNote("AddDevice");
    if (TestFault == FailsAddDevice) {
        return STATUS_DEVICE_DATA_ERROR;
    }
    if (TestFault == AddsWithoutAttaching) {
        return STATUS_SUCCESS;
    }
    NTSTATUS status = CreateNamed(Driver, &device, &number);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    TEST_FN *fn = device->DeviceExtension;
    fn->Self = device;
    fn->Pdo = Pdo;
    fn->Number = number;
    IoInitializeRemoveLock(&fn->RemoveLock, TEST_TAG, 0, 0);
    TestFnInitializeQueue(fn);
    fn->Work = IoAllocateWorkItem(device);
    fn->Lower = IoAttachDeviceToDeviceStack(device, Pdo);
    device->Flags |= (TestFault == ForgetsPagable ? 0 : DO_POWER_PAGABLE) | DO_BUFFERED_IO;
    device->Flags |= TestFault == SetsBothIoFlags ? DO_DIRECT_IO : 0;
    status = Register(fn);
    if (TestFault != LeavesInitializing) {
        device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    }
    return status;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    TestNote("Unload");
}

static NTSTATUS NTAPI DispatchFile(PDEVICE_OBJECT Device, PIRP Irp)
{
    TEST_FN *fn = Device->DeviceExtension;
    UCHAR major = IoGetCurrentIrpStackLocation(Irp)->MajorFunction;
    TestNote(major == IRP_MJ_CREATE ? "CREATE" : major == IRP_MJ_CLEANUP ? "CLEANUP" : "CLOSE");
    if (major == IRP_MJ_CLEANUP) {
        PIRP irp;
        while ((irp = IoCsqRemoveNextIrp(&fn->Queue, NULL)) != NULL) {
            TestComplete(irp, STATUS_CANCELLED);
        }
    }
    return TestComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS NTAPI DispatchWmi(PDEVICE_OBJECT Device, PIRP Irp)
{
    return Pass(Device->DeviceExtension, Irp);
}

NTSTATUS NTAPI TestFnEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT control;
    TestNote(RegistryPath->Length != 0 ? "DriverEntry" : "NoPath");
    if (TestFault == LeavesControlDevice) {
        (void)IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &control);
    }
    Driver->DriverExtension->AddDevice = TestFnAddDevice;
    Driver->DriverUnload = Unload;
    Driver->MajorFunction[IRP_MJ_PNP] = TestFnPnp;
    if (TestFault != NoPowerRoutine) {
        Driver->MajorFunction[IRP_MJ_POWER] = TestFnPower;
    }
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = DispatchWmi;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = TestFnControl;
    Driver->MajorFunction[IRP_MJ_CREATE] = DispatchFile;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = DispatchFile;
    Driver->MajorFunction[IRP_MJ_CLOSE] = DispatchFile;
    return STATUS_SUCCESS;
}
