// SPDX-License-Identifier: MIT
// T=1, sending side (ISO 7816-3:2006 clause 11). T1_DATA.State says which block SmartcardT1Request must
// build; after it, State says what we wait for. WaitForReply means: an I-block of ours is out and not
// acknowledged.
#include "smclib/t1.h"

typedef struct _SMC_T1_COMMAND {
    const UCHAR *Data;
    ULONG Length;
    PUCHAR Block; // where the block goes
    ULONG Space;  // bytes for INF
} SMC_T1_COMMAND, *PSMC_T1_COMMAND;

_Use_decl_annotations_
VOID SmcT1Reset(PSMARTCARD_EXTENSION Ext)
{
    PT1_DATA t1 = &Ext->T1;
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;

    t1->IFSC = Ext->CardCapabilities.T1.IFSC;
    t1->IFSD = T1_IFSD_DEFAULT;
    t1->State = T1_INIT;
    t1->OriginalState = T1_INIT;
    t1->BytesReceived = 0;
    t1->BytesSent = 0;
    t1->BytesToSend = 0;
    t1->LastError = 0;
    t1->MoreData = FALSE;
    t1->SSN = 0;
    t1->RSN = 0;
    t1->InfBytesSent = 0;
    t1->Wtx = 0;
    t1->Resend = 0;
    t1->Resynch = 0;
    t1->WaitForReply = FALSE;
    own->Sent = SmcT1SentNothing;
    own->ReplyExpected = FALSE;
    own->CommandSent = FALSE;
    own->Aborted = FALSE;
    own->WtxCount = 0;
    own->IdleCount = 0;
}

// A command left in the middle means that card and reader may disagree on the numbers: resynchronise first.
_Use_decl_annotations_
VOID SmcT1BeginCommand(PSMARTCARD_EXTENSION Ext)
{
    PT1_DATA t1 = &Ext->T1;
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;

    if (t1->State != T1_INIT && t1->State != T1_START) {
        t1->State = T1_RESTART;
    }
    t1->Resend = 0;
    t1->Resynch = 0;
    t1->Wtx = 0;
    t1->WaitForReply = FALSE;
    own->ReplyExpected = FALSE;
    own->CommandSent = FALSE;
    own->Silent = TRUE;
    own->Aborted = FALSE;
    own->WtxCount = 0;
    own->IdleCount = 0;
}

_Use_decl_annotations_
VOID SmcT1FreeReply(PSMARTCARD_EXTENSION Ext)
{
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;

    if (own->ReplyData != NULL) {
        RtlSecureZeroMemory(own->ReplyData, own->ReplySize);
        ExFreePoolWithTag(own->ReplyData, SMARTCARD_POOL_TAG);
    }
    own->ReplyData = NULL;
    own->ReplySize = 0;
    Ext->T1.ReplyData = NULL;
}

