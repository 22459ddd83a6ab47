// SPDX-License-Identifier: MIT
// T=1 against a simulated card over a noisy line: every command ends, with the right data or with
// STATUS_DEVICE_PROTOCOL_ERROR. Failures print with the seed fixed in the test.
#include "smclib/smc.h"
#include "tests/smclib/card.h"
#include "tests/smclib/t1card.h"

#define MOST_ROUNDS 20000

static UCHAR Command[66 * 1024];

static NTSTATUS Exchange(ULONG Noise, PULONG Rounds)
{
    NTSTATUS status;

    do {
        Ext->SmartcardRequest.BufferLength = 0;
        Ext->T1.NAD = 0;
        status = SmartcardT1Request(Ext);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        Ext->SmartcardReply.BufferLength =
            T1CardExchange(Ext->SmartcardRequest.Buffer, Ext->SmartcardRequest.BufferLength, Noise,
                           Ext->SmartcardReply.Buffer);
        status = SmartcardT1Reply(Ext);
    } while (status == STATUS_MORE_PROCESSING_REQUIRED && ++*Rounds < MOST_ROUNDS);
    return status;
}

static VOID CheckAnswer(ULONG Length, ULONG Wanted)
{
    ULONG wrong = 0;

    CHECK_EQ(Information, 8 + Wanted + 2);
    for (ULONG i = 0; i < Wanted; i++) {
        wrong += User[8 + i] != T1CardByte(Command[i % Length]);
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(User[8 + Wanted], 0x90);
}

// One command of Length bytes that asks for Wanted bytes; TRUE when it succeeded.
static BOOLEAN Transmit(ULONG Length, ULONG Wanted, ULONG Noise)
{
    ULONG rounds = 0;
    NTSTATUS status;

    Command[0] = (UCHAR)(Wanted >> 8);
    Command[1] = (UCHAR)Wanted;
    RequestBeginBytes(SCARD_PROTOCOL_T1, Command, Length, 8 + Wanted + 2);
    SmcT1BeginCommand(Ext);
    status = Exchange(Noise, &rounds);
    CHECK(rounds < MOST_ROUNDS);
    if (status == STATUS_SUCCESS) {
        CheckAnswer(Length, Wanted);
        return TRUE;
    }
    CHECK_STATUS(status, STATUS_DEVICE_PROTOCOL_ERROR);
    CHECK_EQ(Information, 0);
    return FALSE;
}

static ULONG Run(ULONG Commands, ULONG Noise, BOOLEAN Crc)
{
    ULONG failed = 0;

    CHECK_STATUS(CardAtr(Crc ? "3B 80 81 71 20 45 01 14" : "3B 80 81 31 20 49 59"), STATUS_SUCCESS);
    T1CardReset(Crc, 20250 + Noise);
    for (ULONG i = 0; i < sizeof(Command); i++) {
        Command[i] = (UCHAR)(i * 7 + i / 251);
    }
    for (ULONG i = 0; i < Commands; i++) {
        failed += !Transmit(2 + T1CardRandom(300), T1CardRandom(600), Noise);
    }
    return failed;
}

static void CleanLineNeverFails(void)
{
    CHECK_EQ(Run(3000, 0, FALSE), 0);
    CHECK_EQ(Run(3000, 0, TRUE), 0);
}

static void TwoPercentNeverFails(void)
{
    CHECK_EQ(Run(5000, 20, FALSE), 0);
    CHECK_EQ(Run(5000, 20, TRUE), 0);
}

static void HeavyNoiseEndsInDataOrAnError(void)
{
    CHECK(Run(5000, 100, FALSE) < 5000);
    CHECK(Run(5000, 200, FALSE) < 5000);
    CHECK(Run(2000, 200, TRUE) < 2000);
}

static void DeadLineFails(void)
{
    CHECK_EQ(Run(20, 1000, FALSE), 20);
}

// The longest extended APDUs: 7 + 65535 + 3 bytes out, 65536 + 2 back.
static void ExtendedApdusPass(void)
{
    CHECK_EQ(Run(0, 0, FALSE), 0);
    CHECK(Transmit(65544, 65535, 0));
    CHECK(Transmit(65544, 0, 0));
    CHECK(Transmit(4, 65535, 0));
}

const struct WdmTest WdmTests[] = {
    {"a clean line never fails", CleanLineNeverFails},
    {"two percent of bad blocks never fail", TwoPercentNeverFails},
    {"heavy noise ends in data or an error", HeavyNoiseEndsInDataOrAnError},
    {"a dead line fails", DeadLineFails},
    {"the longest APDUs pass", ExtendedApdusPass},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = CardSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
