// SPDX-License-Identifier: MIT
#include "reader/ccid/timing.h"

// The longest TPDU in either direction: 261 characters of 12 etu and the guard time. The reader asks for a
// time extension beyond one waiting time (CCID 1.1 6.2.6), so a few of them are a generous allowance.
#define CHARACTERS          261
#define ETUS_PER_CHARACTER  12
#define WORK_WAITS          6
#define MICROSECONDS_PER_MS 1000

static ULONG WaitBound(ULONGLONG Milliseconds)
{
    if (Milliseconds > CCID_WAIT_CEILING) {
        return CCID_WAIT_CEILING;
    }
    return Milliseconds < CCID_WAIT_FLOOR ? CCID_WAIT_FLOOR : (ULONG)Milliseconds;
}

ULONG CcidWaitBlock(const CCID_CARD_TIMES *Times, ULONG Multiplier)
{
    ULONGLONG characters = 2ULL * CHARACTERS * (ETUS_PER_CHARACTER * (ULONGLONG)Times->Etu + Times->Guard);
    ULONGLONG waits = Times->Protocol == 0 ? WORK_WAITS * (ULONGLONG)Times->WorkWait
                                           : (ULONGLONG)Times->BlockWait * (Multiplier > 1 ? Multiplier : 1);

    return WaitBound(CCID_WAIT_FLOOR + (characters + waits) / MICROSECONDS_PER_MS);
}

ULONG CcidWaitExtend(ULONG Wait, ULONG Multiplier)
{
    return WaitBound((ULONGLONG)Wait * (Multiplier > 1 ? Multiplier : 1));
}
