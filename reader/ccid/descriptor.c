// SPDX-License-Identifier: MIT
#include "reader/ccid/descriptor.h"
#include "reader/ccid/wire.h"

#define USB_CONFIGURATION      0x02
#define USB_INTERFACE          0x04
#define USB_ENDPOINT           0x05
#define CCID_DESCRIPTOR_TYPE   0x21
#define CONFIGURATION_LENGTH   9
#define INTERFACE_LENGTH       9
#define ENDPOINT_LENGTH        7
#define ENDPOINT_IN            0x80
#define ENDPOINT_TRANSFER_MASK 0x03
#define ENDPOINT_BULK          2
#define ENDPOINT_INTERRUPT     3
#define ENDPOINT_PACKET_MASK   0x07FF
#define PROTOCOL_TOKEN_A       1
#define PROTOCOL_TOKEN_B       2

BOOLEAN CcidClassDecode(const UCHAR *Bytes, ULONG Length, PCCID_CLASS Class)
{
    // The type is 21h by the class specification and FFh in readers that are older than it.
    if (Length < CCID_CLASS_LENGTH || Bytes[0] != CCID_CLASS_LENGTH ||
        (Bytes[1] != CCID_DESCRIPTOR_TYPE && Bytes[1] != 0xFF)) {
        return FALSE;
    }
    Class->Version = WireGet16(Bytes + 2);
    Class->MaxSlotIndex = Bytes[4];
    Class->VoltageSupport = Bytes[5];
    Class->Protocols = WireGet32(Bytes + 6);
    Class->DefaultClock = WireGet32(Bytes + 10);
    Class->MaximumClock = WireGet32(Bytes + 14);
    Class->ClockCount = Bytes[18];
    Class->DefaultRate = WireGet32(Bytes + 19);
    Class->MaximumRate = WireGet32(Bytes + 23);
    Class->RateCount = Bytes[27];
    Class->MaxIfsd = WireGet32(Bytes + 28);
    Class->Mechanical = WireGet32(Bytes + 36);
    Class->Features = WireGet32(Bytes + 40);
    Class->MaxMessageLength = WireGet32(Bytes + 44);
    Class->ClassGetResponse = Bytes[48];
    Class->ClassEnvelope = Bytes[49];
    Class->LcdLayout = WireGet16(Bytes + 50);
    Class->PinSupport = Bytes[52];
    Class->MaxBusySlots = Bytes[53];
    return Class->MaxMessageLength >= CCID_HEADER_LENGTH; // or nothing could be said to it
}

static VOID InterfaceBegin(PCCID_INTERFACE Interface, const UCHAR *Descriptor, ULONG Offset)
{
    RtlZeroMemory(Interface, sizeof(*Interface));
    Interface->Number = Descriptor[2];
    Interface->AlternateSetting = Descriptor[3];
    Interface->Class = Descriptor[5];
    Interface->Protocol = Descriptor[7];
    Interface->Offset = Offset;
}

// Addresses are free; direction and type decide. The first endpoint of a kind is taken.
static VOID InterfaceAddEndpoint(PCCID_INTERFACE Interface, const UCHAR *Descriptor)
{
    UCHAR address = Descriptor[2];
    UCHAR type = Descriptor[3] & ENDPOINT_TRANSFER_MASK;

    if (type == ENDPOINT_BULK && (address & ENDPOINT_IN) == 0 && Interface->BulkOut == 0) {
        Interface->BulkOut = address;
    } else if (type == ENDPOINT_BULK && (address & ENDPOINT_IN) != 0 && Interface->BulkIn == 0) {
        Interface->BulkIn = address;
        Interface->BulkInPacket = WireGet16(Descriptor + 4) & ENDPOINT_PACKET_MASK;
    } else if (type == ENDPOINT_INTERRUPT && (address & ENDPOINT_IN) != 0 && Interface->Interrupt == 0) {
        Interface->Interrupt = address;
    }
}

// Bulk endpoints decide, since some readers name a token's protocol and are none.
static BOOLEAN InterfaceUsable(PCCID_INTERFACE Interface, BOOLEAN Described)
{
    if (!Described || (Interface->Class != CCID_INTERFACE_CLASS && Interface->Class != CCID_VENDOR_CLASS)) {
        return FALSE;
    }
    if (Interface->BulkIn != 0 && Interface->BulkOut != 0) {
        Interface->Transport = CcidBulk;
        return Interface->BulkInPacket != 0;
    }
    Interface->Transport = Interface->Protocol == PROTOCOL_TOKEN_A ? CcidTokenA : CcidTokenB;
    return Interface->Protocol == PROTOCOL_TOKEN_A || Interface->Protocol == PROTOCOL_TOKEN_B;
}

// One descriptor's total length and its place are trusted only after this.
static BOOLEAN DescriptorFits(const UCHAR *Descriptor, ULONG Left)
{
    if (Left < 2 || Descriptor[0] < 2 || Descriptor[0] > Left) {
        return FALSE;
    }
    return (Descriptor[1] != USB_INTERFACE || Descriptor[0] >= INTERFACE_LENGTH) &&
           (Descriptor[1] != USB_ENDPOINT || Descriptor[0] >= ENDPOINT_LENGTH);
}

NTSTATUS CcidInterfaceFind(const UCHAR *Configuration, ULONG Length, PCCID_INTERFACE Interface)
{
    CCID_INTERFACE current;
    BOOLEAN open = FALSE;
    BOOLEAN described = FALSE;
    BOOLEAN found = FALSE;

    if (Length < CONFIGURATION_LENGTH || Configuration[0] < CONFIGURATION_LENGTH ||
        Configuration[1] != USB_CONFIGURATION || WireGet16(Configuration + 2) != Length) {
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    for (ULONG offset = 0; offset < Length; offset += Configuration[offset]) {
        const UCHAR *descriptor = Configuration + offset;
        if (!DescriptorFits(descriptor, Length - offset)) {
            return STATUS_DEVICE_CONFIGURATION_ERROR;
        }
        if (descriptor[1] == USB_INTERFACE) {
            if (!found && open && InterfaceUsable(&current, described)) {
                *Interface = current;
                found = TRUE;
            }
            InterfaceBegin(&current, descriptor, offset);
            open = TRUE;
            described = FALSE;
        } else if (open && descriptor[1] == USB_ENDPOINT) {
            InterfaceAddEndpoint(&current, descriptor);
        } else if (open && !described) {
            // Before or after the endpoints: both are in the field.
            described = CcidClassDecode(descriptor, descriptor[0], &current.Descriptor);
        }
    }
    if (!found && open && InterfaceUsable(&current, described)) {
        *Interface = current;
        found = TRUE;
    }
    return found ? STATUS_SUCCESS : STATUS_NO_MATCH;
}
