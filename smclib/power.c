// SPDX-License-Identifier: MIT
// IOCTL_SMARTCARD_POWER.
#include "smclib/control.h"

// A driver may copy the ATR to any reply buffer it sees, so a reset gets room for a whole one or none at all.
_Use_decl_annotations_
NTSTATUS SmcPowerCheck(PSMC_CALL Call)
{
    ULONG minor;

    if (!SmcCallHasInput(Call, sizeof(minor))) {
        return STATUS_INVALID_PARAMETER;
    }
    minor = SmcCallUlong(Call);
    if (minor > SCARD_WARM_RESET) {
        return STATUS_INVALID_PARAMETER;
    }
    if (minor != SCARD_POWER_DOWN && Call->OutputLength != 0 && Call->OutputLength < SCARD_ATR_LENGTH &&
        !SmcOther(SmcOtherShortAtr)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    return STATUS_SUCCESS;
}

// CurrentState stays: by it a driver decides whether a warm reset is possible.
_Use_decl_annotations_
NTSTATUS SmcPowerPrepare(PSMC_CALL Call)
{
    PSMARTCARD_EXTENSION ext = Call->Ext;

    if (SmcStateGet(ext) <= SCARD_ABSENT) {
        return STATUS_NO_MEDIA;
    }
    ext->MinorIoControlCode = SmcCallUlong(Call);
    if (ext->MinorIoControlCode != SCARD_POWER_DOWN && !SmcOther(SmcOtherKeepCard)) {
        SmartcardInitializeCardCapabilities(ext);
    }
    return STATUS_SUCCESS;
}

static VOID SmcPowerReturnAtr(_Inout_ PSMC_CALL Call)
{
    PSMARTCARD_EXTENSION ext = Call->Ext;
    ULONG length;
    KIRQL irql;

    if (Call->Irp->IoStatus.Information != 0 || ext->IoRequest.ReplyBuffer == NULL || SmcOther(SmcOtherAtr)) {
        return;
    }
    KeAcquireSpinLock(&ext->OsData->SpinLock, &irql);
    length = ext->CardCapabilities.ATR.Length;
    if (length <= SCARD_ATR_LENGTH) {
        RtlCopyMemory(ext->IoRequest.ReplyBuffer, ext->CardCapabilities.ATR.Buffer, length);
        Call->Irp->IoStatus.Information = length;
    }
    KeReleaseSpinLock(&ext->OsData->SpinLock, irql);
}

// By the state, and on a warm reset by what the reset cleared: then the state is still that of the card
// before it. A selection without an offer is that of a driver that knows its card.
_Must_inspect_result_
static BOOLEAN SmcPowerIsUnparsed(_In_ PSMARTCARD_EXTENSION Ext, _In_ ULONG State)
{
    return SmcOther(SmcOtherParse) || State < SCARD_NEGOTIABLE ||
           (Ext->CardCapabilities.Protocol.Supported == 0 &&
            Ext->CardCapabilities.Protocol.Selected == SCARD_PROTOCOL_UNDEFINED);
}

// The driver need only store the ATR. It may also answer SUCCESS without one when the card has just gone: the
// client learns that from the state.
_Must_inspect_result_
static NTSTATUS SmcPowerReset(_Inout_ PSMC_CALL Call)
{
    PSMARTCARD_EXTENSION ext = Call->Ext;
    ULONG state = SmcStateGet(ext);
    NTSTATUS status = STATUS_SUCCESS;

    if (state <= SCARD_ABSENT || ext->CardCapabilities.ATR.Length == 0) {
        return status;
    }
    if (SmcPowerIsUnparsed(ext, state)) {
        status = SmartcardUpdateCardCapabilities(ext);
    }
    if (NT_SUCCESS(status)) {
        SmcPowerReturnAtr(Call);
    }
    return status;
}

static VOID SmcPowerLost(_Inout_ PSMARTCARD_EXTENSION Ext)
{
    KIRQL irql;

    KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
    if (SmcOther(SmcOtherState) && Ext->ReaderCapabilities.CurrentState > SCARD_PRESENT) {
        Ext->ReaderCapabilities.CurrentState = SCARD_PRESENT;
    }
    Ext->CardCapabilities.Protocol.Selected = SCARD_PROTOCOL_UNDEFINED;
    KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
}

_Use_decl_annotations_
NTSTATUS SmcPowerFinish(PSMC_CALL Call, NTSTATUS Status)
{
    PSMARTCARD_EXTENSION ext = Call->Ext;

    if (!NT_SUCCESS(Status)) {
        if (SmcOther(SmcOtherState)) {
            SmcPowerLost(ext);
        }
        return Status;
    }
    if (ext->MinorIoControlCode != SCARD_POWER_DOWN) {
        NTSTATUS status = SmcPowerReset(Call);
        return NT_SUCCESS(status) ? Status : status;
    }
    SmcPowerLost(ext);
    return Status;
}
