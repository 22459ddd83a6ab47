// SPDX-License-Identifier: MIT
// The virtual USB bus: one FDO for the bus, one PDO for each plugged reader.
#pragma once
#include <ntddk.h>
#include <usb.h>
#ifndef FILE_DEVICE_USB
#define FILE_DEVICE_USB FILE_DEVICE_UNKNOWN // the kernel headers lack it
#endif
#include <usbioctl.h>
#include <usbdlib.h>

#include "vbus/vbusioctl.h"

#define VBUS_TAG 'sbVL'

typedef enum _VBUS_STATE {
    VbusNotStarted,
    VbusStarted,
    VbusStopPending,
    VbusStopped,
    VbusRemovePending,
    VbusSurpriseRemoved,
    VbusRemoved,
} VBUS_STATE;

typedef struct _VBUS_COMMON { // what both extensions begin with
    BOOLEAN IsPdo;
    PDEVICE_OBJECT Self;
    LONG volatile State; // a VBUS_STATE: PnP writes it while requests read it
    VBUS_STATE Before;   // a query made it pending
} VBUS_COMMON, *PVBUS_COMMON;

typedef struct _VBUS_FDO {
    VBUS_COMMON Common;
    PDEVICE_OBJECT Pdo, Lower;
    IO_REMOVE_LOCK RemoveLock;
    BOOLEAN Linked; // \DosDevices\LecternVbus
    UNICODE_STRING InterfaceLink;
    KMUTEX Lock; // Children
    LIST_ENTRY Children;
} VBUS_FDO, *PVBUS_FDO;

typedef struct _VBUS_PIPE {
    UCHAR Address; // 0: not there
    BOOLEAN Halted;
} VBUS_PIPE, *PVBUS_PIPE;

enum { VBUS_PIPES = 3 };

typedef struct _VBUS_PDO {
    VBUS_COMMON Common;
    PVBUS_FDO Parent; // NULL: the bus is gone, this one waits for its REMOVE
    LIST_ENTRY Link;
    ULONG Port;
    BOOLEAN Present;
    BOOLEAN Reported, Missing; // in a relations query: named once, left out since
    BOOLEAN Replug;            // cycled: plug it again once it is gone
    KSPIN_LOCK Lock;           // everything below
    struct emu_reader *Reader;
    ULONG64 LastTime; // microseconds
    BOOLEAN Configured, Pumping, PumpAgain;
    VBUS_PIPE Pipes[VBUS_PIPES];
    LIST_ENTRY Transfers; // IRPs, in order of submission
    KTIMER Timer;
    KDPC Dpc;
    DEVICE_POWER_STATE Power;
    PIRP WaitWake, Idle;
    BOOLEAN Calling;       // the idle callback: its IRP outlives the call
    NTSTATUS IdleEnded;    // meanwhile, STATUS_PENDING: not
    struct vbus_plug Plug; // the model and the cards now in the slots
} VBUS_PDO, *PVBUS_PDO;

// driver.c
NTSTATUS VbusComplete(_Inout_ PIRP Irp, _In_ NTSTATUS Status);
NTSTATUS VbusCompleteWith(_Inout_ PIRP Irp, _In_ NTSTATUS Status, _In_ ULONG_PTR Information);
VBUS_STATE VbusStateGet(_In_ PVBUS_COMMON Common);
VOID VbusStateSet(_Inout_ PVBUS_COMMON Common, _In_ VBUS_STATE State);
VOID VbusStateQuery(_Inout_ PVBUS_COMMON Common, _In_ VBUS_STATE Pending);
VOID VbusStateCancel(_Inout_ PVBUS_COMMON Common, _In_ VBUS_STATE Pending);

// fdo.c
DRIVER_ADD_DEVICE VbusFdoAdd;
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS VbusFdoPnp(_In_ PVBUS_FDO Fdo, _Inout_ PIRP Irp);
NTSTATUS VbusFdoPower(_In_ PVBUS_FDO Fdo, _Inout_ PIRP Irp);
NTSTATUS VbusFdoForward(_In_ PVBUS_FDO Fdo, _Inout_ PIRP Irp);

// control.c
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS VbusFdoControl(_In_ PVBUS_FDO Fdo, _Inout_ PIRP Irp);

// child.c
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS VbusChildPlug(_In_ PVBUS_FDO Fdo, _In_ const struct vbus_plug *Plug, _In_ ULONG Port,
                       _Out_ PULONG Plugged);
