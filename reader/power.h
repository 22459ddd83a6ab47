// SPDX-License-Identifier: MIT
// The reader driver owns the power policy of its device.
#pragma once
#include <ntddk.h>

typedef struct _READER *PREADER;

typedef struct _POWER {
    DEVICE_POWER_STATE Device;
    DEVICE_POWER_STATE Map[PowerSystemMaximum]; // deepest allowed state per system state, from the bus driver
    DEVICE_POWER_STATE Wake;                    // deepest one from which it can wake the host
    volatile LONG System;                       // SYSTEM_POWER_STATE
    volatile LONG Failure;                      // NTSTATUS of the last waking that failed
    PIO_WORKITEM Item;                          // one device power request at a time is under way
    PIRP Irp;                                   // it
} POWER, *PPOWER;

_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS PowerCreate(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID PowerDestroy(_Inout_ PREADER Reader);
// Requests end with this status until the next waking, which the next of them tries.
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID PowerWakeFailed(_Inout_ PREADER Reader, _In_ NTSTATUS Status);
// Sees to it that the reader wakes up, if it has not.
_IRQL_requires_(PASSIVE_LEVEL)
VOID PowerRevive(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID PowerCapabilities(_Inout_ PREADER Reader, _In_ const DEVICE_CAPABILITIES *Capabilities);
