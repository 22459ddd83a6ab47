// SPDX-License-Identifier: MIT
// T=1 between its files: t1.c builds blocks, t1reply.c checks and reads them, t1recover.c decides what comes
// next.
#pragma once
#include "smclib/smc.h"

#define T1_PCB_S_BLOCK     0xC0
#define T1_PCB_R_BLOCK     0x80
#define T1_PCB_RESPONSE    0x20 // S-blocks
#define T1_PCB_I_NUMBER    0x40
#define T1_PCB_R_NUMBER    0x10
#define T1_PCB_R_ERROR     0x03
#define T1_MAXIMUM_RESYNCH 3 // 11.6.3.3: attempts per command

// A received block, already checked against ISO 7816-3:2006 11.3.
typedef struct _SMC_T1_BLOCK {
    UCHAR Pcb;
    UCHAR Length;
    const UCHAR *Inf;
} SMC_T1_BLOCK;

static inline ULONG SmcT1EdcLength(_In_ PSMARTCARD_EXTENSION Ext)
{
    return (Ext->CardCapabilities.T1.EDC & T1_CRC_CHECK) != 0 ? 2 : 1;
}

// Writes the check bytes behind Length bytes of Block; returns how many.
ULONG SmcT1EdcWrite(_Inout_ PUCHAR Block, _In_ ULONG Length, _In_ BOOLEAN Crc);
BOOLEAN SmcT1EdcMatches(_In_ const UCHAR *Block, _In_ ULONG Length, _In_ BOOLEAN Crc);

// Each returns the status of SmartcardT1Reply: STATUS_MORE_PROCESSING_REQUIRED while the exchange goes on.
_Must_inspect_result_
NTSTATUS SmcT1Damaged(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ UCHAR Error);
_Must_inspect_result_
NTSTATUS SmcT1Repeat(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ ULONG State);
_Must_inspect_result_
NTSTATUS SmcT1RepeatResponse(_Inout_ PSMARTCARD_EXTENSION Ext);
_Must_inspect_result_
NTSTATUS SmcT1GiveUpIfs(_Inout_ PSMARTCARD_EXTENSION Ext);
_Must_inspect_result_
NTSTATUS SmcT1Fail(_Inout_ PSMARTCARD_EXTENSION Ext);
_Must_inspect_result_
NTSTATUS SmcT1ReceivedR(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ SMC_T1_BLOCK Block);
_Must_inspect_result_
NTSTATUS SmcT1ReceivedS(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ SMC_T1_BLOCK Block);
_Must_inspect_result_
NTSTATUS SmcT1ReceivedI(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ SMC_T1_BLOCK Block);
VOID SmcT1Progress(_Inout_ PSMARTCARD_EXTENSION Ext);
