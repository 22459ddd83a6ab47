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

VOID ChannelAbort(PSLOT Slot, const USB_WAIT *Wait)
{
    PREADER reader = Slot->Reader;
    PLANE lane = &reader->Channel.Lanes[Slot->Index];
    COMMAND command = {.Type = CCID_ABORT, .Timeout = ABORT_REPLY_TIMEOUT};
    UCHAR sequence = ChannelSequenceNext(&reader->Channel);
    USB_WAIT wait = {ABORT_CONTROL_TIMEOUT, Wait->Halt, NULL, NULL};
    ULONG none = 0;
    NTSTATUS status;

    // A halting reader loses its state anyway, and nobody may wait for it.
    if (Wait->Halt != NULL && KeReadStateEvent(Wait->Halt) != 0) {
        return;
    }
    // CCID 1.1 5.3.1: the control request and the bulk message of the same sequence number belong together.
    status = UsbClassRequest(reader, FALSE, CCID_REQUEST_ABORT, (USHORT)(sequence << 8 | Slot->Index), NULL,
                             &none, &wait);
    if (NT_SUCCESS(status)) {
        wait.Milliseconds = ABORT_REPLY_TIMEOUT;
        status = ChannelExchange(Slot, &command, sequence, &wait);
    }
    // A reader that was deaf may hear the next one; one that knows no ABORT is not asked for ever.
    lane->Unsettled = !NT_SUCCESS(status) && !command.Answered && !lane->Unsettled;
    if (!NT_SUCCESS(status) && !command.Answered) {
        PipesReset(reader, &wait);
    }
}
