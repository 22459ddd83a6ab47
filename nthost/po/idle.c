// SPDX-License-Identifier: MIT
// Hints to the power manager. This system is never idle for lack of users, so they have no consequence.
#include "nthost/po/po.h"

PULONG NTAPI PoRegisterDeviceForIdleDetection(PDEVICE_OBJECT DeviceObject, ULONG ConservationIdleTime,
                                              ULONG PerformanceIdleTime, DEVICE_POWER_STATE State)
{
    NT_ENTRY(PoRegisterDeviceForIdleDetection);
    UNREFERENCED_PARAMETER(State);
    BOOLEAN cancel = ConservationIdleTime == 0 && PerformanceIdleTime == 0;
    return cancel ? NULL : &IopDevice(DeviceObject)->IdleCount;
}

VOID NTAPI PoSetSystemState(EXECUTION_STATE Flags)
{
    NT_ENTRY(PoSetSystemState);
    UNREFERENCED_PARAMETER(Flags);
}

PVOID NTAPI PoRegisterSystemState(PVOID StateHandle, EXECUTION_STATE Flags)
{
    NT_ENTRY(PoRegisterSystemState);
    static EXECUTION_STATE state;
    state = Flags;
    return StateHandle != NULL ? StateHandle : &state;
}

VOID NTAPI PoUnregisterSystemState(PVOID StateHandle)
{
    NT_ENTRY(PoUnregisterSystemState);
    UNREFERENCED_PARAMETER(StateHandle);
}
