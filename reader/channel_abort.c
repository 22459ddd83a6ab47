// SPDX-License-Identifier: MIT
#include "reader/slot.h"

#define ABORT_CONTROL_TIMEOUT 500 // ms
#define ABORT_REPLY_TIMEOUT   1000

// What does not help is not reported: the next command shows whether the reader still answers. A pipe that
// another slot's command reads from is left to it.
static VOID PipesReset(PREADER Reader, const USB_WAIT *Wait)
{
    PCHANNEL channel = &Reader->Channel;
    USB_WAIT none = {0, NULL, NULL, NULL};
    NTSTATUS out = STATUS_SUCCESS;
    NTSTATUS in = STATUS_SUCCESS;

    if (UsbWait(NULL, &channel->OutFree, &none) == STATUS_WAIT_1) {
        out = UsbPipeReset(Reader, &Reader->Usb.BulkOut, Wait);
        KeSetEvent(&channel->OutFree, IO_NO_INCREMENT, FALSE);
    }
    if (UsbWait(NULL, &channel->InFree, &none) == STATUS_WAIT_1) {
        in = UsbPipeReset(Reader, &Reader->Usb.BulkIn, Wait);
        channel->Received = 0;
        KeSetEvent(&channel->InFree, IO_NO_INCREMENT, FALSE);
    }
    UNREFERENCED_PARAMETER(out);
    UNREFERENCED_PARAMETER(in);
}

NTSTATUS ChannelAbort(PSLOT Slot, const USB_WAIT *Wait)
{
    PREADER reader = Slot->Reader;
    PLANE lane = &reader->Channel.Lanes[Slot->Index];
    COMMAND command = {.Type = CCID_ABORT, .Timeout = ABORT_REPLY_TIMEOUT};
    UCHAR sequence = ChannelSequenceNext(&reader->Channel);
    USB_WAIT wait = {ABORT_CONTROL_TIMEOUT, Wait->Halt, Wait->Cancel, Wait->Departed};
    BOOLEAN again = lane->Unsettled;
    ULONG none = 0;
    NTSTATUS status;

    lane->Unsettled = TRUE;
    // CCID 1.1 5.3.1: the control request and the bulk message of the same sequence number belong together.
    status = UsbClassRequest(reader, FALSE, CCID_REQUEST_ABORT, (USHORT)(sequence << 8 | Slot->Index), NULL,
                             &none, &wait);
    if (NT_SUCCESS(status)) {
        wait.Milliseconds = ABORT_REPLY_TIMEOUT;
        status = ChannelExchange(Slot, &command, sequence, &wait);
    }
    if ((status == STATUS_CANCELLED || status == STATUS_NO_MEDIA) && !command.Answered) {
        return status;
    }
    // A reader that was deaf may hear the next one; one that knows no ABORT is not asked for ever.
    lane->Unsettled = !NT_SUCCESS(status) && !command.Answered && !again;
    if (!NT_SUCCESS(status) && !command.Answered) {
        PipesReset(reader, &wait);
    }
    return STATUS_SUCCESS;
}