// Replies are collected apart from the user's buffer, because the command is still needed there for a
// restart.
_Must_inspect_result_
static NTSTATUS SmcT1PrepareReply(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;
    ULONG user = Ext->IoRequest.ReplyBufferLength;
    ULONG limit = user > sizeof(SCARD_IO_REQUEST) ? user - (ULONG)sizeof(SCARD_IO_REQUEST) : 0;

    own->ReplyLimit = limit < SMC_MAXIMUM_REPLY ? limit : SMC_MAXIMUM_REPLY;
    if (own->ReplyData != NULL && own->ReplySize >= own->ReplyLimit) {
        return STATUS_SUCCESS;
    }
    SmcT1FreeReply(Ext);
    own->ReplySize = own->ReplyLimit > MIN_BUFFER_SIZE ? own->ReplyLimit : MIN_BUFFER_SIZE;
    own->ReplyData = ExAllocatePoolWithTag(NonPagedPool, own->ReplySize, SMARTCARD_POOL_TAG);
    if (own->ReplyData == NULL) {
        own->ReplySize = 0;
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Ext->T1.ReplyData = own->ReplyData;
    return STATUS_SUCCESS;
}

static UCHAR SmcT1FieldWanted(_In_ PSMARTCARD_EXTENSION Ext)
{
    ULONG wanted = T1_IFSD;
    ULONG overhead = SCARD_T1_PROLOGUE_LENGTH + SCARD_T1_EPILOGUE_LENGTH;
    ULONG room = Ext->SmartcardReply.BufferSize > overhead ? Ext->SmartcardReply.BufferSize - overhead : 0;

    if (Ext->ReaderCapabilities.MaxIFSD != 0 && Ext->ReaderCapabilities.MaxIFSD < wanted) {
        wanted = Ext->ReaderCapabilities.MaxIFSD;
    }
    return (UCHAR)(room < wanted ? room : wanted);
}

static BOOLEAN SmcT1WantsIfs(_In_ PSMARTCARD_EXTENSION Ext)
{
    return !SmcPrivateOf(Ext)->T1.SuppressIfs && SmcT1FieldWanted(Ext) > T1_IFSD_DEFAULT;
}

_Must_inspect_result_
static NTSTATUS SmcT1StartCommand(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Length)
{
    NTSTATUS status = SmcT1PrepareReply(Ext);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    Ext->T1.BytesToSend = Length;
    Ext->T1.BytesSent = 0;
    Ext->T1.BytesReceived = 0;
    Ext->T1.State = T1_I_BLOCK;
    return STATUS_SUCCESS;
}

static ULONG SmcT1PutHeader(_Inout_ PSMARTCARD_EXTENSION Ext, _Out_ PUCHAR Block, _In_ UCHAR Pcb,
                            _In_ ULONG Length)
{
    Block[0] = Ext->T1.NAD;
    Block[1] = Pcb;
    Block[2] = (UCHAR)Length;
    return SCARD_T1_PROLOGUE_LENGTH + Length;
}

static ULONG SmcT1BuildS(_Inout_ PSMARTCARD_EXTENSION Ext, _Out_ PUCHAR Block, _In_ UCHAR Pcb, _In_ UCHAR Inf)
{
    UCHAR kind = Pcb & ~T1_PCB_RESPONSE;
    ULONG length = kind == T1_IFS_REQUEST || kind == T1_WTX_REQUEST ? 1 : 0;

    SmcPrivateOf(Ext)->T1.Sent = (Pcb & T1_PCB_RESPONSE) != 0 ? SmcT1SentResponse : SmcT1SentRequest;
    Block[SCARD_T1_PROLOGUE_LENGTH] = Inf;
    return SmcT1PutHeader(Ext, Block, Pcb, length);
}

static ULONG SmcT1BuildR(_Inout_ PSMARTCARD_EXTENSION Ext, _Out_ PUCHAR Block)
{
    UCHAR pcb = (UCHAR)(T1_PCB_R_BLOCK | (Ext->T1.RSN != 0 ? T1_PCB_R_NUMBER : 0) | Ext->T1.LastError);

    SmcPrivateOf(Ext)->T1.Sent = SmcT1SentR;
    return SmcT1PutHeader(Ext, Block, pcb, 0);
}

static ULONG SmcT1FieldOfCard(_In_ PSMARTCARD_EXTENSION Ext)
{
    UCHAR ifsc = Ext->T1.IFSC;

    return ifsc == 0 || ifsc > SCARD_T1_MAX_IFS ? T1_IFSD_DEFAULT : ifsc;
}

static ULONG SmcT1BuildI(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ const SMC_T1_COMMAND *Command)
{
    PT1_DATA t1 = &Ext->T1;
    ULONG length = t1->BytesToSend;
    ULONG field = SmcT1FieldOfCard(Ext);
    UCHAR pcb;

    length = length < field ? length : field;
    length = length < Command->Space ? length : Command->Space;
    t1->MoreData = length < t1->BytesToSend;
    t1->InfBytesSent = (UCHAR)length;
    t1->WaitForReply = TRUE;
    SmcPrivateOf(Ext)->T1.Sent = SmcT1SentI;
    SmcPrivateOf(Ext)->T1.CommandSent = TRUE;
    RtlCopyMemory(Command->Block + SCARD_T1_PROLOGUE_LENGTH, Command->Data + t1->BytesSent, length);
    pcb = (UCHAR)((t1->SSN != 0 ? T1_PCB_I_NUMBER : 0) | (t1->MoreData ? T1_MORE_DATA : 0));
    return SmcT1PutHeader(Ext, Command->Block, pcb, length);
}

// Turns the states that only decide into states that name a block.
_Must_inspect_result_
static NTSTATUS SmcT1ChooseBlock(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ ULONG Length)
{
    PT1_DATA t1 = &Ext->T1;

    switch (t1->State) {
    case T1_RESTART:
        t1->State = T1_RESYNCH_REQUEST;
        return STATUS_SUCCESS;
    case T1_INIT:
        if (SmcT1WantsIfs(Ext)) {
            t1->State = T1_IFS_REQUEST;
            t1->OriginalState = T1_START;
            return STATUS_SUCCESS;
        }
        return SmcT1StartCommand(Ext, Length);
    case T1_START:
        return SmcT1StartCommand(Ext, Length);
    case T1_I_BLOCK:
        // Another command than the one under way: the driver went on after a failure.
        return t1->BytesSent <= Length && t1->BytesToSend == Length - t1->BytesSent
                   ? STATUS_SUCCESS
                   : STATUS_INVALID_PARAMETER;
    default:
        return STATUS_SUCCESS;
    }
}

static ULONG SmcT1Build(_Inout_ PSMARTCARD_EXTENSION Ext, _In_ const SMC_T1_COMMAND *Command)
{
    PT1_DATA t1 = &Ext->T1;
    PSMC_T1 own = &SmcPrivateOf(Ext)->T1;

    switch (t1->State) {
    case T1_I_BLOCK:
        return SmcT1BuildI(Ext, Command);
    case T1_R_BLOCK:
        return SmcT1BuildR(Ext, Command->Block);
    case T1_IFS_REQUEST:
        own->IfsAsked = SmcT1FieldWanted(Ext);
        return SmcT1BuildS(Ext, Command->Block, T1_IFS_REQUEST, own->IfsAsked);
    case T1_WTX_RESPONSE:
    case T1_IFS_RESPONSE:
    case T1_ABORT_RESPONSE:
        own->ResponsePcb = (UCHAR)t1->State;
        t1->State = t1->OriginalState;
        return SmcT1BuildS(Ext, Command->Block, own->ResponsePcb, own->SupervisoryInf);
    default:
        t1->State = T1_RESYNCH_REQUEST;
        return SmcT1BuildS(Ext, Command->Block, T1_RESYNCH_REQUEST, 0);
    }
}

_Must_inspect_result_
static NTSTATUS SmcT1FindRoom(_In_ PSMARTCARD_EXTENSION Ext, _Inout_ PSMC_T1_COMMAND Command)
{
    ULONG overhead = SCARD_T1_PROLOGUE_LENGTH + SmcT1EdcLength(Ext);

    if (Ext->SmartcardRequest.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!SmcRequestFits(Ext, overhead + 1)) {
        return STATUS_BUFFER_OVERFLOW;
    }
    Command->Block = Ext->SmartcardRequest.Buffer + Ext->SmartcardRequest.BufferLength;
    Command->Space = Ext->SmartcardRequest.BufferSize - Ext->SmartcardRequest.BufferLength - overhead;
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardT1Request(PSMARTCARD_EXTENSION Ext)
{
    SMC_T1_COMMAND command;
    PUCHAR data;
    ULONG length;
    NTSTATUS status = SmcPciCommand(Ext, &data, &command.Length);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (command.Length == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    command.Data = data;
    status = SmcT1FindRoom(Ext, &command);
    if (NT_SUCCESS(status)) {
        status = SmcT1ChooseBlock(Ext, command.Length);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }

    length = SmcT1Build(Ext, &command);
    length += SmcT1EdcWrite(command.Block, length, SmcT1EdcLength(Ext) == 2);
    if (Ext->CardCapabilities.InversConvention) {
        SmartcardInvertData(command.Block, length);
    }
    Ext->SmartcardRequest.BufferLength += length;
    Ext->SmartcardReply.BufferLength = 0;
    SmcPrivateOf(Ext)->T1.ReplyExpected = TRUE;
    return STATUS_SUCCESS;
}
