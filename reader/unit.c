// SPDX-License-Identifier: MIT
#include "reader/slot.h"

#define UNIT_COUNT     4096
#define UNITS_PER_WORD 32

static KSPIN_LOCK UnitLock; // zero is the initialised state
static ULONG UnitMap[UNIT_COUNT / UNITS_PER_WORD];

NTSTATUS UnitAllocate(PULONG Unit)
{
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    KIRQL irql;

    KeAcquireSpinLock(&UnitLock, &irql);
    for (ULONG unit = 0; unit < UNIT_COUNT; unit++) {
        ULONG bit = 1u << unit % UNITS_PER_WORD;
        if ((UnitMap[unit / UNITS_PER_WORD] & bit) == 0) {
            UnitMap[unit / UNITS_PER_WORD] |= bit;
            *Unit = unit;
            status = STATUS_SUCCESS;
            break;
        }
    }
    KeReleaseSpinLock(&UnitLock, irql);
    return status;
}

VOID UnitFree(ULONG Unit)
{
    KIRQL irql;

    KeAcquireSpinLock(&UnitLock, &irql);
    UnitMap[Unit / UNITS_PER_WORD] &= ~(1u << Unit % UNITS_PER_WORD);
    KeReleaseSpinLock(&UnitLock, irql);
}
