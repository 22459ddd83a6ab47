// SPDX-License-Identifier: MIT
// What must be done at PASSIVE_LEVEL besides the requests: repair the interrupt pipe, settle what
// cancelled requests have left behind, ask slots, poll.
#pragma once
#include <ntddk.h>

typedef struct _READER *PREADER;

typedef struct _MONITOR_JOBS {
    BOOLEAN Recover;
    BOOLEAN Poll;
    ULONG Verify; // one bit per slot
    ULONG Settle; // the same
} MONITOR_JOBS;

typedef struct _MONITOR {
    KSPIN_LOCK Lock;
    BOOLEAN Stopping;
    BOOLEAN Queued;
    MONITOR_JOBS Jobs;
    KEVENT Idle; // set: the work item is neither queued nor running
    KTIMER Timer;
    KDPC Dpc;
    PIO_WORKITEM Item;
} MONITOR, *PMONITOR;

_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS MonitorCreate(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID MonitorDestroy(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID MonitorStart(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID MonitorStop(_Inout_ PREADER Reader);

_IRQL_requires_max_(DISPATCH_LEVEL)
VOID MonitorRecover(_Inout_ PREADER Reader);
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID MonitorVerify(_Inout_ PREADER Reader, _In_ ULONG Slot);
// A request has left a command behind, see ChannelSettle.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID MonitorSettle(_Inout_ PREADER Reader, _In_ ULONG Slot);
// A request waits for a card event: polls, where the reader cannot tell by itself.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID MonitorTrack(_Inout_ PREADER Reader);
