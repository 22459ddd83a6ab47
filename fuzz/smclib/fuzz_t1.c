// SPDX-License-Identifier: MIT
// A T=1 card that says anything: each answer is a length byte, a mode byte and the block; the mode may put
// the check bytes, the length and the number right, so that the fuzzer gets past the validation. When the
// input ends the card is silent, and the exchange must end too.
#include "fuzz/smclib/fuzz.h"
#include "smclib/t1.h"

#define MODE_RIGHT_EDC 0x01
#define MODE_RIGHT_LEN 0x02
#define MODE_RIGHT_NAD 0x04
#define MODE_RIGHT_N   0x08
#define SILENT_ROUNDS  64

static VOID CheckBlock(ULONG Header)
{
    UCHAR block[300];
    ULONG edc = SmcT1EdcLength(&Fuzz);
    ULONG length = Fuzz.SmartcardRequest.BufferLength - Header;

    MUST(Fuzz.SmartcardRequest.BufferLength <= Fuzz.SmartcardRequest.BufferSize);
    MUST(length >= 3 + edc && length <= 3 + 254 + edc);
    RtlCopyMemory(block, Fuzz.SmartcardRequest.Buffer + Header, length);
    if (Fuzz.CardCapabilities.InversConvention) {
        SmartcardInvertData(block, length);
    }
    MUST(length == 3UL + block[2] + edc);
    MUST(SmcT1EdcMatches(block, length - edc, edc == 2));
}

static VOID Repair(PUCHAR Block, ULONG Mode)
{
    ULONG edc = SmcT1EdcLength(&Fuzz);
    ULONG length = Fuzz.SmartcardReply.BufferLength;

    if (length < 3 + edc) {
        return;
    }
    if ((Mode & MODE_RIGHT_NAD) != 0) {
        Block[0] = 0;
    }
    if ((Mode & MODE_RIGHT_LEN) != 0) {
        Block[2] = (UCHAR)(length - 3 - edc);
    }
    if ((Mode & MODE_RIGHT_N) != 0 && (Block[1] & 0x80) == 0) {
        Block[1] = (UCHAR)((Block[1] & 0x20) | Fuzz.T1.RSN << 6);
    }
    if ((Mode & MODE_RIGHT_EDC) != 0) {
        (VOID) SmcT1EdcWrite(Block, length - edc, edc == 2);
    }
}

static VOID Answer(PFUZZ_INPUT Input)
{
    ULONG length = FuzzByte(Input);
    ULONG mode = FuzzByte(Input);
    PUCHAR block = Fuzz.SmartcardReply.Buffer;

    length += (mode & 0x80) != 0 ? 10 : 0;
    RtlFillMemory(block, length, 0x22);
    (VOID) FuzzBytes(Input, block, length);
    Fuzz.SmartcardReply.BufferLength = length;
    Repair(block, mode);
    if (Fuzz.CardCapabilities.InversConvention) {
        SmartcardInvertData(block, length);
    }
}

static VOID Exchange(PFUZZ_INPUT Input, ULONG Header)
{
    ULONG silent = 0;
    NTSTATUS status;

    do {
        Fuzz.SmartcardRequest.BufferLength = Header;
        status = SmartcardT1Request(&Fuzz);
        if (!NT_SUCCESS(status)) {
            break;
        }
        CheckBlock(Header);
        if (Input->Left == 0) {
            MUST(++silent < SILENT_ROUNDS);
            Fuzz.SmartcardReply.BufferLength = 0;
        } else {
            Answer(Input);
        }
        status = SmartcardT1Reply(&Fuzz);
    } while (status == STATUS_MORE_PROCESSING_REQUIRED);
    MUST(status == STATUS_SUCCESS ? FuzzInformation >= 8 : FuzzInformation == 0);
}

int LLVMFuzzerTestOneInput(const unsigned char *Data, __SIZE_TYPE__ Size)
{
    FUZZ_INPUT input = {Data, (ULONG)Size};
    UCHAR choice;

    FuzzBegin();
    choice = FuzzByte(&input);
    Fuzz.CardCapabilities.T1.EDC = choice & 1;
    Fuzz.CardCapabilities.InversConvention = choice >> 1 & 1;
    Fuzz.ReaderCapabilities.MaxIFSD = (choice & 4) != 0 ? 0 : 32;
    Fuzz.CardCapabilities.T1.IFSC = FuzzByte(&input);
    SmcT1Reset(&Fuzz);
    for (ULONG commands = 0; commands < 8 && (commands == 0 || input.Left != 0); commands++) {
        ULONG header = FuzzByte(&input);
        ULONG command = FuzzByte(&input) * ((choice & 8) != 0 ? 16UL : 1UL);
        ULONG reply = FuzzByte(&input) * ((choice & 16) != 0 ? 16UL : 1UL);
        FuzzRequest(SCARD_PROTOCOL_T1, &input, command, reply);
        SmcT1BeginCommand(&Fuzz);
        FuzzInformation = 0;
        Exchange(&input, header);
        FuzzRequestEnd();
    }
    return 0;
}
