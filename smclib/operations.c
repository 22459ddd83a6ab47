// SPDX-License-Identifier: MIT
// The control codes that need the driver, and the rules of the simple ones.
#include "smclib/control.h"

_Must_inspect_result_
static NTSTATUS SmcCardRequire(_Inout_ PSMC_CALL Call)
{
    return SmcStateGet(Call->Ext) <= SCARD_ABSENT ? STATUS_NO_MEDIA : STATUS_SUCCESS;
}

_Must_inspect_result_
static NTSTATUS SmcTransmitCheck(_In_ PSMC_CALL Call)
{
    SCARD_IO_REQUEST header;

    if (!SmcCallHasInput(Call, sizeof(header))) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlCopyMemory(&header, Call->Buffer, sizeof(header));
    if (header.cbPciLength < sizeof(header) || header.cbPciLength > Call->InputLength) {
        return STATUS_INVALID_PARAMETER;
    }
    return Call->OutputLength < sizeof(header) ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

_Must_inspect_result_
static NTSTATUS SmcTransmitPrepare(_Inout_ PSMC_CALL Call)
{
    ULONG state = SmcStateGet(Call->Ext);

    if (state <= SCARD_ABSENT) {
        return STATUS_NO_MEDIA;
    }
    if (!SmcOther(SmcOtherTransmit) &&
        (state != SCARD_SPECIFIC || SmcCallUlong(Call) != Call->Ext->CardCapabilities.Protocol.Selected)) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    SmcT1BeginCommand(Call->Ext);
    return STATUS_SUCCESS;
}

static const SMC_OPERATION SmcOperations[] = {
    {IOCTL_SMARTCARD_TRANSMIT, RDF_TRANSMIT, SmcTransmitCheck, SmcTransmitPrepare, NULL},
    {IOCTL_SMARTCARD_POWER, RDF_CARD_POWER, SmcPowerCheck, SmcPowerPrepare, SmcPowerFinish},
    {IOCTL_SMARTCARD_SET_PROTOCOL, RDF_SET_PROTOCOL, SmcProtocolCheck, SmcProtocolPrepare, SmcProtocolFinish},
    {IOCTL_SMARTCARD_EJECT, RDF_CARD_EJECT, NULL, SmcCardRequire, NULL},
    {IOCTL_SMARTCARD_SWALLOW, RDF_READER_SWALLOW, NULL, SmcCardRequire, NULL},
    {IOCTL_SMARTCARD_CONFISCATE, RDF_CARD_CONFISCATE, NULL, SmcCardRequire, NULL},
};

// Drivers use codes outside the documented vendor range, even outside our device type: what is not known is
// theirs.
static const SMC_OPERATION SmcVendorOperation = {0, RDF_IOCTL_VENDOR, NULL, NULL, NULL};

_Use_decl_annotations_
const SMC_OPERATION *SmcOperationFind(ULONG Code)
{
    for (ULONG i = 0; i < ARRAYSIZE(SmcOperations); i++) {
        if (SmcOperations[i].Code == Code) {
            return &SmcOperations[i];
        }
    }
    return &SmcVendorOperation;
}
