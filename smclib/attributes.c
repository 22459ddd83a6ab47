// SPDX-License-Identifier: MIT
// IOCTL_SMARTCARD_GET_ATTRIBUTE and SET_ATTRIBUTE. Served even while another request is under way: the values
// are read under the spin lock only.
#include "smclib/control.h"

#define ICC_PRESENCE_NONE        0
#define ICC_PRESENCE_INSERTED    1
#define ICC_PRESENCE_SWALLOWED   2
#define ICC_PRESENCE_CONFISCATED 4
#define ICC_TYPE_ISO_ASYNC       1

typedef struct _SMC_VALUE {
    UCHAR Bytes[64];
    ULONG Length;
} SMC_VALUE, *PSMC_VALUE;

typedef enum _SMC_VALUE_KIND { SmcValueUlong, SmcValueUchar, SmcValueString } SMC_VALUE_KIND;

// A value that lies in the extension as it is wanted, up to its width.
typedef struct _SMC_FIELD {
    ULONG Tag;
    SMC_VALUE_KIND Kind;
    BOOLEAN NeedsCard;
    USHORT Offset;
} SMC_FIELD;

#define READER(Tag, Member)                                                                                  \
    {                                                                                                        \
        Tag, SmcValueUlong, FALSE, FIELD_OFFSET(SMARTCARD_EXTENSION, Member)                                 \
    }
#define STRING(Tag, Member)                                                                                  \
    {                                                                                                        \
        Tag, SmcValueString, FALSE, FIELD_OFFSET(SMARTCARD_EXTENSION, Member)                                \
    }
#define CARD_LONG(Tag, Member)                                                                               \
    {                                                                                                        \
        Tag, SmcValueUlong, TRUE, FIELD_OFFSET(SMARTCARD_EXTENSION, Member)                                  \
    }
#define CARD_BYTE(Tag, Member)                                                                               \
    {                                                                                                        \
        Tag, SmcValueUchar, TRUE, FIELD_OFFSET(SMARTCARD_EXTENSION, Member)                                  \
    }

static const SMC_FIELD SmcFields[] = {
    STRING(SCARD_ATTR_VENDOR_NAME, VendorAttr.VendorName),
    STRING(SCARD_ATTR_VENDOR_IFD_TYPE, VendorAttr.IfdType),
    STRING(SCARD_ATTR_VENDOR_IFD_SERIAL_NO, VendorAttr.IfdSerialNo),
    READER(SCARD_ATTR_VENDOR_IFD_VERSION, VendorAttr.IfdVersion),
    READER(SCARD_ATTR_DEVICE_UNIT, VendorAttr.UnitNo),
    READER(SCARD_ATTR_PROTOCOL_TYPES, ReaderCapabilities.SupportedProtocols),
    READER(SCARD_ATTR_DEFAULT_CLK, ReaderCapabilities.CLKFrequency.Default),
    READER(SCARD_ATTR_MAX_CLK, ReaderCapabilities.CLKFrequency.Max),
    READER(SCARD_ATTR_DEFAULT_DATA_RATE, ReaderCapabilities.DataRate.Default),
    READER(SCARD_ATTR_MAX_DATA_RATE, ReaderCapabilities.DataRate.Max),
    READER(SCARD_ATTR_MAX_IFSD, ReaderCapabilities.MaxIFSD),
    READER(SCARD_ATTR_POWER_MGMT_SUPPORT, ReaderCapabilities.PowerMgmtSupport),
    READER(SCARD_ATTR_CHARACTERISTICS, ReaderCapabilities.MechProperties),
    CARD_LONG(SCARD_ATTR_CURRENT_PROTOCOL_TYPE, CardCapabilities.Protocol.Selected),
    CARD_LONG(SCARD_ATTR_CURRENT_CLK, CardCapabilities.PtsData.CLKFrequency),
    CARD_BYTE(SCARD_ATTR_CURRENT_N, CardCapabilities.N),
    CARD_BYTE(SCARD_ATTR_CURRENT_W, CardCapabilities.T0.WI),
    CARD_BYTE(SCARD_ATTR_CURRENT_IFSC, T1.IFSC),
    CARD_BYTE(SCARD_ATTR_CURRENT_IFSD, T1.IFSD),
    CARD_BYTE(SCARD_ATTR_CURRENT_BWT, CardCapabilities.T1.BWI),
    CARD_BYTE(SCARD_ATTR_CURRENT_CWT, CardCapabilities.T1.CWI),
};

