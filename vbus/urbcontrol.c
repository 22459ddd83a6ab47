// SPDX-License-Identifier: MIT
// URBs that are one control transfer each, whatever their shape.
#include "vbus/vbus.h"

enum {
    REQUEST_IN = 0x80,
    REQUEST_CLASS = 0x20,
    REQUEST_VENDOR = 0x40,
    TO_DEVICE = 0,
    TO_INTERFACE = 1,
    TO_ENDPOINT = 2,
    TO_OTHER = 3,
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    GET_DESCRIPTOR = 6,
    SET_DESCRIPTOR = 7,
    GET_CONFIGURATION = 8,
    GET_INTERFACE = 10,
    REQUEST_SET_CONFIGURATION = 9,
    REQUEST_SET_INTERFACE = 11,
};

typedef struct _VBUS_SIMPLE {
    USHORT Function;
    UCHAR Type, Request;
} VBUS_SIMPLE;

// Functions without a direction flag; those of descriptors, status and features carry their own fields.
static const VBUS_SIMPLE VbusDescriptors[] = {
    {URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE, REQUEST_IN | TO_DEVICE, GET_DESCRIPTOR},
    {URB_FUNCTION_GET_DESCRIPTOR_FROM_INTERFACE, REQUEST_IN | TO_INTERFACE, GET_DESCRIPTOR},
    {URB_FUNCTION_GET_DESCRIPTOR_FROM_ENDPOINT, REQUEST_IN | TO_ENDPOINT, GET_DESCRIPTOR},
    {URB_FUNCTION_SET_DESCRIPTOR_TO_DEVICE, TO_DEVICE, SET_DESCRIPTOR},
    {URB_FUNCTION_SET_DESCRIPTOR_TO_INTERFACE, TO_INTERFACE, SET_DESCRIPTOR},
    {URB_FUNCTION_SET_DESCRIPTOR_TO_ENDPOINT, TO_ENDPOINT, SET_DESCRIPTOR},
};

static const VBUS_SIMPLE VbusStatuses[] = {
    {URB_FUNCTION_GET_STATUS_FROM_DEVICE, REQUEST_IN | TO_DEVICE, GET_STATUS},
    {URB_FUNCTION_GET_STATUS_FROM_INTERFACE, REQUEST_IN | TO_INTERFACE, GET_STATUS},
    {URB_FUNCTION_GET_STATUS_FROM_ENDPOINT, REQUEST_IN | TO_ENDPOINT, GET_STATUS},
    {URB_FUNCTION_GET_STATUS_FROM_OTHER, REQUEST_IN | TO_OTHER, GET_STATUS},
};

static const VBUS_SIMPLE VbusFeatures[] = {
    {URB_FUNCTION_SET_FEATURE_TO_DEVICE, TO_DEVICE, SET_FEATURE},
    {URB_FUNCTION_SET_FEATURE_TO_INTERFACE, TO_INTERFACE, SET_FEATURE},
    {URB_FUNCTION_SET_FEATURE_TO_ENDPOINT, TO_ENDPOINT, SET_FEATURE},
    {URB_FUNCTION_SET_FEATURE_TO_OTHER, TO_OTHER, SET_FEATURE},
    {URB_FUNCTION_CLEAR_FEATURE_TO_DEVICE, TO_DEVICE, CLEAR_FEATURE},
    {URB_FUNCTION_CLEAR_FEATURE_TO_INTERFACE, TO_INTERFACE, CLEAR_FEATURE},
    {URB_FUNCTION_CLEAR_FEATURE_TO_ENDPOINT, TO_ENDPOINT, CLEAR_FEATURE},
    {URB_FUNCTION_CLEAR_FEATURE_TO_OTHER, TO_OTHER, CLEAR_FEATURE},
};

