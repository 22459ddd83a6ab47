// SPDX-License-Identifier: MIT
// The reader driver's callbacks: they do what the test asked for and note what the library gave them.
#include <ntddk.h>
#include "include/smclib.h"
#include "tests/smclib/testreader.h"
#include "tests/smclib/testcallbacks.h"

static VOID Note(PSMARTCARD_EXTENSION Ext, ULONG Index)
{
    ULONG length = Ext->IoRequest.RequestBufferLength;
    KIRQL irql;

    test_reader.calls[Index]++;
    test_reader.major = Ext->MajorIoControlCode;
    test_reader.minor = Ext->MinorIoControlCode;
    test_reader.reply_length = Ext->IoRequest.ReplyBufferLength;
    test_reader.reply_null = Ext->IoRequest.ReplyBuffer == NULL;
    test_reader.request_length = length;
    test_reader.lengths = Ext->SmartcardRequest.BufferLength + Ext->SmartcardReply.BufferLength;
    if (length > sizeof(test_reader.request)) {
        length = sizeof(test_reader.request);
    }
    if (Ext->IoRequest.RequestBuffer != NULL) { // a code of another method may have none
        RtlCopyMemory(test_reader.request, Ext->IoRequest.RequestBuffer, length);
    }
    KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
    test_reader.state = Ext->ReaderCapabilities.CurrentState;
    test_reader.current_is_set = Ext->OsData->CurrentIrp != NULL;
    KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
}

// A callback that pends must have marked the request.
static NTSTATUS Result(PSMARTCARD_EXTENSION Ext, ULONG Index)
{
    NTSTATUS status = (NTSTATUS)test_reader.status[Index];

    if (status == STATUS_PENDING) {
        IoMarkIrpPending(Ext->OsData->CurrentIrp);
    }
    return status;
}

static VOID StateSet(PSMARTCARD_EXTENSION Ext, ULONG State)
{
    KIRQL irql;

    KeAcquireSpinLock(&Ext->OsData->SpinLock, &irql);
    Ext->ReaderCapabilities.CurrentState = State;
    KeReleaseSpinLock(&Ext->OsData->SpinLock, irql);
}

static NTSTATUS PowerUp(PSMARTCARD_EXTENSION Ext)
{
    ULONG length = test_reader.atr_length;

    RtlCopyMemory(Ext->CardCapabilities.ATR.Buffer, test_reader.atr, length);
    Ext->CardCapabilities.ATR.Length = (UCHAR)length;
    if (!test_reader.no_answer) {
        if (Ext->IoRequest.ReplyBuffer != NULL) {
            RtlCopyMemory(Ext->IoRequest.ReplyBuffer, test_reader.atr, length);
        }
        *Ext->IoRequest.Information = length; // even without a buffer, as some drivers do
    }
    if (test_reader.user_parameters) {
        Ext->CardCapabilities.PtsData.Type = PTS_TYPE_USER;
    }
    if (test_reader.select_raw) {
        Ext->CardCapabilities.Protocol.Selected = SCARD_PROTOCOL_RAW;
        StateSet(Ext, SCARD_SPECIFIC);
    }
    if (test_reader.vanish) {
        StateSet(Ext, SCARD_ABSENT);
    }
    return test_reader.update ? SmartcardUpdateCardCapabilities(Ext) : STATUS_SUCCESS;
}

static NTSTATUS NTAPI CallbackPower(PSMARTCARD_EXTENSION Ext)
{
    NTSTATUS status;

    Note(Ext, RDF_CARD_POWER);
    status = Result(Ext, RDF_CARD_POWER);
    if (status != STATUS_SUCCESS) {
        *Ext->IoRequest.Information = 5; // the library must not let it out
        return status;
    }
    if (Ext->MinorIoControlCode == SCARD_POWER_DOWN) {
        StateSet(Ext, SCARD_PRESENT);
        return status;
    }
    return PowerUp(Ext);
}

