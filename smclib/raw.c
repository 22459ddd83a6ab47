// SPDX-License-Identifier: MIT
#include "smclib/smc.h"

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardRawRequest(PSMARTCARD_EXTENSION Ext)
{
    PUCHAR data;
    ULONG length;
    NTSTATUS status = SmcPciCommand(Ext, &data, &length);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (Ext->IoRequest.ReplyBufferLength < sizeof(SCARD_IO_REQUEST)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (!SmcRequestFits(Ext, length)) {
        return STATUS_BUFFER_OVERFLOW;
    }
    RtlCopyMemory(Ext->SmartcardRequest.Buffer + Ext->SmartcardRequest.BufferLength, data, length);
    Ext->SmartcardRequest.BufferLength += length;
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardRawReply(PSMARTCARD_EXTENSION Ext)
{
    if (Ext->SmartcardReply.Buffer == NULL ||
        Ext->SmartcardReply.BufferLength > Ext->SmartcardReply.BufferSize) {
        *Ext->IoRequest.Information = 0;
        return STATUS_BUFFER_TOO_SMALL;
    }
    return SmcPciReply(Ext, Ext->SmartcardReply.Buffer, Ext->SmartcardReply.BufferLength);
}
