// SPDX-License-Identifier: MIT
// What smclib asks of the driver: power, protocol, exchange, tracking, vendor codes.
#include "minimal.h"
#include "hardware.h"

VOID SetState(PSMARTCARD_EXTENSION SmartcardExtension, ULONG State)
{
    KIRQL irql;

    AccessUnsafeData(&irql);
    SmartcardExtension->ReaderCapabilities.CurrentState = State;
    EndAccessUnsafeData(irql);
}

// ---- card tracking: whoever takes NotificationIrp out completes it ----

VOID TrackingEnd(PSMARTCARD_EXTENSION SmartcardExtension, NTSTATUS Status)
{
    PIRP irp =
        InterlockedExchangePointer((PVOID volatile *)&SmartcardExtension->OsData->NotificationIrp, NULL);
    KIRQL irql;

    if (irp == NULL) {
        return;
    }
    IoAcquireCancelSpinLock(&irql);
    IoSetCancelRoutine(irp, NULL);
    IoReleaseCancelSpinLock(irql);
    (VOID) Complete(irp, Status);
}

static DRIVER_CANCEL TrackingCancel;
static VOID NTAPI TrackingCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PREADER_EXTENSION reader = DeviceObject->DeviceExtension;
    PVOID volatile *place = (PVOID volatile *)&reader->Smartcard.OsData->NotificationIrp;
    PIRP taken = InterlockedCompareExchangePointer(place, NULL, Irp);

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    if (taken == Irp) {
        (VOID) Complete(Irp, STATUS_CANCELLED);
    }
}

static NTSTATUS NTAPI CardTracking(PSMARTCARD_EXTENSION SmartcardExtension)
{
    PVOID volatile *place = (PVOID volatile *)&SmartcardExtension->OsData->NotificationIrp;
    BOOLEAN cancelled = FALSE;
    PIRP irp;
    KIRQL irql;

    IoAcquireCancelSpinLock(&irql);
    irp = InterlockedCompareExchangePointer(place, NULL, NULL);
    if (irp != NULL) { // NULL: a card event was faster
        IoSetCancelRoutine(irp, TrackingCancel);
        cancelled = irp->Cancel;
    }
    IoReleaseCancelSpinLock(irql);
    if (cancelled) {
        TrackingEnd(SmartcardExtension, STATUS_CANCELLED);
    }
    return STATUS_PENDING;
}

VOID CardMoved(PVOID Context, BOOLEAN Present)
{
    PSMARTCARD_EXTENSION SmartcardExtension = Context;

    SetState(SmartcardExtension, Present ? SCARD_PRESENT : SCARD_ABSENT);
    TrackingEnd(SmartcardExtension, STATUS_SUCCESS);
}

// ---- callbacks: one at a time, at PASSIVE_LEVEL ----

static NTSTATUS UseProtocol(PSMARTCARD_EXTENSION SmartcardExtension, ULONG Protocol, BOOLEAN Pps)
{
    const PTS_DATA *pts = &SmartcardExtension->CardCapabilities.PtsData;

    return HardwareSetProtocol(Protocol, pts->Fl, pts->Dl, Pps);
}

static NTSTATUS NTAPI CardPower(PSMARTCARD_EXTENSION SmartcardExtension)
{
    PSCARD_CARD_CAPABILITIES card = &SmartcardExtension->CardCapabilities;
    BOOLEAN warm = SmartcardExtension->MinorIoControlCode == SCARD_WARM_RESET &&
                   SmartcardExtension->ReaderCapabilities.CurrentState > SCARD_SWALLOWED;
    UCHAR atr[MAXIMUM_ATR_LENGTH];
    ULONG length;
    NTSTATUS status;
    KIRQL irql;

    if (SmartcardExtension->MinorIoControlCode == SCARD_POWER_DOWN) {
        HardwarePowerOff();
        SetState(SmartcardExtension, HardwareCardPresent() ? SCARD_PRESENT : SCARD_ABSENT);
        return STATUS_SUCCESS;
    }
    status = HardwareReset(warm, atr, &length);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    AccessUnsafeData(&irql);
    RtlCopyMemory(card->ATR.Buffer, atr, length);
    card->ATR.Length = (UCHAR)length;
    EndAccessUnsafeData(irql);
    status = SmartcardUpdateCardCapabilities(SmartcardExtension);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (SmartcardExtension->IoRequest.ReplyBuffer != NULL) {
        RtlCopyMemory(SmartcardExtension->IoRequest.ReplyBuffer, atr, length);
        *SmartcardExtension->IoRequest.Information = length;
    }
    // SPECIFIC already: no SET_PROTOCOL will come.
    return card->Protocol.Selected == SCARD_PROTOCOL_UNDEFINED
               ? STATUS_SUCCESS
               : UseProtocol(SmartcardExtension, card->Protocol.Selected, FALSE);
}

