// SPDX-License-Identifier: MIT
// The bus of real USB readers: one FDO, one PDO for each interface that was claimed.
#pragma once
#include <ntddk.h>
#include <usb.h>
#ifndef FILE_DEVICE_USB
#define FILE_DEVICE_USB FILE_DEVICE_UNKNOWN // the kernel headers lack it
#endif
#include <usbioctl.h>
#include <usbdlib.h>

#include "usbbus/usbhost.h"

#define UBUS_TAG 'buUL'

typedef struct _UBUS_FDO {
    BOOLEAN IsPdo, Linked;
    PDEVICE_OBJECT Self, Pdo, Lower;
    struct usb_bus *Bus;
    PVOID Thread;         // handles libusb's events
    IO_REMOVE_LOCK Taken; // so do submissions that have taken the bus; no more once it is removed
    KMUTEX Lock;          // Children
    LIST_ENTRY Children;
    ULONG LastPort;
} UBUS_FDO, *PUBUS_FDO;

typedef struct _UBUS_PDO {
    BOOLEAN IsPdo, Started;
    PDEVICE_OBJECT Self;
    PUBUS_FDO Parent;
    LIST_ENTRY Link;
    ULONG Port;
    BOOLEAN Reported, Missing; // in a relations query: named once, left out since
    KSPIN_LOCK Lock;           // Present, Configured, Transfers
    BOOLEAN Present, Configured;
    LIST_ENTRY Transfers;
    KEVENT Drained; // no transfer is in flight
    struct usb_device *Device;
    struct usbbus_place Place;
    struct usb_about About;
} UBUS_PDO, *PUBUS_PDO;

// driver.c
NTSTATUS UbusComplete(_Inout_ PIRP Irp, _In_ NTSTATUS Status, _In_ ULONG_PTR Information);

// fdo.c
DRIVER_ADD_DEVICE UbusFdoAdd;
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS UbusFdoPnp(_Inout_ PUBUS_FDO Fdo, _Inout_ PIRP Irp);

// child.c
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS UbusFdoControl(_Inout_ PUBUS_FDO Fdo, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS UbusChildRelations(_Inout_ PUBUS_FDO Fdo, _Out_ PDEVICE_RELATIONS *Relations);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID UbusChildLose(_Inout_ PUBUS_PDO Pdo);
_IRQL_requires_(PASSIVE_LEVEL)
VOID UbusChildLeft(_Inout_ PUBUS_FDO Fdo, _In_ UCHAR Bus, _In_ UCHAR Address);
_IRQL_requires_(PASSIVE_LEVEL)
VOID UbusChildDelete(_Inout_ PUBUS_PDO Pdo);
_IRQL_requires_(PASSIVE_LEVEL)
VOID UbusChildrenDelete(_Inout_ PUBUS_FDO Fdo);

// pdo.c
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS UbusPdoPnp(_Inout_ PUBUS_PDO Pdo, _Inout_ PIRP Irp);
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS UbusPdoPower(_Inout_ PUBUS_PDO Pdo, _Inout_ PIRP Irp);

// urb.c
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS UbusPdoInternalControl(_Inout_ PUBUS_PDO Pdo, _Inout_ PIRP Irp);
NTSTATUS UbusUrbStatus(_In_ USBD_STATUS Status);

// transfer.c
// Hands the IRP's URB to libusb; pended. `Setup`: 8 bytes for a control transfer, else NULL.
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS UbusTransferSubmit(_Inout_ PUBUS_PDO Pdo, _Inout_ PIRP Irp, _In_opt_ const UCHAR *Setup,
                            _In_opt_ const struct usb_pipe *Pipe, _In_ PVOID Data, _In_ ULONG Length);
// Cancels what is in flight on an endpoint, or on all for 0xFF.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID UbusTransferAbort(_Inout_ PUBUS_PDO Pdo, _In_ UCHAR Endpoint);
_IRQL_requires_(PASSIVE_LEVEL)
VOID UbusTransferDrain(_Inout_ PUBUS_PDO Pdo); // aborts all and waits until they are gone