static const VBUS_SIMPLE VbusRequests[] = {
    // the request is in the URB
    {URB_FUNCTION_CLASS_DEVICE, REQUEST_CLASS | TO_DEVICE, 0},
    {URB_FUNCTION_CLASS_INTERFACE, REQUEST_CLASS | TO_INTERFACE, 0},
    {URB_FUNCTION_CLASS_ENDPOINT, REQUEST_CLASS | TO_ENDPOINT, 0},
    {URB_FUNCTION_CLASS_OTHER, REQUEST_CLASS | TO_OTHER, 0},
    {URB_FUNCTION_VENDOR_DEVICE, REQUEST_VENDOR | TO_DEVICE, 0},
    {URB_FUNCTION_VENDOR_INTERFACE, REQUEST_VENDOR | TO_INTERFACE, 0},
    {URB_FUNCTION_VENDOR_ENDPOINT, REQUEST_VENDOR | TO_ENDPOINT, 0},
    {URB_FUNCTION_VENDOR_OTHER, REQUEST_VENDOR | TO_OTHER, 0},
};

static const VBUS_SIMPLE *VbusFind(_In_ const VBUS_SIMPLE *Table, _In_ ULONG Count, _In_ USHORT Function)
{
    for (ULONG i = 0; i < Count; i++) {
        if (Table[i].Function == Function) {
            return &Table[i];
        }
    }
    return NULL;
}

static USBD_STATUS VbusFromEmulator(_In_ enum emu_status Status)
{
    switch (Status) {
    case EMU_OK:
        return USBD_STATUS_SUCCESS;
    case EMU_STALL:
        return USBD_STATUS_STALL_PID;
    default:
        return USBD_STATUS_DEV_NOT_RESPONDING;
    }
}

USBD_STATUS VbusDeviceControl(PVBUS_PDO Pdo, const struct emu_setup *Setup, PUCHAR Data, PULONG Length)
{
    USBD_STATUS status = USBD_STATUS_DEVICE_GONE;
    size_t length = *Length;
    KIRQL irql;

    KeAcquireSpinLock(&Pdo->Lock, &irql);
    if (Pdo->Present) {
        status = VbusFromEmulator(emu_control(Pdo->Reader, VbusTime(Pdo), Setup, Data, &length));
        // What the device took of an OUT stage is all of it.
        *Length = (Setup->request_type & REQUEST_IN) != 0 || !USBD_SUCCESS(status) ? (ULONG)length : *Length;
    }
    KeReleaseSpinLock(&Pdo->Lock, irql);
    return status;
}

// The fields that all URBs with a data stage have at the same offsets as a control transfer.
static USBD_STATUS VbusControlTransfer(_Inout_ PVBUS_PDO Pdo, _Inout_ PURB Urb,
                                       _In_ const struct emu_setup *Setup)
{
    struct _URB_CONTROL_TRANSFER *transfer = &Urb->UrbControlTransfer;
    ULONG length = transfer->TransferBufferLength;
    PUCHAR data;

    if (length > MAXUSHORT || length != Setup->length) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    USBD_STATUS status = VbusUrbBuffer(transfer->TransferBuffer, transfer->TransferBufferMDL, length, &data);
    if (!USBD_SUCCESS(status)) {
        return status;
    }
    status = VbusDeviceControl(Pdo, Setup, data, &length);
    transfer->TransferBufferLength = USBD_SUCCESS(status) ? length : 0;
    return status;
}

static USBD_STATUS VbusControlDescriptor(_Inout_ PVBUS_PDO Pdo, _Inout_ PURB Urb,
                                         _In_ const VBUS_SIMPLE *Kind)
{
    struct _URB_CONTROL_DESCRIPTOR_REQUEST *request = &Urb->UrbControlDescriptorRequest;
    struct emu_setup setup = {Kind->Type, Kind->Request,
                              (USHORT)(request->DescriptorType << 8 | request->Index), request->LanguageId,
                              (USHORT)request->TransferBufferLength};

    return VbusControlTransfer(Pdo, Urb, &setup);
}

static USBD_STATUS VbusControlRequest(_Inout_ PVBUS_PDO Pdo, _Inout_ PURB Urb, _In_ const VBUS_SIMPLE *Kind)
{
    struct _URB_CONTROL_VENDOR_OR_CLASS_REQUEST *request = &Urb->UrbControlVendorClassRequest;
    UCHAR in = (request->TransferFlags & USBD_TRANSFER_DIRECTION_IN) != 0 ? REQUEST_IN : 0;
    struct emu_setup setup = {(UCHAR)(in | Kind->Type), request->Request, request->Value, request->Index,
                              (USHORT)request->TransferBufferLength};

    return VbusControlTransfer(Pdo, Urb, &setup);
}

