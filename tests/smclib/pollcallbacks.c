// SPDX-License-Identifier: MIT
// The callbacks, and the DPCs that do what the callbacks only begin.
#include "tests/smclib/pollreader.h"

#define TAG_TRANSFER  'snrT'
#define EXCHANGE_TIME 5 // ms

static VOID TimerSet(PKTIMER Timer, PKDPC Dpc, LONG Milliseconds)
{
    LARGE_INTEGER due;

    due.QuadPart = -10000LL * Milliseconds;
    KeSetTimer(Timer, due, Dpc);
}

// ---- card events ----

VOID TrackingEnd(PSMARTCARD_EXTENSION SmartcardExtension, NTSTATUS Status)
{
    PIRP irp =
        InterlockedExchangePointer((PVOID volatile *)&SmartcardExtension->OsData->NotificationIrp, NULL);
    KIRQL irql;

    if (irp != NULL) {
        IoAcquireCancelSpinLock(&irql);
        IoSetCancelRoutine(irp, NULL);
        IoReleaseCancelSpinLock(irql);
        Complete(irp, Status, 0);
    }
}

static DRIVER_CANCEL TrackingCancel;
static VOID NTAPI TrackingCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;
    PVOID taken =
        InterlockedCompareExchangePointer((PVOID volatile *)&ext->OsData->NotificationIrp, NULL, Irp);

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    if (taken == Irp) {
        Complete(Irp, STATUS_CANCELLED, 0);
    }
}

static NTSTATUS NTAPI CardTracking(PSMARTCARD_EXTENSION SmartcardExtension)
{
    PIRP irp;
    BOOLEAN cancelled = FALSE;
    KIRQL irql;

    IoAcquireCancelSpinLock(&irql);
    irp = InterlockedCompareExchangePointer((PVOID volatile *)&SmartcardExtension->OsData->NotificationIrp,
                                            NULL, NULL);
    if (irp != NULL) {
        IoSetCancelRoutine(irp, TrackingCancel);
        cancelled = irp->Cancel;
    }
    IoReleaseCancelSpinLock(irql);
    if (cancelled) {
        TrackingEnd(SmartcardExtension, STATUS_CANCELLED);
    }
    return STATUS_PENDING;
}

VOID NTAPI PollDpc(PKDPC Dpc, PVOID Context, PVOID Unused1, PVOID Unused2)
{
    PREADER_EXTENSION reader = Context;
    PSMARTCARD_EXTENSION SmartcardExtension = reader->Smartcard;
    BOOLEAN moved;
    KIRQL irql;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Unused1);
    UNREFERENCED_PARAMETER(Unused2);
    AccessUnsafeData(&irql);
    moved = (SmartcardExtension->ReaderCapabilities.CurrentState > SCARD_ABSENT) != reader->Present;
    if (moved) {
        SmartcardExtension->ReaderCapabilities.CurrentState = reader->Present ? SCARD_PRESENT : SCARD_ABSENT;
    }
    EndAccessUnsafeData(irql);
    if (moved) {
        SmartcardDebug(DEBUG_TRACE, ("%s: unit %d, card %s\n", DRIVER_NAME,
                                     SmartcardExtension->VendorAttr.UnitNo, reader->Present ? "in" : "out"));
        TrackingEnd(SmartcardExtension, STATUS_SUCCESS);
    }
}

// ---- exchanges: the callback starts one, the DPC goes on with it until the protocol has its answer ----

