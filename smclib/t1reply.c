// SPDX-License-Identifier: MIT
// T=1, receiving side: is it a block at all (ISO 7816-3:2006 11.3), and what do its bytes mean for the
// answer.
#include "smclib/t1.h"

#define T1_BLOCK_GOOD 0

// Length bytes are checked against LEN exactly: a damaged LEN could otherwise meet an LRC that fits by
// accident.
static UCHAR SmcT1CheckFrame(_In_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Length)
{
    const UCHAR *block = Ext->SmartcardReply.Buffer;
    ULONG edc = SmcT1EdcLength(Ext);
    ULONG covered;

    if (Length < SCARD_T1_PROLOGUE_LENGTH + edc || block[2] > SCARD_T1_MAX_IFS) {
        return T1_ERROR_OTHER;
    }
    covered = SCARD_T1_PROLOGUE_LENGTH + block[2];
    if (Length < covered + edc || (Length > covered + edc && !SmcOther(SmcOtherSurplus))) {
        return T1_ERROR_OTHER;
    }
    return SmcT1EdcMatches(block, covered, edc == 2) ? T1_BLOCK_GOOD : T1_ERROR_CHKSUM;
}

static BOOLEAN SmcT1CheckNode(_In_ PSMARTCARD_EXTENSION Ext, _In_ UCHAR Nad)
{
    UCHAR own = Ext->T1.NAD;

    return Nad == 0 || Nad == (UCHAR)(own << 4 | own >> 4);
}

// 11.3.2.2: which PCB exist, and which LEN each has.
static BOOLEAN SmcT1CheckControl(_In_ UCHAR Pcb, _In_ UCHAR Length)
{
    if ((Pcb & 0x80) == 0) {
        return (Pcb & ~(T1_PCB_I_NUMBER | T1_MORE_DATA)) == 0;
    }
    if ((Pcb & 0xC0) == T1_PCB_R_BLOCK) {
        return (Pcb & ~(T1_PCB_R_BLOCK | T1_PCB_R_NUMBER | T1_PCB_R_ERROR)) == 0 &&
               (Pcb & T1_PCB_R_ERROR) != T1_PCB_R_ERROR && Length == 0;
    }
    switch (Pcb & ~T1_PCB_RESPONSE) {
    case T1_RESYNCH_REQUEST:
    case T1_ABORT_REQUEST:
        return Length == 0;
    case T1_IFS_REQUEST:
    case T1_WTX_REQUEST:
        return Length == 1;
    default:
        return Pcb == T1_VPP_ERROR && Length == 0;
    }
}

static UCHAR SmcT1CheckBlock(_In_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Length)
{
    const UCHAR *block = Ext->SmartcardReply.Buffer;
    UCHAR error = SmcT1CheckFrame(Ext, Length);

    if (error != T1_BLOCK_GOOD) {
        return error;
    }
    return SmcT1CheckNode(Ext, block[0]) && SmcT1CheckControl(block[1], block[2]) ? T1_BLOCK_GOOD
                                                                                  : T1_ERROR_OTHER;
}

_Use_decl_annotations_
VOID SmcT1Progress(PSMARTCARD_EXTENSION Ext)
{
    Ext->T1.Resend = 0;
    SmcPrivateOf(Ext)->T1.WtxCount = 0;
    SmcPrivateOf(Ext)->T1.IdleCount = 0;
}

// What does not fit is counted but not stored: the chain goes on to its end, so that the link stays in step.
static VOID SmcT1Collect(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ SMC_T1_BLOCK Block)
{
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;
    ULONG have = Ext->T1.BytesReceived;

    if (have <= own->ReplyLimit && Block.Length <= own->ReplyLimit - have) {
        RtlCopyMemory(own->ReplyData + have, Block.Inf, Block.Length);
    }
    Ext->T1.BytesReceived += Block.Length;
}

_Must_inspect_result_
static NTSTATUS SmcT1Finish(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;
    NTSTATUS status = STATUS_BUFFER_TOO_SMALL;

    Ext->T1.State = T1_START;
    if (Ext->T1.BytesReceived <= own->ReplyLimit) {
        status = SmcPciReply(Ext, own->ReplyData, Ext->T1.BytesReceived);
        RtlSecureZeroMemory(own->ReplyData, Ext->T1.BytesReceived);
    } else {
        RtlSecureZeroMemory(own->ReplyData, own->ReplyLimit);
    }
    return status;
}

static VOID SmcT1Acknowledged(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    PT1_DATA t1 = &Ext->T1;

    t1->SSN ^= 1;
    t1->BytesSent += t1->InfBytesSent;
    t1->BytesToSend -= t1->InfBytesSent;
    t1->WaitForReply = FALSE;
}

