// SPDX-License-Identifier: MIT
// An imitation of reader and card, so that the example runs anywhere: the card has T=0 and T=1 and answers
// every command with its own INS byte and 90 00.
#include <ntddk.h>
#include <smclib.h>
#include "hardware.h"

static const UCHAR Atr[] = {0x3B, 0x80, 0x80, 0x01, 0x01};
static HARDWARE_CARD_EVENT *CardEvent;
static PVOID CardEventContext;
static BOOLEAN CardInserted;
static ULONG CardProtocol;

VOID HardwareStart(HARDWARE_CARD_EVENT *Event, PVOID Context)
{
    CardEventContext = Context;
    CardEvent = Event;
}

VOID HardwareStop(void)
{
    CardEvent = NULL;
}

BOOLEAN HardwareCardPresent(void)
{
    return CardInserted;
}

VOID HardwareMoveCard(BOOLEAN Present)
{
    CardInserted = Present;
    if (CardEvent != NULL) {
        CardEvent(CardEventContext, Present);
    }
}

NTSTATUS HardwareReset(BOOLEAN Warm, PUCHAR Bytes, PULONG Length)
{
    UNREFERENCED_PARAMETER(Warm);
    CardProtocol = SCARD_PROTOCOL_UNDEFINED;
    *Length = 0;
    if (!CardInserted) {
        return STATUS_IO_TIMEOUT;
    }
    RtlCopyMemory(Bytes, Atr, sizeof(Atr));
    *Length = sizeof(Atr);
    return STATUS_SUCCESS;
}

VOID HardwarePowerOff(void)
{
    CardProtocol = SCARD_PROTOCOL_UNDEFINED;
}

NTSTATUS HardwareSetProtocol(ULONG Protocol, UCHAR Fl, UCHAR Dl, BOOLEAN Pps)
{
    UNREFERENCED_PARAMETER(Fl);
    UNREFERENCED_PARAMETER(Dl);
    UNREFERENCED_PARAMETER(Pps);
    CardProtocol = Protocol;
    return CardInserted ? STATUS_SUCCESS : STATUS_IO_TIMEOUT;
}

static UCHAR Checksum(const UCHAR *Block, ULONG Length)
{
    UCHAR sum = 0;

    for (ULONG i = 0; i < Length; i++) {
        sum ^= Block[i];
    }
    return sum;
}

static ULONG AnswerBlock(const UCHAR *Block, PUCHAR Answer)
{
    BOOLEAN supervisory = (Block[1] & 0xC0) == 0xC0;

    Answer[0] = 0;
    Answer[1] = supervisory ? (UCHAR)(Block[1] | 0x20) : Block[1]; // I-block: the same number, no more data
    Answer[2] = supervisory ? Block[2] : 3;
    Answer[3] = supervisory ? Block[3] : Block[4];
    Answer[4] = 0x90;
    Answer[5] = 0x00;
    Answer[3 + Answer[2]] = Checksum(Answer, 3UL + Answer[2]);
    return 3UL + Answer[2] + 1;
}

NTSTATUS HardwareExchange(const UCHAR *Command, ULONG Length, ULONG WaitMicroseconds, PUCHAR Answer,
                          ULONG Capacity, PULONG Answered)
{
    UNREFERENCED_PARAMETER(WaitMicroseconds);
    *Answered = 0;
    if (!CardInserted || Length < 5 || Capacity < 8) {
        return STATUS_IO_TIMEOUT;
    }
    if (CardProtocol == SCARD_PROTOCOL_T1) {
        *Answered = AnswerBlock(Command, Answer);
        return STATUS_SUCCESS;
    }
    Answer[0] = Command[1];
    Answer[1] = 0x90;
    Answer[2] = 0x00;
    *Answered = 3;
    return STATUS_SUCCESS;
}
