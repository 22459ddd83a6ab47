// SPDX-License-Identifier: MIT
// IOCTL_SMARTCARD_SET_PROTOCOL.
#include "smclib/control.h"

#define SMC_PROTOCOLS (SCARD_PROTOCOL_Tx | SCARD_PROTOCOL_RAW)

_Use_decl_annotations_
NTSTATUS SmcProtocolCheck(PSMC_CALL Call)
{
    if (!SmcCallHasInput(Call, sizeof(ULONG))) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Call->OutputLength < sizeof(ULONG)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    return STATUS_SUCCESS;
}

static ULONG SmcProtocolUsable(_In_ PSMARTCARD_EXTENSION Ext)
{
    ULONG reader = Ext->ReaderCapabilities.SupportedProtocols;

    return (Ext->CardCapabilities.Protocol.Supported & reader) | (reader & SCARD_PROTOCOL_RAW);
}

_Must_inspect_result_
static NTSTATUS SmcProtocolState(_In_ ULONG State)
{
    if (State <= SCARD_ABSENT) {
        return STATUS_NO_MEDIA;
    }
    return State < SCARD_NEGOTIABLE ? STATUS_INVALID_DEVICE_STATE : STATUS_SUCCESS;
}

// Nothing left to choose. Drivers answer SUCCESS here without a value, so they are not asked.
_Must_inspect_result_
static NTSTATUS SmcProtocolKnown(_Inout_ PSMC_CALL Call, _In_ ULONG Mask)
{
    ULONG selected = Call->Ext->CardCapabilities.Protocol.Selected;

    if ((selected & Mask) == 0) {
        return STATUS_NOT_SUPPORTED;
    }
    Call->Answered = TRUE;
    return SmcCallAnswer(Call, &selected, sizeof(selected));
}

// The driver saw reason to negotiate, so there is a choice to make even if the ATR leaves none.
static VOID SmcProtocolStayNegotiable(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    KIRQL irql;

    KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
    if (Ext->ReaderCapabilities.CurrentState == SCARD_SPECIFIC) {
        Ext->ReaderCapabilities.CurrentState = SCARD_NEGOTIABLE;
    }
    Ext->CardCapabilities.Protocol.Selected = SCARD_PROTOCOL_UNDEFINED;
    KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
}

// Computes the parameters to propose, and gives the driver a private reply buffer: one that falls back to a
// reset may copy a whole ATR into it.
_Must_inspect_result_
static NTSTATUS SmcProtocolPropose(_Inout_ PSMC_CALL Call, _In_ ULONG Mask)
{
    PSMARTCARD_EXTENSION ext = Call->Ext;
    PSMC_PRIVATE private = SmcPrivateOf(ext);
    NTSTATUS status;

    if (ext->CardCapabilities.PtsData.Type != PTS_TYPE_USER) {
        ext->CardCapabilities.PtsData.Type =
            (Mask & SCARD_PROTOCOL_DEFAULT) != 0 ? PTS_TYPE_DEFAULT : PTS_TYPE_OPTIMAL;
    }
    status = SmartcardUpdateCardCapabilities(ext);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    SmcProtocolStayNegotiable(ext);
    if (!SmcOther(SmcOtherAnswer)) {
        ext->IoRequest.ReplyBuffer = private->ProtocolReply;
        ext->IoRequest.ReplyBufferLength = sizeof(private->ProtocolReply);
    }
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
NTSTATUS SmcProtocolPrepare(PSMC_CALL Call)
{
    PSMARTCARD_EXTENSION ext = Call->Ext;
    ULONG mask = SmcCallUlong(Call);
    ULONG usable = mask & SmcProtocolUsable(ext);
    ULONG state = SmcStateGet(ext);
    NTSTATUS status = SmcProtocolState(state);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    if ((mask & SMC_PROTOCOLS) == 0) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if ((usable & SMC_PROTOCOLS) == 0) {
        return STATUS_NOT_SUPPORTED;
    }
    if (state == SCARD_SPECIFIC && !SmcOther(SmcOtherSpecific)) {
        return SmcProtocolKnown(Call, usable & SMC_PROTOCOLS);
    }
    // Bits the card does not offer are gone: drivers trust what is left.
    ext->MinorIoControlCode =
        SmcOther(SmcOtherMask) ? mask : (usable & SMC_PROTOCOLS) | (mask & SCARD_PROTOCOL_DEFAULT);
    return state == SCARD_SPECIFIC ? STATUS_SUCCESS : SmcProtocolPropose(Call, mask);
}

_Use_decl_annotations_
NTSTATUS SmcProtocolFinish(PSMC_CALL Call, NTSTATUS Status)
{
    PSMARTCARD_EXTENSION ext = Call->Ext;
    ULONG answer = ext->CardCapabilities.Protocol.Selected;
    NTSTATUS status;
    KIRQL irql;

    if (!NT_SUCCESS(Status) || SmcOther(SmcOtherAnswer)) {
        return Status;
    }
    if (Call->Irp->IoStatus.Information != 0) {
        RtlCopyMemory(&answer, SmcPrivateOf(ext)->ProtocolReply, sizeof(answer));
    }
    status = SmcCallAnswer(Call, &answer, sizeof(answer));
    KeAcquireSpinLock(&ext->OsData->SpinLock, &irql);
    if (ext->ReaderCapabilities.CurrentState == SCARD_NEGOTIABLE) {
        ext->ReaderCapabilities.CurrentState = SCARD_SPECIFIC;
    }
    KeReleaseSpinLock(&ext->OsData->SpinLock, irql);
    ext->T1.State = T1_INIT;
    return NT_SUCCESS(status) ? Status : status;
}
