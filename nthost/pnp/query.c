// SPDX-License-Identifier: MIT
// What the PnP manager asks a device's stack about the device.
#include "nthost/pnp/pnp.h"

enum { PNP_ID_MAXIMUM = 200 }; // characters of one id, with its terminator

NTSTATUS PnpSend(PNP_NODE *Node, IO_STACK_LOCATION *Location, PULONG_PTR Information)
{
    Location->MajorFunction = IRP_MJ_PNP;
    return IopSendSynchronously(Node->Pdo, Location, STATUS_NOT_SUPPORTED, Information);
}

NTSTATUS PnpSendMinor(PNP_NODE *Node, UCHAR Minor)
{
    IO_STACK_LOCATION location = {.MinorFunction = Minor};
    return PnpSend(Node, &location, NULL);
}

static VOID PnpCheckIdCharacter(PNP_NODE *Node, BUS_QUERY_ID_TYPE Type, WCHAR Character)
{
    if (VfEnabled && (Character <= 0x20 || Character > 0x7F || Character == L',')) {
        VfBreak(VfRulePnpBadId, (ULONG_PTR)Node->Pdo, 0, (ULONG_PTR)Type,
                "%s: character %04x in an id of type %d", IopDriverName(Node->Pdo->DriverObject), Character,
                Type);
    }
}

// Length in characters of a string or, for the lists, of a MULTI_SZ with both terminators; 0: not terminated
// in time.
static ULONG PnpIdLength(PNP_NODE *Node, BUS_QUERY_ID_TYPE Type, const WCHAR *Id)
{
    BOOLEAN list = Type == BusQueryHardwareIDs || Type == BusQueryCompatibleIDs;
    ULONG at = 0;
    for (;;) {
        ULONG start = at;
        while (Id[at] != 0) {
            PnpCheckIdCharacter(Node, Type, Id[at]);
            if (++at - start >= PNP_ID_MAXIMUM || at >= MAXUSHORT / sizeof(WCHAR) - 2) {
                return 0;
            }
        }
        if (!list || at == start) {
            return list ? at + 1 : at;
        }
        at++;
    }
}

static NTSTATUS PnpQueryId(PNP_NODE *Node, BUS_QUERY_ID_TYPE Type, PUNICODE_STRING Id)
{
    IO_STACK_LOCATION location = {.MinorFunction = IRP_MN_QUERY_ID};
    ULONG_PTR information = 0;
    location.Parameters.QueryId.IdType = Type;
    NTSTATUS status = PnpSend(Node, &location, &information);
    if (!NT_SUCCESS(status) || information == 0) {
        return NT_SUCCESS(status) ? STATUS_NOT_SUPPORTED : status;
    }
    PWSTR buffer = (PWSTR)information;
    ULONG length = PnpIdLength(Node, Type, buffer);
    UNICODE_STRING found = {(USHORT)(length * sizeof(WCHAR)), (USHORT)(length * sizeof(WCHAR)), buffer};
    status = length != 0 ? IopDuplicateString(&found, Id) : STATUS_INVALID_PARAMETER;
    ExFreePool(buffer);
    return status;
}

static VOID PnpQueryText(PNP_NODE *Node, DEVICE_TEXT_TYPE Type, PUNICODE_STRING Text)
{
    IO_STACK_LOCATION location = {.MinorFunction = IRP_MN_QUERY_DEVICE_TEXT};
    ULONG_PTR information = 0;
    UNICODE_STRING found;
    location.Parameters.QueryDeviceText.DeviceTextType = Type;
    location.Parameters.QueryDeviceText.LocaleId = 0x409;
    if (NT_SUCCESS(PnpSend(Node, &location, &information)) && information != 0) {
        RtlInitUnicodeString(&found, (PWSTR)information);
        (void)IopDuplicateString(&found, Text); // without a description the device works all the same
        ExFreePool((PVOID)information);
    }
}

static VOID PnpQueryBus(PNP_NODE *Node)
{
    IO_STACK_LOCATION location = {.MinorFunction = IRP_MN_QUERY_BUS_INFORMATION};
    ULONG_PTR information = 0;
    if (NT_SUCCESS(PnpSend(Node, &location, &information)) && information != 0) {
        Node->Bus = *(PPNP_BUS_INFORMATION)information;
        Node->HasBus = TRUE;
        ExFreePool((PVOID)information);
    }
}

NTSTATUS PnpQueryCapabilities(PNP_NODE *Node)
{
    DEVICE_CAPABILITIES capabilities = {.Size = sizeof capabilities, .Version = 1};
    IO_STACK_LOCATION location = {.MinorFunction = IRP_MN_QUERY_CAPABILITIES};
    capabilities.Address = capabilities.UINumber = MAXULONG;
    location.Parameters.DeviceCapabilities.Capabilities = &capabilities;
    NTSTATUS status = PnpSend(Node, &location, NULL);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (capabilities.Size != sizeof capabilities || capabilities.Version != 1) {
        VfBreak(VfRulePnpCapabilitiesChanged, (ULONG_PTR)Node->Pdo, 0, 0,
                "the size or version of DEVICE_CAPABILITIES was changed");
    }
    Node->Capabilities = capabilities;
    return STATUS_SUCCESS;
}

// The id types, and the resource queries whose answer (none, for anything we have) only completes the order.
static VOID PnpQueryResources(PNP_NODE *Node)
{
    static const UCHAR minors[] = {IRP_MN_QUERY_RESOURCES, IRP_MN_QUERY_RESOURCE_REQUIREMENTS};
    for (ULONG i = 0; i < RTL_NUMBER_OF(minors); i++) {
        IO_STACK_LOCATION location = {.MinorFunction = minors[i]};
        ULONG_PTR information = 0;
        if (NT_SUCCESS(PnpSend(Node, &location, &information)) && information != 0) {
            ExFreePool((PVOID)information);
        }
    }
}

static NTSTATUS PnpMakeInstancePath(PNP_NODE *Node)
{
    PUNICODE_STRING path = &Node->Instance;
    SIZE_T size = (SIZE_T)Node->DeviceId.Length + Node->InstanceId.Length + 2 * sizeof(WCHAR);
    path->Buffer = size <= PNP_ID_MAXIMUM * sizeof(WCHAR) ? os_allocate(size, 2) : NULL;
    if (path->Buffer == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    path->MaximumLength = (USHORT)size;
    RtlAppendUnicodeStringToString(path, &Node->DeviceId);
    RtlAppendUnicodeToString(path, L"\\");
    return RtlAppendUnicodeStringToString(path, &Node->InstanceId);
}

NTSTATUS PnpQueryIdentity(PNP_NODE *Node)
{
    NTSTATUS status = PnpQueryId(Node, BusQueryDeviceID, &Node->DeviceId);
    if (NT_SUCCESS(status)) {
        status = PnpQueryId(Node, BusQueryInstanceID, &Node->InstanceId);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    UNICODE_STRING container = {0};
    (void)PnpQueryId(Node, BusQueryHardwareIDs, &Node->HardwareIds); // a device without them stays unbound
    (void)PnpQueryId(Node, BusQueryCompatibleIDs, &Node->CompatibleIds);
    (void)PnpQueryId(Node, BusQueryContainerID, &container);
    os_free(container.Buffer);
    (void)PnpQueryCapabilities(Node);
    PnpQueryText(Node, DeviceTextDescription, &Node->Description);
    PnpQueryText(Node, DeviceTextLocationInformation, &Node->Location);
    PnpQueryBus(Node);
    PnpQueryResources(Node);
    return PnpMakeInstancePath(Node);
}
