// SPDX-License-Identifier: MIT
#include "reader/ccid/descriptor.h"
#include "tests/support/wdmtest.h"

#define CLASS_OFFSET    18
#define ENDPOINT_OFFSET (CLASS_OFFSET + CCID_CLASS_LENGTH)
#define TOTAL           93

// A GemPC Twin with three endpoints, every field as the device states it.
static const UCHAR GemPcTwin[TOTAL] = {
    0x09, 0x02, 0x5D, 0x00, 0x01, 0x01, 0x00, 0x80, 0x32, 0x09, 0x04, 0x00, 0x00, 0x03, 0x0B, 0x00,
    0x00, 0x00, 0x36, 0x21, 0x10, 0x01, 0x00, 0x07, 0x03, 0x00, 0x00, 0x00, 0xA0, 0x0F, 0x00, 0x00,
    0xA0, 0x0F, 0x00, 0x00, 0x00, 0x00, 0x2A, 0x00, 0x00, 0x16, 0x40, 0x05, 0x00, 0x00, 0xFE, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x30, 0x02, 0x01, 0x00, 0x0F, 0x01,
    0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x01, 0x07, 0x05, 0x01, 0x02, 0x40, 0x00, 0x00, 0x07,
    0x05, 0x82, 0x02, 0x40, 0x00, 0x00, 0x07, 0x05, 0x83, 0x03, 0x08, 0x00, 0x10};

static UCHAR Copy[2 * TOTAL];
static CCID_INTERFACE Found;

static VOID Setup(void)
{
    RtlZeroMemory(Copy, sizeof(Copy));
    RtlCopyMemory(Copy, GemPcTwin, TOTAL);
}

static VOID TotalSet(ULONG Total)
{
    Copy[2] = (UCHAR)Total;
    Copy[3] = (UCHAR)(Total >> 8);
}

static VOID DecodesEveryField(void)
{
    CHECK_STATUS(CcidInterfaceFind(GemPcTwin, TOTAL, &Found), STATUS_SUCCESS);
    CHECK_EQ(Found.Number, 0);
    CHECK_EQ(Found.Class, CCID_INTERFACE_CLASS);
    CHECK_EQ(Found.BulkOut, 0x01);
    CHECK_EQ(Found.BulkIn, 0x82);
    CHECK_EQ(Found.Interrupt, 0x83);
    CHECK_EQ(Found.BulkInPacket, 64);
    CHECK_EQ(Found.Offset, 9);
    CHECK_EQ(Found.Descriptor.Version, 0x0110);
    CHECK_EQ(Found.Descriptor.MaxSlotIndex, 0);
    CHECK_EQ(Found.Descriptor.VoltageSupport, 7);
    CHECK_EQ(Found.Descriptor.Protocols, CCID_PROTOCOL_T0 | CCID_PROTOCOL_T1);
    CHECK_EQ(Found.Descriptor.DefaultClock, 4000);
    CHECK_EQ(Found.Descriptor.MaximumClock, 4000);
    CHECK_EQ(Found.Descriptor.ClockCount, 0);
    CHECK_EQ(Found.Descriptor.DefaultRate, 10752);
    CHECK_EQ(Found.Descriptor.MaximumRate, 344086);
    CHECK_EQ(Found.Descriptor.RateCount, 0);
    CHECK_EQ(Found.Descriptor.MaxIfsd, 254);
    CHECK_EQ(Found.Descriptor.Features, 0x00010230);
    CHECK_EQ(Found.Descriptor.MaxMessageLength, 271);
    CHECK_EQ(Found.Descriptor.ClassGetResponse, 0xFF);
    CHECK_EQ(Found.Descriptor.MaxBusySlots, 1);
}

static VOID FindsClassBehindEndpoints(void)
{
    ULONG endpoints = TOTAL - ENDPOINT_OFFSET;

    RtlCopyMemory(Copy + CLASS_OFFSET, GemPcTwin + ENDPOINT_OFFSET, endpoints);
    RtlCopyMemory(Copy + CLASS_OFFSET + endpoints, GemPcTwin + CLASS_OFFSET, CCID_CLASS_LENGTH);
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL, &Found), STATUS_SUCCESS);
    CHECK_EQ(Found.Descriptor.MaxMessageLength, 271);
    CHECK_EQ(Found.BulkIn, 0x82);
}

static VOID TakesVendorClassAndOldType(void)
{
    Copy[14] = CCID_VENDOR_CLASS;
    Copy[CLASS_OFFSET + 1] = 0xFF;
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL, &Found), STATUS_SUCCESS);
    CHECK_EQ(Found.Class, CCID_VENDOR_CLASS);
}

static VOID LivesWithNonsense(void)
{
    Copy[CLASS_OFFSET + 2] = 0x01; // bcdCCID 10.01
    Copy[CLASS_OFFSET + 3] = 0x10;
    Copy[CLASS_OFFSET + 28] = 0; // dwMaxIFSD
    Copy[CLASS_OFFSET + 53] = 9; // bMaxCCIDBusySlots
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL, &Found), STATUS_SUCCESS);
    CHECK_EQ(Found.Descriptor.Version, 0x1001);
    CHECK_EQ(Found.Descriptor.MaxIfsd, 0);
    CHECK_EQ(Found.Descriptor.MaxBusySlots, 9);
}