// A card that chains empty blocks, or more than any response APDU holds, would never end.
static BOOLEAN SmcT1ChainIsEndless(_In_ PSMARTCARD_EXTENSION Ext, _In_ SMC_T1_BLOCK Block)
{
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;

    if (Block.Length == 0 && ++own->IdleCount > SMC_T1_LIMIT_IDLE) {
        return TRUE;
    }
    return Ext->T1.BytesReceived > SMC_MAXIMUM_REPLY;
}

_Use_decl_annotations_
NTSTATUS SmcT1ReceivedI(PSMARTCARD_EXTENSION Ext, SMC_T1_BLOCK Block)
{
    PT1_DATA t1 = &Ext->T1;
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;
    UCHAR number = (Block.Pcb & T1_PCB_I_NUMBER) != 0 ? 1 : 0;

    if (!own->CommandSent || number != t1->RSN || t1->MoreData) {
        return SmcT1Damaged(Ext, T1_ERROR_OTHER);
    }
    if (t1->WaitForReply) {
        SmcT1Acknowledged(Ext);
    }
    t1->RSN ^= 1;
    t1->Resend = 0;
    SmcT1Collect(Ext, Block);
    if ((Block.Pcb & T1_MORE_DATA) == 0) {
        return SmcT1Finish(Ext);
    }
    if (SmcT1ChainIsEndless(Ext, Block)) {
        return SmcT1Fail(Ext);
    }
    if (Block.Length != 0) {
        SmcT1Progress(Ext);
    }
    t1->State = T1_R_BLOCK;
    t1->LastError = 0;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// 11.6.2.3: R(N) with the number after ours acknowledges a block of our chain, R with our number asks for it
// again.
_Use_decl_annotations_
NTSTATUS SmcT1ReceivedR(PSMARTCARD_EXTENSION Ext, SMC_T1_BLOCK Block)
{
    PT1_DATA t1 = &Ext->T1;
    UCHAR number = (Block.Pcb & T1_PCB_R_NUMBER) != 0 ? 1 : 0;

    // First, because here N says nothing about our I-blocks. "Other error" is how a card refuses the request.
    if (t1->State == T1_IFS_REQUEST && (Block.Pcb & T1_PCB_R_ERROR) == T1_ERROR_OTHER) {
        return SmcT1GiveUpIfs(Ext);
    }
    if (t1->State == T1_RESYNCH_REQUEST || t1->State == T1_IFS_REQUEST) {
        return SmcT1Repeat(Ext, t1->State);
    }
    if (t1->WaitForReply && number == t1->SSN) {
        return SmcT1Repeat(Ext, T1_I_BLOCK);
    }
    if (t1->WaitForReply && t1->MoreData) {
        SmcT1Acknowledged(Ext);
        SmcT1Progress(Ext);
        t1->State = T1_I_BLOCK;
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    switch (SmcPrivateOf(Ext)->T1.Sent) {
    case SmcT1SentResponse:
        return SmcT1RepeatResponse(Ext);
    case SmcT1SentR:
        return SmcT1Repeat(Ext, T1_R_BLOCK);
    default: // our last I-block acknowledged, but no answer: ask for it
        return SmcT1Damaged(Ext, T1_ERROR_OTHER);
    }
}

_Must_inspect_result_
static NTSTATUS SmcT1Dispatch(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ SMC_T1_BLOCK Block)
{
    if (SmcPrivateOf(Ext)->T1.Aborted) {
        return SmcT1Fail(Ext);
    }
    if ((Block.Pcb & 0x80) == 0) {
        return SmcT1ReceivedI(Ext, Block);
    }
    return (Block.Pcb & 0xC0) == T1_PCB_R_BLOCK ? SmcT1ReceivedR(Ext, Block) : SmcT1ReceivedS(Ext, Block);
}

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardT1Reply(PSMARTCARD_EXTENSION Ext)
{
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;
    PUCHAR data = Ext->SmartcardReply.Buffer;
    ULONG length = Ext->SmartcardReply.BufferLength;
    UCHAR error = T1_ERROR_OTHER;

    Ext->T1.Wtx = 0;
    *Ext->IoRequest.Information = 0;
    if (!own->ReplyExpected) {
        return SmcT1Fail(Ext);
    }
    own->ReplyExpected = FALSE;
    own->Silent = own->Silent && length == 0;
    if (data != NULL && length <= Ext->SmartcardReply.BufferSize) {
        if (Ext->CardCapabilities.InversConvention) {
            SmartcardInvertData(data, length);
        }
        error = SmcT1CheckBlock(Ext, length);
    }
    if (error != T1_BLOCK_GOOD) {
        return SmcT1Damaged(Ext, error);
    }
    return SmcT1Dispatch(Ext, (SMC_T1_BLOCK){data[1], data[2], data + SCARD_T1_PROLOGUE_LENGTH});
}
