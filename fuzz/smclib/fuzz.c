// SPDX-License-Identifier: MIT
#include "fuzz/smclib/fuzz.h"
#include "fuzz/smclib/memory.h"
#include "tests/smclib/kernel.h"

SMARTCARD_EXTENSION Fuzz;
ULONG FuzzInformation;
static BOOLEAN Booted;

UCHAR FuzzByte(PFUZZ_INPUT Input)
{
    if (Input->Left == 0) {
        return 0;
    }
    Input->Left--;
    return *Input->Data++;
}

ULONG FuzzUlong(PFUZZ_INPUT Input)
{
    ULONG value = 0;

    for (ULONG i = 0; i < sizeof(value); i++) {
        value = value << 8 | FuzzByte(Input);
    }
    return value;
}

ULONG FuzzBytes(PFUZZ_INPUT Input, PUCHAR Bytes, ULONG Length)
{
    ULONG given = Length < Input->Left ? Length : Input->Left;

    RtlCopyMemory(Bytes, Input->Data, given);
    Input->Data += given;
    Input->Left -= given;
    return given;
}

VOID FuzzBegin(void)
{
    if (!Booted) {
        kernel_boot();
        Booted = TRUE;
        Fuzz.Version = SMCLIB_VERSION;
        MUST(NT_SUCCESS(SmartcardInitialize(&Fuzz)));
    }
    RtlZeroMemory(&Fuzz.ReaderCapabilities, sizeof(Fuzz.ReaderCapabilities));
    Fuzz.ReaderCapabilities.CurrentState = SCARD_PRESENT;
    Fuzz.CardCapabilities.PtsData.Type = PTS_TYPE_DEFAULT;
    SmartcardInitializeCardCapabilities(&Fuzz);
    FuzzInformation = 0;
}

VOID FuzzRequest(ULONG Protocol, PFUZZ_INPUT Input, ULONG CommandLength, ULONG ReplyLength)
{
    SCARD_IO_REQUEST header = {Protocol, sizeof(header)};
    ULONG length = sizeof(header) + CommandLength;
    PUCHAR buffer = fuzz_allocate(length > ReplyLength ? length : ReplyLength);

    RtlCopyMemory(buffer, &header, sizeof(header));
    RtlFillMemory(buffer + sizeof(header), CommandLength, 0x11);
    (VOID) FuzzBytes(Input, buffer + sizeof(header), CommandLength);
    Fuzz.CardCapabilities.Protocol.Selected = Protocol;
    Fuzz.IoRequest.Information = &FuzzInformation;
    Fuzz.IoRequest.RequestBuffer = buffer;
    Fuzz.IoRequest.RequestBufferLength = length;
    Fuzz.IoRequest.ReplyBuffer = buffer;
    Fuzz.IoRequest.ReplyBufferLength = ReplyLength;
}

VOID FuzzRequestEnd(void)
{
    MUST(FuzzInformation <= Fuzz.IoRequest.ReplyBufferLength);
    fuzz_free(Fuzz.IoRequest.RequestBuffer);
    SmcRequestIdle(&Fuzz);
}
