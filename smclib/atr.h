// SPDX-License-Identifier: MIT
// The answer to reset: pure parsing and arithmetic, no locks, no allocation, no extension.
#pragma once
#include <ntddk.h>
#include "include/smclib.h"

typedef struct _SMC_ATR {
    UCHAR Bytes[MAXIMUM_ATR_LENGTH]; // in direct coding
    ULONG Length;                    // bytes looked at, at most 33
    BOOLEAN Inverted;                // the card's bytes had to be inverted
    BOOLEAN Complete;                // every announced byte is there; the ATR may still be unusable
    UCHAR Ta1;
    UCHAR N;
    BOOLEAN Specific; // TA2 is there
    UCHAR Ta2;
    UCHAR P; // 0.1 V
    UCHAR II;
    UCHAR Wi;
    UCHAR Ifsc;
    UCHAR Bwi;
    UCHAR Cwi;
    UCHAR Edc;
    USHORT Types; // bit T is set for every protocol type T that a TD names
    ULONG Supported;
    ULONG HistoricalOffset;
    ULONG HistoricalLength;
} SMC_ATR, *PSMC_ATR;

#define SMC_TA1_FI(Ta1)      ((UCHAR)((Ta1) >> 4))
#define SMC_TA1_DI(Ta1)      ((UCHAR)((Ta1)&0x0F))
#define SMC_TA2_T(Ta2)       ((Ta2)&0x0F)
#define SMC_TA2_IMPLICIT     0x10
#define SMC_N_MINIMUM        255
#define SMC_CLOCK_IF_UNKNOWN 3571 // kHz: 9600 bit/s at F 372

_Must_inspect_result_
NTSTATUS SmcAtrParse(_Out_ PSMC_ATR Atr, _In_reads_bytes_(Length) const UCHAR *Raw, _In_ ULONG Length);

// Fills PtsData from the card's offer, the wanted type and the reader's abilities.
VOID SmcPtsSelect(_Inout_ PSCARD_CARD_CAPABILITIES Card, _In_ const SCARD_READER_CAPABILITIES *Reader,
                  _In_ const SMC_ATR *Atr);

// etu and all waiting times that follow from PtsData and the card's parameters.
VOID SmcTimesUpdate(_Inout_ PSCARD_CARD_CAPABILITIES Card);
