// SPDX-License-Identifier: MIT
// A reader that leaves it to its host to say what it is: commands FF 9A 01, a tag and Le 00.
#include "reader/slot.h"

#define COMMAND_LENGTH     5
#define TAG                3
#define TAG_MANUFACTURER   0x01
#define TAG_PRODUCT        0x03
#define TAG_FIRMWARE       0x06
#define TAG_DRIVER         0x07
#define STATUS_WORD_LENGTH 2
#define OWN_NAME           "Lectern"

static VOID TextAppend(PUSB_NAME Name, const char *Text)
{
    for (; *Text != '\0' && Name->Length < USB_NAME_MAX; Text++) {
        Name->Text[Name->Length++] = (UCHAR)*Text;
    }
}

static VOID FirmwareSpell(USHORT Release, PUSB_NAME Name)
{
    static const char digits[] = "0123456789ABCDEF";
    char text[] = {digits[Release >> 12],      digits[Release >> 8 & 0xF], '.',
                   digits[Release >> 4 & 0xF], digits[Release & 0xF],      '\0'};

    TextAppend(Name, text[0] == '0' ? text + 1 : text);
}

// FALSE: it is for the card after all.
static BOOLEAN AnswerFind(const USB_FUNCTION *Usb, const UCHAR *Apdu, ULONG Length, PUSB_NAME Answer)
{
    Answer->Length = 0;
    if (Length != COMMAND_LENGTH || Apdu[0] != 0xFF || Apdu[1] != 0x9A || Apdu[2] != 0x01) {
        return FALSE;
    }
    switch (Apdu[TAG]) {
    case TAG_MANUFACTURER:
        *Answer = Usb->Vendor;
        return TRUE;
    case TAG_PRODUCT:
        *Answer = Usb->Product;
        return TRUE;
    case TAG_FIRMWARE:
        FirmwareSpell(Usb->Device.bcdDevice, Answer);
        return TRUE;
    case TAG_DRIVER:
        TextAppend(Answer, OWN_NAME);
        return TRUE;
    default:
        return FALSE;
    }
}

BOOLEAN QuirksAnswer(PSLOT Slot, const UCHAR *Apdu, ULONG Length, PNTSTATUS Status)
{
    static const UCHAR done[STATUS_WORD_LENGTH] = {0x90, 0x00};
    PSMARTCARD_EXTENSION smartcard = &Slot->Smartcard;
    SCARD_IO_REQUEST header = {smartcard->CardCapabilities.Protocol.Selected, sizeof(header)};
    PUCHAR reply = smartcard->IoRequest.ReplyBuffer;
    USB_NAME answer;

    if (Slot->Reader->Quirks.Values[QuirkLocalAnswers] == 0 ||
        !AnswerFind(&Slot->Reader->Usb, Apdu, Length, &answer)) {
        return FALSE;
    }
    *Status = STATUS_BUFFER_TOO_SMALL;
    if (smartcard->IoRequest.ReplyBufferLength - sizeof(header) >= answer.Length + sizeof(done)) {
        RtlCopyMemory(reply, &header, sizeof(header));
        RtlCopyMemory(reply + sizeof(header), answer.Text, answer.Length);
        RtlCopyMemory(reply + sizeof(header) + answer.Length, done, sizeof(done));
        *smartcard->IoRequest.Information = sizeof(header) + answer.Length + sizeof(done);
        *Status = STATUS_SUCCESS;
    }
    return TRUE;
}
