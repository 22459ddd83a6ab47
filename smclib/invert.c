// SPDX-License-Identifier: MIT
#include "smclib/smc.h"

// ISO 7816-3 8.1: in the inverse convention the low level means 1 and the most significant bit comes first.
static UCHAR SmcByteInvert(UCHAR Byte)
{
    Byte = (UCHAR)(Byte << 4 | Byte >> 4);
    Byte = (UCHAR)((Byte & 0x33) << 2 | (Byte & 0xCC) >> 2);
    Byte = (UCHAR)((Byte & 0x55) << 1 | (Byte & 0xAA) >> 1);
    return (UCHAR)~Byte;
}

_Use_decl_annotations_
VOID NTAPI SmartcardInvertData(PUCHAR Buffer, ULONG Length)
{
    if (Buffer == NULL) {
        return;
    }
    for (ULONG i = 0; i < Length; i++) {
        Buffer[i] = SmcByteInvert(Buffer[i]);
    }
}