_IRQL_requires_(PASSIVE_LEVEL)
PVBUS_PDO VbusChildFind(_In_ PVBUS_FDO Fdo, _In_ ULONG Port); // referenced
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID VbusChildRelease(_In_ PVBUS_PDO Pdo);
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN VbusChildPresent(_In_ PVBUS_PDO Pdo);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID VbusChildUnplug(_In_ PVBUS_PDO Pdo);
_IRQL_requires_(PASSIVE_LEVEL)
VOID VbusChildDelete(_In_ PVBUS_PDO Pdo);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS VbusChildRelations(_In_ PVBUS_FDO Fdo, _Inout_ PDEVICE_RELATIONS *Relations);
_IRQL_requires_(PASSIVE_LEVEL)
VOID VbusChildrenLose(_In_ PVBUS_FDO Fdo);
_IRQL_requires_(PASSIVE_LEVEL)
VOID VbusChildrenDelete(_In_ PVBUS_FDO Fdo);

// pdo.c, pdoquery.c
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS VbusPdoPnp(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS VbusPdoQueryId(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS VbusPdoQueryText(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS VbusPdoQueryCapabilities(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS VbusPdoQueryBus(_Inout_ PIRP Irp);

// pdopower.c
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS VbusPdoPower(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID VbusPdoWake(_In_ PVBUS_PDO Pdo);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID VbusPdoDropWaits(_In_ PVBUS_PDO Pdo);

// port.c
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS VbusPdoInternalControl(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS VbusPortIdle(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp);
// A pended IRP in one of the PDO's two slots (WaitWake, Idle): held until taken or cancelled. FALSE:
// completed with an error; the caller returns STATUS_PENDING in either case.
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN VbusSlotHold(_In_ PVBUS_PDO Pdo, _Inout_ PIRP *Slot, _Inout_ PIRP Irp);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID VbusSlotComplete(_In_ PVBUS_PDO Pdo, _Inout_ PIRP *Slot, _In_ NTSTATUS Status);

// urb.c, urbcontrol.c, urbselect.c
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS VbusUrbSubmit(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp);
_IRQL_requires_max_(DISPATCH_LEVEL)
USBD_STATUS VbusUrbBuffer(_In_opt_ PVOID Buffer, _In_opt_ PMDL Mdl, _In_ ULONG Length, _Out_ PUCHAR *Address);
NTSTATUS VbusUrbStatus(_In_ USBD_STATUS Status);
_IRQL_requires_max_(DISPATCH_LEVEL)
USBD_STATUS VbusUrbControl(_In_ PVBUS_PDO Pdo, _Inout_ PURB Urb);
// One control transfer; *Length: the data stage's, then what was moved.
_IRQL_requires_max_(DISPATCH_LEVEL)
USBD_STATUS VbusDeviceControl(_In_ PVBUS_PDO Pdo, _In_ const struct emu_setup *Setup, _Inout_ PUCHAR Data,
                              _Inout_ PULONG Length);
_IRQL_requires_max_(DISPATCH_LEVEL)
USBD_STATUS VbusUrbSelectConfiguration(_In_ PVBUS_PDO Pdo, _Inout_ PURB Urb);
_IRQL_requires_max_(DISPATCH_LEVEL)
USBD_STATUS VbusUrbSelectInterface(_In_ PVBUS_PDO Pdo, _Inout_ PURB Urb);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID VbusPipesClose(_In_ PVBUS_PDO Pdo);
_IRQL_requires_max_(DISPATCH_LEVEL)
PVBUS_PIPE VbusPipeFind(_In_ PVBUS_PDO Pdo, _In_opt_ USBD_PIPE_HANDLE Handle);

// transfer.c
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS VbusTransferQueue(_In_ PVBUS_PDO Pdo, _Inout_ PIRP Irp);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID VbusTransferPump(_In_ PVBUS_PDO Pdo);
// Ends the queued transfers of one pipe, or of all for NULL.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID VbusTransferAbort(_In_ PVBUS_PDO Pdo, _In_opt_ PVBUS_PIPE Pipe, _In_ USBD_STATUS Status);
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN VbusTransferPending(_In_ PVBUS_PDO Pdo, _In_ PVBUS_PIPE Pipe);
ULONG64 VbusTime(_Inout_ PVBUS_PDO Pdo); // microseconds; the PDO's lock is held
KDEFERRED_ROUTINE VbusTransferDpc;
