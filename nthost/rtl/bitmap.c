// SPDX-License-Identifier: MIT
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/verifier.h"

enum { RTL_WORD_BITS = 32 };
#define RTL_NO_BITS 0xFFFFFFFF

VOID NTAPI RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
    BitMapHeader->SizeOfBitMap = SizeOfBitMap;
    BitMapHeader->Buffer = BitMapBuffer;
}

BOOLEAN NTAPI RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    return (BitMapHeader->Buffer[BitNumber / RTL_WORD_BITS] >> BitNumber % RTL_WORD_BITS & 1) != 0;
}

VOID NTAPI RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    BitMapHeader->Buffer[BitNumber / RTL_WORD_BITS] |= 1u << BitNumber % RTL_WORD_BITS;
}

VOID NTAPI RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    BitMapHeader->Buffer[BitNumber / RTL_WORD_BITS] &= ~(1u << BitNumber % RTL_WORD_BITS);
}

VOID NTAPI RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
    for (ULONG i = 0; i < NumberToSet; i++) {
        RtlSetBit(BitMapHeader, StartingIndex + i);
    }
}

VOID NTAPI RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
    for (ULONG i = 0; i < NumberToClear; i++) {
        RtlClearBit(BitMapHeader, StartingIndex + i);
    }
}

// Whole words, those bits too that lie behind the last one.
static VOID RtlpFillBits(PRTL_BITMAP Map, UCHAR Fill)
{
    SIZE_T Words = ((SIZE_T)Map->SizeOfBitMap + RTL_WORD_BITS - 1) / RTL_WORD_BITS;
    RtlFillMemory(Map->Buffer, Words * sizeof(ULONG), Fill);
}

VOID NTAPI RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
    RtlpFillBits(BitMapHeader, 0xFF);
}

VOID NTAPI RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
    RtlpFillBits(BitMapHeader, 0);
}

ULONG NTAPI RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader)
{
    ULONG Count = 0;
    for (ULONG i = 0; i < BitMapHeader->SizeOfBitMap; i++) {
        Count += RtlTestBit(BitMapHeader, i);
    }
    return Count;
}

ULONG NTAPI RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader)
{
    return BitMapHeader->SizeOfBitMap - RtlNumberOfSetBits(BitMapHeader);
}

static BOOLEAN RtlpAreBits(PRTL_BITMAP Map, ULONG Start, ULONG Length, BOOLEAN Value)
{
    if (Length == 0 || Length > Map->SizeOfBitMap || Start > Map->SizeOfBitMap - Length) {
        return FALSE;
    }
    for (ULONG i = 0; i < Length; i++) {
        if (RtlTestBit(Map, Start + i) != Value) {
            return FALSE;
        }
    }
    return TRUE;
}

BOOLEAN NTAPI RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return RtlpAreBits(BitMapHeader, StartingIndex, Length, TRUE);
}

BOOLEAN NTAPI RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return RtlpAreBits(BitMapHeader, StartingIndex, Length, FALSE);
}

// From the hint to the end, then from the start.
static ULONG RtlpFindBits(PRTL_BITMAP Map, ULONG Length, ULONG Hint, BOOLEAN Value)
{
    ULONG First = Hint < Map->SizeOfBitMap ? Hint : 0;
    if (Length == 0) {
        return First;
    }
    for (ULONG i = 0; i < Map->SizeOfBitMap; i++) {
        ULONG Start = (ULONG)(((ULONG64)First + i) % Map->SizeOfBitMap);
        if (RtlpAreBits(Map, Start, Length, Value)) {
            return Start;
        }
    }
    return RTL_NO_BITS;
}

ULONG NTAPI RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return RtlpFindBits(BitMapHeader, NumberToFind, HintIndex, FALSE);
}

ULONG NTAPI RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return RtlpFindBits(BitMapHeader, NumberToFind, HintIndex, TRUE);
}

ULONG NTAPI RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG Start = RtlFindClearBits(BitMapHeader, NumberToFind, HintIndex);
    if (Start != RTL_NO_BITS) {
        RtlSetBits(BitMapHeader, Start, NumberToFind);
    }
    return Start;
}

ULONG NTAPI RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG Start = RtlFindSetBits(BitMapHeader, NumberToFind, HintIndex);
    if (Start != RTL_NO_BITS) {
        RtlClearBits(BitMapHeader, Start, NumberToFind);
    }
    return Start;
}
