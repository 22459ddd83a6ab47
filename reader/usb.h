// SPDX-License-Identifier: MIT
// The URB side: one USB function, its pipes, and transfers that can always be called off.
#pragma once
#include <ntddk.h>
#include <usb.h>
#include "reader/ccid/descriptor.h"

#ifndef FILE_DEVICE_USB
#define FILE_DEVICE_USB FILE_DEVICE_UNKNOWN // the kernel headers lack it
#endif
#include <usbioctl.h>

#define USB_CONTROL_TIMEOUT 5000 // ms, what USB 2.0 9.2.6 allows a request with data
#define USB_NAME_MAX        32   // characters of a string descriptor worth keeping

typedef struct _READER *PREADER;

typedef struct _USB_NAME {
    USHORT Length;
    UCHAR Text[USB_NAME_MAX];
} USB_NAME, *PUSB_NAME;

typedef struct _USB_PIPE {
    USBD_PIPE_HANDLE Handle; // NULL: none
    USHORT MaximumPacketSize;
} USB_PIPE, *PUSB_PIPE;

typedef struct _USB_FUNCTION {
    USB_DEVICE_DESCRIPTOR Device;
    CCID_INTERFACE Interface; // decides the transport
    BOOLEAN RemoteWake;       // it can wake the host, says its configuration
    USB_PIPE BulkIn;
    USB_PIPE BulkOut;
    USB_PIPE Interrupt;
    USB_NAME Vendor;
    USB_NAME Product;
    USB_NAME Serial;
    PULONG Clocks; // kHz, Interface.Descriptor.ClockCount entries at most
    ULONG ClockCount;
    PULONG Rates; // bit/s
    ULONG RateCount;
} USB_FUNCTION, *PUSB_FUNCTION;

// One IRP and URB for repeated use by one owner at a time.
typedef struct _USB_TRANSFER {
    PIRP Irp;
    KEVENT Done;
    struct _URB_BULK_OR_INTERRUPT_TRANSFER Urb;
} USB_TRANSFER, *PUSB_TRANSFER;

// What ends the wait for a transfer beside its completion.
typedef struct _USB_WAIT {
    ULONG Milliseconds;
    PKEVENT Halt;     // NULL: the reader's state does not end it
    PKEVENT Cancel;   // NULL: no requester
    PKEVENT Departed; // NULL: it does not matter whether the card leaves
} USB_WAIT, *PUSB_WAIT;

_Must_inspect_result_
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS UsbTransferCreate(_In_ PREADER Reader, _Out_ PUSB_TRANSFER Transfer);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID UsbTransferDestroy(_Inout_ PUSB_TRANSFER Transfer);

#define USB_WAIT_FOREVER 0xFFFFFFFF // ms

// Waits for a reason to go on. STATUS_SUCCESS: First, STATUS_WAIT_1: Last, which yields to all others,
// STATUS_CANCELLED (Halt or Cancel), STATUS_NO_MEDIA (Departed), STATUS_IO_TIMEOUT. First and Last are
// dispatcher objects, NULL: none.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS UsbWait(_In_opt_ PVOID First, _In_opt_ PVOID Last, _In_ const USB_WAIT *Wait);

// One bulk transfer; In tells its direction. *Length: size in, bytes moved out, also when it failed.
// STATUS_IO_TIMEOUT, STATUS_CANCELLED (Halt or Cancel), STATUS_NO_MEDIA, STATUS_DEVICE_NOT_CONNECTED,
// STATUS_PIPE_BROKEN (halted endpoint), STATUS_IO_DEVICE_ERROR.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS
UsbTransferRun(_In_ PREADER Reader, _Inout_ PUSB_TRANSFER Transfer, _In_ const USB_PIPE *Pipe,
               _In_ BOOLEAN In, _Inout_ PVOID Buffer, _Inout_ PULONG Length, _In_ const USB_WAIT *Wait);

// Any URB, waited for. Statuses as above.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS UsbCall(_In_ PREADER Reader, _Inout_ PURB Urb, _In_ const USB_WAIT *Wait);
// Aborts what hangs in the pipe and clears the halt, USB 2.0 9.4.5.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS UsbPipeReset(_In_ PREADER Reader, _In_ const USB_PIPE *Pipe, _In_ const USB_WAIT *Wait);
// A request of the class to the interface. *Length as in UsbTransferRun.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS
UsbClassRequest(_In_ PREADER Reader, _In_ BOOLEAN In, _In_ UCHAR Request, _In_ USHORT Value,
                _Inout_opt_ PVOID Buffer, _Inout_ PULONG Length, _In_ const USB_WAIT *Wait);

// The status of a URB whose IRP has come back.
NTSTATUS UsbStatus(_In_ NTSTATUS IrpStatus, _In_ USBD_STATUS UrbStatus);
// Prepares an IRP of the driver's own for the next stack location; the caller submits it.
VOID UsbIrpPrepare(_Inout_ PIRP Irp, _In_ PVOID Urb, _In_ PIO_COMPLETION_ROUTINE Routine,
                   _In_opt_ PVOID Context);

// usb_open.c: descriptors, configuration, pipes, names, clocks and rates. On failure nothing is left.
_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS UsbOpen(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID UsbClose(_Inout_ PREADER Reader);
