// SPDX-License-Identifier: MIT
// Runs that keep to a schedule, and what is known of what commutes in them.
#pragma once
#include "nthost/ke/ke.h"

VOID KiBootExplore(PKTHREAD Thread);
// At a point with so many options; `Free`: the thread cannot go on, so that no choice preempts it.
ULONG KiChooseExplored(ULONG Count, ULONG64 State, BOOLEAN Free);
ULONG64 KiMixHistory(ULONG64 One, ULONG64 Other);
ULONG64 KiHistoryNow(VOID); // of all threads
VOID KiCountSwitch(VOID);
