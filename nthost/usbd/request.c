// SPDX-License-Identifier: MIT
#include "nthost/usbd/usbd.h"
#include "nthost/verifier/verifier.h"

enum { USBD_REQUEST_TAG = 'UbsU', USBD_URB_MAXIMUM = 0xFFFF };

VOID UsbdFillInterface(PUSBD_INTERFACE_INFORMATION Interface, const USB_INTERFACE_DESCRIPTOR *Descriptor)
{
    Interface->Length = (USHORT)GET_USBD_INTERFACE_SIZE(Descriptor->bNumEndpoints);
    Interface->InterfaceNumber = Descriptor->bInterfaceNumber;
    Interface->AlternateSetting = Descriptor->bAlternateSetting;
    Interface->NumberOfPipes = Descriptor->bNumEndpoints;
    for (ULONG i = 0; i < Descriptor->bNumEndpoints; i++) {
        Interface->Pipes[i].MaximumTransferSize = USBD_DEFAULT_MAXIMUM_TRANSFER_SIZE;
        Interface->Pipes[i].PipeFlags = 0;
    }
}

ULONG UsbdSelectConfigurationLength(PUSBD_INTERFACE_LIST_ENTRY List)
{
    ULONG length = FIELD_OFFSET(struct _URB_SELECT_CONFIGURATION, Interface);
    for (PUSBD_INTERFACE_LIST_ENTRY entry = List; entry->InterfaceDescriptor != NULL; entry++) {
        length += (ULONG)GET_USBD_INTERFACE_SIZE(entry->InterfaceDescriptor->bNumEndpoints);
    }
    // The structure holds one block with one pipe in any case.
    length = max(length, (ULONG)sizeof(struct _URB_SELECT_CONFIGURATION));
    return length <= USBD_URB_MAXIMUM ? length : 0;
}

VOID UsbdFillSelectConfiguration(PURB Urb, ULONG Length, PUSB_CONFIGURATION_DESCRIPTOR Configuration,
                                 PUSBD_INTERFACE_LIST_ENTRY List)
{
    RtlZeroMemory(Urb, Length);
    UsbBuildSelectConfigurationRequest(Urb, (USHORT)Length, Configuration);
    PUSBD_INTERFACE_INFORMATION block = &Urb->UrbSelectConfiguration.Interface;
    for (PUSBD_INTERFACE_LIST_ENTRY entry = List; entry->InterfaceDescriptor != NULL; entry++) {
        UsbdFillInterface(block, entry->InterfaceDescriptor);
        entry->Interface = block;
        block = (PUSBD_INTERFACE_INFORMATION)((PUCHAR)block + block->Length);
    }
}

PURB NTAPI USBD_CreateConfigurationRequestEx(PUSB_CONFIGURATION_DESCRIPTOR ConfigurationDescriptor,
                                             PUSBD_INTERFACE_LIST_ENTRY InterfaceList)
{
    NT_ENTRY(USBD_CreateConfigurationRequestEx);
    ULONG length = UsbdSelectConfigurationLength(InterfaceList);
    PURB urb = length != 0 ? ExAllocatePoolWithTag(NonPagedPool, length, USBD_REQUEST_TAG) : NULL;
    if (urb != NULL) {
        UsbdFillSelectConfiguration(urb, length, ConfigurationDescriptor, InterfaceList);
    }
    return urb;
}
