// SPDX-License-Identifier: MIT
// ISO 7816-3:2006 clause 8.2: structure of the answer to reset.
#include "smclib/smc.h"
#include "smclib/atr.h"

#define ATR_DIRECT      0x3B
#define ATR_INVERSE     0x3F
#define ATR_INVERSE_RAW 0x03 // 0x3F as a UART sees it that knows only the direct convention
#define ATR_HAS_TA      0x10
#define ATR_HAS_TB      0x20
#define ATR_HAS_TC      0x40
#define ATR_HAS_TD      0x80

typedef struct _SMC_ATR_WALK {
    PSMC_ATR Atr;
    ULONG Position;
    ULONG Group;    // i of TAi, from 1
    UCHAR Type;     // T of TD(i-1)
    BOOLEAN SeenTa; // the first TA/TB/TC for T=1 was already met
    BOOLEAN SeenTb;
    BOOLEAN SeenTc;
} SMC_ATR_WALK, *PSMC_ATR_WALK;

_Must_inspect_result_
static BOOLEAN SmcAtrTake(_Inout_ PSMC_ATR_WALK Walk, _Out_ PUCHAR Byte)
{
    *Byte = 0;
    if (Walk->Position >= Walk->Atr->Length) {
        return FALSE;
    }
    *Byte = Walk->Atr->Bytes[Walk->Position++];
    return TRUE;
}

static VOID SmcAtrDefaults(_Out_ PSMC_ATR Atr)
{
    RtlZeroMemory(Atr, sizeof(*Atr));
    Atr->Ta1 = 0x11;
    Atr->II = 50;
    Atr->P = 50;
    Atr->Wi = 10;
    Atr->Ifsc = T1_IFSD_DEFAULT;
    Atr->Bwi = T1_BWI_DEFAULT;
    Atr->Cwi = T1_CWI_DEFAULT;
}

static BOOLEAN SmcAtrForT1(_In_ PSMC_ATR_WALK Walk)
{
    return Walk->Type == 1;
}

static VOID SmcAtrTa(_Inout_ PSMC_ATR_WALK Walk, _In_ UCHAR Byte)
{
    PSMC_ATR atr = Walk->Atr;

    if (Walk->Group == 1) {
        atr->Ta1 = Byte;
    } else if (Walk->Group == 2) {
        atr->Specific = TRUE;
        atr->Ta2 = Byte;
    } else if (SmcAtrForT1(Walk) && !Walk->SeenTa) {
        Walk->SeenTa = TRUE;
        // 11.4.2: 0 and 255 are reserved.
        atr->Ifsc = Byte == 0 || Byte == 0xFF ? T1_IFSD_DEFAULT : Byte;
    }
}

static VOID SmcAtrTb(_Inout_ PSMC_ATR_WALK Walk, _In_ UCHAR Byte)
{
    static const UCHAR current[4] = {25, 50, 100, 50};
    PSMC_ATR atr = Walk->Atr;

    if (Walk->Group == 1) {
        atr->II = current[(Byte >> 5) & 3];
        atr->P = (UCHAR)((Byte & 0x1F) > 25 ? 250 : (Byte & 0x1F) * 10);
    } else if (Walk->Group == 2) {
        atr->P = Byte;
    } else if (SmcAtrForT1(Walk) && !Walk->SeenTb) {
        Walk->SeenTb = TRUE;
        // 11.4.3: BWI above 9 is reserved; 9 keeps 2^BWI small.
        atr->Bwi = (UCHAR)((Byte >> 4) > 9 ? 9 : Byte >> 4);
        atr->Cwi = Byte & 0x0F;
    }
}

static VOID SmcAtrTc(_Inout_ PSMC_ATR_WALK Walk, _In_ UCHAR Byte)
{
    PSMC_ATR atr = Walk->Atr;

    if (Walk->Group == 1) {
        atr->N = Byte;
    } else if (Walk->Group == 2) {
        // 10.2: TC2 is WI of T=0 whatever TD1 names; 0 is reserved.
        atr->Wi = Byte == 0 ? 10 : Byte;
    } else if (SmcAtrForT1(Walk) && !Walk->SeenTc) {
        Walk->SeenTc = TRUE;
        atr->Edc = Byte & T1_CRC_CHECK;
    }
}

_Must_inspect_result_
static BOOLEAN SmcAtrGroup(_Inout_ PSMC_ATR_WALK Walk, _In_ UCHAR Presence)
{
    static const struct {
        UCHAR Bit;
        VOID (*Store)(PSMC_ATR_WALK Walk, UCHAR Byte);
    } steps[] = {{ATR_HAS_TA, SmcAtrTa}, {ATR_HAS_TB, SmcAtrTb}, {ATR_HAS_TC, SmcAtrTc}};

    for (ULONG i = 0; i < ARRAYSIZE(steps); i++) {
        UCHAR byte;
        if ((Presence & steps[i].Bit) == 0) {
            continue;
        }
        if (!SmcAtrTake(Walk, &byte)) {
            return FALSE;
        }
        steps[i].Store(Walk, byte);
    }
    return TRUE;
}

