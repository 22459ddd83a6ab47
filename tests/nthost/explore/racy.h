// SPDX-License-Identifier: MIT
// Races by the book. Each goes well in the usual order.
#pragma once
#include "nthost/user/nthost.h"

enum { RACE_NONE, RACE_LOST_CANCEL, RACE_TWO_COMPLETIONS };

// Runs for nt_explore(); `context` is a const int *, which of the races the driver has.
nt_run RunRacyDriver;
// The context is not looked at.
nt_run RunMissedEvent, RunUnlockedQueue, RunLockedQueue, RunMeeting;

extern unsigned long long RaceSeed; // of the next run; 0 unless seeds are tried
