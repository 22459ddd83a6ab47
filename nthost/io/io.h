// SPDX-License-Identifier: MIT
// Inside the I/O manager: what its files share, and what pnp/, po/ and user/ use of it. Drivers see only NT
// names.
#pragma once
#include <ntddk.h>

#include "nthost/ke/ke.h"
#include "nthost/ob/ob.h"
#include "nthost/os/os.h"
#include "nthost/verifier/verifier.h"

#define IOP_TAG ' poI' // what drivers free: MDLs, names

// RTL_CONSTANT_STRING for string literals that are const.
#define IOP_STRING(text)                                                                                     \
    {                                                                                                        \
        sizeof(text) - sizeof(WCHAR), sizeof(text), (PWSTR)(text)                                            \
    }

static inline PVOID IopAllocateZeroed(SIZE_T Size)
{
    PVOID memory = os_allocate(Size, 16);
    if (memory != NULL) {
        RtlZeroMemory(memory, Size);
    }
    return memory;
}

BOOLEAN IopEqualNames(PCUNICODE_STRING Left, PCUNICODE_STRING Right); // without case, at any IRQL
// A NUL-terminated copy in memory of os_allocate; Buffer NULL: no memory.
NTSTATUS IopDuplicateString(PCUNICODE_STRING Source, PUNICODE_STRING Copy);

// ---- drivers ----

// Indices of IOP_COUNTS: the IRP major codes, then the routines that are no dispatch routines.
enum {
    IOP_COUNT_DRIVER_ENTRY = IRP_MJ_MAXIMUM_FUNCTION + 1,
    IOP_COUNT_ADD_DEVICE,
    IOP_COUNT_UNLOAD,
    IOP_COUNT_MAXIMUM,
};

// Outlives the driver object: belongs to the service.
typedef struct _IOP_COUNTS {
    volatile LONGLONG Calls[IOP_COUNT_MAXIMUM];
} IOP_COUNTS;

typedef struct _IOP_DRIVER {
    DRIVER_OBJECT Object; // first: a PDRIVER_OBJECT is an IOP_DRIVER *
    DRIVER_EXTENSION Extension;
    IOP_COUNTS *Counts;
    VF_DRIVER Id;
    LIST_ENTRY ClientExtensions;
    volatile LONG WorkItems, Notifications; // made and not freed
} IOP_DRIVER;

static inline IOP_DRIVER *IopDriver(PDRIVER_OBJECT Driver)
{
    return CONTAINING_RECORD(Driver, IOP_DRIVER, Object);
}

static inline VOID IopCountCall(PDRIVER_OBJECT Driver, ULONG Index)
{
    __atomic_fetch_add(&IopDriver(Driver)->Counts->Calls[Index], 1, __ATOMIC_RELAXED);
}

typedef struct _IOP_CODE {
    PDRIVER_INITIALIZE Entry;
    PVOID Start; // of the image; a native driver has none of its own
    ULONG Size;
} IOP_CODE;

// Makes the object and runs the entry. Fails with DriverEntry's status, leaving nothing behind.
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS IopLoadDriver(PCUNICODE_STRING Service, const IOP_CODE *Code, IOP_COUNTS *Counts,
                       PDRIVER_OBJECT *Driver);
_IRQL_requires_(PASSIVE_LEVEL)
VOID IopUnloadDriver(PDRIVER_OBJECT Driver); // it has an Unload routine
NTSTATUS IopCallAddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo);
PCSTR IopDriverName(PDRIVER_OBJECT Driver);
VOID IopFreeClientExtensions(IOP_DRIVER *Driver);
VOID IopReportLinkLeaks(VF_DRIVER Driver); // at unload

// Around every call into a driver; the rules on IRQL, locks and APCs are in VfLeaveDriver.
static inline VOID IopEnterDriver(VF_FRAME *Frame, PDRIVER_OBJECT Driver, PVOID Routine)
{
    if (VfEnabled) {
        VfEnterDriver(Frame, IopDriver(Driver)->Id, Routine);
    }
}

static inline VOID IopLeaveDriver(const VF_FRAME *Frame, PCSTR Kind)
{
    if (VfEnabled) {
        VfLeaveDriver(Frame, Kind);
    }
}

// ---- devices ----

typedef struct _IOP_DEVICE {
    DEVOBJ_EXTENSION Public; // first: what DEVICE_OBJECT.DeviceObjectExtension points at
    PDEVICE_OBJECT AttachedTo;
    PVOID Node; // of a physical device object: pnp/'s
    BOOLEAN DeletePending;
    BOOLEAN Wmi;             // registered as a provider
    BOOLEAN OpenBlocked;     // of the lowest object: not started, or the PnP manager has decided on REMOVE
    LONG Files;              // of the lowest object: file objects in its stack
    POWER_STATE DevicePower; // as of PoSetPowerState
    BOOLEAN PowerBusy; // of the lowest object: a device power IRP is under way, others wait in PowerQueue
    LIST_ENTRY PowerQueue;
    ULONG IdleCount; // what PoSetDeviceBusy resets
} IOP_DEVICE;

static inline IOP_DEVICE *IopDevice(PDEVICE_OBJECT Device)
{
    return (IOP_DEVICE *)Device->DeviceObjectExtension;
}

extern OBJECT_TYPE IopDeviceType, IopDriverType, IopFileType;

// Attachments, deletion and the count of opens against the decision to remove are ordered by one lock.
VOID IopLockDevices(PKIRQL Irql);
VOID IopUnlockDevices(KIRQL Irql);
BOOLEAN IopHasDevices(PDRIVER_OBJECT Driver);
// Not referenced: with the lock held, or where nothing can change.
PDEVICE_OBJECT IopStackTop(PDEVICE_OBJECT Device);
PDEVICE_OBJECT IopStackBottom(PDEVICE_OBJECT Device);
VOID IopForgetRemoveLocks(PVOID Start, SIZE_T Size); // the memory that held them goes