static USBD_STATUS VbusControlFeature(_Inout_ PVBUS_PDO Pdo, _In_ PURB Urb, _In_ const VBUS_SIMPLE *Kind)
{
    struct _URB_CONTROL_FEATURE_REQUEST *request = &Urb->UrbControlFeatureRequest;
    struct emu_setup setup = {Kind->Type, Kind->Request, request->FeatureSelector, request->Index, 0};
    ULONG length = 0;

    return VbusDeviceControl(Pdo, &setup, NULL, &length);
}

static USBD_STATUS VbusControlStatus(_Inout_ PVBUS_PDO Pdo, _Inout_ PURB Urb, _In_ const VBUS_SIMPLE *Kind)
{
    struct emu_setup setup = {Kind->Type, Kind->Request, 0, Urb->UrbControlGetStatusRequest.Index,
                              (USHORT)Urb->UrbControlGetStatusRequest.TransferBufferLength};

    return VbusControlTransfer(Pdo, Urb, &setup);
}

static USBD_STATUS VbusControlGet(_Inout_ PVBUS_PDO Pdo, _Inout_ PURB Urb)
{
    struct _URB_CONTROL_GET_INTERFACE_REQUEST *request = &Urb->UrbControlGetInterfaceRequest;
    struct emu_setup setup = {REQUEST_IN | TO_DEVICE, GET_CONFIGURATION, 0, 0,
                              (USHORT)request->TransferBufferLength};

    if (Urb->UrbHeader.Function == URB_FUNCTION_GET_INTERFACE) {
        setup.request_type = REQUEST_IN | TO_INTERFACE;
        setup.request = GET_INTERFACE;
        setup.index = request->Interface;
    }
    return VbusControlTransfer(Pdo, Urb, &setup);
}

static USBD_STATUS VbusControlRaw(_Inout_ PVBUS_PDO Pdo, _Inout_ PURB Urb)
{
    const UCHAR *bytes = Urb->UrbControlTransfer.SetupPacket;
    struct emu_setup setup = {bytes[0], bytes[1], (USHORT)(bytes[2] | bytes[3] << 8),
                              (USHORT)(bytes[4] | bytes[5] << 8), (USHORT)(bytes[6] | bytes[7] << 8)};

    if (Urb->UrbControlTransfer.PipeHandle != NULL) {
        return USBD_STATUS_INVALID_PIPE_HANDLE; // only the default pipe is a control pipe
    }
    if ((setup.request_type & 0x60) == 0 &&
        (setup.request == REQUEST_SET_CONFIGURATION || setup.request == REQUEST_SET_INTERFACE)) {
        return USBD_STATUS_INVALID_PARAMETER; // changes pipes behind the bus driver's back
    }
    return VbusControlTransfer(Pdo, Urb, &setup);
}

#define VBUS_FIND(table, function) VbusFind(table, RTL_NUMBER_OF(table), function)

USBD_STATUS VbusUrbControl(PVBUS_PDO Pdo, PURB Urb)
{
    USHORT function = Urb->UrbHeader.Function;
    const VBUS_SIMPLE *kind;

    if (Urb->UrbHeader.Length < sizeof(struct _URB_CONTROL_TRANSFER)) { // all shapes are this long
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (function == URB_FUNCTION_CONTROL_TRANSFER || function == URB_FUNCTION_CONTROL_TRANSFER_EX) {
        return VbusControlRaw(Pdo, Urb);
    }
    if (function == URB_FUNCTION_GET_CONFIGURATION || function == URB_FUNCTION_GET_INTERFACE) {
        return VbusControlGet(Pdo, Urb);
    }
    if ((kind = VBUS_FIND(VbusDescriptors, function)) != NULL) {
        return VbusControlDescriptor(Pdo, Urb, kind);
    }
    if ((kind = VBUS_FIND(VbusRequests, function)) != NULL) {
        return VbusControlRequest(Pdo, Urb, kind);
    }
    if ((kind = VBUS_FIND(VbusStatuses, function)) != NULL) {
        return VbusControlStatus(Pdo, Urb, kind);
    }
    if ((kind = VBUS_FIND(VbusFeatures, function)) != NULL) {
        return VbusControlFeature(Pdo, Urb, kind);
    }
    return USBD_STATUS_INVALID_URB_FUNCTION;
}
