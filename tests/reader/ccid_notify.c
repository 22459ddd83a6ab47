// SPDX-License-Identifier: MIT
#include "reader/ccid/notify.h"
#include "tests/support/wdmtest.h"

static VOID ReadsOneSlot(void)
{
    static const UCHAR inserted[] = {0x50, 0x03};
    static const UCHAR removed[] = {0x50, 0x02};
    static const UCHAR unchanged[] = {0x50, 0x01};

    CHECK_EQ(CcidNotifyPresence(inserted, sizeof(inserted), 0), CcidInserted);
    CHECK_EQ(CcidNotifyPresence(removed, sizeof(removed), 0), CcidRemoved);
    CHECK_EQ(CcidNotifyPresence(unchanged, sizeof(unchanged), 0), CcidUnchanged);
}

static VOID ReadsSlotsOfSeveralOctets(void)
{
    static const UCHAR message[] = {0x50, 0xB0, 0x0C}; // slot 2 inserted, slot 3 removed, slot 5 inserted

    CHECK_EQ(CcidNotifyPresence(message, sizeof(message), 0), CcidUnchanged);
    CHECK_EQ(CcidNotifyPresence(message, sizeof(message), 2), CcidInserted);
    CHECK_EQ(CcidNotifyPresence(message, sizeof(message), 3), CcidRemoved);
    CHECK_EQ(CcidNotifyPresence(message, sizeof(message), 5), CcidInserted);
    CHECK_EQ(CcidNotifyPresence(message, sizeof(message), 8), CcidUnchanged); // beyond the message
    CHECK_EQ(CcidNotifyPresence(message, 2, 5), CcidUnchanged);
    CHECK_EQ(CcidNotifyPresence(message, 0, 0), CcidUnchanged);
}

static VOID OtherMessagesSayNothing(void)
{
    static const UCHAR hardware[] = {0x51, 0x03, 0x07, 0x01};

    CHECK_EQ(CcidNotifyPresence(hardware, sizeof(hardware), 0), CcidUnchanged);
    CHECK(CcidNotifyHardwareError(hardware, sizeof(hardware), 3));
    CHECK(!CcidNotifyHardwareError(hardware, sizeof(hardware), 0));
    CHECK(!CcidNotifyHardwareError(hardware, 3, 3));
}

const struct WdmTest WdmTests[] = {{"one slot", ReadsOneSlot},
                                   {"several octets", ReadsSlotsOfSeveralOctets},
                                   {"other messages", OtherMessagesSayNothing},
                                   {NULL, NULL}};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
