// SPDX-License-Identifier: MIT
// What drivers ask about a physical device, and its registry keys.
#include "nthost/cm/cm.h"
#include "nthost/pnp/pnp.h"
#include "nthost/verifier/faults.h"

typedef struct _PNP_PROPERTY {
    const VOID *Data;
    ULONG Length; // 0: the device has none
} PNP_PROPERTY;

static PNP_PROPERTY PnpStringProperty(PCUNICODE_STRING Text)
{
    // Strings of the node are terminated beyond their length.
    return (PNP_PROPERTY){Text->Buffer, Text->Length != 0 ? Text->Length + (ULONG)sizeof(WCHAR) : 0};
}

static PNP_PROPERTY PnpEnumeratorName(const PNP_NODE *Node, PWCHAR Buffer, ULONG Characters)
{
    ULONG length = 0;
    while (length < Characters - 1 && length < Node->Instance.Length / sizeof(WCHAR) &&
           Node->Instance.Buffer[length] != L'\\') {
        Buffer[length] = Node->Instance.Buffer[length];
        length++;
    }
    Buffer[length] = 0;
    return (PNP_PROPERTY){Buffer, (length + 1) * (ULONG)sizeof(WCHAR)};
}

// Data that do not lie in the node go into `Scratch`.
typedef union _PNP_SCRATCH {
    ULONG Number;
    WCHAR Text[64];
} PNP_SCRATCH;

static PNP_PROPERTY PnpObjectName(PNP_NODE *Node, PNP_SCRATCH *Scratch)
{
    UNICODE_STRING name = {0};
    UNICODE_STRING copy = {0, sizeof Scratch->Text - sizeof(WCHAR), Scratch->Text};
    (void)ObpQueryName(Node->Pdo, &name);
    RtlCopyUnicodeString(&copy, &name);
    copy.Buffer[copy.Length / sizeof(WCHAR)] = 0;
    return PnpStringProperty(&copy);
}

static PNP_PROPERTY PnpNumber(PNP_SCRATCH *Scratch, ULONG Value)
{
    Scratch->Number = Value;
    return (PNP_PROPERTY){&Scratch->Number, sizeof Scratch->Number};
}

static PNP_PROPERTY PnpBusProperty(const PNP_NODE *Node, const VOID *Field, ULONG Length)
{
    return Node->HasBus ? (PNP_PROPERTY){Field, Length} : (PNP_PROPERTY){NULL, 0};
}

static PNP_PROPERTY PnpFindProperty(PNP_NODE *Node, DEVICE_REGISTRY_PROPERTY Property, PNP_SCRATCH *Scratch)
{
    switch (Property) {
    case DevicePropertyDeviceDescription:
        return PnpStringProperty(&Node->Description);
    case DevicePropertyHardwareID:
        return (PNP_PROPERTY){Node->HardwareIds.Buffer, Node->HardwareIds.Length};
    case DevicePropertyCompatibleIDs:
        return (PNP_PROPERTY){Node->CompatibleIds.Buffer, Node->CompatibleIds.Length};
    case DevicePropertyLocationInformation:
        return PnpStringProperty(&Node->Location);
    case DevicePropertyPhysicalDeviceObjectName:
        return PnpObjectName(Node, Scratch);
    case DevicePropertyBusTypeGuid:
        return PnpBusProperty(Node, &Node->Bus.BusTypeGuid, sizeof(GUID));
    case DevicePropertyLegacyBusType:
        return PnpBusProperty(Node, &Node->Bus.LegacyBusType, sizeof(ULONG));
    case DevicePropertyBusNumber:
        return PnpBusProperty(Node, &Node->Bus.BusNumber, sizeof(ULONG));
    case DevicePropertyEnumeratorName:
        return PnpEnumeratorName(Node, Scratch->Text, RTL_NUMBER_OF(Scratch->Text));
    case DevicePropertyAddress:
        return PnpNumber(Scratch, Node->Capabilities.Address);
    case DevicePropertyUINumber:
        return PnpNumber(Scratch, Node->Capabilities.UINumber);
    case DevicePropertyInstallState:
        return PnpNumber(Scratch, InstallStateInstalled);
    case DevicePropertyRemovalPolicy:
        return PnpNumber(Scratch, Node->Capabilities.SurpriseRemovalOK ? RemovalPolicyExpectSurpriseRemoval
                                                                       : RemovalPolicyExpectOrderlyRemoval);
    default:
        return (PNP_PROPERTY){NULL, 0};
    }
}

