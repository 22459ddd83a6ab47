// SPDX-License-Identifier: MIT
// Any T=0 command, then any bytes as the card's answer.
#include "fuzz/smclib/fuzz.h"

static VOID Reply(PFUZZ_INPUT Input)
{
    NTSTATUS status;

    Fuzz.SmartcardReply.BufferLength =
        FuzzBytes(Input, Fuzz.SmartcardReply.Buffer, Fuzz.SmartcardReply.BufferSize);
    status = SmartcardT0Reply(&Fuzz);
    if (status == STATUS_SUCCESS) {
        MUST(FuzzInformation == 8 + Fuzz.SmartcardReply.BufferLength);
    } else {
        MUST(FuzzInformation == 0);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *Data, __SIZE_TYPE__ Size)
{
    FUZZ_INPUT input = {Data, (ULONG)Size};
    UCHAR choice;
    ULONG header;
    ULONG command;
    ULONG reply;

    FuzzBegin();
    choice = FuzzByte(&input);
    header = (choice & 2) != 0 ? FuzzUlong(&input) : FuzzByte(&input);
    command = FuzzByte(&input) + ((choice & 4) != 0 ? 256 : 0);
    reply = FuzzByte(&input) + ((choice & 8) != 0 ? 256 : 0);
    FuzzRequest(SCARD_PROTOCOL_T0, &input, command, reply);
    Fuzz.CardCapabilities.InversConvention = choice & 1;
    Fuzz.SmartcardRequest.BufferLength = header;
    if (SmartcardT0Request(&Fuzz) == STATUS_SUCCESS) {
        MUST(Fuzz.SmartcardRequest.BufferLength <= Fuzz.SmartcardRequest.BufferSize);
        MUST(Fuzz.SmartcardRequest.BufferLength >= header + SCARD_T0_CMD_LENGTH);
        Reply(&input);
    }
    FuzzRequestEnd();
    return 0;
}