static VOID SmcValueSet(_Out_ PSMC_VALUE Value, _In_ const VOID *Bytes, _In_ ULONG Length)
{
    RtlCopyMemory(Value->Bytes, Bytes, Length);
    Value->Length = Length;
}

static VOID SmcValueSetUlong(_Out_ PSMC_VALUE Value, _In_ ULONG Number)
{
    SmcValueSet(Value, &Number, sizeof(Number));
}

static VOID SmcValueSetUchar(_Out_ PSMC_VALUE Value, _In_ UCHAR Number)
{
    SmcValueSet(Value, &Number, sizeof(Number));
}

// Some drivers count the terminating zero, which no client wants.
_Must_inspect_result_
static NTSTATUS SmcVendorString(_Out_ PSMC_VALUE Value, _In_ const UCHAR *Member)
{
    USHORT length;

    RtlCopyMemory(&length, Member, sizeof(length));
    length = length < MAXIMUM_ATTR_STRING_LENGTH ? length : MAXIMUM_ATTR_STRING_LENGTH;
    Member += sizeof(length);
    while (length > 0 && Member[length - 1] == 0) {
        length--;
    }
    SmcValueSet(Value, Member, length);
    return length != 0 ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

_Must_inspect_result_
static NTSTATUS SmcFieldRead(_In_ PSMARTCARD_EXTENSION Ext, _In_ const SMC_FIELD *Field,
                             _Out_ PSMC_VALUE Value)
{
    const UCHAR *member = (const UCHAR *)Ext + Field->Offset;

    switch (Field->Kind) {
    case SmcValueString:
        return SmcVendorString(Value, member);
    case SmcValueUchar:
        SmcValueSetUlong(Value, *member);
        return STATUS_SUCCESS;
    default:
        SmcValueSet(Value, member, sizeof(ULONG));
        return STATUS_SUCCESS;
    }
}

static UCHAR SmcPresence(_In_ PSMARTCARD_EXTENSION Ext)
{
    const SCARD_READER_CAPABILITIES *reader = &Ext->ReaderCapabilities;

    if (reader->CardConfiscated != 0) {
        return ICC_PRESENCE_CONFISCATED;
    }
    if (reader->CurrentState <= SCARD_ABSENT) {
        return ICC_PRESENCE_NONE;
    }
    if (reader->CurrentState == SCARD_PRESENT && (reader->MechProperties & SCARD_READER_SWALLOWS) != 0) {
        return ICC_PRESENCE_INSERTED;
    }
    return ICC_PRESENCE_SWALLOWED;
}

_Must_inspect_result_
static NTSTATUS SmcReaderValue(_In_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Tag, _Out_ PSMC_VALUE Value)
{
    const SCARD_READER_CAPABILITIES *reader = &Ext->ReaderCapabilities;

    switch (Tag) {
    case SCARD_ATTR_CHANNEL_ID:
        SmcValueSetUlong(Value, reader->ReaderType << 16 | reader->Channel);
        return STATUS_SUCCESS;
    case SCARD_ATTR_ICC_PRESENCE:
        SmcValueSetUchar(Value, SmcPresence(Ext));
        return STATUS_SUCCESS;
    case SCARD_ATTR_ICC_INTERFACE_STATUS:
        SmcValueSetUchar(Value, reader->CurrentState >= SCARD_POWERED);
        return STATUS_SUCCESS;
    default:
        return STATUS_NOT_SUPPORTED;
    }
}

_Must_inspect_result_
static NTSTATUS SmcAtrValue(_In_ const SCARD_CARD_CAPABILITIES *Card, _Out_ PSMC_VALUE Value)
{
    ULONG length = Card->ATR.Length;

    if (length == 0 || length > sizeof(Card->ATR.Buffer)) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    SmcValueSet(Value, Card->ATR.Buffer, length);
    return STATUS_SUCCESS;
}

_Must_inspect_result_
static NTSTATUS SmcCardValue(_In_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Tag, _Out_ PSMC_VALUE Value)
{
    const SCARD_CARD_CAPABILITIES *card = &Ext->CardCapabilities;
    NTSTATUS status = STATUS_SUCCESS;

    switch (Tag) {
    case SCARD_ATTR_CURRENT_F:
        SmcValueSetUlong(Value, SmcClockRates[card->PtsData.Fl & 0x0F].F);
        break;
    case SCARD_ATTR_CURRENT_D:
        SmcValueSetUlong(Value, SmcBitRates[card->PtsData.Dl & 0x0F].DNumerator);
        break;
    case SCARD_ATTR_CURRENT_EBC_ENCODING:
        SmcValueSetUlong(Value, card->T1.EDC & T1_CRC_CHECK);
        break;
    case SCARD_ATTR_ATR_STRING:
        status = SmcAtrValue(card, Value);
        break;
    case SCARD_ATTR_ICC_TYPE_PER_ATR:
        SmcValueSetUchar(Value, ICC_TYPE_ISO_ASYNC);
        break;
    default:
        return STATUS_NOT_SUPPORTED;
    }
    return Ext->ReaderCapabilities.CurrentState < SCARD_NEGOTIABLE ? STATUS_INVALID_DEVICE_STATE : status;
}

// Under the spin lock.
_Must_inspect_result_
static NTSTATUS SmcAttributeRead(_In_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Tag, _Out_ PSMC_VALUE Value)
{
    NTSTATUS status;

    for (ULONG i = 0; i < ARRAYSIZE(SmcFields); i++) {
        if (SmcFields[i].Tag != Tag) {
            continue;
        }
        if (SmcFields[i].NeedsCard && Ext->ReaderCapabilities.CurrentState < SCARD_NEGOTIABLE) {
            return STATUS_INVALID_DEVICE_STATE;
        }
        return SmcFieldRead(Ext, &SmcFields[i], Value);
    }
    status = SmcReaderValue(Ext, Tag, Value);
    return status == STATUS_NOT_SUPPORTED ? SmcCardValue(Ext, Tag, Value) : status;
}

_Use_decl_annotations_
NTSTATUS SmcAttributeGet(PSMC_CALL Call)
{
    SMC_VALUE value;
    ULONG tag;
    NTSTATUS status;
    KIRQL irql;

    if (!SmcCallHasInput(Call, sizeof(tag)) || Call->OutputLength == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    tag = SmcCallUlong(Call);
    KeAcquireSpinLock(&Call->Ext->OsData->SpinLock, &irql);
    status = SmcAttributeRead(Call->Ext, tag, &value);
    KeReleaseSpinLock(&Call->Ext->OsData->SpinLock, irql);
    return NT_SUCCESS(status) ? SmcCallAnswer(Call, value.Bytes, value.Length) : status;
}

// Any value that is not all zero suppresses, a missing one too.
static BOOLEAN SmcValueIsTrue(_In_ const UCHAR *Bytes, _In_ ULONG Length)
{
    for (ULONG i = 0; i < Length; i++) {
        if (Bytes[i] != 0) {
            return TRUE;
        }
    }
    return Length == 0;
}

_Use_decl_annotations_
NTSTATUS SmcAttributeSet(PSMC_CALL Call)
{
    ULONG length = sizeof(ULONG);

    if (!SmcCallHasInput(Call, length)) {
        return STATUS_INVALID_PARAMETER;
    }
    switch (SmcCallUlong(Call)) {
    case SCARD_ATTR_SUPRESS_T1_IFS_REQUEST:
        SmcPrivateOf(Call->Ext)->T1.SuppressIfs =
            SmcValueIsTrue(Call->Buffer + length, Call->InputLength - length);
        break;
    case SCARD_ATTR_DEVICE_IN_USE:
        break;
    default:
        return STATUS_NOT_SUPPORTED;
    }
    // Documented as sizeof(ULONG), but there is nothing to copy to a client without an output buffer.
    Call->Irp->IoStatus.Information = Call->OutputLength < length ? 0 : length;
    return STATUS_SUCCESS;
}
