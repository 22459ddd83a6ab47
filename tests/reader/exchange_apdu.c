// SPDX-License-Identifier: MIT
#include "tests/reader/script.h"
#include "tests/support/wdmtest.h"

#define MESSAGE ((SIZE_T)261) // data of one message at dwMaxCCIDMessageLength 271

static READER Reader;
static SLOT Slot;
static UCHAR Long[602];
static UCHAR Reply[1024];

static VOID Setup(void)
{
    for (ULONG i = 0; i < sizeof(Long); i++) {
        Long[i] = (UCHAR)(i * 7);
    }
}

static VOID Begin(ULONG Features, const SCRIPT_LINE *Lines, ULONG Count)
{
    ScriptBegin(&Slot, &Reader, Lines, Count);
    Reader.Usb.Interface.Descriptor.Features = Features;
    Reader.Exchange = ExchangeSelect(&Reader.Usb.Interface);
}

static VOID ShortPassesThrough(void)
{
    static const UCHAR select[] = {0x00, 0xA4, 0x00, 0x00, 0x02, 0x3F, 0x00, 0x00};
    static const UCHAR answer[] = {0x61, 0x0A};
    const SCRIPT_LINE lines[] = {
        {0, 0, sizeof(select), select, STATUS_SUCCESS, 0, 0, sizeof(answer), answer}};
    ULONG length = 2;

    Begin(CCID_FEATURE_SHORT_APDU, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T0, select, sizeof(select), Reply, &length), STATUS_SUCCESS);
    CHECK_EQ(length, 2);
    CHECK_MEM(Reply, answer, sizeof(answer));
    ScriptEnd();
}

static VOID HalfACommandStaysHere(void)
{
    static const UCHAR lying[] = {0x00, 0xA4, 0x00, 0x00, 0x08, 0x00};
    ULONG length = 100;
    ULONG limit;

    Begin(CCID_FEATURE_SHORT_APDU, NULL, 0);
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T0, lying, sizeof(lying), Reply, &length),
                 STATUS_INVALID_PARAMETER);
    length = 100;
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T1, lying, 3, Reply, &length), STATUS_INVALID_PARAMETER);
    length = 100;
    CHECK_EQ(ScriptEvent(&limit), 0);
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T1, Long, MESSAGE + 1, Reply, &length),
                 STATUS_INVALID_PARAMETER);
    CHECK_EQ(ScriptEvent(&limit), LECTERN_APDU_TOO_LONG);
    CHECK_EQ(limit, MESSAGE);
    ScriptEnd();
}

static VOID LongCommandIsChained(void)
{
    static const UCHAR header[] = {0x00, 0xD6, 0x00, 0x00, 0x00, 0x01, 0x2C};
    static const UCHAR ok[] = {0x90, 0x00};
    const SCRIPT_LINE lines[] = {
        {CCID_CHAIN_BEGIN, 0, MESSAGE, Long, STATUS_SUCCESS, CCID_CHAIN_CONTINUE, 0, 0, NULL},
        {CCID_CHAIN_END, 0, 307 - MESSAGE, Long + MESSAGE, STATUS_SUCCESS, 0, 0, sizeof(ok), ok}};
    ULONG length = 2;

    RtlCopyMemory(Long, header, sizeof(header));
    Begin(CCID_FEATURE_EXTENDED_APDU, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T0, Long, 307, Reply, &length), STATUS_SUCCESS);
    CHECK_MEM(Reply, ok, sizeof(ok));
    ScriptEnd();
}

static VOID LongerCommandHasMiddles(void)
{
    static const UCHAR ok[] = {0x90, 0x00};
    const SCRIPT_LINE lines[] = {
        {CCID_CHAIN_BEGIN, 0, MESSAGE, Long, STATUS_SUCCESS, CCID_CHAIN_CONTINUE, 0, 0, NULL},
        {CCID_CHAIN_MIDDLE, 0, MESSAGE, Long + MESSAGE, STATUS_SUCCESS, CCID_CHAIN_CONTINUE, 0, 0, NULL},
        {CCID_CHAIN_END, 0, 80, Long + 2 * MESSAGE, STATUS_SUCCESS, 0, 0, sizeof(ok), ok}};
    ULONG length = 2;

    Begin(CCID_FEATURE_EXTENDED_APDU, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T1, Long, 602, Reply, &length), STATUS_SUCCESS);
    ScriptEnd();
}

