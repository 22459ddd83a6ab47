// SPDX-License-Identifier: MIT
#include "nthost/usbd/usbd.h"
#include "nthost/verifier/verifier.h"

enum { USBD_DESCRIPTOR_HEADER = 2 };

// The descriptor at `At` when all of it lies below `End`.
static PUSB_COMMON_DESCRIPTOR UsbdDescriptorAt(PUCHAR At, PUCHAR End)
{
    if (At >= End || End - At < USBD_DESCRIPTOR_HEADER || At[0] < USBD_DESCRIPTOR_HEADER ||
        At[0] > End - At) {
        return NULL;
    }
    return (PUSB_COMMON_DESCRIPTOR)At;
}

PUSB_COMMON_DESCRIPTOR NTAPI USBD_ParseDescriptors(PVOID DescriptorBuffer, ULONG TotalLength,
                                                   PVOID StartPosition, LONG DescriptorType)
{
    NT_ENTRY(USBD_ParseDescriptors);
    PUCHAR end = (PUCHAR)DescriptorBuffer + TotalLength;
    PUSB_COMMON_DESCRIPTOR found = UsbdDescriptorAt(StartPosition, end);
    while (found != NULL && found->bDescriptorType != DescriptorType) {
        found = UsbdDescriptorAt((PUCHAR)found + found->bLength, end);
    }
    return found;
}

static BOOLEAN UsbdFieldMatches(LONG Wanted, UCHAR Actual)
{
    return Wanted == -1 || Wanted == Actual;
}

PUSB_INTERFACE_DESCRIPTOR NTAPI
USBD_ParseConfigurationDescriptorEx(PUSB_CONFIGURATION_DESCRIPTOR ConfigurationDescriptor,
                                    PVOID StartPosition, LONG InterfaceNumber, LONG AlternateSetting,
                                    LONG InterfaceClass, LONG InterfaceSubClass, LONG InterfaceProtocol)
{
    NT_ENTRY(USBD_ParseConfigurationDescriptorEx);
    ULONG total = ConfigurationDescriptor->wTotalLength;
    PVOID at = StartPosition;
    for (;;) {
        PUSB_INTERFACE_DESCRIPTOR found = (PUSB_INTERFACE_DESCRIPTOR)USBD_ParseDescriptors(
            ConfigurationDescriptor, total, at, USB_INTERFACE_DESCRIPTOR_TYPE);
        if (found == NULL) {
            return NULL;
        }
        if (found->bLength >= sizeof(USB_INTERFACE_DESCRIPTOR) &&
            UsbdFieldMatches(InterfaceNumber, found->bInterfaceNumber) &&
            UsbdFieldMatches(AlternateSetting, found->bAlternateSetting) &&
            UsbdFieldMatches(InterfaceClass, found->bInterfaceClass) &&
            UsbdFieldMatches(InterfaceSubClass, found->bInterfaceSubClass) &&
            UsbdFieldMatches(InterfaceProtocol, found->bInterfaceProtocol)) {
            return found;
        }
        at = (PUCHAR)found + found->bLength;
    }
}

PUSB_INTERFACE_DESCRIPTOR NTAPI USBD_ParseConfigurationDescriptor(PUSB_CONFIGURATION_DESCRIPTOR Configuration,
                                                                  UCHAR InterfaceNumber,
                                                                  UCHAR AlternateSetting)
{
    NT_ENTRY(USBD_ParseConfigurationDescriptor);
    return USBD_ParseConfigurationDescriptorEx(Configuration, Configuration, InterfaceNumber,
                                               AlternateSetting, -1, -1, -1);
}

ULONG NTAPI USBD_GetInterfaceLength(PUSB_INTERFACE_DESCRIPTOR InterfaceDescriptor, PUCHAR BufferEnd)
{
    NT_ENTRY(USBD_GetInterfaceLength);
    PUCHAR start = (PUCHAR)InterfaceDescriptor;
    PUCHAR at = start;
    PUSB_COMMON_DESCRIPTOR next = UsbdDescriptorAt(at, BufferEnd);
    while (next != NULL && (at == start || next->bDescriptorType != USB_INTERFACE_DESCRIPTOR_TYPE)) {
        at += next->bLength;
        next = UsbdDescriptorAt(at, BufferEnd);
    }
    return (ULONG)(at - start);
}

VOID NTAPI USBD_GetUSBDIVersion(PUSBD_VERSION_INFORMATION VersionInformation)
{
    NT_ENTRY(USBD_GetUSBDIVersion);
    VersionInformation->USBDI_Version = 0x0500; // Windows Vista and 7
    VersionInformation->Supported_USB_Version = 0x0200;
}
