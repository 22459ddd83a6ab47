// SPDX-License-Identifier: MIT
// The client contract of Windows 8: a handle per device, URBs from the stack and counted, so that a forgotten
// one shows.
#include "nthost/usbd/usbd.h"
#include "nthost/io/io.h"

enum { USBD_URB_SIGNATURE = 0x55524221 };

struct _USBD_CLIENT {
    PDEVICE_OBJECT Lower;
    ULONG Tag;
    volatile LONG Urbs;
};

// Precedes each allocated URB; 16 bytes keep the URB's alignment.
typedef struct _USBD_URB_HEADER {
    struct _USBD_CLIENT *Client;
    ULONG Signature;
    ULONG Reserved;
} USBD_URB_HEADER;

NTSTATUS NTAPI USBD_CreateHandle(PDEVICE_OBJECT Device, PDEVICE_OBJECT Lower, ULONG Contract, ULONG Tag,
                                 USBD_HANDLE *Handle)
{
    NT_ENTRY(USBD_CreateHandle);
    *Handle = NULL;
    if (Contract != USBD_CLIENT_CONTRACT_VERSION_602) {
        return STATUS_INVALID_LEVEL;
    }
    if (Device == NULL || Lower == NULL || Tag == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    USBD_HANDLE client = ExAllocatePoolWithTag(NonPagedPool, sizeof *client, Tag);
    if (client == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *client = (struct _USBD_CLIENT){Lower, Tag, 0};
    *Handle = client;
    return STATUS_SUCCESS;
}

VOID NTAPI USBD_CloseHandle(USBD_HANDLE Handle)
{
    NT_ENTRY(USBD_CloseHandle);
    if (Handle->Urbs != 0) {
        VfBreak(VfRuleUsbUrbLeak, (ULONG_PTR)Handle, 0, 0, "USBD_CloseHandle with %d URBs not freed",
                Handle->Urbs);
    }
    ExFreePoolWithTag(Handle, Handle->Tag);
}

// Puts the header before a URB of `Length` bytes.
static PURB UsbdAllocateCounted(USBD_HANDLE Handle, ULONG Length)
{
    USBD_URB_HEADER *header = ExAllocatePoolWithTag(NonPagedPool, sizeof *header + Length, Handle->Tag);
    if (header == NULL) {
        return NULL;
    }
    RtlZeroMemory(header, sizeof *header + Length);
    header->Client = Handle;
    header->Signature = USBD_URB_SIGNATURE;
    InterlockedIncrement(&Handle->Urbs);
    return (PURB)(header + 1);
}

NTSTATUS NTAPI USBD_UrbAllocate(USBD_HANDLE Handle, PURB *Urb)
{
    NT_ENTRY(USBD_UrbAllocate);
    *Urb = UsbdAllocateCounted(Handle, sizeof(URB));
    return *Urb != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

VOID NTAPI USBD_UrbFree(USBD_HANDLE Handle, PURB Urb)
{
    NT_ENTRY(USBD_UrbFree);
    USBD_URB_HEADER *header = (USBD_URB_HEADER *)Urb - 1;
    if (header->Signature != USBD_URB_SIGNATURE || header->Client != Handle) {
        VfBreak(VfRuleUsbUrbForeign, (ULONG_PTR)Urb, 0, 0, "USBD_UrbFree(%p): no URB of this handle", Urb);
    }
    header->Signature = 0;
    InterlockedDecrement(&Handle->Urbs);
    ExFreePoolWithTag(header, Handle->Tag);
}

NTSTATUS NTAPI USBD_SelectConfigUrbAllocateAndBuild(USBD_HANDLE Handle,
                                                    PUSB_CONFIGURATION_DESCRIPTOR Configuration,
                                                    PUSBD_INTERFACE_LIST_ENTRY List, PURB *Urb)
{
    NT_ENTRY(USBD_SelectConfigUrbAllocateAndBuild);
    ULONG length = UsbdSelectConfigurationLength(List);
    *Urb = length != 0 ? UsbdAllocateCounted(Handle, max(length, (ULONG)sizeof(URB))) : NULL;
    if (*Urb == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    UsbdFillSelectConfiguration(*Urb, length, Configuration, List);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI USBD_SelectInterfaceUrbAllocateAndBuild(USBD_HANDLE Handle,
                                                       USBD_CONFIGURATION_HANDLE Configuration,
                                                       PUSBD_INTERFACE_LIST_ENTRY Entry, PURB *Urb)
{
    NT_ENTRY(USBD_SelectInterfaceUrbAllocateAndBuild);
    UCHAR pipes = Entry->InterfaceDescriptor->bNumEndpoints;
    ULONG length =
        FIELD_OFFSET(struct _URB_SELECT_INTERFACE, Interface) + (ULONG)GET_USBD_INTERFACE_SIZE(pipes);
    *Urb = UsbdAllocateCounted(Handle, max(length, (ULONG)sizeof(URB)));
    if (*Urb == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    struct _URB_SELECT_INTERFACE *request = &(*Urb)->UrbSelectInterface;
    request->Hdr.Function = URB_FUNCTION_SELECT_INTERFACE;
    request->Hdr.Length = (USHORT)length;
    request->ConfigurationHandle = Configuration;
    UsbdFillInterface(&request->Interface, Entry->InterfaceDescriptor);
    Entry->Interface = &request->Interface;
    return STATUS_SUCCESS;
}

VOID NTAPI USBD_AssignUrbToIoStackLocation(USBD_HANDLE Handle, PIO_STACK_LOCATION Location, PURB Urb)
{
    NT_ENTRY(USBD_AssignUrbToIoStackLocation);
    UNREFERENCED_PARAMETER(Handle);
    Location->Parameters.Others.Argument1 = Urb;
}

BOOLEAN NTAPI USBD_IsInterfaceVersionSupported(USBD_HANDLE Handle, USHORT Version)
{
    NT_ENTRY(USBD_IsInterfaceVersionSupported);
    UNREFERENCED_PARAMETER(Handle);
    return Version <= 0x0500;
}

NTSTATUS NTAPI USBD_QueryUsbCapability(USBD_HANDLE Handle, const GUID *Capability, ULONG Length,
                                       PUCHAR Buffer, PULONG Returned)
{
    NT_ENTRY(USBD_QueryUsbCapability);
    UNREFERENCED_PARAMETER(Handle);
    UNREFERENCED_PARAMETER(Capability);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(Buffer);
    if (Returned != NULL) {
        *Returned = 0;
    }
    return STATUS_NOT_SUPPORTED; // streams, chained MDLs: no stack below has them
}
