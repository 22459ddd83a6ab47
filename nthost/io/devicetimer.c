// SPDX-License-Identifier: MIT
// The timer of a device: once a second, at DISPATCH_LEVEL.
#include "nthost/io/io.h"
#include "nthost/verifier/faults.h"

enum { IOP_TIMER_PERIOD = 1000 }; // ms

typedef struct _IO_TIMER {
    KTIMER Timer;
    KDPC Dpc;
    PIO_TIMER_ROUTINE Routine;
    PVOID Context;
    PDEVICE_OBJECT Device;
} IO_TIMER;

static VOID NTAPI IopTimerTick(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    IO_TIMER *timer = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    timer->Routine(timer->Device, timer->Context);
}

NTSTATUS NTAPI IoInitializeTimer(PDEVICE_OBJECT DeviceObject, PIO_TIMER_ROUTINE TimerRoutine, PVOID Context)
{
    NT_ENTRY(IoInitializeTimer);
    NT_MAY_FAIL(OBJECT, STATUS_INSUFFICIENT_RESOURCES);
    if (DeviceObject->Timer != NULL) {
        VfBreak(VfRuleDeviceTimerTwice, (ULONG_PTR)DeviceObject, 0, 0, "device %p has a timer already",
                DeviceObject);
    }
    IO_TIMER *timer = IopAllocateZeroed(sizeof *timer);
    if (timer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    timer->Routine = TimerRoutine;
    timer->Context = Context;
    timer->Device = DeviceObject;
    KeInitializeTimer(&timer->Timer);
    KeInitializeDpc(&timer->Dpc, IopTimerTick, timer);
    DeviceObject->Timer = timer;
    return STATUS_SUCCESS;
}

VOID NTAPI IoStartTimer(PDEVICE_OBJECT DeviceObject)
{
    NT_ENTRY(IoStartTimer);
    IO_TIMER *timer = DeviceObject->Timer;
    LARGE_INTEGER due = {.QuadPart = -(LONGLONG)IOP_TIMER_PERIOD * 10000};
    if (timer != NULL && !IopDevice(DeviceObject)->DeletePending) {
        (VOID) KeSetTimerEx(&timer->Timer, due, IOP_TIMER_PERIOD, &timer->Dpc);
    }
}

VOID NTAPI IoStopTimer(PDEVICE_OBJECT DeviceObject)
{
    NT_ENTRY(IoStopTimer);
    if (DeviceObject->Timer != NULL) {
        (VOID) KeCancelTimer(&DeviceObject->Timer->Timer);
    }
}

VOID IopStopDeviceTimer(PDEVICE_OBJECT Device)
{
    if (Device->Timer != NULL) {
        IoStopTimer(Device);
        (VOID) KeRemoveQueueDpc(&Device->Timer->Dpc);
    }
}
