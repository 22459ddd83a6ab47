// SPDX-License-Identifier: MIT
// PIN pads: PC/SC part 10 features on PC_to_RDR_Secure.
#include "reader/exchange.h"
#include "reader/slot.h"
#include "reader/ccid/pin.h"

#define CM_IOCTL_GET_FEATURE_REQUEST SCARD_CTL_CODE(3400)
#define FEATURE_VERIFY_PIN_DIRECT    0x06
#define FEATURE_MODIFY_PIN_DIRECT    0x07
#define FEATURE_IFD_PIN_PROPERTIES   0x0A
#define FEATURE_CONTROL(Tag)         SCARD_CTL_CODE(3400 + (Tag))
#define FEATURE_RECORD               6
#define PROPERTIES_LENGTH            4
#define CONDITIONS                   0x07 // all of wPINMaxExtraDigit, key and time-out are passed on
#define SECONDS_FLOOR                90
#define SECONDS_MARGIN               10
#define REPLY_MAX                    264
#define T1_PROLOGUE                  3
#define T1_NOT_LAST_I                0xA0 // set in R- and S-blocks and in I-blocks that more follow
#define T1_SEQUENCE_BIT              6

static const UCHAR Cancelled[] = {0x64, 0x01}; // PC/SC part 10 2.6
static const UCHAR TimedOut[] = {0x64, 0x00};

static NTSTATUS ReplyGive(PSMARTCARD_EXTENSION Smartcard, const UCHAR *Data, ULONG Length)
{
    if (Smartcard->IoRequest.ReplyBuffer == NULL || Smartcard->IoRequest.ReplyBufferLength < Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(Smartcard->IoRequest.ReplyBuffer, Data, Length);
    *Smartcard->IoRequest.Information = Length;
    return STATUS_SUCCESS;
}

static ULONG FeatureAppend(PUCHAR Records, ULONG Length, UCHAR Tag)
{
    ULONG code = FEATURE_CONTROL(Tag);

    Records[Length] = Tag;
    Records[Length + 1] = sizeof(code);
    for (ULONG i = 0; i < sizeof(code); i++) {
        Records[Length + 2 + i] = (UCHAR)(code >> (24 - 8 * i)); // big-endian, part 10 2.2
    }
    return Length + FEATURE_RECORD;
}

static NTSTATUS FeaturesTell(PSLOT Slot)
{
    UCHAR support = Slot->Reader->Usb.Interface.Descriptor.PinSupport;
    UCHAR records[3 * FEATURE_RECORD];
    ULONG length = 0;

    if ((support & CCID_PIN_VERIFY) != 0) {
        length = FeatureAppend(records, length, FEATURE_VERIFY_PIN_DIRECT);
    }
    if ((support & CCID_PIN_MODIFY) != 0) {
        length = FeatureAppend(records, length, FEATURE_MODIFY_PIN_DIRECT);
    }
    if (length != 0) {
        length = FeatureAppend(records, length, FEATURE_IFD_PIN_PROPERTIES);
    }
    return ReplyGive(&Slot->Smartcard, records, length);
}

static NTSTATUS PropertiesTell(PSLOT Slot)
{
    USHORT lcd = Slot->Reader->Usb.Interface.Descriptor.LcdLayout;
    const UCHAR properties[PROPERTIES_LENGTH] = {(UCHAR)lcd, (UCHAR)(lcd >> 8), CONDITIONS, 0};

    return ReplyGive(&Slot->Smartcard, properties, sizeof(properties));
}

// Below the APDU level the reader completes a T=1 block that the host has begun.
static BOOLEAN BlockWanted(PSLOT Slot)
{
    return Slot->Reader->Exchange != &ExchangeApdu &&
           Slot->Smartcard.CardCapabilities.Protocol.Selected == SCARD_PROTOCOL_T1;
}

static NTSTATUS BlockOpen(PSLOT Slot, const UCHAR *Block, ULONG Length)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    ULONG edc = (smartcard->CardCapabilities.T1.EDC & T1_CRC_CHECK) != 0 ? 2 : 1;

    if (Length < T1_PROLOGUE + edc || Length != T1_PROLOGUE + Block[2] + edc ||
        (Block[1] & T1_NOT_LAST_I) != 0) {
        return STATUS_DEVICE_PROTOCOL_ERROR;
    }
    smartcard->T1.SSN ^= 1; // an I-block has gone in each direction
    smartcard->T1.RSN ^= 1;
    return ReplyGive(smartcard, Block + T1_PROLOGUE, Block[2]);
}

