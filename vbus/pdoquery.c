// SPDX-License-Identifier: MIT
// What a plugged reader answers to PnP's questions about it.
#include "vbus/vbus.h"

// {9D7DEBBC-C85D-11D1-9EB4-006008C3A19A}
static const GUID VbusBusTypeUsb = {
    0x9D7DEBBC, 0xC85D, 0x11D1, {0x9E, 0xB4, 0x00, 0x60, 0x08, 0xC3, 0xA1, 0x9A}};

enum { VBUS_TEXT_MAX = 256 }; // characters, for three ids with terminators

typedef struct _VBUS_TEXT {
    PWCHAR Buffer;
    ULONG Length; // in characters
} VBUS_TEXT, *PVBUS_TEXT;

static BOOLEAN VbusTextBegin(_Out_ PVBUS_TEXT Text)
{
    Text->Length = 0;
    Text->Buffer = ExAllocatePoolWithTag(PagedPool, VBUS_TEXT_MAX * sizeof(WCHAR), VBUS_TAG);
    if (Text->Buffer != NULL) {
        RtlZeroMemory(Text->Buffer, VBUS_TEXT_MAX * sizeof(WCHAR));
    }
    return Text->Buffer != NULL;
}

static VOID VbusTextPut(_Inout_ PVBUS_TEXT Text, _In_ WCHAR Character)
{
    if (Text->Length < VBUS_TEXT_MAX - 2) { // always ends like a list of strings
        Text->Buffer[Text->Length++] = Character;
    }
}

static VOID VbusTextLiteral(_Inout_ PVBUS_TEXT Text, _In_ PCSTR Literal)
{
    while (*Literal != '\0') {
        VbusTextPut(Text, (WCHAR)*Literal++);
    }
}

static VOID VbusTextHex(_Inout_ PVBUS_TEXT Text, _In_ ULONG Value, _In_ ULONG Digits)
{
    static const char digits[] = "0123456789ABCDEF";

    while (Digits-- != 0) {
        VbusTextPut(Text, (WCHAR)digits[Value >> 4 * Digits & 0xF]);
    }
}

static VOID VbusTextDecimal(_Inout_ PVBUS_TEXT Text, _In_ ULONG Value)
{
    ULONG unit = 1;

    while (Value / unit >= 10) {
        unit *= 10;
    }
    for (; unit != 0; unit /= 10) {
        VbusTextPut(Text, (WCHAR)('0' + Value / unit % 10));
    }
}

static VOID VbusTextDevice(_Inout_ PVBUS_TEXT Text, _In_ const struct emu_model *Model)
{
    VbusTextLiteral(Text, "USB\\VID_");
    VbusTextHex(Text, Model->vendor_id, 4);
    VbusTextLiteral(Text, "&PID_");
    VbusTextHex(Text, Model->product_id, 4);
}

static VOID VbusTextHardware(_Inout_ PVBUS_TEXT Text, _In_ const struct emu_model *Model)
{
    VbusTextDevice(Text, Model);
    VbusTextLiteral(Text, "&REV_");
    VbusTextHex(Text, Model->release, 4);
    VbusTextPut(Text, L'\0');
    VbusTextDevice(Text, Model);
    VbusTextPut(Text, L'\0');
}

static VOID VbusTextCompatible(_Inout_ PVBUS_TEXT Text, _In_ const struct emu_model *Model)
{
    for (ULONG parts = 3; parts != 0; parts--) { // the most specific first
        VbusTextLiteral(Text, "USB\\Class_");
        VbusTextHex(Text, Model->interface_class, 2);
        if (parts >= 2) {
            VbusTextLiteral(Text, "&SubClass_00");
        }
        if (parts == 3) {
            VbusTextLiteral(Text, "&Prot_");
            VbusTextHex(Text, Model->interface_protocol, 2);
        }
        VbusTextPut(Text, L'\0');
    }
}

