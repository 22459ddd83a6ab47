// SPDX-License-Identifier: MIT
// TPDU and character level, and the PPS of both.
#include "tests/reader/script.h"
#include "tests/support/wdmtest.h"

static READER Reader;
static SLOT Slot;
static UCHAR Reply[300];

static const UCHAR SelectFile[] = {0x00, 0xA4, 0x00, 0x00, 0x02, 0x3F, 0x00, 0x00}; // case 4, Le at the end
static const UCHAR ReadRecord[] = {0x00, 0xB2, 0x01, 0x04, 0x03};
static const UCHAR Status[] = {0x90, 0x00};

static VOID Begin(ULONG Features, const SCRIPT_LINE *Lines, ULONG Count)
{
    ScriptBegin(&Slot, &Reader, Lines, Count);
    Reader.Usb.Interface.Descriptor.Features = Features;
    Reader.Exchange = ExchangeSelect(&Reader.Usb.Interface);
}

static VOID TpduT0LeavesLeBehind(void)
{
    static const UCHAR more[] = {0x61, 0x0A};
    const SCRIPT_LINE lines[] = {{0, 0, 7, SelectFile, STATUS_SUCCESS, 0, 0, sizeof(more), more}};
    ULONG length = sizeof(Reply);

    Begin(CCID_FEATURE_TPDU, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T0, SelectFile, sizeof(SelectFile), Reply, &length),
                 STATUS_SUCCESS);
    CHECK_EQ(length, 2);
    CHECK_MEM(Reply, more, sizeof(more));
    CHECK_EQ(Slot.Smartcard.IoRequest.RequestBufferLength, 8 + sizeof(SelectFile));
    ScriptEnd();
}

static VOID TpduT1GoesOnUntilTheLibraryIsDone(void)
{
    static const UCHAR block[] = {0x00, 0x00, 0x00, 0x00};
    static const UCHAR wtx[] = {0x00, T1_WTX_REQUEST, 0x01, 0x09, 0xCB};
    static const UCHAR answer[] = {0x00, 0x00, 0x02, 0x90, 0x00, 0x92};
    const SCRIPT_LINE lines[] = {
        {0, 0, sizeof(block), block, STATUS_IO_TIMEOUT, 0, CCID_ERROR_ICC_MUTE, 0, NULL},
        {0, 0, sizeof(block), block, STATUS_DEVICE_PROTOCOL_ERROR, 0, CCID_ERROR_PARITY, 0, NULL},
        {0, 0, sizeof(block), block, STATUS_SUCCESS, 0, 0, sizeof(wtx), wtx},
        {0, 9, sizeof(block), block, STATUS_SUCCESS, 0, 0, sizeof(answer), answer}};
    ULONG length = sizeof(Reply);

    Begin(CCID_FEATURE_TPDU, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T1, block, sizeof(block), Reply, &length), STATUS_SUCCESS);
    CHECK_MEM(Reply, answer, sizeof(answer));
    ScriptEnd();
}

static VOID TpduT1EndsOnADeadReader(void)
{
    static const UCHAR block[] = {0x00, 0x00, 0x00, 0x00};
    const SCRIPT_LINE lines[] = {
        {0, 0, sizeof(block), block, STATUS_IO_DEVICE_ERROR, 0, CCID_ERROR_HARDWARE, 0, NULL}};
    ULONG length = sizeof(Reply);

    Begin(CCID_FEATURE_TPDU, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T1, block, sizeof(block), Reply, &length),
                 STATUS_IO_DEVICE_ERROR);
    ScriptEnd();
}

