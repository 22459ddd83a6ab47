// SPDX-License-Identifier: MIT
// The reader driver owns the power policy of its device.
#pragma once
#include <ntddk.h>

typedef struct _READER *PREADER;

typedef struct _POWER {
    DEVICE_POWER_STATE Device;
    DEVICE_POWER_STATE Map[PowerSystemMaximum]; // deepest allowed state per system state, from the bus driver
    PIO_WORKITEM Item;                          // one device power request at a time is under way
    PIRP Irp;                                   // it
} POWER, *PPOWER;

_Must_inspect_result_
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS PowerCreate(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID PowerDestroy(_Inout_ PREADER Reader);
_IRQL_requires_(PASSIVE_LEVEL)
VOID PowerCapabilities(_Inout_ PREADER Reader, _In_ const DEVICE_CAPABILITIES *Capabilities);
