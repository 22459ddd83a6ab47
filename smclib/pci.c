// SPDX-License-Identifier: MIT
#include "smclib/smc.h"

// Finds the command behind the PCI header of the user's request. The header's own length counts, 8 is usual.
_Use_decl_annotations_
NTSTATUS SmcPciCommand(PSMARTCARD_EXTENSION Ext, PUCHAR *Data, PULONG Length)
{
    SCARD_IO_REQUEST header;

    *Data = NULL;
    *Length = 0;
    if (Ext->IoRequest.RequestBuffer == NULL || Ext->IoRequest.RequestBufferLength < sizeof(header)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(&header, Ext->IoRequest.RequestBuffer, sizeof(header));
    if (header.cbPciLength < sizeof(header) || header.cbPciLength > Ext->IoRequest.RequestBufferLength) {
        return STATUS_INVALID_PARAMETER;
    }
    *Data = Ext->IoRequest.RequestBuffer + header.cbPciLength;
    *Length = Ext->IoRequest.RequestBufferLength - header.cbPciLength;
    return STATUS_SUCCESS;
}

// Hands a whole reply to the user: { selected protocol, 8 } and the data.
_Use_decl_annotations_
NTSTATUS SmcPciReply(PSMARTCARD_EXTENSION Ext, const UCHAR *Data, ULONG Length)
{
    SCARD_IO_REQUEST header = {Ext->CardCapabilities.Protocol.Selected, sizeof(header)};
    ULONG capacity = Ext->IoRequest.ReplyBufferLength;

    if (Ext->IoRequest.ReplyBuffer == NULL || capacity < sizeof(header) ||
        Length > capacity - sizeof(header)) {
        *Ext->IoRequest.Information = 0;
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(Ext->IoRequest.ReplyBuffer, &header, sizeof(header));
    RtlCopyMemory(Ext->IoRequest.ReplyBuffer + sizeof(header), Data, Length);
    *Ext->IoRequest.Information = (ULONG)sizeof(header) + Length;
    return STATUS_SUCCESS;
}

// Is there room for Length bytes behind the reader's own header in the request buffer?
_Use_decl_annotations_
BOOLEAN SmcRequestFits(PSMARTCARD_EXTENSION Ext, ULONG Length)
{
    ULONG header = Ext->SmartcardRequest.BufferLength;
    ULONG size = Ext->SmartcardRequest.BufferSize;

    return Ext->SmartcardRequest.Buffer != NULL && header <= size && Length <= size - header;
}