// ISO 7816-3:2006 10.3.3: NULL, one byte by INS^FF, the rest by INS, then SW1 SW2.
static VOID CharacterT0Sends(void)
{
    static const UCHAR null[] = {0x60};
    static const UCHAR one[] = {0x5B};
    static const UCHAR all[] = {0xA4};
    const SCRIPT_LINE lines[] = {{1, 0, 5, SelectFile, STATUS_SUCCESS, 0, 0, 1, null},
                                 {1, 0, 0, NULL, STATUS_SUCCESS, 0, 0, 1, one},
                                 {1, 0, 1, SelectFile + 5, STATUS_SUCCESS, 0, 0, 1, all},
                                 {1, 0, 1, SelectFile + 6, STATUS_SUCCESS, 0, 0, 1, Status},
                                 {1, 0, 0, NULL, STATUS_SUCCESS, 0, 0, 1, Status + 1}};
    ULONG length = sizeof(Reply);

    Begin(0, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T0, SelectFile, 7, Reply, &length), STATUS_SUCCESS);
    CHECK_EQ(length, 2);
    CHECK_MEM(Reply, Status, 2);
    ScriptEnd();
}

static VOID CharacterT0Receives(void)
{
    static const UCHAR all[] = {0xB2};
    static const UCHAR one[] = {0x4D};
    static const UCHAR data[] = {0x11, 0x22, 0x33, 0x90, 0x00};
    const SCRIPT_LINE lines[] = {{1, 0, 5, ReadRecord, STATUS_SUCCESS, 0, 0, 1, one},
                                 {1, 0, 0, NULL, STATUS_SUCCESS, 0, 0, 1, data},
                                 {1, 0, 0, NULL, STATUS_SUCCESS, 0, 0, 1, all},
                                 {4, 0, 0, NULL, STATUS_SUCCESS, 0, 0, 4, data + 1}};
    ULONG length = sizeof(Reply);

    Begin(0, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T0, ReadRecord, sizeof(ReadRecord), Reply, &length),
                 STATUS_SUCCESS);
    CHECK_EQ(length, sizeof(data));
    CHECK_MEM(Reply, data, sizeof(data));
    ScriptEnd();
}

static VOID CharacterT0WaitsForALateStatus(void)
{
    static const UCHAR all[] = {0xB2};
    static const UCHAR late[] = {0x11, 0x22, 0x33, 0x60, 0x90};
    const SCRIPT_LINE lines[] = {{1, 0, 5, ReadRecord, STATUS_SUCCESS, 0, 0, 1, all},
                                 {5, 0, 0, NULL, STATUS_SUCCESS, 0, 0, 5, late},
                                 {1, 0, 0, NULL, STATUS_SUCCESS, 0, 0, 1, Status + 1}};
    static const UCHAR data[] = {0x11, 0x22, 0x33, 0x90, 0x00};
    ULONG length = sizeof(Reply);

    Begin(0, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T0, ReadRecord, sizeof(ReadRecord), Reply, &length),
                 STATUS_SUCCESS);
    CHECK_EQ(length, sizeof(data));
    CHECK_MEM(Reply, data, sizeof(data));
    ScriptEnd();
}

static VOID CharacterT0RefusesNonsense(void)
{
    static const UCHAR strange[] = {0x33};
    static const UCHAR all[] = {0xB2};
    const SCRIPT_LINE unknown[] = {{1, 0, 5, ReadRecord, STATUS_SUCCESS, 0, 0, 1, strange}};
    static const UCHAR late[] = {0x11, 0x22, 0x33, 0x60, 0xB2};
    const SCRIPT_LINE endless[] = {{1, 0, 5, ReadRecord, STATUS_SUCCESS, 0, 0, 1, all},
                                   {5, 0, 0, NULL, STATUS_SUCCESS, 0, 0, 5, late}};
    ULONG length = sizeof(Reply);

    Begin(0, unknown, RTL_NUMBER_OF(unknown));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T0, ReadRecord, sizeof(ReadRecord), Reply, &length),
                 STATUS_DEVICE_PROTOCOL_ERROR);
    ScriptEnd();
    length = sizeof(Reply);
    Begin(0, endless, RTL_NUMBER_OF(endless));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T0, ReadRecord, sizeof(ReadRecord), Reply, &length),
                 STATUS_DEVICE_PROTOCOL_ERROR);
    ScriptEnd();
}

