// SPDX-License-Identifier: MIT
#include "reader/ccid/pin.h"
#include "tests/support/wdmtest.h"

static const UCHAR None[] = {0, 0, 0};
static const CCID_PIN_REPAIR NoRepair;
static UCHAR Bytes[CCID_PIN_STRUCTURE_MAX];
static CCID_PIN Pin;

// Four to eight ASCII digits in an eight-byte block of FF, 30 seconds: request and message side by side.
static const UCHAR Verify[] = {0x1E, 0x1E, 0x82, 0x08, 0x00, 0x08, 0x04, 0x02, 0xFF, 0x09, 0x04,
                               0x00, 0x00, 0x00, 0x00, 0x0D, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00,
                               0x81, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const UCHAR VerifyMessage[] = {0x00, 0x1E, 0x82, 0x08, 0x00, 0x08, 0x04, 0x02, 0xFF, 0x09,
                                      0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x81, 0x08,
                                      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const UCHAR Modify[] = {0x1E, 0x1E, 0x82, 0x08, 0x00, 0x00, 0x08, 0x08, 0x04, 0x03,
                               0x02, 0x03, 0x09, 0x04, 0x0A, 0x0B, 0x0C, 0x00, 0x00, 0x00,
                               0x04, 0x00, 0x00, 0x00, 0x00, 0x24, 0x00, 0x01};

static VOID EncodesVerify(void)
{
    CHECK(CcidPinDecode(Verify, sizeof(Verify), FALSE, &Pin));
    CHECK_EQ(Pin.Seconds, 30);
    CHECK_EQ(CcidPinEncode(Verify, FALSE, &Pin, &NoRepair, None, Bytes), sizeof(VerifyMessage));
    CHECK_MEM(Bytes, VerifyMessage, sizeof(VerifyMessage));
}

static VOID RepairsTheCondition(void)
{
    static const UCHAR given[] = {0x00, 0x01, 0x07, 0x08, 0xFF};
    static const UCHAR sent[] = {0x02, 0x01, 0x07, 0x02, 0x02};
    UCHAR copy[sizeof(Verify)];

    for (ULONG i = 0; i < sizeof(given); i++) {
        RtlCopyMemory(copy, Verify, sizeof(copy));
        copy[7] = given[i];
        CHECK(CcidPinDecode(copy, sizeof(copy), FALSE, &Pin));
        CcidPinEncode(copy, FALSE, &Pin, &NoRepair, None, Bytes);
        CHECK_EQ(Bytes[7], sent[i]);
    }
}

static VOID EncodesTheIndexesAskedFor(void)
{
    static const UCHAR messages[] = {0, 1, 2, 3, 0xFF};
    static const UCHAR indexes[] = {1, 2, 2, 3, 3};
    static const UCHAR prologue[] = {0x00, 0x40, 0x04};
    UCHAR copy[sizeof(Modify)];

    for (ULONG i = 0; i < sizeof(messages); i++) {
        RtlCopyMemory(copy, Modify, sizeof(copy));
        copy[11] = messages[i];
        CHECK(CcidPinDecode(copy, sizeof(copy), TRUE, &Pin));
        CHECK_EQ(CcidPinEncode(copy, TRUE, &Pin, &NoRepair, prologue, Bytes), 14u + indexes[i] + 3 + 4);
        CHECK_EQ(Bytes[0], 1);
        CHECK_MEM(Bytes + 14, Modify + 14, indexes[i]);
        CHECK_MEM(Bytes + 14 + indexes[i], prologue, sizeof(prologue));
        CHECK_MEM(Bytes + 17 + indexes[i], Modify + 24, 4);
    }
}

static VOID RepairsWhatTheReaderNeeds(void)
{
    static const CCID_PIN_REPAIR some = {.MessagesBelow = 3, .Messages = 3};
    static const CCID_PIN_REPAIR all = {0x100, 0, TRUE, TRUE, TRUE};

    CHECK(CcidPinDecode(Verify, sizeof(Verify), FALSE, &Pin));
    CHECK_EQ(CcidPinEncode(Verify, FALSE, &Pin, &some, None, Bytes), sizeof(VerifyMessage));
    CHECK_MEM(Bytes, VerifyMessage, sizeof(VerifyMessage)); // FFh is not few
    CHECK_EQ(CcidPinEncode(Verify, FALSE, &Pin, &all, None, Bytes), sizeof(VerifyMessage));
    CHECK_EQ(Bytes[5], 0x04);
    CHECK_EQ(Bytes[6], 0x08);
    CHECK_EQ(Bytes[7], 0x02);
    CHECK_EQ(Bytes[8], 0x00);
    CHECK(CcidPinDecode(Modify, sizeof(Modify), TRUE, &Pin));
    CHECK_EQ(CcidPinEncode(Modify, TRUE, &Pin, &all, None, Bytes), 14u + 3 + 3 + 4);
    CHECK_EQ(Bytes[11], 0x00);
    CHECK_MEM(Bytes + 14, Modify + 14, 3);
    CHECK_MEM(Bytes + 5, Modify + 5, 5); // no swap
}

static VOID RefusesLengthsThatDisagree(void)
{
    UCHAR copy[sizeof(Verify)];

    for (ULONG length = 0; length < sizeof(Verify); length++) {
        CHECK(!CcidPinDecode(Verify, length, FALSE, &Pin));
    }
    for (ULONG length = 0; length < sizeof(Modify); length++) {
        CHECK(!CcidPinDecode(Modify, length, TRUE, &Pin));
    }
    RtlCopyMemory(copy, Verify, sizeof(copy));
    copy[18] = 0x80; // ulDataLength beyond everything
    CHECK(!CcidPinDecode(copy, sizeof(copy), FALSE, &Pin));
    RtlCopyMemory(copy, Modify, sizeof(Modify));
    copy[11] = 4; // messages there are not
    CHECK(!CcidPinDecode(copy, sizeof(Modify), TRUE, &Pin));
}

const struct WdmTest WdmTests[] = {{"verify", EncodesVerify},
                                   {"condition", RepairsTheCondition},
                                   {"message indexes", EncodesTheIndexesAskedFor},
                                   {"repairs", RepairsWhatTheReaderNeeds},
                                   {"bad lengths", RefusesLengthsThatDisagree},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
