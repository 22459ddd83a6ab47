// SPDX-License-Identifier: MIT
#include "tests/smclib/t1card.h"

#define CARD_MEMORY (68 * 1024)

static struct {
    ULONG Random;
    BOOLEAN Crc;
    UCHAR Expected; // number of the reader's next I-block
    UCHAR Own;      // number of our I-block under way
    ULONG Ifsd;
    UCHAR Command[CARD_MEMORY];
    ULONG CommandLength;
    UCHAR Response[CARD_MEMORY];
    ULONG ResponseLength;
    ULONG ResponseSent;
    BOOLEAN Answering;
    UCHAR Last[300];
    ULONG LastLength;
} Card;

ULONG T1CardRandom(ULONG Limit)
{
    Card.Random ^= Card.Random << 13;
    Card.Random ^= Card.Random >> 17;
    Card.Random ^= Card.Random << 5;
    return Card.Random % Limit;
}

UCHAR T1CardByte(UCHAR CommandByte)
{
    return CommandByte ^ 0x5A;
}

static VOID CardForget(void)
{
    Card.Expected = 0;
    Card.Own = 0;
    Card.CommandLength = 0;
    Card.Answering = FALSE;
}

VOID T1CardReset(BOOLEAN Crc, ULONG Seed)
{
    CardForget();
    Card.Crc = Crc;
    Card.Ifsd = 32;
    Card.Random = Seed;
    Card.LastLength = 0;
}

// Bit by bit, unlike the library's way.
static ULONG CardEdc(const UCHAR *Block, ULONG Length, PUCHAR Edc)
{
    ULONG crc = 0xFFFF;

    Edc[0] = 0;
    for (ULONG i = 0; i < Length * 8; i++) {
        ULONG in = (ULONG)(Block[i / 8] >> (i % 8)) & 1;
        crc = ((crc ^ in) & 1) != 0 ? (crc >> 1) ^ 0x8408 : crc >> 1;
        Edc[0] ^= i % 8 == 0 ? Block[i / 8] : 0;
    }
    if (!Card.Crc) {
        return 1;
    }
    Edc[0] = (UCHAR)(crc / 256);
    Edc[1] = (UCHAR)(crc % 256);
    return 2;
}

static ULONG CardSend(UCHAR Pcb, const UCHAR *Inf, ULONG Length)
{
    Card.Last[0] = 0;
    Card.Last[1] = Pcb;
    Card.Last[2] = (UCHAR)Length;
    RtlCopyMemory(Card.Last + 3, Inf, Length);
    Card.LastLength = 3 + Length;
    Card.LastLength += CardEdc(Card.Last, Card.LastLength, Card.Last + Card.LastLength);
    return Card.LastLength;
}

static ULONG CardSendR(UCHAR Error)
{
    return CardSend((UCHAR)(0x80 | Card.Expected << 4 | Error), NULL, 0);
}

static ULONG CardSendI(void)
{
    ULONG left = Card.ResponseLength - Card.ResponseSent;
    ULONG now = left < Card.Ifsd ? left : Card.Ifsd;
    UCHAR more = left > now ? 0x20 : 0;

    return CardSend((UCHAR)(Card.Own << 6 | more), Card.Response + Card.ResponseSent, now);
}

static ULONG CardExecute(void)
{
    ULONG wanted = (ULONG)Card.Command[0] << 8 | Card.Command[1];

    for (ULONG i = 0; i < wanted; i++) {
        Card.Response[i] = T1CardByte(Card.Command[i % Card.CommandLength]);
    }
    Card.Response[wanted] = 0x90;
    Card.Response[wanted + 1] = 0x00;
    Card.ResponseLength = wanted + 2;
    Card.ResponseSent = 0;
    Card.CommandLength = 0;
    Card.Answering = TRUE;
    if (T1CardRandom(8) == 0) {
        UCHAR multiplier = (UCHAR)(1 + T1CardRandom(9));
        return CardSend(0xC3, &multiplier, 1);
    }
    return CardSendI();
}

static VOID CardAdvance(void)
{
    ULONG left = Card.ResponseLength - Card.ResponseSent;

    Card.ResponseSent += left < Card.Ifsd ? left : Card.Ifsd;
    Card.Own ^= 1;
}

static ULONG CardReceiveI(const UCHAR *Block)
{
    if ((Block[1] >> 6 & 1) != Card.Expected) {
        return CardSendR(2);
    }
    if (Card.Answering) {
        CardAdvance();
        Card.Answering = FALSE;
    }
    Card.Expected ^= 1;
    RtlCopyMemory(Card.Command + Card.CommandLength, Block + 3, Block[2]);
    Card.CommandLength += Block[2];
    return (Block[1] & 0x20) != 0 ? CardSendR(0) : CardExecute();
}

static ULONG CardReceiveR(const UCHAR *Block)
{
    UCHAR wanted = Block[1] >> 4 & 1;

    if (!Card.Answering) {
        return Card.LastLength != 0 && (Card.Last[1] & 0x80) != 0 ? Card.LastLength : CardSendR(0);
    }
    if (Card.Last[1] == 0xC3) {
        return Card.LastLength;
    }
    if (wanted != Card.Own) {
        CardAdvance();
        if (Card.ResponseSent == Card.ResponseLength) { // all acknowledged: the next command was lost
            Card.Answering = FALSE;
            return CardSendR(0);
        }
    }
    return CardSendI();
}

static ULONG CardReceiveS(const UCHAR *Block)
{
    UCHAR size = Block[3];

    switch (Block[1]) {
    case 0xC0:
        CardForget();
        return CardSend(0xE0, NULL, 0);
    case 0xC1:
        Card.Ifsd = size;
        return CardSend(0xE1, &size, 1);
    case 0xE3:
        return Card.Answering ? CardSendI() : CardSendR(2);
    default:
        return CardSendR(2);
    }
}

static ULONG CardReceive(const UCHAR *Block, ULONG Length)
{
    UCHAR edc[2];
    ULONG covered = Length - (Card.Crc ? 2 : 1);

    if (Length < 4 || Block[2] > 254 || covered != 3UL + Block[2] ||
        RtlCompareMemory(edc, Block + covered, CardEdc(Block, covered, edc)) != Length - covered) {
        return CardSendR(1);
    }
    if ((Block[1] & 0x80) == 0) {
        return CardReceiveI(Block);
    }
    return (Block[1] & 0x40) == 0 ? CardReceiveR(Block) : CardReceiveS(Block);
}

// FALSE: the block is lost.
static BOOLEAN CardNoise(PUCHAR Block, ULONG Length, ULONG Noise)
{
    if (T1CardRandom(1000) >= Noise) {
        return TRUE;
    }
    if (T1CardRandom(2) == 0) {
        return FALSE;
    }
    Block[T1CardRandom(Length)] ^= (UCHAR)(1 << T1CardRandom(8));
    return TRUE;
}

ULONG T1CardExchange(const UCHAR *Block, ULONG Length, ULONG Noise, PUCHAR Answer)
{
    UCHAR block[300];
    ULONG length;

    RtlCopyMemory(block, Block, Length);
    if (!CardNoise(block, Length, Noise)) {
        return 0;
    }
    length = CardReceive(block, Length);
    RtlCopyMemory(Answer, Card.Last, length);
    return CardNoise(Answer, length, Noise) ? length : 0;
}