static NTSTATUS NTAPI SetProtocol(PSMARTCARD_EXTENSION SmartcardExtension)
{
    ULONG mask = SmartcardExtension->MinorIoControlCode;
    ULONG protocol = (mask & SCARD_PROTOCOL_T1) != 0 ? SCARD_PROTOCOL_T1 : SCARD_PROTOCOL_T0;
    NTSTATUS status = UseProtocol(SmartcardExtension, protocol, TRUE);
    KIRQL irql;

    if (!NT_SUCCESS(status)) {
        return status;
    }
    AccessUnsafeData(&irql);
    SmartcardExtension->CardCapabilities.Protocol.Selected = protocol;
    EndAccessUnsafeData(irql);
    return STATUS_SUCCESS; // the library fills in the answer and the state
}

static NTSTATUS Exchange(PSMARTCARD_EXTENSION SmartcardExtension, ULONG WaitMicroseconds)
{
    PSMARTCARD_REQUEST request = &SmartcardExtension->SmartcardRequest;
    PSMARTCARD_REPLY reply = &SmartcardExtension->SmartcardReply;

    return HardwareExchange(request->Buffer, request->BufferLength, WaitMicroseconds, reply->Buffer,
                            reply->BufferSize, &reply->BufferLength);
}

static NTSTATUS TransmitT0(PSMARTCARD_EXTENSION SmartcardExtension)
{
    NTSTATUS status = SmartcardT0Request(SmartcardExtension);

    if (NT_SUCCESS(status)) {
        status = Exchange(SmartcardExtension, SmartcardExtension->CardCapabilities.T0.WT);
    }
    return NT_SUCCESS(status) ? SmartcardT0Reply(SmartcardExtension) : status;
}

static NTSTATUS TransmitT1(PSMARTCARD_EXTENSION SmartcardExtension)
{
    NTSTATUS status;

    do {
        ULONG factor;
        SmartcardExtension->SmartcardRequest.BufferLength = 0; // no header of the reader's own
        SmartcardExtension->T1.NAD = 0;
        status = SmartcardT1Request(SmartcardExtension);
        if (!NT_SUCCESS(status)) {
            break;
        }
        factor = SmartcardExtension->T1.Wtx != 0 ? SmartcardExtension->T1.Wtx : 1;
        if (!NT_SUCCESS(Exchange(SmartcardExtension, factor * SmartcardExtension->CardCapabilities.T1.BWT))) {
            SmartcardExtension->SmartcardReply.BufferLength = 0; // silence: the library decides what to do
        }
        status = SmartcardT1Reply(SmartcardExtension);
    } while (status == STATUS_MORE_PROCESSING_REQUIRED);
    return status;
}

static NTSTATUS NTAPI Transmit(PSMARTCARD_EXTENSION SmartcardExtension)
{
    switch (SmartcardExtension->CardCapabilities.Protocol.Selected) {
    case SCARD_PROTOCOL_T0:
        return TransmitT0(SmartcardExtension);
    case SCARD_PROTOCOL_T1:
        return TransmitT1(SmartcardExtension);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static NTSTATUS NTAPI Vendor(PSMARTCARD_EXTENSION SmartcardExtension)
{
    if (SmartcardExtension->MajorIoControlCode != IOCTL_MINIMAL_MOVE_CARD) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (SmartcardExtension->IoRequest.RequestBufferLength < sizeof(ULONG)) {
        return STATUS_INVALID_PARAMETER;
    }
    HardwareMoveCard(*(PULONG)SmartcardExtension->IoRequest.RequestBuffer != 0);
    return STATUS_SUCCESS;
}

VOID CallbacksInstall(PSMARTCARD_EXTENSION SmartcardExtension)
{
    SmartcardExtension->ReaderFunction[RDF_CARD_POWER] = CardPower;
    SmartcardExtension->ReaderFunction[RDF_SET_PROTOCOL] = SetProtocol;
    SmartcardExtension->ReaderFunction[RDF_TRANSMIT] = Transmit;
    SmartcardExtension->ReaderFunction[RDF_CARD_TRACKING] = CardTracking;
    SmartcardExtension->ReaderFunction[RDF_IOCTL_VENDOR] = Vendor;
}