static VOID CharacterT0EndsSomeTime(void)
{
    static const UCHAR null[] = {0x60};
    SCRIPT_LINE lines[1 + SCRIPT_NULLS];
    ULONG length = sizeof(Reply);

    for (ULONG i = 0; i < RTL_NUMBER_OF(lines); i++) {
        const SCRIPT_LINE line = {1, 0, i == 0 ? 5 : 0, ReadRecord, STATUS_SUCCESS, 0, 0, 1, null};
        RtlCopyMemory(&lines[i], &line, sizeof(line));
    }
    Begin(0, lines, RTL_NUMBER_OF(lines));
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T0, ReadRecord, sizeof(ReadRecord), Reply, &length),
                 STATUS_IO_TIMEOUT);
    ScriptEnd();
}

static VOID CharacterT1ReadsTheLength(void)
{
    static const UCHAR block[] = {0x00, 0x00, 0x00, 0x00};
    static const UCHAR answer[] = {0x00, 0x00, 0x02, 0x90, 0x00, 0x92, 0x11};
    const SCRIPT_LINE lines[] = {{3, 0, sizeof(block), block, STATUS_SUCCESS, 0, 0, 3, answer},
                                 {4, 0, 0, NULL, STATUS_SUCCESS, 0, 0, 4, answer + 3}};
    ULONG length = sizeof(Reply);

    Begin(0, lines, RTL_NUMBER_OF(lines));
    Slot.Smartcard.CardCapabilities.T1.EDC = T1_CRC_CHECK;
    CHECK_STATUS(ScriptTransmit(SCARD_PROTOCOL_T1, block, sizeof(block), Reply, &length), STATUS_SUCCESS);
    CHECK_MEM(Reply, answer, sizeof(answer));
    ScriptEnd();
}

static VOID PpsBelongsToTheHost(void)
{
    static const UCHAR pps[] = {0xFF, 0x11, 0x18, 0xF6};
    const SCRIPT_LINE tpdu[] = {{0, 0, sizeof(pps), pps, STATUS_SUCCESS, 0, 0, sizeof(pps), pps}};
    const SCRIPT_LINE character[] = {{4, 0, sizeof(pps), pps, STATUS_SUCCESS, 0, 0, 3, pps}};
    UCHAR fidi = 0x18;

    Begin(CCID_FEATURE_TPDU, tpdu, RTL_NUMBER_OF(tpdu));
    CHECK_STATUS(ExchangePps(&Slot, SCARD_PROTOCOL_T1, &fidi), STATUS_SUCCESS);
    CHECK_EQ(fidi, 0x18);
    ScriptEnd();
    Begin(0, character, RTL_NUMBER_OF(character));
    CHECK_STATUS(ExchangePps(&Slot, SCARD_PROTOCOL_T1, &fidi), STATUS_DEVICE_PROTOCOL_ERROR);
    ScriptEnd();
    Begin(CCID_FEATURE_SHORT_APDU, NULL, 0);
    CHECK_STATUS(ExchangePps(&Slot, SCARD_PROTOCOL_T1, &fidi), STATUS_SUCCESS);
    CHECK_EQ(fidi, 0x11);
    ScriptEnd();
}

const struct WdmTest WdmTests[] = {{"TPDU T=0 without Le", TpduT0LeavesLeBehind},
                                   {"TPDU T=1 rounds", TpduT1GoesOnUntilTheLibraryIsDone},
                                   {"TPDU T=1 dead reader", TpduT1EndsOnADeadReader},
                                   {"character T=0 sends", CharacterT0Sends},
                                   {"character T=0 receives", CharacterT0Receives},
                                   {"character T=0 late status", CharacterT0WaitsForALateStatus},
                                   {"character T=0 nonsense", CharacterT0RefusesNonsense},
                                   {"character T=0 for ever", CharacterT0EndsSomeTime},
                                   {"character T=1", CharacterT1ReadsTheLength},
                                   {"PPS", PpsBelongsToTheHost},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
