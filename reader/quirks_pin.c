// SPDX-License-Identifier: MIT
// PIN pads that want the request in their own way, or something before it.
#include "reader/slot.h"
#include "reader/ccid/pin.h"

#define ESCAPE_TIMEOUT 5000 // ms
#define ESCAPE_REPLY   32
#define APDU_NO_DATA   4
#define MESSAGES_COUNT 0xFF // of QUIRK_MESSAGES
#define MESSAGES_BELOW 8

VOID QuirksPinRepair(const READER *Reader, BOOLEAN Modify, PCCID_PIN_REPAIR Repair)
{
    const ULONG *quirks = Reader->Quirks.Values;
    ULONG messages = quirks[Modify ? QuirkPinModifyMessages : QuirkPinVerifyMessages];

    Repair->MessagesBelow = (USHORT)(messages >> MESSAGES_BELOW);
    Repair->Messages = (UCHAR)(messages & MESSAGES_COUNT);
    Repair->KeyOnly = quirks[QuirkPinKeyOnly] != 0;
    Repair->AllIndexes = quirks[QuirkPinIndexes] != 0;
    Repair->SwapDigits = quirks[QuirkPinSwap] != 0;
}

// The SPR 532 takes a template without a length byte only after this.
static NTSTATUS NoDataEnable(PSLOT Slot)
{
    static const UCHAR escape[] = {0x80, 0x02, 0x00};
    UCHAR reply[ESCAPE_REPLY];
    COMMAND command = {.Origin = CommandOfRequest,
                       .Type = CCID_ESCAPE,
                       .Data = escape,
                       .DataLength = sizeof(escape),
                       .Timeout = ESCAPE_TIMEOUT,
                       .Reply = reply,
                       .ReplySize = sizeof(reply)};

    return ChannelRun(Slot, &command);
}

NTSTATUS QuirksPinPrepare(PSLOT Slot, BOOLEAN Modify, ULONG ApduLength)
{
    const ULONG *quirks = Slot->Reader->Quirks.Values;
    USB_WAIT wait = {quirks[QuirkPinPause], &Slot->Reader->Halt, &Slot->Cancel, &Slot->Departed};
    NTSTATUS status = STATUS_SUCCESS;

    if (wait.Milliseconds != 0) {
        status = UsbWait(NULL, NULL, &wait);
        status = status == STATUS_IO_TIMEOUT ? STATUS_SUCCESS : status;
    }
    if (NT_SUCCESS(status) && quirks[QuirkPinNoData] != 0 && !Modify && ApduLength == APDU_NO_DATA) {
        status = NoDataEnable(Slot);
    }
    return status;
}
