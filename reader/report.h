// SPDX-License-Identifier: MIT
// The event log, with an eye on its size: what goes wrong all day is reported once an hour.
#pragma once
#include "reader/events.h"
#include <ntddk.h>

typedef struct _READER *PREADER;
struct _COMMAND;

#define REPORT_PAUSE  3600 // s, between two events of one code and reader
#define REPORT_EVENTS 32   // codes, numbered from 1

typedef struct _REPORTS {
    volatile LONG Last[REPORT_EVENTS]; // s, 0: never
} REPORTS, *PREPORTS;

// Event: LECTERN_*. Data: what its text calls the data of the event.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID ReportWrite(_Inout_ PREADER Reader, _In_ LONG Event, _In_ ULONG Data);
// Of a command that failed: only what the reader itself stumbled over is worth an event.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID ReportRefusal(_Inout_ PREADER Reader, _In_ const struct _COMMAND *Command);
// Why a card got no power. Error: bError of the last attempt.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID ReportActivation(_Inout_ PREADER Reader, _In_ NTSTATUS Status, _In_ UCHAR Error);