static NTSTATUS TransferRequest(PSMARTCARD_EXTENSION SmartcardExtension)
{
    SmartcardExtension->SmartcardRequest.BufferLength = 0;
    switch (SmartcardExtension->CardCapabilities.Protocol.Selected) {
    case SCARD_PROTOCOL_T0:
        return SmartcardT0Request(SmartcardExtension);
    case SCARD_PROTOCOL_T1:
        return SmartcardT1Request(SmartcardExtension);
    case SCARD_PROTOCOL_RAW:
        return SmartcardRawRequest(SmartcardExtension);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static NTSTATUS TransferReply(PSMARTCARD_EXTENSION SmartcardExtension)
{
    switch (SmartcardExtension->CardCapabilities.Protocol.Selected) {
    case SCARD_PROTOCOL_T0:
        return SmartcardT0Reply(SmartcardExtension);
    case SCARD_PROTOCOL_T1:
        return SmartcardT1Reply(SmartcardExtension);
    default:
        return SmartcardRawReply(SmartcardExtension);
    }
}

// The library does not see the end: what it clears after other requests is the driver's to clear.
VOID TransferEnd(PSMARTCARD_EXTENSION SmartcardExtension, NTSTATUS Status)
{
    PIRP irp;
    KIRQL irql;

    RtlSecureZeroMemory(SmartcardExtension->SmartcardRequest.Buffer,
                        SmartcardExtension->SmartcardRequest.BufferSize);
    SmartcardExtension->IoRequest.RequestBuffer = NULL;
    SmartcardExtension->IoRequest.ReplyBuffer = NULL;
    SmartcardExtension->IoRequest.Information = &SmartcardExtension->ReaderExtension->IdleInformation;
    AccessUnsafeData(&irql);
    irp = SmartcardExtension->OsData->CurrentIrp;
    SmartcardExtension->OsData->CurrentIrp = NULL;
    EndAccessUnsafeData(irql);
    SmartcardDebug(DEBUG_IOCTL, ("%s: TRANSMIT %lx\n", DRIVER_NAME, (unsigned long)(ULONG)Status));
    Complete(irp, Status, NT_SUCCESS(Status) ? irp->IoStatus.Information : 0);
    SmartcardReleaseRemoveLockWithTag(SmartcardExtension, TAG_TRANSFER);
}

VOID NTAPI TransferDpc(PKDPC Dpc, PVOID Context, PVOID Unused1, PVOID Unused2)
{
    PREADER_EXTENSION reader = Context;
    PSMARTCARD_EXTENSION ext = reader->Smartcard;
    NTSTATUS status = STATUS_NO_MEDIA;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Unused1);
    UNREFERENCED_PARAMETER(Unused2);
    if (reader->Present) {
        ext->SmartcardReply.BufferLength = PollCardExchange(
            &reader->Card, ext->CardCapabilities.Protocol.Selected, ext->SmartcardRequest.Buffer,
            ext->SmartcardRequest.BufferLength, ext->SmartcardReply.Buffer);
        status = TransferReply(ext);
    }
    if (status == STATUS_MORE_PROCESSING_REQUIRED) {
        status = TransferRequest(ext);
        if (NT_SUCCESS(status)) {
            TimerSet(&reader->Transfer, &reader->TransferDpc,
                     EXCHANGE_TIME * (ext->T1.Wtx != 0 ? ext->T1.Wtx : 1));
            return;
        }
    }
    TransferEnd(ext, status);
}

static NTSTATUS NTAPI CardTransmit(PSMARTCARD_EXTENSION SmartcardExtension)
{
    PREADER_EXTENSION reader = SmartcardExtension->ReaderExtension;
    NTSTATUS status = TransferRequest(SmartcardExtension);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = SmartcardAcquireRemoveLockWithTag(SmartcardExtension, TAG_TRANSFER);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    IoMarkIrpPending(SmartcardExtension->OsData->CurrentIrp);
    TimerSet(&reader->Transfer, &reader->TransferDpc, EXCHANGE_TIME);
    return STATUS_PENDING;
}

// ---- the other callbacks ----

NTSTATUS NTAPI CardPower(PSMARTCARD_EXTENSION SmartcardExtension)
{
    PREADER_EXTENSION reader = SmartcardExtension->ReaderExtension;
    PSCARD_CARD_CAPABILITIES card = &SmartcardExtension->CardCapabilities;
    KIRQL irql;

    if (!reader->Present) {
        return STATUS_NO_MEDIA;
    }
    AccessUnsafeData(&irql);
    if (SmartcardExtension->MinorIoControlCode == SCARD_POWER_DOWN) {
        SmartcardExtension->ReaderCapabilities.CurrentState = SCARD_PRESENT;
    } else {
        card->ATR.Length = (UCHAR)PollCardReset(&reader->Card, card->ATR.Buffer);
        *SmartcardExtension->IoRequest.Information = 0; // the library copies it
    }
    EndAccessUnsafeData(irql);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI SetProtocol(PSMARTCARD_EXTENSION SmartcardExtension)
{
    ULONG mask = SmartcardExtension->MinorIoControlCode & ~(ULONG)SCARD_PROTOCOL_DEFAULT;
    KIRQL irql;

    AccessUnsafeData(&irql);
    SmartcardExtension->CardCapabilities.Protocol.Selected = mask & (0 - mask);
    EndAccessUnsafeData(irql);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI VendorRequest(PSMARTCARD_EXTENSION SmartcardExtension)
{
    if (SmartcardExtension->MajorIoControlCode != POLL_MOVE_CARD ||
        SmartcardExtension->IoRequest.RequestBufferLength < 1) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    SmartcardExtension->ReaderExtension->Present = SmartcardExtension->IoRequest.RequestBuffer[0] != 0;
    return STATUS_SUCCESS;
}

VOID CallbacksInstall(PSMARTCARD_EXTENSION SmartcardExtension)
{
    SmartcardExtension->ReaderFunction[RDF_CARD_POWER] = CardPower;
    SmartcardExtension->ReaderFunction[RDF_TRANSMIT] = CardTransmit;
    SmartcardExtension->ReaderFunction[RDF_SET_PROTOCOL] = SetProtocol;
    SmartcardExtension->ReaderFunction[RDF_CARD_TRACKING] = CardTracking;
    SmartcardExtension->ReaderFunction[RDF_IOCTL_VENDOR] = VendorRequest;
}
