// SPDX-License-Identifier: MIT
#include "reader/ccid/parameters.h"
#include "reader/ccid/wire.h"

#define TCCKS_INVERSE 0x02
#define TCCKS_T1      0x10
#define TCCKS_CRC     0x01
#define IFSC_MAX      0xFE
#define PPS_START     0xFF
#define PPS0_PPS1     0x10
#define PPS0_RESERVED 0x80

ULONG CcidParametersEncode(const CCID_PARAMETERS_DATA *Parameters, PUCHAR Bytes)
{
    Bytes[0] = Parameters->FiDi;
    Bytes[1] = Parameters->Inverse ? TCCKS_INVERSE : 0;
    Bytes[2] = Parameters->GuardTime;
    Bytes[4] = 0; // the clock is never stopped
    if (Parameters->Protocol == 0) {
        Bytes[3] = Parameters->WaitingInteger;
        return CCID_PARAMETERS_T0;
    }
    Bytes[1] |= TCCKS_T1 | (Parameters->Crc ? TCCKS_CRC : 0);
    Bytes[3] = Parameters->WaitingIntegers;
    Bytes[5] = Parameters->Ifsc > IFSC_MAX ? IFSC_MAX : Parameters->Ifsc;
    Bytes[6] = 0; // NAD
    return CCID_PARAMETERS_T1;
}

VOID CcidRateAndClockEncode(ULONG ClockKhz, ULONG RateBps, PUCHAR Bytes)
{
    WirePut32(Bytes, ClockKhz);
    WirePut32(Bytes + 4, RateBps);
}

VOID CcidPpsEncode(UCHAR Protocol, UCHAR FiDi, PUCHAR Pps)
{
    Pps[0] = PPS_START;
    Pps[1] = (UCHAR)(PPS0_PPS1 | Protocol);
    Pps[2] = FiDi;
    Pps[3] = (UCHAR)(Pps[0] ^ Pps[1] ^ Pps[2]);
}

BOOLEAN CcidPpsAccept(const UCHAR *Pps, const UCHAR *Answer, ULONG Length, PUCHAR FiDi)
{
    UCHAR check = 0;

    if (Length < CCID_PPS_LENGTH_MIN || Length > CCID_PPS_LENGTH) {
        return FALSE;
    }
    for (ULONG i = 0; i < Length; i++) {
        check ^= Answer[i];
    }
    if (check != 0 || Answer[0] != PPS_START || (Answer[1] & PPS0_RESERVED) != 0 ||
        (Answer[1] & 0x0F) != (Pps[1] & 0x0F)) {
        return FALSE;
    }
    if (Length == CCID_PPS_LENGTH) {
        *FiDi = Answer[2];
        return (Answer[1] & 0x70) == PPS0_PPS1 && Answer[2] == Pps[2];
    }
    *FiDi = CCID_DEFAULT_FINDEX;
    return (Answer[1] & 0x70) == 0;
}
