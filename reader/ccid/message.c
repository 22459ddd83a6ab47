// SPDX-License-Identifier: MIT
#include "reader/ccid/message.h"
#include "reader/ccid/wire.h"

VOID CcidRequestEncode(const CCID_REQUEST *Request, PUCHAR Header)
{
    Header[0] = Request->Type;
    WirePut32(Header + 1, Request->Length);
    Header[5] = Request->Slot;
    Header[6] = Request->Sequence;
    Header[7] = Request->Specific[0];
    Header[8] = Request->Specific[1];
    Header[9] = Request->Specific[2];
}

BOOLEAN CcidReplyDecode(const UCHAR *Bytes, ULONG Length, PCCID_REPLY Reply)
{
    if (Length < CCID_HEADER_LENGTH) {
        return FALSE;
    }
    Reply->Type = Bytes[0];
    Reply->Length = WireGet32(Bytes + 1);
    Reply->Slot = Bytes[5];
    Reply->Sequence = Bytes[6];
    Reply->IccStatus = Bytes[7] & 0x03;
    Reply->CommandStatus = Bytes[7] >> 6;
    Reply->Error = Bytes[8];
    Reply->Specific = Bytes[9];
    return Reply->Length <= CCID_DATA_LENGTH_MAX;
}

UCHAR CcidReplyType(UCHAR RequestType)
{
    switch (RequestType) {
    case CCID_ICC_POWER_ON:
    case CCID_XFR_BLOCK:
    case CCID_SECURE:
        return CCID_DATA_BLOCK;
    case CCID_SET_PARAMETERS:
    case CCID_GET_PARAMETERS:
        return CCID_PARAMETERS;
    case CCID_ESCAPE:
        return CCID_ESCAPE_REPLY;
    case CCID_SET_DATA_RATE:
        return CCID_DATA_RATE;
    default:
        return CCID_SLOT_STATUS;
    }
}

static NTSTATUS ErrorStatus(UCHAR Error)
{
    switch (Error) {
    case CCID_ERROR_ABORTED:
        return STATUS_CANCELLED;
    case CCID_ERROR_ICC_MUTE:
        return STATUS_IO_TIMEOUT;
    case CCID_ERROR_BAD_ATR_TS:
    case CCID_ERROR_BAD_ATR_TCK:
    case CCID_ERROR_PROTOCOL_NOT_SUPPORTED:
    case CCID_ERROR_CLASS_NOT_SUPPORTED:
        return STATUS_UNRECOGNIZED_MEDIA;
    case CCID_ERROR_PARITY:
    case CCID_ERROR_OVERRUN:
    case CCID_ERROR_PROCEDURE_BYTE:
        return STATUS_DEVICE_PROTOCOL_ERROR;
    case CCID_ERROR_DEACTIVATED_PROTOCOL:
        return STATUS_INVALID_DEVICE_STATE;
    case CCID_ERROR_AUTO_SEQUENCE:
    case CCID_ERROR_SLOT_BUSY:
        return STATUS_DEVICE_BUSY;
    case CCID_ERROR_BAD_SLOT:
        return STATUS_INVALID_DEVICE_REQUEST;
    case CCID_ERROR_NOT_SUPPORTED:
        return STATUS_NOT_SUPPORTED;
    default:
        return Error <= CCID_ERROR_OFFSET_MAX ? STATUS_INVALID_PARAMETER : STATUS_IO_DEVICE_ERROR;
    }
}

NTSTATUS CcidReplyStatus(const CCID_REPLY *Reply)
{
    return Reply->IccStatus == CCID_ICC_ABSENT ? STATUS_NO_MEDIA : ErrorStatus(Reply->Error);
}
