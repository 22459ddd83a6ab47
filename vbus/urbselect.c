// SPDX-License-Identifier: MIT
// SELECT_CONFIGURATION and SELECT_INTERFACE: pipes opened and closed.
#include "vbus/vbus.h"

enum { VBUS_ENDPOINTS_MAX_PACKET = 64, VBUS_INTERRUPT_PACKET = 8, VBUS_INTERRUPT_INTERVAL = 16 };

static const UCHAR VbusBulkAddresses[] = {EMU_EP_OUT, EMU_EP_IN, EMU_EP_INTERRUPT};

VOID VbusPipesClose(PVBUS_PDO Pdo)
{
    KIRQL irql;

    KeAcquireSpinLock(&Pdo->Lock, &irql);
    RtlZeroMemory(Pdo->Pipes, sizeof Pdo->Pipes);
    Pdo->Configured = FALSE;
    KeReleaseSpinLock(&Pdo->Lock, irql);
}

// A token's only endpoint is the interrupt one.
static VOID VbusPipesOpen(_Inout_ PVBUS_PDO Pdo)
{
    ULONG count = Pdo->Plug.model.endpoints;
    KIRQL irql;

    KeAcquireSpinLock(&Pdo->Lock, &irql);
    for (ULONG i = 0; i < VBUS_PIPES && i < count; i++) {
        Pdo->Pipes[i].Address = count == 1 ? EMU_EP_INTERRUPT : VbusBulkAddresses[i];
        Pdo->Pipes[i].Halted = FALSE;
    }
    Pdo->Configured = TRUE;
    KeReleaseSpinLock(&Pdo->Lock, irql);
}

static VOID VbusPipeDescribe(_In_ PVBUS_PIPE Pipe, _Out_ PUSBD_PIPE_INFORMATION Information)
{
    BOOLEAN interrupt = Pipe->Address == EMU_EP_INTERRUPT;

    Information->MaximumPacketSize = interrupt ? VBUS_INTERRUPT_PACKET : VBUS_ENDPOINTS_MAX_PACKET;
    Information->EndpointAddress = Pipe->Address;
    Information->Interval = interrupt ? VBUS_INTERRUPT_INTERVAL : 0;
    Information->PipeType = interrupt ? UsbdPipeTypeInterrupt : UsbdPipeTypeBulk;
    Information->PipeHandle = Pipe;
}

static VOID VbusInterfaceDescribe(_In_ PVBUS_PDO Pdo, _Inout_ PUSBD_INTERFACE_INFORMATION Interface)
{
    const struct emu_model *model = &Pdo->Plug.model;

    Interface->Class = model->interface_class;
    Interface->SubClass = 0;
    Interface->Protocol = model->interface_protocol;
    Interface->InterfaceHandle = &Pdo->Plug;
    Interface->NumberOfPipes = model->endpoints;
    for (ULONG i = 0; i < model->endpoints; i++) {
        VbusPipeDescribe(&Pdo->Pipes[i], &Interface->Pipes[i]);
    }
}

// The block must be the one this device has, and hold all its pipes. `Room`: what is left of the URB.
static USBD_STATUS VbusInterfaceCheck(_In_ PVBUS_PDO Pdo, _In_ PUSBD_INTERFACE_INFORMATION Interface,
                                      _In_ SIZE_T Room)
{
    SIZE_T needed = FIELD_OFFSET(USBD_INTERFACE_INFORMATION, Pipes) +
                    Pdo->Plug.model.endpoints * sizeof(USBD_PIPE_INFORMATION);

    if (Room < FIELD_OFFSET(USBD_INTERFACE_INFORMATION, Pipes) || Interface->Length > Room) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (Interface->InterfaceNumber != Pdo->Plug.model.interface_number || Interface->AlternateSetting != 0) {
        return USBD_STATUS_INTERFACE_NOT_FOUND;
    }
    return Interface->Length < needed ? USBD_STATUS_BUFFER_TOO_SMALL : USBD_STATUS_SUCCESS;
}

static USBD_STATUS VbusConfigure(_Inout_ PVBUS_PDO Pdo, _In_ USHORT Value)
{
    struct emu_setup setup = {0x00, 0x09, Value, 0, 0};
    ULONG length = 0;

    VbusTransferAbort(Pdo, NULL, USBD_STATUS_CANCELED);
    VbusPipesClose(Pdo);
    return VbusDeviceControl(Pdo, &setup, NULL, &length);
}

USBD_STATUS VbusUrbSelectConfiguration(PVBUS_PDO Pdo, PURB Urb)
{
    struct _URB_SELECT_CONFIGURATION *select = &Urb->UrbSelectConfiguration;
    const SIZE_T head = FIELD_OFFSET(struct _URB_SELECT_CONFIGURATION, Interface);

    if (Urb->UrbHeader.Length < head) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (select->ConfigurationDescriptor == NULL) {
        return VbusConfigure(Pdo, 0);
    }
    if (select->ConfigurationDescriptor->bConfigurationValue != 1) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    USBD_STATUS status = VbusInterfaceCheck(Pdo, &select->Interface, Urb->UrbHeader.Length - head);
    if (USBD_SUCCESS(status)) {
        status = VbusConfigure(Pdo, 1);
    }
    if (!USBD_SUCCESS(status)) {
        return status;
    }
    VbusPipesOpen(Pdo);
    VbusInterfaceDescribe(Pdo, &select->Interface);
    select->ConfigurationHandle = Pdo;
    return USBD_STATUS_SUCCESS;
}

USBD_STATUS VbusUrbSelectInterface(PVBUS_PDO Pdo, PURB Urb)
{
    struct _URB_SELECT_INTERFACE *select = &Urb->UrbSelectInterface;
    const SIZE_T head = FIELD_OFFSET(struct _URB_SELECT_INTERFACE, Interface);
    struct emu_setup setup = {0x01, 0x0B, 0, Pdo->Plug.model.interface_number, 0};
    ULONG length = 0;

    if (Urb->UrbHeader.Length < head || !Pdo->Configured || select->ConfigurationHandle != Pdo) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    USBD_STATUS status = VbusInterfaceCheck(Pdo, &select->Interface, Urb->UrbHeader.Length - head);
    if (USBD_SUCCESS(status)) {
        status = VbusDeviceControl(Pdo, &setup, NULL, &length);
    }
    if (USBD_SUCCESS(status)) {
        VbusPipesOpen(Pdo);
        VbusInterfaceDescribe(Pdo, &select->Interface);
    }
    return status;
}