// Ends after at most 33 bytes: every further group costs at least its TD.
_Must_inspect_result_
static BOOLEAN SmcAtrInterfaceBytes(_Inout_ PSMC_ATR_WALK Walk, _In_ UCHAR T0)
{
    UCHAR presence = T0;

    for (Walk->Group = 1;; Walk->Group++) {
        UCHAR td;
        if (!SmcAtrGroup(Walk, presence)) {
            return FALSE;
        }
        if ((presence & ATR_HAS_TD) == 0) {
            return TRUE;
        }
        if (!SmcAtrTake(Walk, &td)) {
            return FALSE;
        }
        Walk->Type = td & 0x0F;
        Walk->Atr->Types |= (USHORT)(1 << Walk->Type);
        presence = td;
    }
}

_Must_inspect_result_
static BOOLEAN SmcAtrHistorical(_Inout_ PSMC_ATR_WALK Walk, _In_ UCHAR T0)
{
    Walk->Atr->HistoricalOffset = Walk->Position;
    Walk->Atr->HistoricalLength = T0 & 0x0F;
    if (Walk->Atr->Length - Walk->Position < Walk->Atr->HistoricalLength) {
        return FALSE;
    }
    Walk->Position += Walk->Atr->HistoricalLength;
    return TRUE;
}

// 8.2.5: TCK is there exactly when some T other than 0 is named. Bytes behind the end are tolerated.
_Must_inspect_result_
static NTSTATUS SmcAtrCheckByte(_Inout_ PSMC_ATR_WALK Walk)
{
    UCHAR sum;

    if ((Walk->Atr->Types & ~1) == 0) {
        Walk->Atr->Complete = TRUE;
        return STATUS_SUCCESS;
    }
    if (!SmcAtrTake(Walk, &sum)) {
        return STATUS_UNRECOGNIZED_MEDIA;
    }
    Walk->Atr->Complete = TRUE;
    for (ULONG i = 1; i < Walk->Position - 1; i++) {
        sum ^= Walk->Atr->Bytes[i];
    }
    return sum == 0 ? STATUS_SUCCESS : STATUS_UNRECOGNIZED_MEDIA;
}

_Must_inspect_result_
static NTSTATUS SmcAtrCheckOffer(_Inout_ PSMC_ATR Atr)
{
    ULONG fi = SMC_TA1_FI(Atr->Ta1);
    ULONG di = SMC_TA1_DI(Atr->Ta1);

    if (Atr->Types == 0 || (Atr->Types & 1 << 0) != 0) {
        Atr->Supported |= SCARD_PROTOCOL_T0;
    }
    if ((Atr->Types & 1 << 1) != 0) {
        Atr->Supported |= SCARD_PROTOCOL_T1;
    }
    if (Atr->Supported == 0 || SmcClockRates[fi].F == 0 || SmcBitRates[di].DNumerator == 0) {
        return STATUS_UNRECOGNIZED_MEDIA;
    }
    if (Atr->Specific && SMC_TA2_T(Atr->Ta2) > 1) {
        return STATUS_UNRECOGNIZED_MEDIA;
    }
    // 8.3: what the card already speaks can be had, even if no TD names it.
    if (Atr->Specific) {
        Atr->Supported |= SMC_TA2_T(Atr->Ta2) == 0 ? SCARD_PROTOCOL_T0 : SCARD_PROTOCOL_T1;
    }
    return STATUS_SUCCESS;
}

_Must_inspect_result_
static NTSTATUS SmcAtrCopy(_Out_ PSMC_ATR Atr, _In_reads_bytes_(Length) const UCHAR *Raw, _In_ ULONG Length)
{
    SmcAtrDefaults(Atr);
    if (Length < 2) {
        return STATUS_UNRECOGNIZED_MEDIA;
    }
    Atr->Length = Length < MAXIMUM_ATR_LENGTH ? Length : MAXIMUM_ATR_LENGTH;
    RtlCopyMemory(Atr->Bytes, Raw, Atr->Length);
    if (Atr->Bytes[0] == ATR_INVERSE_RAW) {
        SmartcardInvertData(Atr->Bytes, Atr->Length);
        Atr->Inverted = TRUE;
    }
    if (Atr->Bytes[0] != ATR_DIRECT && Atr->Bytes[0] != ATR_INVERSE) {
        return STATUS_UNRECOGNIZED_MEDIA;
    }
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
NTSTATUS SmcAtrParse(PSMC_ATR Atr, const UCHAR *Raw, ULONG Length)
{
    SMC_ATR_WALK walk = {.Atr = Atr, .Position = 2};
    NTSTATUS status = SmcAtrCopy(Atr, Raw, Length);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (!SmcAtrInterfaceBytes(&walk, Atr->Bytes[1]) || !SmcAtrHistorical(&walk, Atr->Bytes[1])) {
        return STATUS_UNRECOGNIZED_MEDIA;
    }
    status = SmcAtrCheckByte(&walk);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return SmcAtrCheckOffer(Atr);
}