// ---- IRPs ----

typedef struct _IOP_IRP IOP_IRP;
// What the I/O manager does with an IRP of its own once the walk is over the top: copy out, signal, free.
typedef VOID IOP_IRP_FINISH(IOP_IRP *Irp);
typedef struct _IOP_TRACK IOP_TRACK; // the verifier's record, see track.h

// Precedes every IRP the I/O manager allocates; the stack locations follow.
struct _IOP_IRP {
    IOP_IRP_FINISH *Finish; // NULL: the driver's, from IoAllocateIrp
    PVOID Context;          // of Finish
    IOP_TRACK *Track;       // NULL without the verifier
    DECLSPEC_ALIGN(16) IRP Irp;
};

enum {
    IOP_IRP_ALLOCATED = 0x40
}; // in AllocationFlags: an IOP_IRP precedes; IoInitializeIrp's IRPs have none

static inline IOP_IRP *IopIrp(PIRP Irp)
{
    return (Irp->AllocationFlags & IOP_IRP_ALLOCATED) != 0 ? CONTAINING_RECORD(Irp, IOP_IRP, Irp) : NULL;
}

static inline SIZE_T IopIrpSize(CCHAR StackSize)
{
    return FIELD_OFFSET(IOP_IRP, Irp) + IoSizeOfIrp(StackSize);
}

VOID IopPrepareIrp(IOP_IRP *Irp, CCHAR StackSize, IOP_IRP_FINISH *Finish, PVOID Context);
// An IRP of the I/O manager's; NULL: no memory. `Finish` frees it with IopFreeIrp.
PIRP IopAllocateIrp(CCHAR StackSize, IOP_IRP_FINISH *Finish, PVOID Context);
VOID IopFreeIrp(PIRP Irp);
VOID IopReleaseTrack(IOP_IRP *Irp);
VOID IopRetireMemory(PVOID Memory);       // frees what held an IRP, under the verifier a while later
VOID IopDrainQuarantine(VOID);            // the freed IRPs that the verifier kept
VOID IopReportIrpLeaks(VF_DRIVER Driver); // at unload
// Sends `Location` (major, minor, parameters) to the top of the stack of `Device` and waits. `InitialStatus`:
// IoStatus.Status before; PnP and power IRPs start as STATUS_NOT_SUPPORTED. `*Information` goes in and comes
// out.
_IRQL_requires_(PASSIVE_LEVEL)
VOID IopStopDeviceTimer(PDEVICE_OBJECT Device); // its device is deleted
VOID IopNotifyShutdown(VOID);
NTSTATUS IopSendSynchronously(PDEVICE_OBJECT Device, const IO_STACK_LOCATION *Location,
                              NTSTATUS InitialStatus, PULONG_PTR Information);
ULONGLONG IopIrpsCompleted(VOID);

// Sees each IRP before IoCallDriver and IoCompleteRequest act; NULL: nobody does.
typedef VOID IOP_WATCH(PDEVICE_OBJECT Device, PIRP Irp, BOOLEAN Completed);
extern IOP_WATCH *IopWatch;
extern BOOLEAN
    IopLegacyPower; // power IRPs need PoCallDriver and PoStartNextPowerIrp, as before Windows Vista

// ---- files ----

typedef struct _IOP_REQUEST IOP_REQUEST;

typedef struct _IOP_FILE {
    FILE_OBJECT Object; // first
    ACCESS_MASK Granted;
    PDEVICE_OBJECT Bottom;       // of the stack it was opened in; one of its Files
    IOP_REQUEST *volatile Spare; // a finished request kept for the next
    BOOLEAN Opened;              // CREATE succeeded: CLOSE is due
} IOP_FILE;

static inline IOP_FILE *IopFile(PFILE_OBJECT File)
{
    return CONTAINING_RECORD(File, IOP_FILE, Object);
}

_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS IopOpenFile(PCUNICODE_STRING Path, ACCESS_MASK Access, KPROCESSOR_MODE Mode, PFILE_OBJECT *File);
_IRQL_requires_(PASSIVE_LEVEL)
VOID IopCleanupFile(PFILE_OBJECT File); // the last handle is closed; CLOSE comes with the last reference

// ---- device controls from user mode, control.c ----

typedef struct _IOP_CONTROL {
    ULONG Code, InLength, OutLength;
    const VOID *In;
    PVOID Out;
} IOP_CONTROL;

// Sends it; *Request is set when an IRP was made, else the returned status is all there is.
NTSTATUS IopBeginControl(PFILE_OBJECT File, const IOP_CONTROL *Control, IOP_REQUEST **Request);
// The same in two steps, so that it can be cancelled while it is being sent. Shared: not by who waits for it.
NTSTATUS IopMakeControl(PFILE_OBJECT File, const IOP_CONTROL *Control, IOP_REQUEST **Request);
NTSTATUS IopSendControl(IOP_REQUEST *Request, BOOLEAN Shared);
BOOLEAN IopWaitRequest(IOP_REQUEST *Request, PLARGE_INTEGER Timeout); // NULL: for ever; TRUE: completed
VOID IopCancelRequest(IOP_REQUEST *Request);
NTSTATUS IopEndRequest(IOP_REQUEST *Request, PULONG_PTR Information); // waits, frees
VOID IopFreeSpareRequest(IOP_FILE *File);

VOID IopShutdown(VOID);
VOID IopFreeLinks(VOID);
