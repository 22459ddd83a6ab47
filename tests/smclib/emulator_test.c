// SPDX-License-Identifier: MIT
// The library against the emulator's cards, whose T=0 and T=1 were written apart from it: two readings of
// ISO 7816-3 that must agree.
#include "smclib/smc.h"
#include "tests/smclib/card.h"
#include "tests/smclib/emucard.h"

#define BY_T0 SCARD_PROTOCOL_T0
#define BY_T1 SCARD_PROTOCOL_T1

static UCHAR Answer[EMUCARD_ANSWER];

static VOID Insert(const char *Name)
{
    UCHAR atr[64];
    ULONG length = emucard_insert(Name, atr);

    SmartcardInitializeCardCapabilities(Ext);
    Ext->ReaderCapabilities.CurrentState = SCARD_PRESENT;
    RtlCopyMemory(Ext->CardCapabilities.ATR.Buffer, atr, length);
    Ext->CardCapabilities.ATR.Length = (UCHAR)length;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
}

// The PPS that the chosen parameters ask for.
static VOID Negotiate(ULONG Protocol)
{
    UCHAR pps[4] = {0xFF, Protocol == BY_T1 ? 0x11 : 0x10};

    Ext->CardCapabilities.PtsData.Type = PTS_TYPE_OPTIMAL;
    CHECK_STATUS(SmartcardUpdateCardCapabilities(Ext), STATUS_SUCCESS);
    CHECK_EQ(Ext->ReaderCapabilities.CurrentState, SCARD_NEGOTIABLE);
    pps[2] = (UCHAR)(Ext->CardCapabilities.PtsData.Fl << 4 | Ext->CardCapabilities.PtsData.Dl);
    pps[3] = pps[0] ^ pps[1] ^ pps[2];
    CHECK(emucard_pps(pps, sizeof(pps)));
    Ext->CardCapabilities.Protocol.Selected = Protocol;
}

static NTSTATUS ExchangeT0(void)
{
    NTSTATUS status = SmartcardT0Request(Ext);
    PSMARTCARD_REQUEST request = &Ext->SmartcardRequest;

    if (!NT_SUCCESS(status)) {
        return status;
    }
    Ext->SmartcardReply.BufferLength =
        emucard_exchange_t0(request->Buffer, request->BufferLength, Ext->T0.Le, Answer);
    RtlCopyMemory(Ext->SmartcardReply.Buffer, Answer, Ext->SmartcardReply.BufferLength);
    return SmartcardT0Reply(Ext);
}

static NTSTATUS ExchangeT1(PULONG Blocks)
{
    NTSTATUS status;

    SmcT1BeginCommand(Ext);
    do {
        ULONG length;
        Ext->SmartcardRequest.BufferLength = 0;
        status = SmartcardT1Request(Ext);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        length = emucard_exchange_t1(Ext->SmartcardRequest.Buffer, Ext->SmartcardRequest.BufferLength,
                                     Ext->CardCapabilities.T1.EDC & 1, Answer);
        RtlCopyMemory(Ext->SmartcardReply.Buffer, Answer, length);
        Ext->SmartcardReply.BufferLength = length;
        status = SmartcardT1Reply(Ext);
    } while (status == STATUS_MORE_PROCESSING_REQUIRED && ++*Blocks < 100);
    return status;
}

static VOID Transmit(ULONG Protocol, const char *Command, const char *Expected)
{
    ULONG blocks = 0;

    RequestBegin(Protocol, Command, 300);
    CHECK_STATUS(Protocol == BY_T1 ? ExchangeT1(&blocks) : ExchangeT0(), STATUS_SUCCESS);
    CheckUser(Expected);
}

// Selects the file system's first file, reads, writes and reads again.
static VOID UseFile(ULONG Protocol)
{
    Transmit(Protocol, "00 A4 00 0C 02 50 00", "90 00");
    Transmit(Protocol, "00 A4 02 0C 02 50 01", "90 00");
    Transmit(Protocol, "00 B0 00 00 04", "40 41 42 43 90 00");
    Transmit(Protocol, "00 D6 00 00 03 11 22 33", "90 00");
    Transmit(Protocol, "00 B0 00 00 04", "11 22 33 43 90 00");
    Transmit(Protocol, "00 FF 00 00", "6D 00");
}

static void T0CardsAgree(void)
{
    static const char *const cards[] = {"t0", "t0-inverse", "dual"};

    for (ULONG i = 0; i < ARRAYSIZE(cards); i++) {
        Insert(cards[i]);
        if (i == 2) {
            Negotiate(BY_T0);
        }
        UseFile(BY_T0);
        // What T=0 leaves to the application: the status words come through.
        Transmit(BY_T0, "00 B0 01 7F 20", "6C 11");
        Transmit(BY_T0, "00 A4 02 04 02 50 01", "61 13");
    }
}

// A procedure byte before every byte, after a PPS.
static void SingleBytesAgree(void)
{
    Insert("t0-single");
    Negotiate(BY_T0);
    UseFile(BY_T0);
}

static void T1CardsAgree(void)
{
    static const char *const cards[] = {"t1",   "t1-crc",    "t1-ifs",   "t1-specific",
                                        "dual", "bad-noisy", "bad-lossy"};

    for (ULONG i = 0; i < ARRAYSIZE(cards); i++) {
        Insert(cards[i]);
        if (Ext->ReaderCapabilities.CurrentState == SCARD_NEGOTIABLE) {
            Negotiate(BY_T1);
        }
        for (ULONG round = 0; round < 5; round++) {
            Transmit(BY_T1, "00 A4 00 0C 02 3F 00", "90 00");
        }
        UseFile(BY_T1);
    }
}

// Both directions in chains: the card's IFSC is 32, and the reader takes no more at a time.
static void ChainsAgree(void)
{
    UCHAR update[5 + 200] = {0x00, 0xD6, 0x00, 0x00, 200};
    ULONG blocks = 0;

    Insert("t1-crc");
    Ext->ReaderCapabilities.MaxIFSD = 32;
    Transmit(BY_T1, "00 A4 00 0C 02 50 00", "90 00");
    Transmit(BY_T1, "00 A4 02 0C 02 50 01", "90 00");
    for (ULONG i = 5; i < sizeof(update); i++) {
        update[i] = (UCHAR)(i * 3);
    }
    RequestBeginBytes(BY_T1, update, sizeof(update), 300);
    CHECK_STATUS(ExchangeT1(&blocks), STATUS_SUCCESS);
    CheckUser("90 00");
    CHECK_EQ(blocks, 205 / 32);
    RequestBegin(BY_T1, "00 B0 00 00 C8", 300);
    blocks = 0;
    CHECK_STATUS(ExchangeT1(&blocks), STATUS_SUCCESS);
    CHECK_EQ(Information, 8 + 200 + 2);
    CHECK_MEM(User + 8, update + 5, 200);
    CHECK_EQ(blocks, 202 / 32);
}

const struct WdmTest WdmTests[] = {
    {"T=0 cards agree", T0CardsAgree},
    {"single bytes agree", SingleBytesAgree},
    {"T=1 cards agree", T1CardsAgree},
    {"chains agree", ChainsAgree},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = CardSetup;
void (*const WdmTestTeardown)(void) = CardTeardown;
