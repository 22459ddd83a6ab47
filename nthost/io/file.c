// SPDX-License-Identifier: MIT
// File objects: CREATE on the way in, CLEANUP with the last handle, CLOSE with the last reference.
#include "nthost/io/io.h"
#include "nthost/pnp/pnp.h"
#include "nthost/verifier/faults.h"

static VOID IopDeleteFileObject(PVOID Body);
OBJECT_TYPE IopFileType = {.Name = "File", .Delete = IopDeleteFileObject, .Passive = TRUE};
static POBJECT_TYPE IopFileTypePointer = &IopFileType;
POBJECT_TYPE *IoFileObjectType = &IopFileTypePointer;

typedef struct _IOP_SYNC {
    KEVENT Done;
    IO_STATUS_BLOCK Iosb;
} IOP_SYNC;

static VOID IopFinishSync(IOP_IRP *Irp)
{
    IOP_SYNC *sync = Irp->Context;
    sync->Iosb = Irp->Irp.IoStatus;
    IopFreeIrp(&Irp->Irp);
    KeSetEvent(&sync->Done, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS IopSendTo(PDEVICE_OBJECT Top, KPROCESSOR_MODE Mode, const IO_STACK_LOCATION *Location,
                          IO_STATUS_BLOCK *Iosb)
{
    IOP_SYNC sync;
    PIRP irp = IopAllocateIrp(Top->StackSize, IopFinishSync, &sync);
    if (irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(irp);
    KeInitializeEvent(&sync.Done, NotificationEvent, FALSE);
    irp->IoStatus = *Iosb;
    irp->RequestorMode = Mode;
    irp->Tail.Overlay.Thread = (PETHREAD)KeGetCurrentThread();
    irp->Tail.Overlay.OriginalFileObject = Location->FileObject;
    *next = *Location;
    IoCallDriver(Top, irp);
    KeWaitForSingleObject(&sync.Done, Executive, KernelMode, FALSE, NULL);
    *Iosb = sync.Iosb;
    return sync.Iosb.Status;
}

NTSTATUS IopSendSynchronously(PDEVICE_OBJECT Device, const IO_STACK_LOCATION *Location,
                              NTSTATUS InitialStatus, PULONG_PTR Information)
{
    IO_STATUS_BLOCK iosb = {.Status = InitialStatus, .Information = Information != NULL ? *Information : 0};
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(Device);
    NTSTATUS status = IopSendTo(top, KernelMode, Location, &iosb);
    ObDereferenceObject(top);
    if (Information != NULL) {
        *Information = iosb.Information;
    }
    return status;
}

static NTSTATUS IopSendFile(IOP_FILE *File, const IO_STACK_LOCATION *Location, KPROCESSOR_MODE Mode)
{
    IO_STATUS_BLOCK iosb = {.Status = STATUS_SUCCESS};
    return IopSendTo(IopStackTop(File->Object.DeviceObject), Mode, Location, &iosb);
}

// By the DDK's contract drivers clear the flag without a lock.
__attribute__((no_sanitize("thread"))) static BOOLEAN IopIsInitializing(PDEVICE_OBJECT Device)
{
    return (Device->Flags & DO_DEVICE_INITIALIZING) != 0;
}

// Counts the file into its stack, unless the stack takes no opens.
static NTSTATUS IopAdmitFile(PDEVICE_OBJECT Device, PDEVICE_OBJECT *Bottom)
{
    KIRQL irql;
    NTSTATUS status = STATUS_SUCCESS;
    IopLockDevices(&irql);
    PDEVICE_OBJECT bottom = IopStackBottom(Device);
    if (IopIsInitializing(Device) || IopDevice(Device)->DeletePending || IopDevice(bottom)->OpenBlocked) {
        status = STATUS_NO_SUCH_DEVICE;
    } else if ((Device->Flags & DO_EXCLUSIVE) != 0 && Device->ReferenceCount != 0) {
        status = STATUS_ACCESS_DENIED;
    } else {
        IopDevice(bottom)->Files++;
        Device->ReferenceCount++;
        ObReferenceObject(Device);
        ObReferenceObject(bottom);
        *Bottom = bottom;
    }
    IopUnlockDevices(irql);
    return status;
}

static VOID IopDismissFile(PDEVICE_OBJECT Device, PDEVICE_OBJECT Bottom)
{
    KIRQL irql;
    IopLockDevices(&irql);
    Device->ReferenceCount--;
    BOOLEAN last = --IopDevice(Bottom)->Files == 0;
    IopUnlockDevices(irql);
    if (last && IopDevice(Bottom)->Node != NULL) {
        PnpFilesClosed(Bottom);
    }
    ObDereferenceObject(Device);
    ObDereferenceObject(Bottom);
}

static NTSTATUS IopNewFile(PDEVICE_OBJECT Device, PCUNICODE_STRING Name, ACCESS_MASK Access, IOP_FILE **File)
{
    PDEVICE_OBJECT bottom;
    NTSTATUS status = IopAdmitFile(Device, &bottom);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    IOP_FILE *file = ObpCreateObject(&IopFileType, sizeof *file);
    if (file == NULL) {
        IopDismissFile(Device, bottom);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    file->Object.Type = IO_TYPE_FILE;
    file->Object.Size = sizeof file->Object;
    file->Object.DeviceObject = Device;
    file->Object.ReadAccess = (Access & FILE_READ_DATA) != 0;
    file->Object.WriteAccess = (Access & FILE_WRITE_DATA) != 0;
    file->Object.SharedRead = file->Object.SharedWrite = TRUE;
    InitializeListHead(&file->Object.IrpList);
    KeInitializeEvent(&file->Object.Event, NotificationEvent, FALSE);
    KeInitializeEvent(&file->Object.Lock, SynchronizationEvent, TRUE);
    file->Granted = Access;
    file->Bottom = bottom;
    *File = file;
    status = Name->Length != 0 ? IopDuplicateString(Name, &file->Object.FileName) : STATUS_SUCCESS;
    if (!NT_SUCCESS(status)) {
        ObDereferenceObject(file);
    }
    return status;
}

static NTSTATUS IopSendCreate(IOP_FILE *File, KPROCESSOR_MODE Mode)
{
    IO_SECURITY_CONTEXT security = {NULL, NULL, File->Granted, 0};
    IO_STACK_LOCATION location = {.MajorFunction = IRP_MJ_CREATE, .FileObject = &File->Object};
    location.Parameters.Create.SecurityContext = &security;
    location.Parameters.Create.Options = FILE_OPEN << 24;
    location.Parameters.Create.ShareAccess = FILE_SHARE_READ | FILE_SHARE_WRITE;
    NTSTATUS status = IopSendFile(File, &location, Mode);
    File->Opened = NT_SUCCESS(status);
    return status;
}

NTSTATUS IopOpenFile(PCUNICODE_STRING Path, ACCESS_MASK Access, KPROCESSOR_MODE Mode, PFILE_OBJECT *File)
{
    PVOID body;
    UNICODE_STRING rest;
    IOP_FILE *file;
    NTSTATUS status = ObpLookupName(Path, &body, &rest);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (ObpTypeOf(body) != &IopDeviceType) {
        ObDereferenceObject(body);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    status = IopNewFile(body, &rest, Access, &file);
    ObDereferenceObject(body);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = IopSendCreate(file, Mode);
    if (!NT_SUCCESS(status)) {
        ObDereferenceObject(file);
        return status;
    }
    *File = &file->Object;
    return STATUS_SUCCESS;
}

VOID IopCleanupFile(PFILE_OBJECT File)
{
    IO_STACK_LOCATION location = {.MajorFunction = IRP_MJ_CLEANUP, .FileObject = File};
    (void)IopSendFile(IopFile(File), &location, KernelMode); // a driver cannot refuse it
}

// At PASSIVE_LEVEL: the object manager defers the deletion of an object whose last reference goes higher up.
static VOID IopDeleteFileObject(PVOID Body)
{
    IOP_FILE *file = Body;
    if (file->Opened) {
        IO_STACK_LOCATION location = {.MajorFunction = IRP_MJ_CLOSE, .FileObject = &file->Object};
        (void)IopSendFile(file, &location, KernelMode);
    }
    IopFreeSpareRequest(file);
    os_free(file->Object.FileName.Buffer);
    IopDismissFile(file->Object.DeviceObject, file->Bottom);
}

NTSTATUS NTAPI IoGetDeviceObjectPointer(PUNICODE_STRING ObjectName, ACCESS_MASK DesiredAccess,
                                        PFILE_OBJECT *FileObject, PDEVICE_OBJECT *DeviceObject)
{
    NT_ENTRY(IoGetDeviceObjectPointer);
    NT_MAY_FAIL(OBJECT, STATUS_INSUFFICIENT_RESOURCES);
    NTSTATUS status = IopOpenFile(ObjectName, DesiredAccess, KernelMode, FileObject);
    if (NT_SUCCESS(status)) {
        *DeviceObject = IopStackTop((*FileObject)->DeviceObject);
        IopCleanupFile(*FileObject); // the handle is not kept, only the reference
    }
    return status;
}
