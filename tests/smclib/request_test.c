// SPDX-License-Identifier: MIT
// Requests that another driver built: without what the I/O manager promises, or cancelled before they arrive.
#include "tests/smclib/card.h"

static ULONG Completions;

static IO_COMPLETION_ROUTINE Completed;
static NTSTATUS NTAPI Completed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    (void)DeviceObject;
    (void)Irp;
    (void)Context;
    Completions++;
    return STATUS_MORE_PROCESSING_REQUIRED; // the test frees it
}

static NTSTATUS NTAPI NeverAsked(PSMARTCARD_EXTENSION Extension)
{
    (void)Extension;
    CHECK(FALSE);
    return STATUS_SUCCESS;
}

// Status of a request without a system buffer, completed exactly once.
static NTSTATUS Send(ULONG Code, ULONG In, ULONG Out, BOOLEAN Cancelled)
{
    PIRP irp = IoAllocateIrp(2, FALSE);
    PIO_STACK_LOCATION stack;
    NTSTATUS status;

    CHECK(irp != NULL);
    IoSetNextIrpStackLocation(irp);
    IoSetCompletionRoutine(irp, Completed, NULL, TRUE, TRUE, TRUE);
    stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = Code;
    stack->Parameters.DeviceIoControl.InputBufferLength = In;
    stack->Parameters.DeviceIoControl.OutputBufferLength = Out;
    IoSetNextIrpStackLocation(irp);
    irp->Cancel = Cancelled;
    Completions = 0;
    status = SmartcardDeviceControl(Ext, irp);
    CHECK_EQ(Completions, 1);
    CHECK_STATUS(irp->IoStatus.Status, status);
    CHECK_EQ(irp->IoStatus.Information, 0);
    IoFreeIrp(irp);
    return status;
}

static void LengthsWithoutABufferAreRefused(void)
{
    static const struct {
        ULONG Code, In, Out;
    } cases[] = {
        {IOCTL_SMARTCARD_GET_STATE, 0, 4},      {IOCTL_SMARTCARD_GET_LAST_ERROR, 0, 4},
        {IOCTL_SMARTCARD_GET_ATTRIBUTE, 4, 32}, {IOCTL_SMARTCARD_SET_ATTRIBUTE, 8, 0},
        {IOCTL_SMARTCARD_POWER, 4, 33},         {IOCTL_SMARTCARD_SET_PROTOCOL, 4, 4},
        {IOCTL_SMARTCARD_TRANSMIT, 12, 64},
    };

    for (ULONG i = 0; i < RDF_ATR_PARSE; i++) {
        Ext->ReaderFunction[i] = NeverAsked;
    }
    for (ULONG i = 0; i < ARRAYSIZE(cases); i++) {
        CHECK_STATUS(Send(cases[i].Code, cases[i].In, cases[i].Out, FALSE), STATUS_INVALID_PARAMETER);
    }
}

static void CancelledRequestIsNotTracked(void)
{
    Ext->ReaderFunction[RDF_CARD_TRACKING] = NeverAsked;
    CHECK_STATUS(Send(IOCTL_SMARTCARD_IS_ABSENT, 0, 0, TRUE), STATUS_CANCELLED);
    CHECK(Ext->OsData->NotificationIrp == NULL);
    CHECK_STATUS(Send(IOCTL_SMARTCARD_IS_PRESENT, 0, 0, TRUE), STATUS_SUCCESS); // the answer is known
}

static void NothingToCompleteIsRefused(void)
{
    PIRP irp = IoAllocateIrp(1, FALSE);

    CHECK(irp != NULL);
    CHECK_STATUS(SmartcardDeviceControl(NULL, irp), STATUS_INVALID_PARAMETER);
    CHECK_STATUS(SmartcardDeviceControl(Ext, NULL), STATUS_INVALID_PARAMETER);
    IoFreeIrp(irp);
}

const struct WdmTest WdmTests[] = {
    {"lengths without a buffer are refused", LengthsWithoutABufferAreRefused},
    {"a cancelled request is not tracked", CancelledRequestIsNotTracked},
    {"nothing to complete is refused", NothingToCompleteIsRefused},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = CardSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
