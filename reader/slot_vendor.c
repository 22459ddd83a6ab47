// SPDX-License-Identifier: MIT
// RDF_IOCTL_VENDOR: everything the library does not know.
#include "reader/slot.h"

#define IOCTL_CCID_ESCAPE SCARD_CTL_CODE(3500)
#define ESCAPE_TIMEOUT    30000 // ms

// Vendor commands can rewrite firmware, so the administrator must have allowed them.
static NTSTATUS EscapeWork(PSLOT Slot)
{
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    COMMAND command = {.Origin = CommandOfRequest,
                       .Type = CCID_ESCAPE,
                       .Data = smartcard->IoRequest.RequestBuffer,
                       .DataLength = smartcard->IoRequest.RequestBufferLength,
                       .Timeout = ESCAPE_TIMEOUT,
                       .Reply = smartcard->IoRequest.ReplyBuffer,
                       .ReplySize = smartcard->IoRequest.ReplyBufferLength};
    NTSTATUS status = ChannelRun(Slot, &command);

    if (NT_SUCCESS(status)) {
        *smartcard->IoRequest.Information = command.ReplyLength;
    }
    return status;
}

NTSTATUS NTAPI SlotVendorControl(PSMARTCARD_EXTENSION Smartcard)
{
    PSLOT slot = SlotOfExtension(Smartcard);

    *Smartcard->IoRequest.Information = 0;
    if (Smartcard->MajorIoControlCode != IOCTL_CCID_ESCAPE) {
        return SlotPinControl(slot);
    }
    if (!slot->Reader->EscapeEnabled) {
        ReportWrite(slot->Reader, LECTERN_ESCAPE_REFUSED, IOCTL_CCID_ESCAPE);
        return STATUS_ACCESS_DENIED;
    }
    return SlotServe(slot, EscapeWork, FALSE);
}
