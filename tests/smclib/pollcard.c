// SPDX-License-Identifier: MIT
#include "tests/smclib/pollcard.h"

ULONG PollCardReset(PPOLL_CARD Card, PUCHAR Atr)
{
    static const UCHAR both[] = {0x3B, 0x80, 0x80, 0x01, 0x01};

    Card->Number = 0;
    RtlCopyMemory(Atr, both, sizeof(both));
    return sizeof(both);
}

static ULONG Block(PUCHAR Answer, UCHAR Pcb, UCHAR Length)
{
    Answer[0] = 0;
    Answer[1] = Pcb;
    Answer[2] = Length;
    Answer[3 + Length] = 0;
    for (ULONG i = 0; i < 3UL + Length; i++) {
        Answer[3 + Length] ^= Answer[i];
    }
    return 4UL + Length;
}

static ULONG ExchangeT1(PPOLL_CARD Card, const UCHAR *Command, PUCHAR Answer)
{
    if ((Command[1] & 0xA0) == 0x20) { // I-block of a chain: R-block with the next number
        return Block(Answer, (UCHAR)(0x80 | (~Command[1] & 0x40) >> 2), 0);
    }
    switch (Command[1]) {
    case 0xC1: // S(IFS request)
        Answer[3] = Command[3];
        return Block(Answer, 0xE1, 1);
    case 0xE3: // S(WTX response)
        Answer[3] = 0x84;
        Answer[4] = 0x90;
        Answer[5] = 0x00;
        Card->Number ^= 1;
        return Block(Answer, (UCHAR)((Card->Number ^ 1) << 6), 3);
    default:
        Answer[3] = 4;
        return Block(Answer, 0xC3, 1);
    }
}

ULONG PollCardExchange(PPOLL_CARD Card, ULONG Protocol, const UCHAR *Command, ULONG Length, PUCHAR Answer)
{
    switch (Protocol) {
    case 1:
        Answer[0] = Command[1];
        Answer[1] = 0x90;
        Answer[2] = 0x00;
        return 3;
    case 2:
        return ExchangeT1(Card, Command, Answer);
    default:
        RtlCopyMemory(Answer, Command, Length);
        return Length;
    }
}
