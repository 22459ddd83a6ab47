// SPDX-License-Identifier: MIT
// T=0 (ISO 7816-3:2006 clause 10): one TPDU out, one answer in. Case 4, 61 xx and 6C xx are the application's
// work.
#include "smclib/smc.h"

typedef struct _SMC_T0_TPDU {
    const UCHAR *Data;
    ULONG Given;  // bytes the client gave
    ULONG Length; // bytes to send: a header without P3 gets one
    ULONG Lc;
    ULONG Le;
    ULONG MinimumReply; // bytes the client's buffer must have room for behind the PCI header
} SMC_T0_TPDU, *PSMC_T0_TPDU;

#define SMC_SW_LENGTH 2

// P3 = 0 asks for 256 bytes, but the card may answer less or with 6C xx: then only SW1 SW2 are sure to come.
static VOID SmcT0ReadCommand(_Inout_ PSMC_T0_TPDU Tpdu)
{
    UCHAR p3 = Tpdu->Data[4];

    Tpdu->Le = p3 == 0 ? 256 : p3;
    Tpdu->MinimumReply = (SmcOther(SmcOtherT0Room) ? Tpdu->Le : p3) + SMC_SW_LENGTH;
}

_Must_inspect_result_
static NTSTATUS SmcT0Classify(_Inout_ PSMC_T0_TPDU Tpdu)
{
    Tpdu->Length = Tpdu->Given;
    Tpdu->Lc = 0;
    Tpdu->Le = 0;
    Tpdu->MinimumReply = SMC_SW_LENGTH;
    if (Tpdu->Given < SCARD_T0_CMD_LENGTH - 1) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Tpdu->Given == SCARD_T0_CMD_LENGTH - 1) {
        Tpdu->Length = SCARD_T0_CMD_LENGTH;
        return STATUS_SUCCESS;
    }
    if (Tpdu->Given == SCARD_T0_CMD_LENGTH) {
        SmcT0ReadCommand(Tpdu);
        return STATUS_SUCCESS;
    }
    Tpdu->Lc = Tpdu->Data[4];
    return Tpdu->Given == SCARD_T0_CMD_LENGTH + Tpdu->Lc ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

_Must_inspect_result_
static NTSTATUS SmcT0Check(_In_ PSMARTCARD_EXTENSION Ext, _In_ const SMC_T0_TPDU *Tpdu)
{
    if (!SmcRequestFits(Ext, Tpdu->Length)) {
        return STATUS_BUFFER_OVERFLOW;
    }
    if (Ext->IoRequest.ReplyBufferLength < sizeof(SCARD_IO_REQUEST) + Tpdu->MinimumReply) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardT0Request(PSMARTCARD_EXTENSION Ext)
{
    SMC_T0_TPDU tpdu;
    PUCHAR data;
    PUCHAR target;
    NTSTATUS status = SmcPciCommand(Ext, &data, &tpdu.Given);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    tpdu.Data = data;
    status = SmcT0Classify(&tpdu);
    if (NT_SUCCESS(status)) {
        status = SmcT0Check(Ext, &tpdu);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }

    target = Ext->SmartcardRequest.Buffer + Ext->SmartcardRequest.BufferLength;
    target[SCARD_T0_CMD_LENGTH - 1] = 0;
    RtlCopyMemory(target, tpdu.Data, tpdu.Given);
    if (Ext->CardCapabilities.InversConvention) {
        SmartcardInvertData(target, tpdu.Length);
    }
    Ext->SmartcardRequest.BufferLength += tpdu.Length;
    Ext->SmartcardReply.BufferLength = 0;
    Ext->T0.Lc = tpdu.Lc;
    Ext->T0.Le = tpdu.Le;
    return STATUS_SUCCESS;
}

// ISO 7816-3 10.3.3: SW1 is 6x or 9x; 60 is the NULL byte.
static BOOLEAN SmcT0IsStatus(_In_ UCHAR Sw1)
{
    return ((Sw1 & 0xF0) == 0x60 && Sw1 != 0x60) || (Sw1 & 0xF0) == 0x90;
}

_Use_decl_annotations_
NTSTATUS NTAPI SmartcardT0Reply(PSMARTCARD_EXTENSION Ext)
{
    PUCHAR data = Ext->SmartcardReply.Buffer;
    ULONG length = Ext->SmartcardReply.BufferLength;

    *Ext->IoRequest.Information = 0;
    if (data == NULL || length < SMC_SW_LENGTH || length > Ext->SmartcardReply.BufferSize) {
        return STATUS_DEVICE_PROTOCOL_ERROR;
    }
    if (Ext->CardCapabilities.InversConvention) {
        SmartcardInvertData(data, length);
    }
    if (!SmcT0IsStatus(data[length - SMC_SW_LENGTH])) {
        return STATUS_DEVICE_PROTOCOL_ERROR;
    }
    return SmcPciReply(Ext, data, length);
}
