// SPDX-License-Identifier: MIT
// abProtocolDataStructure and the PPS block, CCID 1.1 6.1.7, ISO 7816-3:2006 clause 9.
#pragma once
#include <ntddk.h>
#include "reader/ccid/ccid.h"

#define CCID_PARAMETERS_T0  5
#define CCID_PARAMETERS_T1  7
#define CCID_PARAMETERS_MAX 7
#define CCID_PPS_LENGTH     4
#define CCID_PPS_LENGTH_MIN 3
#define CCID_RATE_AND_CLOCK 8
#define CCID_DEFAULT_FINDEX 0x11

typedef struct _CCID_PARAMETERS_DATA {
    UCHAR Protocol; // 0 or 1
    UCHAR FiDi;     // as TA1
    BOOLEAN Inverse;
    UCHAR GuardTime;       // TC1
    UCHAR WaitingInteger;  // T=0: WI
    UCHAR WaitingIntegers; // T=1: BWI << 4 | CWI
    BOOLEAN Crc;           // T=1
    UCHAR Ifsc;            // T=1
} CCID_PARAMETERS_DATA, *PCCID_PARAMETERS_DATA;

// Returns the length written, CCID_PARAMETERS_T0 or _T1.
ULONG CcidParametersEncode(_In_ const CCID_PARAMETERS_DATA *Parameters, _Out_ PUCHAR Bytes);

VOID CcidRateAndClockEncode(_In_ ULONG ClockKhz, _In_ ULONG RateBps, _Out_ PUCHAR Bytes);

VOID CcidPpsEncode(_In_ UCHAR Protocol, _In_ UCHAR FiDi, _Out_ PUCHAR Pps);

// ISO 7816-3:2006 9.3: an echo accepts, a missing PPS1 means Fd and Dd. FALSE: refused or malformed.
_Must_inspect_result_
BOOLEAN CcidPpsAccept(_In_ const UCHAR *Pps, _In_ const UCHAR *Answer, _In_ ULONG Length, _Out_ PUCHAR FiDi);
