// SPDX-License-Identifier: MIT
// A driver that keeps requests until they are cancelled or the device goes away.
#include <ntddk.h>

#include "tests/nthost/explore/racy.h"

static WCHAR RacyName[] = L"\\Device\\Racy", RacyLink[] = L"\\DosDevices\\Racy";
enum { RACY_PEND = CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS), PAUSE_US = 100 };

typedef struct _RACY {
    PDEVICE_OBJECT Lower;
    KSPIN_LOCK Lock;
    LIST_ENTRY Requests;
} RACY, *PRACY;

static int Race;

static VOID Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static DRIVER_CANCEL CancelRequest;
static VOID NTAPI CancelRequest(PDEVICE_OBJECT Device, PIRP Irp)
{
    PRACY Racy = Device->DeviceExtension;
    KIRQL Irql;
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeAcquireSpinLock(&Racy->Lock, &Irql);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    InitializeListHead(&Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&Racy->Lock, Irql);
    Complete(Irp, STATUS_CANCELLED);
}

static DRIVER_DISPATCH Control;
static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    PRACY Racy = Device->DeviceExtension;
    KIRQL Irql;
    KeAcquireSpinLock(&Racy->Lock, &Irql);
    IoMarkIrpPending(Irp);
    IoSetCancelRoutine(Irp, CancelRequest);
    if (Race != RACE_LOST_CANCEL && Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        KeReleaseSpinLock(&Racy->Lock, Irql);
        Complete(Irp, STATUS_CANCELLED);
        return STATUS_PENDING;
    }
    InsertTailList(&Racy->Requests, &Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&Racy->Lock, Irql);
    return STATUS_PENDING;
}

static PIRP TakeRequest(PRACY Racy)
{
    PIRP Irp = NULL;
    KIRQL Irql;
    KeAcquireSpinLock(&Racy->Lock, &Irql);
    while (Irp == NULL && !IsListEmpty(&Racy->Requests)) {
        PLIST_ENTRY Entry = RemoveHeadList(&Racy->Requests);
        InitializeListHead(Entry);
        Irp = CONTAINING_RECORD(Entry, IRP, Tail.Overlay.ListEntry);
        if (IoSetCancelRoutine(Irp, NULL) == NULL && Race != RACE_TWO_COMPLETIONS) {
            Irp = NULL; // its cancel routine runs and completes it
        }
    }
    KeReleaseSpinLock(&Racy->Lock, Irql);
    return Irp;
}

static DRIVER_DISPATCH Plug;
static NTSTATUS NTAPI Plug(PDEVICE_OBJECT Device, PIRP Irp)
{
    PRACY Racy = Device->DeviceExtension;
    UCHAR Minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    PIRP Request;
    if (Minor == IRP_MN_SURPRISE_REMOVAL || Minor == IRP_MN_REMOVE_DEVICE) {
        while ((Request = TakeRequest(Racy)) != NULL) {
            Complete(Request, STATUS_DEVICE_REMOVED);
        }
    }
    if (Minor == IRP_MN_START_DEVICE || Minor == IRP_MN_SURPRISE_REMOVAL || Minor == IRP_MN_REMOVE_DEVICE) {
        Irp->IoStatus.Status = STATUS_SUCCESS;
    }
    PDEVICE_OBJECT Lower = Racy->Lower;
    IoSkipCurrentIrpStackLocation(Irp);
    NTSTATUS Status = IoCallDriver(Lower, Irp);
    if (Minor == IRP_MN_REMOVE_DEVICE) {
        UNICODE_STRING Link = RTL_CONSTANT_STRING(RacyLink);
        IoDeleteSymbolicLink(&Link);
        IoDetachDevice(Lower);
        IoDeleteDevice(Device);
    }
    return Status;
}

static DRIVER_DISPATCH Forward; // power and WMI
static NTSTATUS NTAPI Forward(PDEVICE_OBJECT Device, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(((PRACY)Device->DeviceExtension)->Lower, Irp);
}

static DRIVER_DISPATCH Succeed;
static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    Complete(Irp, STATUS_SUCCESS);
    return STATUS_SUCCESS;
}

static DRIVER_ADD_DEVICE AddRacy;
static NTSTATUS NTAPI AddRacy(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(RacyName), Link = RTL_CONSTANT_STRING(RacyLink);
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(RACY), &Name, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    PRACY Racy = Device->DeviceExtension;
    KeInitializeSpinLock(&Racy->Lock);
    InitializeListHead(&Racy->Requests);
    Racy->Lower = IoAttachDeviceToDeviceStack(Device, Pdo);
    Status = Racy->Lower == NULL ? STATUS_NO_SUCH_DEVICE : IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    Device->Flags |= Racy->Lower->Flags & DO_POWER_PAGABLE;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static DRIVER_UNLOAD Unload;
static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

static DRIVER_INITIALIZE RacyEntry;
static NTSTATUS NTAPI RacyEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    UNREFERENCED_PARAMETER(Path);
    Driver->MajorFunction[IRP_MJ_CREATE] = Succeed;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    Driver->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    Driver->MajorFunction[IRP_MJ_PNP] = Plug;
    Driver->MajorFunction[IRP_MJ_POWER] = Forward;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = Forward;
    Driver->DriverExtension->AddDevice = AddRacy;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

static KEVENT Cancelled;

static VOID NTAPI CancelFromElsewhere(PVOID Request)
{
    nt_request_cancel(Request);
    KeSetEvent(&Cancelled, IO_NO_INCREMENT, FALSE);
}

static VOID CancelMeanwhile(nt_request *Request, const char *Instance)
{
    HANDLE Thread;
    KeInitializeEvent(&Cancelled, NotificationEvent, FALSE);
    if (!NT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, CancelFromElsewhere,
                                         Request))) {
        return;
    }
    ZwClose(Thread);
    nt_device_surprise_remove(Instance);
    KeWaitForSingleObject(&Cancelled, Executive, KernelMode, FALSE, NULL);
}

static bool Use(const char *Instance)
{
    nt_file *File;
    if (nt_open("\\\\.\\Racy", &File) != 0) {
        return false;
    }
    nt_request *Request = nt_device_control_start(File, RACY_PEND, NULL, 0, NULL, 0);
    nt_sleep_us(PAUSE_US);
    if (Race != RACE_LOST_CANCEL) {
        CancelMeanwhile(Request, Instance);
    }
    nt_request_cancel(Request);
    (void)nt_request_end(Request, NULL);
    nt_close(File);
    return true;
}

bool RunRacyDriver(void *Context)
{
    static const char *const Ids[] = {"ROOT\\RACY", NULL};
    const struct nt_service Service = {"racy", (nt_entry_point *)(void *)RacyEntry, Ids};
    const struct nt_options Options = {.clock = NT_CLOCK_VIRTUAL, .seed = RaceSeed, .verifier = true};
    char Instance[NT_ID_MAX];
    Race = *(const int *)Context;
    if (nt_boot(&Options) != 0) {
        return false;
    }
    bool Passed = nt_service_add(&Service) == 0 && nt_root_device_add(Ids[0], Instance) == 0;
    nt_pnp_wait();
    Passed = Passed && Use(Instance);
    nt_shutdown();
    return Passed;
}
