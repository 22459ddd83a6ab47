// SPDX-License-Identifier: MIT
#include "smclib/smc.h"

// The packet's size is passed in one byte and limited by the system.
#define SMC_LOG_DUMP   sizeof(ULONG)
#define SMC_LOG_HEADER (FIELD_OFFSET(IO_ERROR_LOG_PACKET, DumpData) + SMC_LOG_DUMP)
#define SMC_LOG_STRING (ERROR_LOG_MAXIMUM_SIZE - SMC_LOG_HEADER - sizeof(WCHAR))

static USHORT SmcLogStringLength(_In_opt_ const UNICODE_STRING *Insertion)
{
    USHORT length;

    if (Insertion == NULL || Insertion->Buffer == NULL) {
        return 0;
    }
    length = Insertion->Length < SMC_LOG_STRING ? Insertion->Length : (USHORT)SMC_LOG_STRING;
    return length & ~(USHORT)(sizeof(WCHAR) - 1);
}

_Use_decl_annotations_
VOID NTAPI SmartcardLogError(PVOID Object, LONG ErrorCode, PUNICODE_STRING Insertion, ULONG DumpWord)
{
    USHORT length = SmcLogStringLength(Insertion);
    UCHAR size = (UCHAR)(SMC_LOG_HEADER + length + sizeof(WCHAR));
    PIO_ERROR_LOG_PACKET packet = IoAllocateErrorLogEntry(Object, size);

    if (packet == NULL) {
        return;
    }
    RtlZeroMemory(packet, size);
    packet->ErrorCode = (NTSTATUS)ErrorCode;
    packet->DumpDataSize = SMC_LOG_DUMP;
    packet->DumpData[0] = DumpWord;
    if (length != 0) {
        packet->NumberOfStrings = 1;
        packet->StringOffset = (USHORT)SMC_LOG_HEADER;
        RtlCopyMemory((PUCHAR)packet + SMC_LOG_HEADER, Insertion->Buffer, length);
    }
    IoWriteErrorLogEntry(packet);
}
