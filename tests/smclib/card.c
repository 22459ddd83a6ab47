// SPDX-License-Identifier: MIT
#include "tests/smclib/card.h"

PSMARTCARD_EXTENSION Ext;
UCHAR User[TEST_BUFFER];
ULONG Information;

static SMARTCARD_EXTENSION Extension;
static ULONG Rates[] = {9600, 19200, 38400, 57600, 115200};

static UCHAR HexDigit(char Digit)
{
    return (UCHAR)(Digit <= '9' ? Digit - '0' : Digit - 'A' + 10);
}

ULONG HexBytes(const char *Hex, PUCHAR Bytes)
{
    ULONG count = 0;

    for (; *Hex != 0; Hex++) {
        if (*Hex == ' ') {
            continue;
        }
        Bytes[count++] = (UCHAR)(HexDigit(Hex[0]) << 4 | HexDigit(Hex[1]));
        Hex++;
    }
    return count;
}

VOID ReaderR1(void)
{
    PSCARD_READER_CAPABILITIES reader = &Ext->ReaderCapabilities;

    reader->SupportedProtocols = SCARD_PROTOCOL_Tx;
    reader->CLKFrequency.Default = 4000;
    reader->CLKFrequency.Max = 4000;
    reader->DataRate.Default = 10752;
    reader->DataRate.Max = 344086;
    reader->DataRatesSupported.List = NULL;
    reader->DataRatesSupported.Entries = 0;
    reader->MaxIFSD = 254;
}

VOID ReaderR2(void)
{
    PSCARD_READER_CAPABILITIES reader = &Ext->ReaderCapabilities;

    ReaderR1();
    reader->CLKFrequency.Default = 3571;
    reader->CLKFrequency.Max = 3571;
    reader->DataRate.Default = 9600;
    reader->DataRate.Max = 115200;
    reader->DataRatesSupported.List = Rates;
    reader->DataRatesSupported.Entries = ARRAYSIZE(Rates);
}

VOID CardSetup(void)
{
    kernel_boot();
    Ext = &Extension;
    RtlZeroMemory(Ext, sizeof(*Ext));
    Ext->Version = SMCLIB_VERSION;
    ReaderR1();
    CHECK_STATUS(SmartcardInitialize(Ext), STATUS_SUCCESS);
    Ext->ReaderCapabilities.CurrentState = SCARD_PRESENT;
    Information = 0;
}

VOID CardTeardown(void)
{
    SmartcardExit(Ext);
    kernel_shutdown();
}

NTSTATUS CardAtr(const char *Hex)
{
    SmartcardInitializeCardCapabilities(Ext);
    Ext->ReaderCapabilities.CurrentState = SCARD_PRESENT;
    Ext->CardCapabilities.ATR.Length = (UCHAR)HexBytes(Hex, Ext->CardCapabilities.ATR.Buffer);
    return SmartcardUpdateCardCapabilities(Ext);
}

VOID RequestBeginBytes(ULONG Protocol, const UCHAR *Command, ULONG Length, ULONG Reply)
{
    SCARD_IO_REQUEST header = {Protocol, sizeof(header)};

    RtlCopyMemory(User, &header, sizeof(header));
    RtlCopyMemory(User + sizeof(header), Command, Length);
    Ext->CardCapabilities.Protocol.Selected = Protocol;
    Ext->IoRequest.Information = &Information;
    Ext->IoRequest.RequestBuffer = User;
    Ext->IoRequest.RequestBufferLength = sizeof(header) + Length;
    Ext->IoRequest.ReplyBuffer = User;
    Ext->IoRequest.ReplyBufferLength = Reply;
    Ext->SmartcardRequest.BufferLength = 0;
}

VOID RequestBegin(ULONG Protocol, const char *Command, ULONG Reply)
{
    UCHAR bytes[300];
    ULONG length = HexBytes(Command, bytes);

    RequestBeginBytes(Protocol, bytes, length, Reply);
}

VOID ReplyBytes(const char *Hex)
{
    Ext->SmartcardReply.BufferLength = HexBytes(Hex, Ext->SmartcardReply.Buffer);
}

VOID CheckRequest(ULONG Header, const char *Hex)
{
    UCHAR bytes[300];
    ULONG length = HexBytes(Hex, bytes);

    CHECK_EQ(Ext->SmartcardRequest.BufferLength, Header + length);
    CHECK_MEM(Ext->SmartcardRequest.Buffer + Header, bytes, length);
}

VOID CheckUser(const char *Hex)
{
    SCARD_IO_REQUEST header = {Ext->CardCapabilities.Protocol.Selected, sizeof(header)};
    UCHAR bytes[300];
    ULONG length = HexBytes(Hex, bytes);

    CHECK_EQ(Information, sizeof(header) + length);
    CHECK_MEM(User, &header, sizeof(header));
    CHECK_MEM(User + sizeof(header), bytes, length);
}
