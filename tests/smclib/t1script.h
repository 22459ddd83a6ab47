// SPDX-License-Identifier: MIT
// T=1 block by block. A script line is what the reader sends ('>') or what the card answers ('<', nothing:
// silence). The card is the compliance test card: IFSC 32, BWI 4, CWI 9, LRC; its first exchange negotiates
// IFSD 254.
#pragma once
#include "tests/smclib/card.h"

#define BY_T1       SCARD_PROTOCOL_T1
#define IFS         "> 00 C1 01 FE 3E", "< 00 E1 01 FE 1E"
#define CHALLENGE   "00 84 00 00 08"
#define SEND_N0     "> 00 00 05 00 84 00 00 08 89"
#define SEND_N1     "> 00 40 05 00 84 00 00 08 C9"
#define REPLY       "11 22 33 44 55 66 77 88 90 00"
#define RECEIVE_N0  "< 00 00 0A 11 22 33 44 55 66 77 88 90 00 12"
#define RECEIVE_N1  "< 00 40 0A 11 22 33 44 55 66 77 88 90 00 52"
#define RECEIVE_BAD "< 00 00 0A 11 22 33 44 55 66 77 88 90 00 47"
#define RESYNCH     "> 00 C0 00 C0", "< 00 E0 00 E0"

#define RUN(...) Script((const char *const[]){__VA_ARGS__, NULL})

// The status of the last reply; every one before it must ask for more.
NTSTATUS Script(_In_ const char *const *Lines);

VOID CardFive(void);
VOID ScriptSetup(void); // card five, CHALLENGE as the request

// Plays T1Request and T1Reply until the exchange ends; returns the rounds.
typedef VOID ANSWER(_In_ ULONG Round);
ULONG PlayUntilEnd(_In_ ANSWER *Answer, _In_ ULONG Limit, _Out_ NTSTATUS *Status);
