// SPDX-License-Identifier: MIT
#include "nthost/ke/ke.h"
#include "nthost/verifier/verifier.h"

VOID NTAPI KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    KiInitializeHeader(&Event->Header,
                       Type == NotificationEvent ? KiEventNotification : KiEventSynchronization,
                       sizeof *Event, State != FALSE);
}

LONG NTAPI KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    (void)Increment, (void)Wait; // no priorities; a wait that follows at once is only slower without `Wait`
    NT_ENTRY(KeSetEvent);
    return KiSignal(&Event->Header, 1);
}

LONG NTAPI KeResetEvent(PRKEVENT Event)
{
    NT_ENTRY(KeResetEvent);
    KiPoint(Event);
    KiLockObject(&Event->Header);
    LONG Previous = Event->Header.SignalState;
    Event->Header.SignalState = 0;
    KiUnlockObject(&Event->Header);
    return Previous;
}

VOID NTAPI KeClearEvent(PRKEVENT Event)
{
    NT_ENTRY(KeClearEvent);
    KiPoint(Event);
    KiLockObject(&Event->Header);
    Event->Header.SignalState = 0;
    KiUnlockObject(&Event->Header);
}

LONG NTAPI KeReadStateEvent(PRKEVENT Event)
{
    NT_ENTRY(KeReadStateEvent);
    KiPoint(Event);
    return __atomic_load_n(&Event->Header.SignalState, __ATOMIC_ACQUIRE);
}

LONG NTAPI KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    PKTHREAD Woken = NULL;
    (void)Increment, (void)Wait;
    NT_ENTRY(KePulseEvent);
    KiLockDispatcher();
    LONG Previous = KiSignalLocked(&Event->Header, 1, &Woken);
    KiLockObject(&Event->Header);
    Event->Header.SignalState = 0;
    KiUnlockObject(&Event->Header);
    KiUnlockDispatcher();
    KiWake(Woken);
    KiPreempt(Event);
    return Previous;
}
