// SPDX-License-Identifier: MIT
// The USB driver interface's client library: helpers over descriptors and URBs. No device is known here. The
// handle and URB routines of Windows 8 are declared here because mingw-w64's usbdlib.h ends with Windows 7.
#pragma once
#include <ntddk.h>
#include <usb.h>
#include <usbdlib.h>

#define USBD_CLIENT_CONTRACT_VERSION_602 0x602u

typedef struct _USBD_CLIENT *USBD_HANDLE;

_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI USBD_CreateHandle(_In_ PDEVICE_OBJECT Device, _In_ PDEVICE_OBJECT Lower, _In_ ULONG Contract,
                                 _In_ ULONG Tag, _Out_ USBD_HANDLE *Handle);
_IRQL_requires_(PASSIVE_LEVEL)
VOID NTAPI USBD_CloseHandle(_In_ USBD_HANDLE Handle);
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NTAPI USBD_UrbAllocate(_In_ USBD_HANDLE Handle, _Out_ PURB *Urb);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID NTAPI USBD_UrbFree(_In_ USBD_HANDLE Handle, _In_ PURB Urb);
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NTAPI USBD_SelectConfigUrbAllocateAndBuild(_In_ USBD_HANDLE Handle,
                                                    _In_ PUSB_CONFIGURATION_DESCRIPTOR Configuration,
                                                    _In_ PUSBD_INTERFACE_LIST_ENTRY List, _Out_ PURB *Urb);
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS NTAPI USBD_SelectInterfaceUrbAllocateAndBuild(_In_ USBD_HANDLE Handle,
                                                       _In_ USBD_CONFIGURATION_HANDLE Configuration,
                                                       _In_ PUSBD_INTERFACE_LIST_ENTRY Entry,
                                                       _Out_ PURB *Urb);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID NTAPI USBD_AssignUrbToIoStackLocation(_In_ USBD_HANDLE Handle, _In_ PIO_STACK_LOCATION Location,
                                           _In_ PURB Urb);
_IRQL_requires_(PASSIVE_LEVEL)
BOOLEAN NTAPI USBD_IsInterfaceVersionSupported(_In_ USBD_HANDLE Handle, _In_ USHORT Version);
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS NTAPI USBD_QueryUsbCapability(_In_ USBD_HANDLE Handle, _In_ const GUID *Capability,
                                       _In_ ULONG Length, _Out_ PUCHAR Buffer, _Out_opt_ PULONG Returned);

// Shared by the two ways to build a select-configuration URB. The list ends with an entry without a
// descriptor.
ULONG UsbdSelectConfigurationLength(PUSBD_INTERFACE_LIST_ENTRY List); // 0: more than a URB can say
VOID UsbdFillSelectConfiguration(PURB Urb, ULONG Length, PUSB_CONFIGURATION_DESCRIPTOR Configuration,
                                 PUSBD_INTERFACE_LIST_ENTRY List);
VOID UsbdFillInterface(PUSBD_INTERFACE_INFORMATION Interface, const USB_INTERFACE_DESCRIPTOR *Descriptor);
