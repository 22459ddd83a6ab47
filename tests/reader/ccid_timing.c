// SPDX-License-Identifier: MIT
#include "reader/ccid/timing.h"
#include "tests/support/wdmtest.h"

static VOID FollowsTheCard(void)
{
    CCID_CARD_TIMES quick = {.Etu = 93, .WorkWait = 892800, .BlockWait = 1430000, .Protocol = 1};
    CCID_CARD_TIMES slow = {.Etu = 93, .WorkWait = 892800, .BlockWait = 11430000, .Protocol = 1};

    CHECK(CcidWaitBlock(&quick, 0) >= 1430 + CCID_WAIT_FLOOR);
    CHECK(CcidWaitBlock(&slow, 0) > CcidWaitBlock(&quick, 0));
    CHECK(CcidWaitBlock(&quick, 9) >= 9 * 1430 + CCID_WAIT_FLOOR);
    CHECK_EQ(CcidWaitBlock(&quick, 1), CcidWaitBlock(&quick, 0));
    quick.Protocol = 0;
    CHECK(CcidWaitBlock(&quick, 0) >= 6 * 892 + CCID_WAIT_FLOOR);
}

static VOID StaysWithinBounds(void)
{
    CCID_CARD_TIMES none = {0};
    CCID_CARD_TIMES absurd = {MAXULONG, MAXULONG, MAXULONG, MAXULONG, 1};

    CHECK_EQ(CcidWaitBlock(&none, 0), CCID_WAIT_FLOOR);
    CHECK_EQ(CcidWaitBlock(&absurd, 255), CCID_WAIT_CEILING);
    CHECK_EQ(CcidWaitExtend(CCID_WAIT_CEILING, 255), CCID_WAIT_CEILING);
    CHECK_EQ(CcidWaitExtend(5000, 0), 5000);
    CHECK_EQ(CcidWaitExtend(5000, 3), 15000);
}

const struct WdmTest WdmTests[] = {
    {"follows the card", FollowsTheCard}, {"stays within bounds", StaysWithinBounds}, {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