static NTSTATUS NTAPI CallbackSetProtocol(PSMARTCARD_EXTENSION Ext)
{
    ULONG chosen = (Ext->MinorIoControlCode & SCARD_PROTOCOL_T1) != 0 ? SCARD_PROTOCOL_T1 : SCARD_PROTOCOL_T0;
    NTSTATUS status;

    Note(Ext, RDF_SET_PROTOCOL);
    test_reader.reply_empty = TRUE;
    for (ULONG i = 0; i < Ext->IoRequest.ReplyBufferLength; i++) {
        test_reader.reply_empty = test_reader.reply_empty && Ext->IoRequest.ReplyBuffer[i] == 0;
    }
    test_reader.pts_type = Ext->CardCapabilities.PtsData.Type;
    test_reader.pts_dl = Ext->CardCapabilities.PtsData.Dl;
    test_reader.pts_rate = Ext->CardCapabilities.PtsData.DataRate;
    if (test_reader.atr_as_protocol) {
        RtlCopyMemory(Ext->IoRequest.ReplyBuffer, test_reader.atr, 33);
        *Ext->IoRequest.Information = 33;
    }
    status = Result(Ext, RDF_SET_PROTOCOL);
    if (status != STATUS_SUCCESS) {
        return status;
    }
    if (!test_reader.select_nothing) {
        Ext->CardCapabilities.Protocol.Selected = chosen;
    }
    if (!test_reader.no_answer) {
        *(PULONG)Ext->IoRequest.ReplyBuffer = chosen;
        *Ext->IoRequest.Information = sizeof(ULONG);
        StateSet(Ext, SCARD_SPECIFIC);
    }
    return status;
}

static NTSTATUS TransmitT0(PSMARTCARD_EXTENSION Ext)
{
    NTSTATUS status = SmartcardT0Request(Ext);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    Ext->SmartcardReply.Buffer[0] = 0x90;
    Ext->SmartcardReply.Buffer[1] = 0x00;
    Ext->SmartcardReply.BufferLength = 2;
    return SmartcardT0Reply(Ext);
}

// Sends blocks into the void and gives up in the middle, as a driver does whose transport fails.
static NTSTATUS TransmitT1(PSMARTCARD_EXTENSION Ext)
{
    for (int i = 0; i < test_reader.t1_rounds; i++) {
        NTSTATUS status;
        Ext->SmartcardRequest.BufferLength = 0;
        status = SmartcardT1Request(Ext);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        test_reader.request_length = Ext->SmartcardRequest.BufferLength;
        RtlCopyMemory(test_reader.request, Ext->SmartcardRequest.Buffer, 5);
    }
    return STATUS_IO_TIMEOUT;
}

