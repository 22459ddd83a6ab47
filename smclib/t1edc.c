// SPDX-License-Identifier: MIT
// ISO 7816-3:2006 11.4.4: LRC, or the CRC of ISO/IEC 13239 (x^16 + x^12 + x^5 + 1, reflected, no final
// inversion, high byte first).
#include "smclib/t1.h"

#define T1_CRC_POLYNOMIAL 0x8408

static UCHAR SmcLrc(_In_ const UCHAR *Data, _In_ ULONG Length)
{
    UCHAR sum = 0;

    for (ULONG i = 0; i < Length; i++) {
        sum ^= Data[i];
    }
    return sum;
}

static USHORT SmcCrc(_In_ const UCHAR *Data, _In_ ULONG Length)
{
    USHORT crc = 0xFFFF;

    for (ULONG i = 0; i < Length; i++) {
        crc ^= Data[i];
        for (ULONG bit = 0; bit < 8; bit++) {
            crc = (USHORT)((crc >> 1) ^ ((crc & 1) != 0 ? T1_CRC_POLYNOMIAL : 0));
        }
    }
    return crc;
}

_Use_decl_annotations_
ULONG SmcT1EdcWrite(PUCHAR Block, ULONG Length, BOOLEAN Crc)
{
    USHORT crc;

    if (!Crc) {
        Block[Length] = SmcLrc(Block, Length);
        return 1;
    }
    crc = SmcCrc(Block, Length);
    Block[Length] = (UCHAR)(crc >> 8);
    Block[Length + 1] = (UCHAR)crc;
    return 2;
}

_Use_decl_annotations_
BOOLEAN SmcT1EdcMatches(const UCHAR *Block, ULONG Length, BOOLEAN Crc)
{
    USHORT crc;

    if (!Crc) {
        return Block[Length] == SmcLrc(Block, Length);
    }
    crc = SmcCrc(Block, Length);
    return Block[Length] == (UCHAR)(crc >> 8) && Block[Length + 1] == (UCHAR)crc;
}
