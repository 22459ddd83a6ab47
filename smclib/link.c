// SPDX-License-Identifier: MIT
// \DosDevices\SCReaderN: the way to name a reader before there were device interfaces.
#include "smclib/smc.h"

static const WCHAR SmcLinkPattern[] = L"\\DosDevices\\SCReader0";

#define SMC_LINK_DIGIT (sizeof(SmcLinkPattern) / sizeof(WCHAR) - 2)

C_ASSERT(MAXIMUM_SMARTCARD_READERS <= 10);

_Must_inspect_result_
static NTSTATUS SmcLinkFindNumber(_Inout_ PUNICODE_STRING LinkName, _In_ PUNICODE_STRING DeviceName)
{
    for (ULONG n = 0; n < MAXIMUM_SMARTCARD_READERS; n++) {
        NTSTATUS status;
        LinkName->Buffer[SMC_LINK_DIGIT] = (WCHAR)(L'0' + n);
        status = IoCreateSymbolicLink(LinkName, DeviceName);
        if (status != STATUS_OBJECT_NAME_COLLISION || SmcOther(SmcOtherLink)) {
            return status;
        }
    }
    return STATUS_INSUFFICIENT_RESOURCES;
}

// On success the buffer belongs to the caller, who frees it with ExFreePool.
_Use_decl_annotations_
NTSTATUS NTAPI SmartcardCreateLink(PUNICODE_STRING LinkName, PUNICODE_STRING DeviceName)
{
    NTSTATUS status;

    if (LinkName == NULL) {
        return STATUS_INVALID_PARAMETER_1;
    }
    if (DeviceName == NULL) {
        return STATUS_INVALID_PARAMETER_2;
    }
    LinkName->Buffer = ExAllocatePoolWithTag(PagedPool, sizeof(SmcLinkPattern), SMARTCARD_POOL_TAG);
    if (LinkName->Buffer == NULL) {
        RtlZeroMemory(LinkName, sizeof(*LinkName));
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(LinkName->Buffer, SmcLinkPattern, sizeof(SmcLinkPattern));
    LinkName->MaximumLength = sizeof(SmcLinkPattern);
    LinkName->Length = sizeof(SmcLinkPattern) - sizeof(WCHAR);

    status = SmcLinkFindNumber(LinkName, DeviceName);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(LinkName->Buffer, SMARTCARD_POOL_TAG);
        RtlZeroMemory(LinkName, sizeof(*LinkName));
    }
    return status;
}
