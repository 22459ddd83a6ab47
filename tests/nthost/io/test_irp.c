// SPDX-License-Identifier: MIT
// IRPs by themselves: locations, the completion walk, reuse, building, associated ones.
#include "tests/nthost/io/fixture.h"

static PDEVICE_OBJECT Top, Middle,
    Bottom; // three of testfn's driver object's devices would do; here bare ones
static PDRIVER_OBJECT Driver;
static char Walk[128];
static NTSTATUS BottomStatus;
static BOOLEAN BottomPends;
static PIRP Held;

static void Step(PCSTR Text)
{
    ULONG used = 0;
    while (Walk[used] != 0) {
        used++;
    }
    for (; *Text != 0 && used < sizeof Walk - 1; Text++) {
        Walk[used++] = *Text;
    }
    Walk[used] = 0;
}

static NTSTATUS NTAPI MiddleDone(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    Step(Context);
    CHECK(Device == Middle);
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
    }
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    if (Device == Top) {
        Step("t");
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Middle, Irp);
    }
    if (Device == Middle) {
        Step("m");
        IoCopyCurrentIrpStackLocationToNext(Irp);
        IoSetCompletionRoutine(Irp, MiddleDone, (PVOID)(ULONG_PTR) "M", TRUE, FALSE, FALSE);
        return IoCallDriver(Bottom, Irp);
    }
    Step("b");
    if (BottomPends) {
        IoMarkIrpPending(Irp);
        Held = Irp;
        return STATUS_PENDING;
    }
    Irp->IoStatus.Status = BottomStatus;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return BottomStatus;
}

static NTSTATUS NTAPI Entry(PDRIVER_OBJECT Object, PUNICODE_STRING Path)
{
    UNREFERENCED_PARAMETER(Path);
    Driver = Object;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        Object->MajorFunction[i] = Dispatch;
    }
    return STATUS_SUCCESS;
}

static PDEVICE_OBJECT NewDevice(PDEVICE_OBJECT Target)
{
    PDEVICE_OBJECT device;
    CHECK_STATUS(IoCreateDevice(Driver, 8, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device), STATUS_SUCCESS);
    CHECK(device->DeviceExtension != NULL && *(PULONG64)device->DeviceExtension == 0);
    if (Target != NULL) {
        CHECK(IoAttachDeviceToDeviceStack(device, Target) == Target);
        CHECK_EQ(device->StackSize, Target->StackSize + 1);
    }
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return device;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Object, PDEVICE_OBJECT Pdo)
{
    UNREFERENCED_PARAMETER(Object);
    UNREFERENCED_PARAMETER(Pdo);
    return STATUS_NO_SUCH_DEVICE;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Object)
{
    UNREFERENCED_PARAMETER(Object);
}

static NTSTATUS NTAPI EntryWithAdd(PDRIVER_OBJECT Object, PUNICODE_STRING Path)
{
    Object->DriverExtension->AddDevice = AddDevice;
    NTSTATUS status = Entry(Object, Path);
    Bottom = NewDevice(NULL);
    Middle = NewDevice(Bottom);
    Top = NewDevice(Middle);
    return status;
}

static void Setup(void)
{
    static const char *const ids[] = {"ROOT\\BARE", NULL};
    char instance[NT_ID_MAX];
    struct nt_service service = {"bare", (nt_entry_point *)(PVOID)EntryWithAdd, ids};
    TestBoot();
    CHECK_EQ(nt_service_add(&service), 0);
    CHECK_EQ(nt_root_device_add("ROOT\\BARE", instance), 0);
    CHECK(Driver != NULL);
    Walk[0] = 0;
    BottomStatus = STATUS_SUCCESS;
    BottomPends = FALSE;
    Held = NULL;
}

static void Teardown(void)
{
    IoDetachDevice(Middle);
    IoDetachDevice(Bottom);
    IoDeleteDevice(Top);
    IoDeleteDevice(Middle);
    IoDeleteDevice(Bottom);
    Driver->DriverUnload = Unload;
    TestShutdown();
}

static NTSTATUS NTAPI MakerDone(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    Step("K");
    CHECK(Device == NULL);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP NewIrp(void)
{
    PIRP irp = IoAllocateIrp(Top->StackSize, FALSE);
    CHECK(irp != NULL);
    CHECK_EQ(irp->CurrentLocation, irp->StackCount + 1);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, MakerDone, NULL, TRUE, TRUE, TRUE);
    return irp;
}

static void TheWalkCallsWhatItShould(void)
{
    PIRP irp = NewIrp();
    CHECK_STATUS(IoCallDriver(Top, irp), STATUS_SUCCESS);
    CHECK(TestFind(Walk, "tmbMK") == Walk);
    CHECK_EQ(irp->CurrentLocation, irp->StackCount + 1);
    Walk[0] = 0;
    BottomStatus = STATUS_UNSUCCESSFUL; // the middle's routine is for success only
    IoReuseIrp(irp, STATUS_SUCCESS);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, MakerDone, NULL, TRUE, TRUE, TRUE);
    CHECK_STATUS(IoCallDriver(Top, irp), STATUS_UNSUCCESSFUL);
    CHECK(TestFind(Walk, "tmbK") == Walk);
    IoFreeIrp(irp);
}