NTSTATUS VbusPdoQueryId(PVBUS_PDO Pdo, PIRP Irp)
{
    BUS_QUERY_ID_TYPE type = IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryId.IdType;
    const struct emu_model *model = &Pdo->Plug.model;
    VBUS_TEXT text;

    if (type > BusQueryInstanceID) {
        return VbusCompleteWith(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    }
    if (!VbusTextBegin(&text)) {
        return VbusComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    switch (type) {
    case BusQueryDeviceID:
        VbusTextDevice(&text, model);
        break;
    case BusQueryHardwareIDs:
        VbusTextHardware(&text, model);
        break;
    case BusQueryCompatibleIDs:
        VbusTextCompatible(&text, model);
        break;
    default: // the port: two readers may well have the same serial number
        VbusTextDecimal(&text, Pdo->Port);
        break;
    }
    return VbusCompleteWith(Irp, STATUS_SUCCESS, (ULONG_PTR)text.Buffer);
}

NTSTATUS VbusPdoQueryText(PVBUS_PDO Pdo, PIRP Irp)
{
    DEVICE_TEXT_TYPE type = IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryDeviceText.DeviceTextType;
    const char *product = Pdo->Plug.model.product;
    VBUS_TEXT text;

    if (type != DeviceTextDescription && type != DeviceTextLocationInformation) {
        return VbusCompleteWith(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    }
    if (!VbusTextBegin(&text)) {
        return VbusComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    if (type == DeviceTextDescription) {
        VbusTextLiteral(&text, product[0] != '\0' ? product : "USB smart card reader");
    } else {
        VbusTextLiteral(&text, "Port ");
        VbusTextDecimal(&text, Pdo->Port);
        VbusTextLiteral(&text, " of the virtual bus");
    }
    return VbusCompleteWith(Irp, STATUS_SUCCESS, (ULONG_PTR)text.Buffer);
}

NTSTATUS VbusPdoQueryCapabilities(PVBUS_PDO Pdo, PIRP Irp)
{
    PDEVICE_CAPABILITIES caps = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceCapabilities.Capabilities;
    BOOLEAN wake = (Pdo->Plug.model.ccid[42] & 0x10) != 0; // dwFeatures 00100000

    if (caps->Version != 1 || caps->Size < sizeof *caps) {
        return VbusComplete(Irp, STATUS_UNSUCCESSFUL);
    }
    caps->DeviceD2 = TRUE;
    caps->WakeFromD0 = caps->WakeFromD2 = wake;
    caps->Removable = TRUE;
    caps->UniqueID = TRUE;
    caps->SurpriseRemovalOK = FALSE; // the function driver's to say
    caps->Address = Pdo->Port;
    caps->UINumber = Pdo->Port;
    caps->DeviceState[PowerSystemWorking] = PowerDeviceD0;
    for (ULONG state = PowerSystemSleeping1; state <= PowerSystemSleeping3; state++) {
        caps->DeviceState[state] = wake ? PowerDeviceD2 : PowerDeviceD3;
    }
    caps->DeviceState[PowerSystemHibernate] = PowerDeviceD3;
    caps->DeviceState[PowerSystemShutdown] = PowerDeviceD3;
    caps->SystemWake = wake ? PowerSystemSleeping3 : PowerSystemUnspecified;
    caps->DeviceWake = wake ? PowerDeviceD2 : PowerDeviceUnspecified;
    return VbusComplete(Irp, STATUS_SUCCESS);
}

NTSTATUS VbusPdoQueryBus(PIRP Irp)
{
    PPNP_BUS_INFORMATION information = ExAllocatePoolWithTag(PagedPool, sizeof *information, VBUS_TAG);

    if (information == NULL) {
        return VbusComplete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    information->BusTypeGuid = VbusBusTypeUsb;
    information->LegacyBusType = PNPBus;
    information->BusNumber = 0;
    return VbusCompleteWith(Irp, STATUS_SUCCESS, (ULONG_PTR)information);
}
