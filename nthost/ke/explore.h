// SPDX-License-Identifier: MIT
// Runs that keep to a schedule, and what is known of what commutes in them.
#pragma once
#include "nthost/ke/ke.h"

VOID KiBootExplore(PKTHREAD Thread);
ULONG KiChooseExplored(ULONG Count, ULONG64 State); // at a point with so many options
ULONG64 KiMixHistory(ULONG64 One, ULONG64 Other);
ULONG64 KiHistoryNow(VOID); // of all threads
VOID KiCountSwitch(VOID);