static void WarningsAreNoSuccess(void)
{
    PIRP irp = NewIrp();
    BottomStatus = STATUS_BUFFER_OVERFLOW;
    CHECK_STATUS(IoCallDriver(Top, irp), STATUS_BUFFER_OVERFLOW);
    CHECK(TestFind(Walk, "tmbK") == Walk);
    IoFreeIrp(irp);
}

static void PendingTravelsUp(void)
{
    PIRP irp = NewIrp();
    BottomPends = TRUE;
    CHECK_STATUS(IoCallDriver(Top, irp), STATUS_PENDING);
    Held->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Held, IO_NO_INCREMENT);
    CHECK(irp->PendingReturned);
    CHECK(TestFind(Walk, "tmbMK") == Walk);
    IoFreeIrp(irp);
}

static void BuiltRequestsSignal(void)
{
    KEVENT event;
    IO_STATUS_BLOCK iosb = {.Status = STATUS_PENDING};
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP irp = IoBuildDeviceIoControlRequest(TEST_NULL, Top, NULL, 0, NULL, 0, FALSE, &event, &iosb);
    CHECK(irp != NULL);
    CHECK_STATUS(IoCallDriver(Top, irp), STATUS_SUCCESS);
    CHECK_EQ(KeReadStateEvent(&event), 1);
    CHECK_STATUS(iosb.Status, STATUS_SUCCESS);
    // An error without having been pending is the return value's alone.
    KeClearEvent(&event);
    iosb.Status = STATUS_PENDING;
    BottomStatus = STATUS_UNSUCCESSFUL;
    irp = IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Top, NULL, 0, NULL, &event, &iosb);
    CHECK_STATUS(IoCallDriver(Top, irp), STATUS_UNSUCCESSFUL);
    CHECK_EQ(KeReadStateEvent(&event), 0);
    CHECK_STATUS(iosb.Status, STATUS_PENDING);
}

static VOID NTAPI Cancel(PDEVICE_OBJECT Device, PIRP Irp)
{
    CHECK(Device == Bottom);
    CHECK_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Irp->IoStatus.Status = STATUS_CANCELLED;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static void CancelRunsTheRoutineOnce(void)
{
    PIRP irp = NewIrp();
    BottomPends = TRUE;
    CHECK_STATUS(IoCallDriver(Top, irp), STATUS_PENDING);
    CHECK(!IoCancelIrp(irp));
    CHECK(irp->Cancel);
    IoSetCancelRoutine(Held, Cancel);
    CHECK(IoCancelIrp(irp));
    CHECK_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
    CHECK_STATUS(irp->IoStatus.Status, STATUS_CANCELLED);
    CHECK(TestFind(Walk, "K") != NULL);
    IoFreeIrp(irp);
}

static void AssociatedIrpsCompleteTheMaster(void)
{
    PIRP master = NewIrp();
    IoSetNextIrpStackLocation(master);
    IoGetCurrentIrpStackLocation(master)->Control = 0;
    IoSetCompletionRoutine(master, NULL, NULL, FALSE, FALSE, FALSE);
    IoSkipCurrentIrpStackLocation(master);
    IoSetCompletionRoutine(master, MakerDone, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(master);
    master->AssociatedIrp.IrpCount = 2;
    for (int i = 0; i < 2; i++) {
        PIRP part = IoMakeAssociatedIrp(master, Bottom->StackSize);
        IoGetNextIrpStackLocation(part)->MajorFunction = IRP_MJ_READ;
        CHECK(TestFind(Walk, "K") == NULL);
        IoCallDriver(Bottom, part);
    }
    CHECK(TestFind(Walk, "bbK") == Walk);
    IoFreeIrp(master);
}

static void ForwardingNeedsALocation(void)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetNextIrpStackLocation(irp);
    CHECK(!IoForwardIrpSynchronously(Bottom, irp));
    IoFreeIrp(irp);
}

static void NamesAndAttachments(void)
{
    PDEVICE_OBJECT named, again;
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, L"\\Device\\Named");
    CHECK_STATUS(IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &named), STATUS_SUCCESS);
    CHECK(named->DeviceExtension == NULL);
    CHECK((named->Flags & DO_DEVICE_HAS_NAME) != 0);
    CHECK_STATUS(IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &again),
                 STATUS_OBJECT_NAME_COLLISION);
    // A target that is still initializing takes no attachment.
    CHECK(IoAttachDeviceToDeviceStack(Top, named) == NULL);
    IoDeleteDevice(named);
    CHECK_STATUS(IoCreateDevice(Driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &named), STATUS_SUCCESS);
    IoDeleteDevice(named);
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(Bottom);
    CHECK(top == Top);
    ObDereferenceObject(top);
}

const struct WdmTest WdmTests[] = {
    {"the completion walk", TheWalkCallsWhatItShould},
    {"warnings are no success to the walk", WarningsAreNoSuccess},
    {"pending travels up", PendingTravelsUp},
    {"built requests signal", BuiltRequestsSignal},
    {"cancel runs the routine once", CancelRunsTheRoutineOnce},
    {"associated IRPs complete the master", AssociatedIrpsCompleteTheMaster},
    {"forwarding needs a location", ForwardingNeedsALocation},
    {"names and attachments", NamesAndAttachments},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = Setup;
void (*const WdmTestTeardown)(void) = Teardown;