static NTSTATUS SecureRun(PSLOT Slot, const CCID_PIN *Pin, const UCHAR *Bytes, ULONG Length)
{
    UCHAR reply[REPLY_MAX];
    ULONG seconds = max(Pin->Seconds + SECONDS_MARGIN, SECONDS_FLOOR);
    COMMAND command = {.Origin = CommandOfRequest,
                       .Type = CCID_SECURE,
                       .Data = Bytes,
                       .DataLength = Length,
                       .Timeout = seconds * 1000,
                       .Reply = reply,
                       .ReplySize = sizeof(reply)};
    NTSTATUS status = ChannelRun(Slot, &command);

    if (!NT_SUCCESS(status) && command.Answered && command.Header.Error == CCID_ERROR_PIN_CANCELLED) {
        return ReplyGive(&Slot->Smartcard, Cancelled, sizeof(Cancelled));
    }
    if (!NT_SUCCESS(status) && command.Answered && command.Header.Error == CCID_ERROR_PIN_TIMEOUT) {
        return ReplyGive(&Slot->Smartcard, TimedOut, sizeof(TimedOut));
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    // Two bytes are the reader's own status word, no block.
    status = BlockWanted(Slot) && command.ReplyLength > sizeof(Cancelled)
                 ? BlockOpen(Slot, reply, command.ReplyLength)
                 : ReplyGive(&Slot->Smartcard, reply, command.ReplyLength);
    RtlSecureZeroMemory(reply, sizeof(reply));
    return status;
}

static NTSTATUS PinWork(PSLOT Slot, BOOLEAN Modify)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    const UCHAR *structure = smartcard->IoRequest.RequestBuffer;
    UCHAR bytes[CCID_PIN_STRUCTURE_MAX];
    UCHAR prologue[CCID_PIN_PROLOGUE] = {0, 0, 0};
    CCID_PIN_REPAIR repair;
    CCID_PIN pin;
    ULONG length;
    NTSTATUS status;

    if (structure == NULL ||
        !CcidPinDecode(structure, smartcard->IoRequest.RequestBufferLength, Modify, &pin)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (BlockWanted(Slot)) {
        if (pin.ApduLength > smartcard->T1.IFSC) {
            return STATUS_INVALID_PARAMETER;
        }
        prologue[1] = (UCHAR)((smartcard->T1.SSN & 1) << T1_SEQUENCE_BIT);
        prologue[2] = (UCHAR)pin.ApduLength;
    }
    QuirksPinRepair(Slot->Reader, Modify, &repair);
    length = CcidPinEncode(structure, Modify, &pin, &repair, prologue, bytes);
    status = SlotState(Slot) == SCARD_SPECIFIC ? QuirksPinPrepare(Slot, Modify, pin.ApduLength)
                                               : STATUS_INVALID_DEVICE_STATE;
    status = NT_SUCCESS(status) ? SecureRun(Slot, &pin, bytes, length) : status;
    RtlSecureZeroMemory(bytes, sizeof(bytes));
    return status;
}

static NTSTATUS VerifyWork(PSLOT Slot)
{
    return PinWork(Slot, FALSE);
}

static NTSTATUS ModifyWork(PSLOT Slot)
{
    return PinWork(Slot, TRUE);
}

NTSTATUS SlotPinControl(PSLOT Slot)
{
    UCHAR support = Slot->Reader->Usb.Interface.Descriptor.PinSupport;

    switch (Slot->Smartcard.MajorIoControlCode) {
    case CM_IOCTL_GET_FEATURE_REQUEST:
        return FeaturesTell(Slot);
    case FEATURE_CONTROL(FEATURE_VERIFY_PIN_DIRECT):
        return (support & CCID_PIN_VERIFY) != 0 ? SlotServe(Slot, VerifyWork, TRUE) : STATUS_NOT_SUPPORTED;
    case FEATURE_CONTROL(FEATURE_MODIFY_PIN_DIRECT):
        return (support & CCID_PIN_MODIFY) != 0 ? SlotServe(Slot, ModifyWork, TRUE) : STATUS_NOT_SUPPORTED;
    case FEATURE_CONTROL(FEATURE_IFD_PIN_PROPERTIES):
        return support != 0 ? PropertiesTell(Slot) : STATUS_NOT_SUPPORTED;
    default:
        return STATUS_NOT_SUPPORTED;
    }
}
