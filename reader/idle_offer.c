// SPDX-License-Identifier: MIT
// Selective suspend, wdm: IOCTL_INTERNAL_USB_SUBMIT_IDLE_NOTIFICATION. What is done at PASSIVE_LEVEL:
// offering, falling asleep, waking.
#include "reader/slot.h"

#define RETRY_TIME 1000 // ms

// A card would lose its session; and nobody must look at a slot whose reader cannot say that a card has come.
static BOOLEAN Needless(PREADER Reader)
{
    BOOLEAN wake = WakePossible(Reader);

    for (ULONG i = 0; i < Reader->SlotCount; i++) {
        PSLOT slot = Reader->Slots[i];
        if (SlotState(slot) > SCARD_SWALLOWED ||
            (!wake && InterlockedCompareExchange(&slot->Opened, 0, 0) != 0)) {
            return FALSE;
        }
    }
    return TRUE;
}

static NTSTATUS NTAPI OfferDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PREADER reader = Context;
    PIDLE idle = &reader->Idle;
    KIRQL irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    KeAcquireSpinLock(&idle->Lock, &irql);
    if (Irp->IoStatus.Status == STATUS_NOT_SUPPORTED) {
        idle->Period = 0; // the bus does not suspend
    }
    if (idle->State == IdleOffered || idle->State == IdleWithdrawn) {
        idle->State = IdleAwake;
    }
    IdleTimerArm(idle);
    KeSetEvent(&idle->OfferOver, IO_NO_INCREMENT, FALSE);
    KeReleaseSpinLock(&idle->Lock, irql);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// The caller holds the lock, so that a cancellation finds the IRP as it will be sent.
static VOID OfferPrepare(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    PIO_STACK_LOCATION next;

    IoReuseIrp(idle->Irp, STATUS_NOT_SUPPORTED);
    next = IoGetNextIrpStackLocation(idle->Irp);
    next->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    next->Parameters.DeviceIoControl.IoControlCode = IOCTL_INTERNAL_USB_SUBMIT_IDLE_NOTIFICATION;
    next->Parameters.DeviceIoControl.Type3InputBuffer = &idle->Info;
    next->Parameters.DeviceIoControl.InputBufferLength = sizeof(idle->Info);
    IoSetCompletionRoutine(idle->Irp, OfferDone, Reader, TRUE, TRUE, TRUE);
    KeClearEvent(&idle->OfferOver);
    idle->State = IdleOffered;
}

static VOID Offer(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    BOOLEAN needless = Needless(Reader);
    BOOLEAN offer = FALSE;
    KIRQL irql;

    if (idle->Irp == NULL) {
        idle->Irp = IoAllocateIrp(Reader->Lower->StackSize, FALSE);
    }
    KeAcquireSpinLock(&idle->Lock, &irql);
    if (IdleUnused(idle) && idle->State == IdleAwake) {
        offer = needless && idle->Irp != NULL && KeReadStateEvent(&idle->OfferOver) != 0;
        if (offer) {
            OfferPrepare(Reader);
        } else {
            IdleTimerArm(idle);
        }
    }
    KeReleaseSpinLock(&idle->Lock, irql);
    if (offer) {
        (VOID) IoCallDriver(Reader->Lower, idle->Irp);
    }
}

static VOID Leave(PREADER Reader)
{
    POWER_STATE state = {.DeviceState = PowerDeviceD0};

    // wdm: the hub does not expect D0 before its call has returned.
    KeWaitForSingleObject(&Reader->Idle.CallbackOver, Executive, KernelMode, FALSE, NULL);
    if (PoRequestPowerIrp(Reader->Physical, IRP_MN_SET_POWER, state, NULL, NULL, NULL) != STATUS_PENDING) {
        IdleTimerSet(&Reader->Idle, RETRY_TIME); // requests wait as long
    }
}

VOID IdleWorkRun(PREADER Reader, IDLE_STATE State, BOOLEAN Revive)
{
    if (Revive) {
        PowerRevive(Reader);
    } else if (State == IdleLeaving) {
        Leave(Reader);
    } else if (State == IdleAwake) {
        Offer(Reader);
    }
}

static VOID NTAPI DownDone(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction, POWER_STATE State, PVOID Context,
                           PIO_STATUS_BLOCK IoStatus)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(MinorFunction);
    UNREFERENCED_PARAMETER(State);
    UNREFERENCED_PARAMETER(IoStatus);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

// Requests that come from here on wait for the waking.
static BOOLEAN EnterBegin(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    BOOLEAN needless = Needless(Reader);
    BOOLEAN enter;
    KIRQL irql;

    KeAcquireSpinLock(&idle->Lock, &irql);
    enter = idle->State == IdleOffered && needless && IdleUnused(idle);
    if (enter) {
        idle->State = IdleEntering;
        KeClearEvent(&idle->CallbackOver);
        KeClearEvent(&idle->Awake);
        KeClearEvent(&Reader->Running);
    }
    KeReleaseSpinLock(&idle->Lock, irql);
    return enter;
}

// D2 may not have been reached; then the reader has never stopped working.
static VOID EnterEnd(PREADER Reader)
{
    PIDLE idle = &Reader->Idle;
    BOOLEAN wake = FALSE;
    BOOLEAN stay;
    KIRQL irql;

    KeAcquireSpinLock(&idle->Lock, &irql);
    stay = idle->State == IdleEntering;
    if (stay) {
        idle->State = IdleAwake;
        KeSetEvent(&idle->Awake, IO_NO_INCREMENT, FALSE);
        IdleRun(Reader);
    } else {
        wake = idle->Wanted;
    }
    idle->Wanted = FALSE;
    KeReleaseSpinLock(&idle->Lock, irql);
    KeSetEvent(&idle->CallbackOver, IO_NO_INCREMENT, FALSE);
    if (stay) {
        IoCancelIrp(idle->Irp);
    }
    if (wake) {
        IdleWake(Reader);
    }
}

// In a thread of the hub's. D2 and nothing else, and not before it is reached does this return.
static VOID NTAPI IdleCallback(PVOID Context)
{
    PREADER reader = Context;
    POWER_STATE state = {.DeviceState = PowerDeviceD2};
    NTSTATUS status = IoAcquireRemoveLock(&reader->RemoveLock, &reader->Idle.Info);
    KEVENT down;

    if (!NT_SUCCESS(status)) {
        return;
    }
    if (EnterBegin(reader)) {
        if (WakePossible(reader)) {
            WakeArm(reader);
        }
        KeInitializeEvent(&down, NotificationEvent, FALSE);
        if (Needless(reader) && PoRequestPowerIrp(reader->Physical, IRP_MN_SET_POWER, state, DownDone, &down,
                                                  NULL) == STATUS_PENDING) {
            KeWaitForSingleObject(&down, Executive, KernelMode, FALSE, NULL);
        }
        EnterEnd(reader);
    } else {
        IoCancelIrp(reader->Idle.Irp);
    }
    IoReleaseRemoveLock(&reader->RemoveLock, &reader->Idle.Info);
}

VOID IdleOfferInitialize(PREADER Reader)
{
    Reader->Idle.Info.IdleCallback = (USB_IDLE_CALLBACK)(PVOID)IdleCallback;
    Reader->Idle.Info.IdleContext = Reader;
}
