// SPDX-License-Identifier: MIT
// SmartcardDeviceControl. Every request that does not pend is completed here, refused ones too: drivers only
// return the status.
#include "smclib/control.h"

_Use_decl_annotations_
NTSTATUS SmcCallComplete(PSMC_CALL Call, NTSTATUS Status)
{
    Call->Irp->IoStatus.Status = Status;
    IoCompleteRequest(Call->Irp, IO_NO_INCREMENT);
    return Status;
}

_Use_decl_annotations_
NTSTATUS SmcCallAnswer(PSMC_CALL Call, const VOID *Value, ULONG Length)
{
    if (Call->OutputLength == 0 || Call->Buffer == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Call->OutputLength < Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(Call->Buffer, Value, Length);
    Call->Irp->IoStatus.Information = Length;
    return STATUS_SUCCESS;
}

static VOID SmcRequestPublish(_In_ PSMC_CALL Call)
{
    PSMARTCARD_EXTENSION ext = Call->Ext;

    ext->MajorIoControlCode = Call->Code;
    ext->MinorIoControlCode = 0;
    // An alias, because drivers also write Irp->IoStatus themselves.
    ext->IoRequest.Information = (PULONG)&Call->Irp->IoStatus.Information;
    ext->IoRequest.RequestBuffer = Call->InputLength != 0 ? Call->Buffer : NULL;
    ext->IoRequest.RequestBufferLength = Call->InputLength;
    ext->IoRequest.ReplyBuffer = Call->OutputLength != 0 ? Call->Buffer : NULL;
    ext->IoRequest.ReplyBufferLength = Call->OutputLength;
    if (!SmcOther(SmcOtherStale)) {
        ext->SmartcardRequest.BufferLength = 0;
        ext->SmartcardReply.BufferLength = 0;
    }
}

// FALSE while a request that the driver left pending has not come back.
_Must_inspect_result_
static BOOLEAN SmcCurrentTake(_In_ PSMC_CALL Call)
{
    POS_DEP_DATA data = Call->Ext->OsData;
    BOOLEAN idle;
    KIRQL irql;

    KeAcquireSpinLock(&data->SpinLock, &irql);
    idle = data->CurrentIrp == NULL;
    if (idle) {
        data->CurrentIrp = Call->Irp;
    }
    KeReleaseSpinLock(&data->SpinLock, irql);
    return idle;
}

static VOID SmcCurrentDrop(_In_ PSMC_CALL Call)
{
    POS_DEP_DATA data = Call->Ext->OsData;
    KIRQL irql;

    KeAcquireSpinLock(&data->SpinLock, &irql);
    data->CurrentIrp = NULL;
    KeReleaseSpinLock(&data->SpinLock, irql);
}

// The I/O manager copies Information bytes to the client, so a standard answer never exceeds the client's
// buffer. Vendor answers are the driver's own business: a warning with data must get through.
static VOID SmcInformationSettle(_In_ PSMC_CALL Call, _In_ const SMC_OPERATION *Operation,
                                 _In_ NTSTATUS Status)
{
    PIO_STATUS_BLOCK result = &Call->Irp->IoStatus;

    if (Operation->Callback == RDF_IOCTL_VENDOR) {
        return;
    }
    if (NT_ERROR(Status)) {
        result->Information = 0;
    } else if (result->Information > Call->OutputLength) {
        result->Information = Call->OutputLength;
    }
}

// Commands may hold a PIN.
static VOID SmcRequestWipe(_In_ PSMARTCARD_EXTENSION Ext)
{
    PSMC_PRIVATE private = SmcPrivateOf(Ext);

    RtlSecureZeroMemory(private->RequestBuffer, private->RequestSize);
    RtlZeroMemory(private->ProtocolReply, sizeof(private->ProtocolReply));
}

_Must_inspect_result_
static NTSTATUS SmcOperationRun(_Inout_ PSMC_CALL Call, _In_ const SMC_OPERATION *Operation)
{
    PSMARTCARD_READER_FUNCTION callback = Call->Ext->ReaderFunction[Operation->Callback];
    NTSTATUS status;

    if (callback == NULL) {
        return STATUS_NOT_SUPPORTED;
    }
    SmcRequestPublish(Call);
    status = Operation->Prepare != NULL ? Operation->Prepare(Call) : STATUS_SUCCESS;
    if (!NT_SUCCESS(status) || Call->Answered) {
        return status;
    }
    status = callback(Call->Ext);
    if (status == STATUS_PENDING) {
        return status;
    }
    return Operation->Finish != NULL ? Operation->Finish(Call, status) : status;
}

// The mutex is free and CurrentIrp empty before the client can learn of the end and send its next request.
static NTSTATUS SmcOperationCall(_Inout_ PSMC_CALL Call, _In_ const SMC_OPERATION *Operation)
{
    POS_DEP_DATA data = Call->Ext->OsData;
    NTSTATUS status = Operation->Check != NULL ? Operation->Check(Call) : STATUS_SUCCESS;

    if (NT_SUCCESS(status)) {
        status = KeWaitForSingleObject(&data->Mutex, Executive, KernelMode, FALSE, NULL);
    }
    if (!NT_SUCCESS(status)) {
        return SmcCallComplete(Call, status);
    }
    if (!SmcCurrentTake(Call)) {
        KeReleaseMutex(&data->Mutex, FALSE);
        return SmcCallComplete(Call, STATUS_DEVICE_BUSY);
    }
    status = SmcOperationRun(Call, Operation);
    if (status != STATUS_PENDING) {
        SmcInformationSettle(Call, Operation, status);
        SmcRequestWipe(Call->Ext);
        SmcRequestIdle(Call->Ext);
        SmcCurrentDrop(Call);
    }
    KeReleaseMutex(&data->Mutex, FALSE);
    return status == STATUS_PENDING ? status : SmcCallComplete(Call, status);
}

_Must_inspect_result_
static NTSTATUS SmcStateAnswer(_Inout_ PSMC_CALL Call)
{
    ULONG state = SmcStateGet(Call->Ext);

    return SmcCallAnswer(Call, &state, sizeof(state));
}

_Must_inspect_result_
static NTSTATUS SmcLastErrorAnswer(_Inout_ PSMC_CALL Call)
{
    ULONG error = Call->Ext->LastError;

    return SmcCallAnswer(Call, &error, sizeof(error));
}

static NTSTATUS SmcCallDispatch(_Inout_ PSMC_CALL Call)
{
    switch (Call->Code) {
    case IOCTL_SMARTCARD_GET_STATE:
        return SmcCallComplete(Call, SmcStateAnswer(Call));
    case IOCTL_SMARTCARD_GET_LAST_ERROR:
        return SmcCallComplete(Call, SmcLastErrorAnswer(Call));
    case IOCTL_SMARTCARD_GET_ATTRIBUTE:
        return SmcCallComplete(Call, SmcAttributeGet(Call));
    case IOCTL_SMARTCARD_SET_ATTRIBUTE:
        return SmcCallComplete(Call, SmcAttributeSet(Call));
    case IOCTL_SMARTCARD_GET_PERF_CNTR:
        return SmcCallComplete(Call, STATUS_NOT_SUPPORTED);
    case IOCTL_SMARTCARD_IS_PRESENT:
        return SmcTrack(Call, TRUE);
    case IOCTL_SMARTCARD_IS_ABSENT:
        return SmcTrack(Call, FALSE);
    default:
        return SmcOperationCall(Call, SmcOperationFind(Call->Code));
    }
}

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardDeviceControl(PSMARTCARD_EXTENSION Ext, PIRP Irp)
{
    PIO_STACK_LOCATION stack;
    SMC_CALL call = {.Ext = Ext, .Irp = Irp};

    if (Ext == NULL || Irp == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    Irp->IoStatus.Information = 0;
    if (Ext->Version < SMCLIB_VERSION_REQUIRED) {
        return SmcCallComplete(&call, STATUS_UNSUCCESSFUL);
    }
    if (Ext->OsData == NULL) {
        return SmcCallComplete(&call, STATUS_INVALID_DEVICE_STATE);
    }
    stack = IoGetCurrentIrpStackLocation(Irp);
    call.Code = stack->Parameters.DeviceIoControl.IoControlCode;
    call.InputLength = stack->Parameters.DeviceIoControl.InputBufferLength;
    call.OutputLength = stack->Parameters.DeviceIoControl.OutputBufferLength;
    call.Buffer = Irp->AssociatedIrp.SystemBuffer;
    return SmcCallDispatch(&call);
}
