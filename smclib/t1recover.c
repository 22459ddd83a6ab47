// SPDX-License-Identifier: MIT
// T=1, supervisory blocks and error recovery (ISO 7816-3:2006 11.6.2.3 and 11.6.3). Resend counts repetitions
// without progress and falls to 0 with progress; Resynch counts per command and never falls inside one, so
// that a noisy line cannot restart a long chain for ever.
#include "smclib/t1.h"

// The next command begins with a resynchronisation.
_Use_decl_annotations_
NTSTATUS SmcT1Fail(PSMARTCARD_EXTENSION Ext)
{
    Ext->T1.State = T1_RESTART;
    Ext->T1.WaitForReply = FALSE;
    SmcPrivateOf(Ext)->T1.Aborted = FALSE;
    return SmcOther(SmcOtherSilence) && SmcPrivateOf(Ext)->T1.Silent ? STATUS_IO_TIMEOUT
                                                                     : STATUS_DEVICE_PROTOCOL_ERROR;
}

_Must_inspect_result_
static NTSTATUS SmcT1Resynchronise(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    PT1_DATA t1 = &Ext->T1;

    t1->Resend = 0;
    t1->WaitForReply = FALSE;
    SmcPrivateOf(Ext)->T1.CommandSent = FALSE;
    if (++t1->Resynch > T1_MAXIMUM_RESYNCH) {
        return SmcT1Fail(Ext);
    }
    t1->State = T1_RESTART;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// A card that does not understand S(IFS request) still takes commands with the default size.
_Use_decl_annotations_
NTSTATUS SmcT1GiveUpIfs(PSMARTCARD_EXTENSION Ext)
{
    Ext->T1.IFSD = T1_IFSD_DEFAULT;
    Ext->T1.State = T1_START;
    SmcT1Progress(Ext);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// Counts one more repetition. TRUE: State may stay as it is; FALSE: *Status is the way out.
_Must_inspect_result_
static BOOLEAN SmcT1MayRepeat(_Inout_ PSMARTCARD_EXTENSION Ext, _Out_ NTSTATUS *Status)
{
    *Status = STATUS_MORE_PROCESSING_REQUIRED;
    if (++Ext->T1.Resend <= T1_MAX_RETRIES) {
        return TRUE;
    }
    *Status = Ext->T1.State == T1_IFS_REQUEST ? SmcT1GiveUpIfs(Ext) : SmcT1Resynchronise(Ext);
    return FALSE;
}

_Use_decl_annotations_
NTSTATUS SmcT1Repeat(PSMARTCARD_EXTENSION Ext, ULONG State)
{
    NTSTATUS status;

    if (SmcT1MayRepeat(Ext, &status)) {
        Ext->T1.State = State;
    }
    return status;
}

_Use_decl_annotations_
NTSTATUS SmcT1RepeatResponse(PSMARTCARD_EXTENSION Ext)
{
    Ext->T1.OriginalState = Ext->T1.State;
    return SmcT1Repeat(Ext, SmcPrivateOf(Ext)->T1.ResponsePcb);
}

// A request of ours is repeated; anything else is asked for again with an R-block that names what we expect.
_Use_decl_annotations_
NTSTATUS SmcT1Damaged(PSMARTCARD_EXTENSION Ext, UCHAR Error)
{
    ULONG state = Ext->T1.State;

    if (state == T1_RESYNCH_REQUEST || state == T1_IFS_REQUEST) {
        return SmcT1Repeat(Ext, state);
    }
    Ext->T1.LastError = Error;
    return SmcT1Repeat(Ext, T1_R_BLOCK);
}

_Must_inspect_result_
static NTSTATUS SmcT1Respond(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ UCHAR Response, _In_ UCHAR Inf)
{
    SmcPrivateOf(Ext)->T1.SupervisoryInf = Inf;
    Ext->T1.OriginalState = Ext->T1.State;
    Ext->T1.State = Response;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// ISO sets no limit, and key generation needs many; this one only makes sure that there is an end.
_Must_inspect_result_
static NTSTATUS SmcT1WaitingTime(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ UCHAR Multiplier)
{
    if (++SmcPrivateOf(Ext)->T1.WtxCount == SMC_T1_LIMIT_WTX) {
        return SmcT1Fail(Ext);
    }
    Ext->T1.Wtx = Multiplier;
    return SmcT1Respond(Ext, T1_WTX_RESPONSE, Multiplier);
}

_Must_inspect_result_
static NTSTATUS SmcT1FieldOfCardChanges(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ UCHAR Size)
{
    if (Size == 0 || Size > SCARD_T1_MAX_IFS) {
        return SmcT1Damaged(Ext, T1_ERROR_OTHER);
    }
    if (++SmcPrivateOf(Ext)->T1.IdleCount > SMC_T1_LIMIT_IDLE) {
        return SmcT1Fail(Ext);
    }
    Ext->T1.IFSC = Size;
    return SmcT1Respond(Ext, T1_IFS_RESPONSE, Size);
}

_Must_inspect_result_
static NTSTATUS SmcT1FieldOfReaderAgreed(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ UCHAR Size)
{
    if (Ext->T1.State != T1_IFS_REQUEST || Size != SmcPrivateOf(Ext)->T1.IfsAsked) {
        return SmcT1Damaged(Ext, T1_ERROR_OTHER);
    }
    Ext->T1.IFSD = Size;
    Ext->T1.State = T1_START;
    SmcT1Progress(Ext);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// The command starts again from its first byte. The card may have fallen back to the IFSC of its ATR, or kept
// a smaller one: the smaller is right in both cases.
_Must_inspect_result_
static NTSTATUS SmcT1Resynchronised(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    PT1_DATA t1 = &Ext->T1;

    if (t1->State != T1_RESYNCH_REQUEST) {
        return SmcT1Damaged(Ext, T1_ERROR_OTHER);
    }
    if (Ext->CardCapabilities.T1.IFSC < t1->IFSC) {
        t1->IFSC = Ext->CardCapabilities.T1.IFSC;
    }
    t1->SSN = 0;
    t1->RSN = 0;
    t1->WaitForReply = FALSE;
    t1->State = T1_START;
    SmcT1Progress(Ext);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// Only a chain can be aborted.
_Must_inspect_result_
static NTSTATUS SmcT1Abort(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;

    if (!own->CommandSent) {
        return SmcT1Damaged(Ext, T1_ERROR_OTHER);
    }
    own->Aborted = TRUE;
    return SmcT1Respond(Ext, T1_ABORT_RESPONSE, 0);
}

_Use_decl_annotations_
NTSTATUS SmcT1ReceivedS(PSMARTCARD_EXTENSION Ext, SMC_T1_BLOCK Block)
{
    switch (Block.Pcb) {
    case T1_WTX_REQUEST:
        return SmcT1WaitingTime(Ext, Block.Inf[0]);
    case T1_IFS_REQUEST:
        return SmcT1FieldOfCardChanges(Ext, Block.Inf[0]);
    case T1_IFS_RESPONSE:
        return SmcT1FieldOfReaderAgreed(Ext, Block.Inf[0]);
    case T1_RESYNCH_RESPONSE:
        return SmcT1Resynchronised(Ext);
    case T1_ABORT_REQUEST:
        return SmcT1Abort(Ext);
    case T1_VPP_ERROR:
        return SmcT1Fail(Ext);
    default: // responses to nothing, and S(RESYNCH request), which only the reader may send
        return SmcT1Damaged(Ext, T1_ERROR_OTHER);
    }
}