static VOID TakesTheSecondInterface(void)
{
    // A keyboard in front: same pipes, another class, no class descriptor of ours.
    static const UCHAR keyboard[] = {0x09, 0x04, 0x00, 0x00, 0x01, 0x03, 0x01, 0x01,
                                     0x00, 0x07, 0x05, 0x81, 0x03, 0x08, 0x00, 0x10};

    RtlCopyMemory(Copy + 9, keyboard, sizeof(keyboard));
    RtlCopyMemory(Copy + 9 + sizeof(keyboard), GemPcTwin + 9, TOTAL - 9);
    Copy[9 + sizeof(keyboard) + 2] = 1;
    TotalSet(TOTAL + sizeof(keyboard));
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL + sizeof(keyboard), &Found), STATUS_SUCCESS);
    CHECK_EQ(Found.Number, 1);
    CHECK_EQ(Found.Interrupt, 0x83);
    CHECK_EQ(Found.Offset, 9 + sizeof(keyboard));
}

static VOID WorksWithoutInterrupt(void)
{
    TotalSet(TOTAL - 7);
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL - 7, &Found), STATUS_SUCCESS);
    CHECK_EQ(Found.Interrupt, 0);
}

static VOID WithoutABulkPipeNothingMatches(void)
{
    TotalSet(TOTAL - 14);
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL - 14, &Found), STATUS_NO_MATCH);
    Setup();
    Copy[CLASS_OFFSET + 1] = 0x24; // another functional descriptor
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL, &Found), STATUS_NO_MATCH);
    Setup();
    RtlZeroMemory(Copy + CLASS_OFFSET + 2, CCID_CLASS_LENGTH - 2); // messages of no length
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL, &Found), STATUS_NO_MATCH);
}

// The endpoints tell a token from a reader that calls itself one.
static VOID TellsTokens(void)
{
    static const CCID_TRANSPORT tokens[] = {CcidTokenA, CcidTokenB};

    for (UCHAR protocol = 1; protocol <= 2; protocol++) {
        Setup();
        Copy[16] = protocol; // bInterfaceProtocol
        CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL, &Found), STATUS_SUCCESS);
        CHECK_EQ(Found.Transport, CcidBulk);
        TotalSet(ENDPOINT_OFFSET);
        CHECK_STATUS(CcidInterfaceFind(Copy, ENDPOINT_OFFSET, &Found), STATUS_SUCCESS);
        CHECK_EQ(Found.Transport, tokens[protocol - 1]);
    }
    Copy[16] = 3;
    CHECK_STATUS(CcidInterfaceFind(Copy, ENDPOINT_OFFSET, &Found), STATUS_NO_MATCH);
}

static VOID RefusesBadLengths(void)
{
    for (ULONG length = 0; length < TOTAL; length++) {
        CHECK_STATUS(CcidInterfaceFind(GemPcTwin, length, &Found), STATUS_DEVICE_CONFIGURATION_ERROR);
    }
    // The last descriptor leads outside, one is too short for its type, one has no length at all.
    Copy[TOTAL - 7] = 8;
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL, &Found), STATUS_DEVICE_CONFIGURATION_ERROR);
    Setup();
    Copy[9] = 8;
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL, &Found), STATUS_DEVICE_CONFIGURATION_ERROR);
    Setup();
    Copy[CLASS_OFFSET] = 0;
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL, &Found), STATUS_DEVICE_CONFIGURATION_ERROR);
    Setup();
    Copy[ENDPOINT_OFFSET] = 6;
    CHECK_STATUS(CcidInterfaceFind(Copy, TOTAL, &Found), STATUS_DEVICE_CONFIGURATION_ERROR);
}

// Whatever one byte is changed to, nothing outside is read (the sanitizer watches) and the answer is a
// status.
static VOID SurvivesEveryByte(void)
{
    for (ULONG offset = 0; offset < TOTAL; offset++) {
        for (ULONG value = 0; value < 256; value++) {
            Setup();
            Copy[offset] = (UCHAR)value;
            NTSTATUS status = CcidInterfaceFind(Copy, TOTAL, &Found);
            CHECK(status == STATUS_SUCCESS || status == STATUS_NO_MATCH ||
                  status == STATUS_DEVICE_CONFIGURATION_ERROR);
        }
    }
}

const struct WdmTest WdmTests[] = {{"decodes every field", DecodesEveryField},
                                   {"class descriptor behind the endpoints", FindsClassBehindEndpoints},
                                   {"vendor class, old type", TakesVendorClassAndOldType},
                                   {"nonsense is lived with", LivesWithNonsense},
                                   {"second interface", TakesTheSecondInterface},
                                   {"no interrupt pipe", WorksWithoutInterrupt},
                                   {"no bulk pipe", WithoutABulkPipeNothingMatches},
                                   {"tokens", TellsTokens},
                                   {"bad lengths", RefusesBadLengths},
                                   {"every byte", SurvivesEveryByte},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = Setup;
void (*const WdmTestTeardown)(void) = NULL;
