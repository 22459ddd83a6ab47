// SPDX-License-Identifier: MIT
#include "reader/slot.h"

#define ABORT_CONTROL_TIMEOUT 500 // ms
#define ABORT_REPLY_TIMEOUT   1000
#define ABORT_MESSAGES_MAX    10

static NTSTATUS AbortReplyAwait(PREADER Reader, const CCID_REQUEST *Request, const USB_WAIT *Wait)
{
    CCID_REPLY reply;
    NTSTATUS status = STATUS_DEVICE_PROTOCOL_ERROR;

    for (ULONG i = 0; i < ABORT_MESSAGES_MAX; i++) {
        status = ChannelReceive(Reader, &reply, Wait);
        if (!NT_SUCCESS(status) || (reply.Type == CCID_SLOT_STATUS && reply.Slot == Request->Slot &&
                                    reply.Sequence == Request->Sequence)) {
            return status;
        }
    }
    return STATUS_DEVICE_PROTOCOL_ERROR;
}

// What does not help is not reported: the next command shows whether the reader still answers.
static VOID PipesReset(PREADER Reader, const USB_WAIT *Wait)
{
    NTSTATUS out = UsbPipeReset(Reader, &Reader->Usb.BulkOut, Wait);
    NTSTATUS in = UsbPipeReset(Reader, &Reader->Usb.BulkIn, Wait);

    UNREFERENCED_PARAMETER(out);
    UNREFERENCED_PARAMETER(in);
}

VOID ChannelAbort(PREADER Reader, UCHAR Slot, const USB_WAIT *Wait)
{
    CCID_REQUEST request = {CCID_ABORT, Slot, ++Reader->Channel.Sequence, {0, 0, 0}, 0};
    USB_WAIT wait = {ABORT_CONTROL_TIMEOUT, Wait->Halt, NULL, NULL};
    ULONG none = 0;
    NTSTATUS status;

    // A halting reader loses its state anyway, and nobody may wait for it.
    if (Wait->Halt != NULL && KeReadStateEvent(Wait->Halt) != 0) {
        return;
    }
    // CCID 1.1 5.3.1: the control request and the bulk message of the same sequence number belong together.
    status = UsbClassRequest(Reader, FALSE, CCID_REQUEST_ABORT, (USHORT)(request.Sequence << 8 | Slot), NULL,
                             &none, &wait);
    if (NT_SUCCESS(status)) {
        status = ChannelSend(Reader, &request, NULL, &wait);
    }
    if (NT_SUCCESS(status)) {
        wait.Milliseconds = ABORT_REPLY_TIMEOUT;
        status = AbortReplyAwait(Reader, &request, &wait);
    }
    // A reader that was deaf may hear the next one; one that knows no ABORT is not asked for ever.
    Reader->Channel.Unsettled[Slot] = !NT_SUCCESS(status) && !Reader->Channel.Unsettled[Slot];
    if (!NT_SUCCESS(status)) {
        PipesReset(Reader, &wait);
    }
}
