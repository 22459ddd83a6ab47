// SPDX-License-Identifier: MIT
// What the library tells clients of a reader, from the descriptors and the device's registry key.
#include "reader/slot.h"

#define DEFAULT_VENDOR    "Generic"
#define DEFAULT_TYPE      "CCID Reader"
#define CLOCK_KHZ_MAX     100000 // beyond: the reader states hertz, a known mistake
#define CLOCK_DEFAULT     3580   // kHz
#define FD                372    // ISO 7816-3:2006 8.1
#define T1_BLOCK_OVERHEAD 5      // prologue and CRC
#define ENTRIES_MAX       255

typedef struct _ATTRIBUTE_TEXT { // VENDOR_ATTR's anonymous structures
    USHORT Length;
    UCHAR Buffer[MAXIMUM_ATTR_STRING_LENGTH];
} ATTRIBUTE_TEXT, *PATTRIBUTE_TEXT;

C_ASSERT(USB_NAME_MAX <= MAXIMUM_ATTR_STRING_LENGTH);

static VOID TextSet(PVOID Attribute, const USB_NAME *Name, const char *Default, USHORT DefaultLength)
{
    PATTRIBUTE_TEXT text = Attribute;

    if (Name->Length != 0) {
        text->Length = Name->Length;
        RtlCopyMemory(text->Buffer, Name->Text, Name->Length);
    } else {
        text->Length = DefaultLength;
        RtlCopyMemory(text->Buffer, Default, DefaultLength);
    }
}

static UCHAR FromBcd(UCHAR Bcd)
{
    return (UCHAR)((Bcd >> 4) * 10 + (Bcd & 0x0F));
}

static VOID VendorDescribe(PSLOT Slot)
{
    const USB_FUNCTION *usb = &Slot->Reader->Usb;
    PVENDOR_ATTR vendor = &Slot->Smartcard.VendorAttr;

    TextSet(&vendor->VendorName, &usb->Vendor, DEFAULT_VENDOR, sizeof(DEFAULT_VENDOR) - 1);
    TextSet(&vendor->IfdType, &usb->Product, DEFAULT_TYPE, sizeof(DEFAULT_TYPE) - 1);
    TextSet(&vendor->IfdSerialNo, &usb->Serial, "", 0);
    vendor->IfdVersion.VersionMajor = FromBcd((UCHAR)(usb->Device.bcdDevice >> 8));
    vendor->IfdVersion.VersionMinor = FromBcd((UCHAR)usb->Device.bcdDevice);
    vendor->IfdVersion.BuildNumber = 0;
}

static ULONG ClockSane(ULONG Clock)
{
    return Clock > CLOCK_KHZ_MAX ? Clock / 1000 : Clock;
}

static VOID RatesDescribe(PSLOT Slot)
{
    const USB_FUNCTION *usb = &Slot->Reader->Usb;
    const CCID_CLASS *ccid = &usb->Interface.Descriptor;
    PSCARD_READER_CAPABILITIES reader = &Slot->Smartcard.ReaderCapabilities;

    reader->CLKFrequency.Default = ClockSane(ccid->DefaultClock);
    if (reader->CLKFrequency.Default == 0) {
        reader->CLKFrequency.Default = CLOCK_DEFAULT;
    }
    reader->CLKFrequency.Max = max(ClockSane(ccid->MaximumClock), reader->CLKFrequency.Default);
    reader->DataRate.Default =
        ccid->DefaultRate != 0 ? ccid->DefaultRate : reader->CLKFrequency.Default * 1000 / FD;
    reader->DataRate.Max = max(SlotRateMost(Slot), reader->DataRate.Default);
    reader->CLKFrequenciesSupported.List = usb->Clocks;
    reader->CLKFrequenciesSupported.Entries = (UCHAR)min(usb->ClockCount, ENTRIES_MAX);
    reader->DataRatesSupported.List = usb->Rates;
    reader->DataRatesSupported.Entries = (UCHAR)min(usb->RateCount, ENTRIES_MAX);
}

static ULONG IfsdDescribe(PSLOT Slot)
{
    ULONG stated = Slot->Reader->Usb.Interface.Descriptor.MaxIfsd;
    ULONG room = Slot->Reader->Channel.MessageMax - CCID_HEADER_LENGTH - T1_BLOCK_OVERHEAD;

    if (stated == 0 || stated > T1_IFSD) {
        stated = T1_IFSD;
    }
    return min(stated, room);
}

static ULONG ChannelNumber(PSLOT Slot)
{
    ULONG address;
    ULONG length;
    NTSTATUS status = IoGetDeviceProperty(Slot->Reader->Physical, DevicePropertyAddress, sizeof(address),
                                          &address, &length);

    return NT_SUCCESS(status) ? address & 0xFFFF : Slot->Smartcard.VendorAttr.UnitNo;
}

VOID SlotDescribe(PSLOT Slot)
{
    PSCARD_READER_CAPABILITIES reader = &Slot->Smartcard.ReaderCapabilities;
    ULONG protocols = Slot->Reader->Usb.Interface.Descriptor.Protocols;

    VendorDescribe(Slot);
    RatesDescribe(Slot);
    reader->SupportedProtocols = 0;
    if ((protocols & CCID_PROTOCOL_T0) != 0) {
        reader->SupportedProtocols |= SCARD_PROTOCOL_T0;
    }
    if ((protocols & CCID_PROTOCOL_T1) != 0) {
        reader->SupportedProtocols |= SCARD_PROTOCOL_T1;
    }
    if (reader->SupportedProtocols == 0) {
        reader->SupportedProtocols = SCARD_PROTOCOL_Tx;
    }
    reader->ReaderType = SCARD_READER_TYPE_USB;
    reader->MechProperties = 0;
    reader->Channel = ChannelNumber(Slot);
    reader->MaxIFSD = IfsdDescribe(Slot);
    reader->PowerMgmtSupport = 1;
}
