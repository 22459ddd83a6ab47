// SPDX-License-Identifier: MIT
#include "reader/ccid/parameters.h"
#include "tests/support/wdmtest.h"

typedef struct _EXAMPLE {
    CCID_PARAMETERS_DATA Data;
    ULONG Length;
    UCHAR Bytes[CCID_PARAMETERS_MAX];
} EXAMPLE;

// Belgian eID, OpenPGP card 2, JCOP 2.4.1, an old inverse-convention bank card, a CRC card with IFSC FF.
static const EXAMPLE Examples[] = {
    {{0, 0x13, FALSE, 0x00, 0x0A, 0, FALSE, 0}, 5, {0x13, 0x00, 0x00, 0x0A, 0x00}},
    {{1, 0x18, FALSE, 0xFF, 0x0A, 0x75, FALSE, 0xFE}, 7, {0x18, 0x10, 0xFF, 0x75, 0x00, 0xFE, 0x00}},
    {{1, 0x13, FALSE, 0x00, 0x0A, 0x45, FALSE, 0xFE}, 7, {0x13, 0x10, 0x00, 0x45, 0x00, 0xFE, 0x00}},
    {{0, 0x11, TRUE, 0x00, 0x0A, 0, FALSE, 0}, 5, {0x11, 0x02, 0x00, 0x0A, 0x00}},
    {{1, 0x11, TRUE, 0x00, 0x0A, 0x4D, TRUE, 0xFF}, 7, {0x11, 0x13, 0x00, 0x4D, 0x00, 0xFE, 0x00}},
};

static VOID EncodesRealCards(void)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(Examples); i++) {
        UCHAR bytes[CCID_PARAMETERS_MAX];
        CHECK_EQ(CcidParametersEncode(&Examples[i].Data, bytes), Examples[i].Length);
        CHECK_MEM(bytes, Examples[i].Bytes, Examples[i].Length);
    }
}

static VOID EncodesRateAndClock(void)
{
    static const UCHAR expected[] = {0xA0, 0x0F, 0x00, 0x00, 0x03, 0xA8, 0x00, 0x00};
    UCHAR bytes[CCID_RATE_AND_CLOCK];

    CcidRateAndClockEncode(4000, 43011, bytes);
    CHECK_MEM(bytes, expected, sizeof(expected));
}

static VOID EncodesPps(void)
{
    static const UCHAR belgian[] = {0xFF, 0x10, 0x13, 0xFC};
    static const UCHAR openpgp[] = {0xFF, 0x11, 0x18, 0xF6};
    UCHAR pps[CCID_PPS_LENGTH];

    CcidPpsEncode(0, 0x13, pps);
    CHECK_MEM(pps, belgian, sizeof(belgian));
    CcidPpsEncode(1, 0x18, pps);
    CHECK_MEM(pps, openpgp, sizeof(openpgp));
}

static VOID JudgesPpsAnswers(void)
{
    static const UCHAR asked[] = {0xFF, 0x11, 0x18, 0xF6};
    static const UCHAR without[] = {0xFF, 0x01, 0xFE};
    static const UCHAR other[] = {0xFF, 0x11, 0x13, 0xFD};
    static const UCHAR protocol[] = {0xFF, 0x10, 0x18, 0xF7};
    static const UCHAR check[] = {0xFF, 0x11, 0x18, 0xF7};
    static const UCHAR start[] = {0x3B, 0x11, 0x18, 0x32};
    UCHAR fidi = 0;

    CHECK(CcidPpsAccept(asked, asked, sizeof(asked), &fidi));
    CHECK_EQ(fidi, 0x18);
    CHECK(CcidPpsAccept(asked, without, sizeof(without), &fidi));
    CHECK_EQ(fidi, CCID_DEFAULT_FINDEX);
    CHECK(!CcidPpsAccept(asked, other, sizeof(other), &fidi));
    CHECK(!CcidPpsAccept(asked, protocol, sizeof(protocol), &fidi));
    CHECK(!CcidPpsAccept(asked, check, sizeof(check), &fidi));
    CHECK(!CcidPpsAccept(asked, start, sizeof(start), &fidi));
    CHECK(!CcidPpsAccept(asked, asked, 2, &fidi));
    CHECK(!CcidPpsAccept(asked, asked, 0, &fidi));
}

const struct WdmTest WdmTests[] = {{"parameters of real cards", EncodesRealCards},
                                   {"rate and clock", EncodesRateAndClock},
                                   {"PPS", EncodesPps},
                                   {"PPS answers", JudgesPpsAnswers},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