static const UCHAR ReadBinary[] = {0x00, 0xB0, 0x00, 0x00, 0x00, 0x02, 0x58};

static VOID LongAnswerIsChained(void)
{
    const SCRIPT_LINE lines[] = {
        {0, 0, sizeof(ReadBinary), ReadBinary, STATUS_SUCCESS, CCID_CHAIN_BEGIN, 0, MESSAGE, Long},
        {CCID_CHAIN_CONTINUE, 0, 0, NULL, STATUS_SUCCESS, CCID_CHAIN_MIDDLE, 0, MESSAGE, Long + MESSAGE},
        {CCID_CHAIN_CONTINUE, 0, 0, NULL, STATUS_SUCCESS, CCID_CHAIN_END, 0, 80, Long + 2 * MESSAGE}};
    ULONG length = 602;

    Begin(CCID_FEATURE_EXTENDED_APDU, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T1, ReadBinary, sizeof(ReadBinary), Reply, &length),
                 STATUS_SUCCESS);
    CHECK_EQ(length, 602);
    CHECK_MEM(Reply, Long, 602);
    ScriptEnd();
}

static VOID AnswerMustFit(void)
{
    const SCRIPT_LINE lines[] = {
        {0, 0, sizeof(ReadBinary), ReadBinary, STATUS_SUCCESS, CCID_CHAIN_BEGIN, 0, MESSAGE, Long},
        {CCID_CHAIN_CONTINUE, 0, 0, NULL, STATUS_SUCCESS, CCID_CHAIN_END, 0, 80, Long}};
    ULONG length = MESSAGE + 79;

    Begin(CCID_FEATURE_EXTENDED_APDU, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T1, ReadBinary, sizeof(ReadBinary), Reply, &length),
                 STATUS_BUFFER_TOO_SMALL);
    ScriptEnd();
}

static VOID ConfusedReadersAreLeft(void)
{
    const SCRIPT_LINE data[] = {
        {CCID_CHAIN_BEGIN, 0, MESSAGE, Long, STATUS_SUCCESS, CCID_CHAIN_CONTINUE, 0, 2, Long}};
    const SCRIPT_LINE empty[] = {
        {0, 0, sizeof(ReadBinary), ReadBinary, STATUS_SUCCESS, CCID_CHAIN_BEGIN, 0, 10, Long},
        {CCID_CHAIN_CONTINUE, 0, 0, NULL, STATUS_SUCCESS, CCID_CHAIN_MIDDLE, 0, 0, NULL}};
    ULONG length = 100;

    Begin(CCID_FEATURE_EXTENDED_APDU, data, RTL_NUMBER_OF(data));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T1, Long, 307, Reply, &length), STATUS_DEVICE_PROTOCOL_ERROR);
    ScriptEnd();
    length = 100;
    Begin(CCID_FEATURE_EXTENDED_APDU, empty, RTL_NUMBER_OF(empty));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T1, ReadBinary, sizeof(ReadBinary), Reply, &length),
                 STATUS_DEVICE_PROTOCOL_ERROR);
    ScriptEnd();
}

const struct WdmTest WdmTests[] = {{"short APDU passes through", ShortPassesThrough},
                                   {"half a command", HalfACommandStaysHere},
                                   {"long command", LongCommandIsChained},
                                   {"longer command", LongerCommandHasMiddles},
                                   {"long answer", LongAnswerIsChained},
                                   {"answer must fit", AnswerMustFit},
                                   {"confused readers", ConfusedReadersAreLeft},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = Setup;
void (*const WdmTestTeardown)(void) = NULL;