static NTSTATUS NTAPI CallbackTransmit(PSMARTCARD_EXTENSION Ext)
{
    NTSTATUS status;

    Note(Ext, RDF_TRANSMIT);
    if (test_reader.block) {
        __atomic_store_n(&test_reader.blocked, TRUE, __ATOMIC_SEQ_CST);
        status = KeWaitForSingleObject(&Ext->ReaderExtension->Released, Executive, KernelMode, FALSE, NULL);
        __atomic_store_n(&test_reader.blocked, FALSE, __ATOMIC_SEQ_CST);
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
    status = Result(Ext, RDF_TRANSMIT);
    if (status != STATUS_SUCCESS) {
        return status;
    }
    return Ext->CardCapabilities.Protocol.Selected == SCARD_PROTOCOL_T1 ? TransmitT1(Ext) : TransmitT0(Ext);
}

static NTSTATUS NTAPI CallbackEject(PSMARTCARD_EXTENSION Ext)
{
    Note(Ext, RDF_CARD_EJECT);
    return Result(Ext, RDF_CARD_EJECT);
}

static NTSTATUS NTAPI CallbackSwallow(PSMARTCARD_EXTENSION Ext)
{
    Note(Ext, RDF_READER_SWALLOW);
    return Result(Ext, RDF_READER_SWALLOW);
}

static NTSTATUS NTAPI CallbackConfiscate(PSMARTCARD_EXTENSION Ext)
{
    Note(Ext, RDF_CARD_CONFISCATE);
    return Result(Ext, RDF_CARD_CONFISCATE);
}

static NTSTATUS NTAPI CallbackVendor(PSMARTCARD_EXTENSION Ext)
{
    Note(Ext, RDF_IOCTL_VENDOR);
    if (test_reader.vendor_answer != 0) {
        RtlFillMemory(Ext->IoRequest.ReplyBuffer, test_reader.vendor_answer, 0x77);
        Ext->OsData->CurrentIrp->IoStatus.Information = test_reader.vendor_answer;
    }
    return Result(Ext, RDF_IOCTL_VENDOR);
}

VOID TrackingComplete(PSMARTCARD_EXTENSION Ext, NTSTATUS Status)
{
    PIRP irp = InterlockedExchangePointer((PVOID volatile *)&Ext->OsData->NotificationIrp, NULL);
    KIRQL irql;

    if (irp == NULL) {
        return;
    }
    IoAcquireCancelSpinLock(&irql);
    IoSetCancelRoutine(irp, NULL);
    IoReleaseCancelSpinLock(irql);
    irp->IoStatus.Status = Status;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static DRIVER_CANCEL TrackingCancel;
static VOID NTAPI TrackingCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSMARTCARD_EXTENSION ext = DeviceObject->DeviceExtension;
    PIRP mine = InterlockedCompareExchangePointer((PVOID volatile *)&ext->OsData->NotificationIrp, NULL, Irp);

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    if (mine == Irp) {
        Irp->IoStatus.Status = STATUS_CANCELLED;
        Irp->IoStatus.Information = 0;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
    }
}

static NTSTATUS NTAPI CallbackTracking(PSMARTCARD_EXTENSION Ext)
{
    NTSTATUS status = (NTSTATUS)test_reader.status[RDF_CARD_TRACKING];
    BOOLEAN cancelled = FALSE;
    PIRP irp;
    KIRQL irql;

    InterlockedIncrement((volatile LONG *)&test_reader.calls[RDF_CARD_TRACKING]);
    if (test_reader.complete_in_callback) {
        TrackingComplete(Ext, STATUS_SUCCESS);
        return status;
    }
    IoAcquireCancelSpinLock(&irql);
    irp = InterlockedCompareExchangePointer((PVOID volatile *)&Ext->OsData->NotificationIrp, NULL, NULL);
    if (irp != NULL) {
        IoSetCancelRoutine(irp, TrackingCancel);
        cancelled = irp->Cancel;
    }
    IoReleaseCancelSpinLock(irql);
    if (cancelled) { // before there was a routine to call
        TrackingComplete(Ext, STATUS_CANCELLED);
    }
    return status;
}

VOID CallbackRelease(PSMARTCARD_EXTENSION Ext)
{
    KeSetEvent(&Ext->ReaderExtension->Released, IO_NO_INCREMENT, FALSE);
}

VOID CallbacksInstall(PSMARTCARD_EXTENSION Ext)
{
    static const PSMARTCARD_READER_FUNCTION callbacks[] = {
        [RDF_CARD_POWER] = CallbackPower,           [RDF_TRANSMIT] = CallbackTransmit,
        [RDF_CARD_EJECT] = CallbackEject,           [RDF_READER_SWALLOW] = CallbackSwallow,
        [RDF_CARD_TRACKING] = CallbackTracking,     [RDF_SET_PROTOCOL] = CallbackSetProtocol,
        [RDF_CARD_CONFISCATE] = CallbackConfiscate, [RDF_IOCTL_VENDOR] = CallbackVendor,
    };

    for (ULONG i = 0; i < ARRAYSIZE(callbacks); i++) {
        Ext->ReaderFunction[i] = (test_reader.absent_callbacks >> i & 1) != 0 ? NULL : callbacks[i];
    }
}
