// SPDX-License-Identifier: MIT
// USB request blocks: checked once, here, and handed to those who serve them.
#include "vbus/vbus.h"

// The usual mapping; USBD_STATUS says more.
NTSTATUS VbusUrbStatus(USBD_STATUS Status)
{
    if (USBD_SUCCESS(Status)) {
        return STATUS_SUCCESS;
    }
    switch (Status) {
    case USBD_STATUS_INVALID_URB_FUNCTION:
    case USBD_STATUS_INVALID_PARAMETER:
    case USBD_STATUS_INVALID_PIPE_HANDLE:
        return STATUS_INVALID_PARAMETER;
    case USBD_STATUS_NOT_SUPPORTED:
        return STATUS_NOT_SUPPORTED;
    case USBD_STATUS_INSUFFICIENT_RESOURCES:
        return STATUS_INSUFFICIENT_RESOURCES;
    case USBD_STATUS_BUFFER_TOO_SMALL:
        return STATUS_BUFFER_TOO_SMALL;
    case USBD_STATUS_DEVICE_GONE:
        return STATUS_DEVICE_NOT_CONNECTED;
    case USBD_STATUS_CANCELED:
        return STATUS_CANCELLED;
    default:
        return STATUS_UNSUCCESSFUL;
    }
}

USBD_STATUS VbusUrbBuffer(PVOID Buffer, PMDL Mdl, ULONG Length, PUCHAR *Address)
{
    *Address = Buffer;
    if (Length == 0 || Buffer != NULL) {
        return USBD_STATUS_SUCCESS;
    }
    if (Mdl == NULL || MmGetMdlByteCount(Mdl) < Length) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    *Address = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    return *Address != NULL ? USBD_STATUS_SUCCESS : USBD_STATUS_INSUFFICIENT_RESOURCES;
}

PVBUS_PIPE VbusPipeFind(PVBUS_PDO Pdo, USBD_PIPE_HANDLE Handle)
{
    for (ULONG i = 0; i < VBUS_PIPES; i++) {
        if (Handle == &Pdo->Pipes[i] && Pdo->Pipes[i].Address != 0) {
            return &Pdo->Pipes[i];
        }
    }
    return NULL;
}

// Clears the halt at the host's end, the device's end, or both.
static USBD_STATUS VbusPipeReset(_Inout_ PVBUS_PDO Pdo, _Inout_ PVBUS_PIPE Pipe, _In_ USHORT Function)
{
    struct emu_setup clear = {0x02, 0x01, 0, Pipe->Address, 0};
    USBD_STATUS status = USBD_STATUS_SUCCESS;
    ULONG length = 0;
    KIRQL irql;

    if (VbusTransferPending(Pdo, Pipe)) {
        return USBD_STATUS_ERROR_BUSY;
    }
    if (Function != URB_FUNCTION_SYNC_RESET_PIPE) {
        status = VbusDeviceControl(Pdo, &clear, NULL, &length);
    }
    if (Function != URB_FUNCTION_SYNC_CLEAR_STALL && USBD_SUCCESS(status)) {
        KeAcquireSpinLock(&Pdo->Lock, &irql);
        Pipe->Halted = FALSE;
        KeReleaseSpinLock(&Pdo->Lock, irql);
    }
    return status;
}

static USBD_STATUS VbusUrbPipe(_Inout_ PVBUS_PDO Pdo, _In_ PURB Urb)
{
    PVBUS_PIPE pipe;

    if (Urb->UrbHeader.Length < sizeof(struct _URB_PIPE_REQUEST)) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    pipe = VbusPipeFind(Pdo, Urb->UrbPipeRequest.PipeHandle);
    if (pipe == NULL) {
        return USBD_STATUS_INVALID_PIPE_HANDLE;
    }
    if (Urb->UrbHeader.Function == URB_FUNCTION_ABORT_PIPE) {
        VbusTransferAbort(Pdo, pipe, USBD_STATUS_CANCELED);
        return USBD_STATUS_SUCCESS;
    }
    return VbusPipeReset(Pdo, pipe, Urb->UrbHeader.Function);
}

static USBD_STATUS VbusUrbFrame(_Inout_ PVBUS_PDO Pdo, _Inout_ PURB Urb)
{
    KIRQL irql;

    if (Urb->UrbHeader.Length < sizeof(struct _URB_GET_CURRENT_FRAME_NUMBER)) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    KeAcquireSpinLock(&Pdo->Lock, &irql);
    Urb->UrbGetCurrentFrameNumber.FrameNumber = (ULONG)(VbusTime(Pdo) / 1000); // one frame a millisecond
    KeReleaseSpinLock(&Pdo->Lock, irql);
    return USBD_STATUS_SUCCESS;
}

static USBD_STATUS VbusUrbRun(_Inout_ PVBUS_PDO Pdo, _Inout_ PURB Urb)
{
    switch (Urb->UrbHeader.Function) {
    case URB_FUNCTION_SELECT_CONFIGURATION:
        return VbusUrbSelectConfiguration(Pdo, Urb);
    case URB_FUNCTION_SELECT_INTERFACE:
        return VbusUrbSelectInterface(Pdo, Urb);
    case URB_FUNCTION_ABORT_PIPE:
    case URB_FUNCTION_SYNC_RESET_PIPE_AND_CLEAR_STALL:
    case URB_FUNCTION_SYNC_RESET_PIPE:
    case URB_FUNCTION_SYNC_CLEAR_STALL:
        return VbusUrbPipe(Pdo, Urb);
    case URB_FUNCTION_GET_CURRENT_FRAME_NUMBER:
        return VbusUrbFrame(Pdo, Urb);
    default:
        return VbusUrbControl(Pdo, Urb);
    }
}

static USBD_STATUS VbusUrbAdmit(_In_ PVBUS_PDO Pdo)
{
    BOOLEAN present, awake;
    KIRQL irql;

    KeAcquireSpinLock(&Pdo->Lock, &irql);
    present = Pdo->Present;
    awake = Pdo->Power == PowerDeviceD0;
    KeReleaseSpinLock(&Pdo->Lock, irql);
    if (!present) {
        return USBD_STATUS_DEVICE_GONE;
    }
    if (!awake || VbusStateGet(&Pdo->Common) == VbusNotStarted) {
        return USBD_STATUS_DEV_NOT_RESPONDING;
    }
    return USBD_STATUS_SUCCESS;
}

NTSTATUS VbusUrbSubmit(PVBUS_PDO Pdo, PIRP Irp)
{
    PURB urb = IoGetCurrentIrpStackLocation(Irp)->Parameters.Others.Argument1;

    if (urb == NULL || urb->UrbHeader.Length < sizeof(struct _URB_HEADER)) {
        return VbusComplete(Irp, STATUS_INVALID_PARAMETER);
    }
    USBD_STATUS status = VbusUrbAdmit(Pdo);
    if (USBD_SUCCESS(status) && urb->UrbHeader.Function == URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER) {
        return VbusTransferQueue(Pdo, Irp);
    }
    if (USBD_SUCCESS(status)) {
        status = VbusUrbRun(Pdo, urb);
        VbusTransferPump(Pdo); // the request may have given an IN endpoint something to say
    }
    urb->UrbHeader.Status = status;
    return VbusComplete(Irp, VbusUrbStatus(status));
}
