// SPDX-License-Identifier: MIT
#include "reader/ccid/pin.h"
#include "reader/ccid/wire.h"

#define VERIFY_HEADER      19 // PC/SC part 10 2.6.2
#define MODIFY_HEADER      24 // PC/SC part 10 2.6.3
#define VERIFY_DIGITS      5
#define VERIFY_CONDITION   7
#define VERIFY_MESSAGES    8
#define MODIFY_CONDITION   10
#define MODIFY_MESSAGES    11
#define MODIFY_FIRST_INDEX 14
#define MESSAGES_MAX       3
#define MESSAGES_DEFAULT   0xFF
#define CONDITION_KEY      0x02 // the validation key
#define CONDITION_ALL      0x07
#define APDU_HEADER_LENGTH 4
#define OPERATION_VERIFY   0
#define OPERATION_MODIFY   1

BOOLEAN CcidPinDecode(const UCHAR *Structure, ULONG Length, BOOLEAN Modify, PCCID_PIN Pin)
{
    ULONG header = Modify ? MODIFY_HEADER : VERIFY_HEADER;

    if (Length < header + APDU_HEADER_LENGTH || Length - header > CCID_PIN_APDU_MAX ||
        WireGet32(Structure + header - sizeof(ULONG)) != Length - header) {
        return FALSE;
    }
    Pin->Apdu = Structure + header;
    Pin->ApduLength = Length - header;
    Pin->Seconds = Structure[0];
    return !Modify || Structure[MODIFY_MESSAGES] <= MESSAGES_MAX ||
           Structure[MODIFY_MESSAGES] == MESSAGES_DEFAULT;
}

// Zero or unknown bits hang some readers.
static UCHAR ConditionRepair(UCHAR Condition)
{
    return Condition == 0 || Condition > CONDITION_ALL ? CONDITION_KEY : Condition;
}

// bMsgIndex2 and 3 travel only where bNumberMessage asks for them.
static ULONG IndexCount(UCHAR Messages)
{
    if (Messages == 0) {
        return 1;
    }
    return Messages < MESSAGES_MAX ? 2 : 3;
}

static UCHAR MessagesRepair(UCHAR Messages, const CCID_PIN_REPAIR *Repair)
{
    return Messages < Repair->MessagesBelow ? Repair->Messages : Messages;
}

ULONG CcidPinEncode(const UCHAR *Structure, BOOLEAN Modify, const CCID_PIN *Pin,
                    const CCID_PIN_REPAIR *Repair, const UCHAR *Prologue, PUCHAR Bytes)
{
    ULONG condition = Modify ? MODIFY_CONDITION : VERIFY_CONDITION;
    ULONG at = Modify ? MODIFY_MESSAGES : VERIFY_MESSAGES;
    UCHAR messages = MessagesRepair(Structure[at], Repair);
    ULONG indexes = Repair->AllIndexes ? MESSAGES_MAX : IndexCount(messages);
    ULONG length = Modify ? MODIFY_FIRST_INDEX + indexes : VERIFY_HEADER - sizeof(ULONG) - CCID_PIN_PROLOGUE;

    Bytes[0] = Modify ? OPERATION_MODIFY : OPERATION_VERIFY;
    Bytes[1] = Structure[0];
    RtlCopyMemory(Bytes + 2, Structure + 2, length - 2); // bTimerOut2 is left out
    Bytes[condition] = Repair->KeyOnly ? CONDITION_KEY : ConditionRepair(Structure[condition]);
    Bytes[at] = messages;
    if (Repair->SwapDigits && !Modify) {
        Bytes[VERIFY_DIGITS] = Structure[VERIFY_DIGITS + 1];
        Bytes[VERIFY_DIGITS + 1] = Structure[VERIFY_DIGITS];
    }
    RtlCopyMemory(Bytes + length, Prologue, CCID_PIN_PROLOGUE);
    length += CCID_PIN_PROLOGUE;
    RtlCopyMemory(Bytes + length, Pin->Apdu, Pin->ApduLength);
    return length + Pin->ApduLength;
}
