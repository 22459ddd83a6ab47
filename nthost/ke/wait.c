// SPDX-License-Identifier: MIT
#include "nthost/ke/ke.h"
#include "nthost/os/os.h"
#include "nthost/verifier/faults.h"

static NTSTATUS KiWaitPrepared(PKTHREAD Thread, PLARGE_INTEGER Timeout)
{
    ULONG64 Due = Timeout == NULL ? OS_FOREVER : KiDueTime(*Timeout);
    KiLockDispatcher();
    KiLinkWaitBlocks(Thread);
    if (KiTrySatisfy(Thread)) {
        KiUnlinkWaitBlocks(Thread);
        KiUnlockDispatcher();
        return Thread->WaitStatus;
    }
    __atomic_store_n(&Thread->WaitState, KI_WAIT_PENDING, __ATOMIC_RELAXED);
    KiUnlockDispatcher();
    KiBlock(Thread, Due);
    NTSTATUS Status = Thread->WaitStatus;
    VfMayBeLate(NT_FAULT_WAIT, Thread->Caller);
    return Status;
}

static VOID KiPrepareWait(PKTHREAD Thread, ULONG Count, PVOID Objects[], WAIT_TYPE Type, PKWAIT_BLOCK Blocks)
{
    Thread->WaitType = Type;
    Thread->WaitCount = Count;
    Thread->WaitBlocks = Blocks;
    for (ULONG i = 0; i < Count; i++) {
        Blocks[i].Thread = Thread;
        Blocks[i].Object = Objects[i];
        Blocks[i].WaitKey = (USHORT)i;
    }
}

NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason, KPROCESSOR_MODE Mode,
                                     BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    NTSTATUS Status;
    PKTHREAD Thread = KiCurrentThread();
    (void)Reason, (void)Alertable; // neither alerts nor user APCs exist here
    NT_ENTRY(KeWaitForSingleObject);
    VfCheckWait(Object, Mode, Timeout);
    KiPreempt(Object);
    if (KiTryObject(Object, Thread, &Status)) {
        return Status;
    }
    if (Timeout != NULL && (Timeout->QuadPart == 0 || VfFails(NT_FAULT_WAIT))) {
        return STATUS_TIMEOUT;
    }
    KiPrepareWait(Thread, 1, &Object, WaitAny, Thread->WaitBlock);
    return KiWaitPrepared(Thread, Timeout);
}

NTSTATUS NTAPI KeWaitForMultipleObjects(ULONG Count, PVOID Objects[], WAIT_TYPE Type, KWAIT_REASON Reason,
                                        KPROCESSOR_MODE Mode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                        PKWAIT_BLOCK Blocks)
{
    PKTHREAD Thread = KiCurrentThread();
    (void)Reason, (void)Alertable;
    NT_ENTRY(KeWaitForMultipleObjects);
    if (Count == 0 || Count > (Blocks == NULL ? THREAD_WAIT_OBJECTS : MAXIMUM_WAIT_OBJECTS)) {
        VfBreak(VfRuleWaitTooMany, Count, (ULONG_PTR)Blocks, 0, "%u objects, wait blocks at %p", Count,
                Blocks);
    }
    for (ULONG i = 0; i < Count; i++) {
        VfCheckWait(Objects[i], Mode, Timeout);
        KiTouch(Objects[i]);
    }
    KiPreempt(NULL);
    KiPrepareWait(Thread, Count, Objects, Type, Blocks == NULL ? Thread->WaitBlock : Blocks);
    if (Timeout != NULL && (Timeout->QuadPart == 0 || VfFails(NT_FAULT_WAIT))) {
        KiLockDispatcher();
        BOOLEAN Satisfied = KiTrySatisfy(Thread);
        KiUnlockDispatcher();
        return Satisfied ? Thread->WaitStatus : STATUS_TIMEOUT;
    }
    return KiWaitPrepared(Thread, Timeout);
}

static VOID KiSleepUntil(ULONG64 Due)
{
    PKTHREAD Thread = KiCurrentThread();
    Thread->WaitCount = 0;
    __atomic_store_n(&Thread->WaitState, KI_WAIT_PENDING, __ATOMIC_RELAXED);
    KiBlock(Thread, Due);
}

VOID KiSleep(ULONG64 Interval)
{
    KiSleepUntil(KiUptime() + Interval);
}

NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE Mode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    (void)Alertable;
    NT_ENTRY(KeDelayExecutionThread);
    VfCheckWait(NULL, Mode, Interval);
    KiSleepUntil(KiDueTime(*Interval));
    return STATUS_SUCCESS;
}
