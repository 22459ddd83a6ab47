// SPDX-License-Identifier: MIT
#include "nthost/usbd/usbd.h"
#include "nthost/verifier/verifier.h"

// Each check returns USBD_STATUS_SUCCESS or what is wrong; `*Offset` is left at the failing descriptor.
static USBD_STATUS UsbdCheckHeader(PUSB_CONFIGURATION_DESCRIPTOR Configuration, ULONG Length)
{
    if (Length < sizeof(USB_CONFIGURATION_DESCRIPTOR) ||
        Configuration->bLength < sizeof(USB_CONFIGURATION_DESCRIPTOR)) {
        return USBD_STATUS_BAD_DESCRIPTOR_BLEN;
    }
    if (Configuration->bDescriptorType != USB_CONFIGURATION_DESCRIPTOR_TYPE) {
        return USBD_STATUS_BAD_DESCRIPTOR_TYPE;
    }
    if (Configuration->wTotalLength > Length || Configuration->wTotalLength < Configuration->bLength) {
        return USBD_STATUS_BAD_CONFIG_DESC_LENGTH;
    }
    return USBD_STATUS_SUCCESS;
}

typedef struct _USBD_CENSUS {
    LONG LastInterface; // -1: none yet
    ULONG Interfaces;   // distinct numbers
    ULONG Expected;     // endpoints the current interface announced
    ULONG Endpoints;    // and those seen
    BOOLEAN Strict;
} USBD_CENSUS;

static USBD_STATUS UsbdCountInterface(USBD_CENSUS *Census, const USB_INTERFACE_DESCRIPTOR *Interface)
{
    if (Interface->bLength < sizeof *Interface ||
        (Census->Strict && Interface->bLength != sizeof *Interface)) {
        return USBD_STATUS_BAD_DESCRIPTOR_BLEN;
    }
    if (Census->Strict && Census->Endpoints != Census->Expected) {
        return USBD_STATUS_BAD_NUMBER_OF_ENDPOINTS;
    }
    if (Interface->bInterfaceNumber != Census->LastInterface) {
        if (Census->Strict && Interface->bInterfaceNumber < Census->LastInterface) {
            return USBD_STATUS_BAD_INTERFACE_DESCRIPTOR;
        }
        Census->Interfaces++;
    }
    Census->LastInterface = Interface->bInterfaceNumber;
    Census->Expected = Interface->bNumEndpoints;
    Census->Endpoints = 0;
    return USBD_STATUS_SUCCESS;
}

static USBD_STATUS UsbdCountEndpoint(USBD_CENSUS *Census, const USB_ENDPOINT_DESCRIPTOR *Endpoint)
{
    if (Endpoint->bLength < sizeof *Endpoint) {
        return USBD_STATUS_BAD_DESCRIPTOR_BLEN;
    }
    if (Census->LastInterface < 0 || (Census->Strict && Census->Endpoints == Census->Expected)) {
        return USBD_STATUS_BAD_ENDPOINT_DESCRIPTOR;
    }
    if ((Endpoint->bEndpointAddress & 0x0F) == 0) {
        return USBD_STATUS_BAD_ENDPOINT_ADDRESS;
    }
    Census->Endpoints++;
    return USBD_STATUS_SUCCESS;
}

static USBD_STATUS UsbdCountOne(USBD_CENSUS *Census, PUCHAR At, PUCHAR End)
{
    if (End - At < 2 || At[0] < 2 || At[0] > End - At) {
        return USBD_STATUS_BAD_DESCRIPTOR_BLEN;
    }
    switch (At[1]) {
    case USB_INTERFACE_DESCRIPTOR_TYPE:
        return UsbdCountInterface(Census, (PUSB_INTERFACE_DESCRIPTOR)At);
    case USB_ENDPOINT_DESCRIPTOR_TYPE:
        return UsbdCountEndpoint(Census, (PUSB_ENDPOINT_DESCRIPTOR)At);
    default:
        return USBD_STATUS_SUCCESS; // class descriptors
    }
}

// Level 1: the header; 2: every descriptor; 3: also counts, exact lengths and the order of interfaces.
USBD_STATUS NTAPI USBD_ValidateConfigurationDescriptor(PUSB_CONFIGURATION_DESCRIPTOR ConfigDesc,
                                                       ULONG BufferLength, USHORT Level, PUCHAR *Offset,
                                                       ULONG Tag)
{
    NT_ENTRY(USBD_ValidateConfigurationDescriptor);
    UNREFERENCED_PARAMETER(Tag);
    *Offset = (PUCHAR)ConfigDesc;
    USBD_STATUS status = UsbdCheckHeader(ConfigDesc, BufferLength);
    if (status != USBD_STATUS_SUCCESS || Level < 2) {
        return status;
    }
    USBD_CENSUS census = {-1, 0, 0, 0, Level >= 3};
    PUCHAR end = *Offset + ConfigDesc->wTotalLength;
    for (PUCHAR at = *Offset + ConfigDesc->bLength; at < end; at += at[0]) {
        *Offset = at;
        status = UsbdCountOne(&census, at, end);
        if (status != USBD_STATUS_SUCCESS) {
            return status;
        }
    }
    *Offset = (PUCHAR)ConfigDesc;
    if (census.Interfaces != ConfigDesc->bNumInterfaces) {
        return USBD_STATUS_BAD_NUMBER_OF_INTERFACES;
    }
    return census.Strict && census.Endpoints != census.Expected ? USBD_STATUS_BAD_NUMBER_OF_ENDPOINTS
                                                                : USBD_STATUS_SUCCESS;
}