NTSTATUS NTAPI IoGetDeviceProperty(PDEVICE_OBJECT DeviceObject, DEVICE_REGISTRY_PROPERTY DeviceProperty,
                                   ULONG BufferLength, PVOID PropertyBuffer, PULONG ResultLength)
{
    NT_ENTRY(IoGetDeviceProperty);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    PNP_SCRATCH scratch;
    PNP_NODE *node = PnpNodeOf(DeviceObject);
    *ResultLength = 0;
    if (node == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if ((ULONG)DeviceProperty > DevicePropertyContainerID) {
        return STATUS_INVALID_PARAMETER_2;
    }
    PNP_PROPERTY property = PnpFindProperty(node, DeviceProperty, &scratch);
    if (property.Length == 0) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    *ResultLength = property.Length;
    if (BufferLength < property.Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(PropertyBuffer, property.Data, property.Length);
    return STATUS_SUCCESS;
}

// The unified keys of the same properties: all of one category, {a45c254e-df1c-4efd-8020-67d146a850e0}.
static const struct {
    ULONG Id;
    DEVICE_REGISTRY_PROPERTY Property;
    DEVPROPTYPE Type;
} PnpUnifiedProperties[] = {
    {2, DevicePropertyDeviceDescription, DEVPROP_TYPE_STRING},
    {3, DevicePropertyHardwareID, DEVPROP_TYPE_STRING_LIST},
    {4, DevicePropertyCompatibleIDs, DEVPROP_TYPE_STRING_LIST},
    {15, DevicePropertyLocationInformation, DEVPROP_TYPE_STRING},
    {16, DevicePropertyPhysicalDeviceObjectName, DEVPROP_TYPE_STRING},
    {18, DevicePropertyUINumber, DEVPROP_TYPE_UINT32},
    {21, DevicePropertyBusTypeGuid, DEVPROP_TYPE_GUID},
    {22, DevicePropertyLegacyBusType, DEVPROP_TYPE_UINT32},
    {23, DevicePropertyBusNumber, DEVPROP_TYPE_UINT32},
    {24, DevicePropertyEnumeratorName, DEVPROP_TYPE_STRING},
    {30, DevicePropertyAddress, DEVPROP_TYPE_UINT32},
};

NTSTATUS NTAPI IoGetDevicePropertyData(PDEVICE_OBJECT Pdo, CONST DEVPROPKEY *PropertyKey, LCID Lcid,
                                       ULONG Flags, ULONG Size, PVOID Data, PULONG RequiredSize,
                                       PDEVPROPTYPE Type)
{
    NT_ENTRY(IoGetDevicePropertyData);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    static const GUID category = {
        0xa45c254e, 0xdf1c, 0x4efd, {0x80, 0x20, 0x67, 0xd1, 0x46, 0xa8, 0x50, 0xe0}};
    UNREFERENCED_PARAMETER(Lcid);
    UNREFERENCED_PARAMETER(Flags);
    *RequiredSize = 0;
    *Type = DEVPROP_TYPE_EMPTY;
    for (ULONG i = 0; i < RTL_NUMBER_OF(PnpUnifiedProperties); i++) {
        if (PnpUnifiedProperties[i].Id == PropertyKey->pid &&
            RtlEqualMemory(&PropertyKey->fmtid, &category, sizeof(GUID))) {
            *Type = PnpUnifiedProperties[i].Type;
            return IoGetDeviceProperty(Pdo, PnpUnifiedProperties[i].Property, Size, Data, RequiredSize);
        }
    }
    return PnpNodeOf(Pdo) != NULL ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_INVALID_DEVICE_REQUEST;
}

static NTSTATUS PnpOpenPrefixed(PCWSTR Prefix, PCUNICODE_STRING Name, PCWSTR Suffix, ACCESS_MASK Access,
                                PHANDLE Handle)
{
    WCHAR buffer[512];
    UNICODE_STRING path = {0, sizeof buffer, buffer};
    RtlAppendUnicodeToString(&path, Prefix);
    NTSTATUS status = RtlAppendUnicodeStringToString(&path, Name);
    return NT_SUCCESS(status) ? CmOpenControlSetKey(&path, Suffix, Access, Handle) : status;
}

NTSTATUS NTAPI IoOpenDeviceRegistryKey(PDEVICE_OBJECT DeviceObject, ULONG DevInstKeyType,
                                       ACCESS_MASK DesiredAccess, PHANDLE DevInstRegKey)
{
    NT_ENTRY(IoOpenDeviceRegistryKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    PNP_NODE *node = PnpNodeOf(DeviceObject);
    *DevInstRegKey = NULL;
    if (node == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    switch (DevInstKeyType & ~(ULONG)PLUGPLAY_REGKEY_CURRENT_HWPROFILE) {
    case PLUGPLAY_REGKEY_DEVICE:
        return PnpOpenPrefixed(L"Enum\\", &node->Instance, L"\\Device Parameters", DesiredAccess,
                               DevInstRegKey);
    case PLUGPLAY_REGKEY_DRIVER:
        return PnpOpenPrefixed(L"Control\\Class\\", &node->Instance, L"", DesiredAccess, DevInstRegKey);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS NTAPI IoOpenDeviceInterfaceRegistryKey(PUNICODE_STRING SymbolicLinkName, ACCESS_MASK DesiredAccess,
                                                PHANDLE DeviceInterfaceKey)
{
    NT_ENTRY(IoOpenDeviceInterfaceRegistryKey);
    NT_MAY_FAIL(REGISTRY, STATUS_INSUFFICIENT_RESOURCES);
    UNICODE_STRING name = *SymbolicLinkName;
    *DeviceInterfaceKey = NULL;
    if (name.Length <= 4 * sizeof(WCHAR)) {
        return STATUS_INVALID_PARAMETER;
    }
    name.Buffer += 4; // \??\ .
    name.Length -= 4 * sizeof(WCHAR);
    return PnpOpenPrefixed(L"Control\\DeviceClasses\\", &name, L"\\Device Parameters", DesiredAccess,
                           DeviceInterfaceKey);
}
