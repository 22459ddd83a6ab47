// SPDX-License-Identifier: MIT
// Dispatcher objects: an object without waiters is signalled and consumed under its own lock bit; whatever
// involves a waiter happens under the one dispatcher lock. Wait lists change only with both held, so an empty
// list seen under the object's lock means that nobody has to be woken. Several object locks at once are taken
// only under the dispatcher's.
#include "nthost/ke/ke.h"
#include "nthost/ke/lock.h"
#include "nthost/verifier/verifier.h"

static uint32_t KiDispatcherLock;

VOID KiLockDispatcher(VOID)
{
    KiLock(&KiDispatcherLock);
}

VOID KiUnlockDispatcher(VOID)
{
    KiUnlock(&KiDispatcherLock);
}

VOID KiInitializeHeader(PDISPATCHER_HEADER Header, UCHAR Type, ULONG Size, LONG State)
{
    VfCheckResident(Header);
    RtlZeroMemory(Header, sizeof *Header);
    Header->Type = Type;
    Header->Size = (UCHAR)(Size / sizeof(LONG));
    Header->SignalState = State;
    InitializeListHead(&Header->WaitListHead);
}

static BOOLEAN KiIsSignaled(PDISPATCHER_HEADER Header, PKTHREAD Thread)
{
    return Header->SignalState > 0 ||
           (KiObjectType(Header) == KiMutant && ((PKMUTANT)Header)->OwnerThread == Thread);
}

VOID KiAcquireMutant(PKMUTANT Mutant, PKTHREAD Thread)
{
    if (--Mutant->Header.SignalState == 0) {
        Mutant->OwnerThread = Thread;
        Thread->KernelApcDisable = (SHORT)(Thread->KernelApcDisable - Mutant->ApcDisable);
        InsertTailList(&Thread->MutantListHead, &Mutant->MutantListEntry);
    }
}

// What a satisfied wait does to the object; the object's lock is held.
static NTSTATUS KiConsume(PDISPATCHER_HEADER Header, PKTHREAD Thread)
{
    switch (KiObjectType(Header)) {
    case KiEventSynchronization:
    case KiTimerSynchronization:
        Header->SignalState = 0;
        return STATUS_SUCCESS;
    case KiSemaphore:
        Header->SignalState--;
        return STATUS_SUCCESS;
    case KiMutant: {
        PKMUTANT Mutant = (PKMUTANT)Header;
        NTSTATUS Status = Mutant->Abandoned ? STATUS_ABANDONED : STATUS_SUCCESS;
        Mutant->Abandoned = FALSE;
        KiAcquireMutant(Mutant, Thread);
        return Status;
    }
    default:
        return STATUS_SUCCESS;
    }
}

BOOLEAN KiTryObject(PDISPATCHER_HEADER Header, PKTHREAD Thread, NTSTATUS *Status)
{
    KiLockObject(Header);
    BOOLEAN Signaled = KiIsSignaled(Header, Thread);
    if (Signaled) {
        *Status = KiConsume(Header, Thread);
    }
    KiUnlockObject(Header);
    return Signaled;
}

static BOOLEAN KiTryAny(PKTHREAD Thread)
{
    for (ULONG i = 0; i < Thread->WaitCount; i++) {
        NTSTATUS Status;
        if (KiTryObject(Thread->WaitBlocks[i].Object, Thread, &Status)) {
            Thread->WaitStatus = Status + (NTSTATUS)i;
            return TRUE;
        }
    }
    return FALSE;
}

static BOOLEAN KiTryAll(PKTHREAD Thread)
{
    PKWAIT_BLOCK Blocks = Thread->WaitBlocks;
    ULONG Count = Thread->WaitCount;
    BOOLEAN All = TRUE;
    for (ULONG i = 0; i < Count; i++) {
        KiLockObject(Blocks[i].Object);
    }
    for (ULONG i = 0; i < Count; i++) {
        All = All && KiIsSignaled(Blocks[i].Object, Thread);
    }
    Thread->WaitStatus = STATUS_SUCCESS;
    for (ULONG i = 0; i < Count && All; i++) {
        if (KiConsume(Blocks[i].Object, Thread) == STATUS_ABANDONED) {
            Thread->WaitStatus = STATUS_ABANDONED;
        }
    }
    for (ULONG i = 0; i < Count; i++) {
        KiUnlockObject(Blocks[i].Object);
    }
    return All;
}

BOOLEAN KiTrySatisfy(PKTHREAD Thread)
{
    return Thread->WaitType == WaitAll ? KiTryAll(Thread) : KiTryAny(Thread);
}

VOID KiLinkWaitBlocks(PKTHREAD Thread)
{
    for (ULONG i = 0; i < Thread->WaitCount; i++) {
        PKWAIT_BLOCK Block = &Thread->WaitBlocks[i];
        PDISPATCHER_HEADER Header = Block->Object;
        KiLockObject(Header);
        InsertTailList(&Header->WaitListHead, &Block->WaitListEntry);
        KiUnlockObject(Header);
    }
}

VOID KiUnlinkWaitBlocks(PKTHREAD Thread)
{
    for (ULONG i = 0; i < Thread->WaitCount; i++) {
        PKWAIT_BLOCK Block = &Thread->WaitBlocks[i];
        PDISPATCHER_HEADER Header = Block->Object;
        KiLockObject(Header);
        RemoveEntryList(&Block->WaitListEntry);
        KiUnlockObject(Header);
    }
}

// The thread may go on only once KiWake has written KI_WAIT_DONE: until then the signaller still uses its
// objects.
static VOID KiClaim(PKTHREAD Thread, PKTHREAD *Woken)
{
    KiUnlinkWaitBlocks(Thread);
    if (KiExploring) {
        KiInherit(Thread);
    }
    __atomic_store_n(&Thread->WaitState, KI_WAIT_CLAIMED, __ATOMIC_RELAXED);
    Thread->NextWoken = *Woken;
    *Woken = Thread;
}

VOID KiReleaseWaiters(PDISPATCHER_HEADER Header, PKTHREAD *Woken)
{
    PLIST_ENTRY Entry = Header->WaitListHead.Flink;
    while (Entry != &Header->WaitListHead) {
        PKTHREAD Thread = CONTAINING_RECORD(Entry, KWAIT_BLOCK, WaitListEntry)->Thread;
        if (KiTrySatisfy(Thread)) {
            KiClaim(Thread, Woken);
            Entry = Header->WaitListHead.Flink;
        } else {
            Entry = Entry->Flink;
        }
    }
}

LONG KiSignalLocked(PDISPATCHER_HEADER Header, LONG State, PKTHREAD *Woken)
{
    KiLockObject(Header);
    LONG Previous = Header->SignalState;
    Header->SignalState = State;
    KiUnlockObject(Header);
    KiReleaseWaiters(Header, Woken);
    return Previous;
}

LONG KiSignal(PDISPATCHER_HEADER Header, LONG State)
{
    KiLockObject(Header);
    LONG Previous = Header->SignalState;
    if (IsListEmpty(&Header->WaitListHead)) {
        Header->SignalState = State;
        KiUnlockObject(Header);
    } else {
        KiUnlockObject(Header);
        PKTHREAD Woken = NULL;
        KiLockDispatcher();
        Previous = KiSignalLocked(Header, State, &Woken);
        KiUnlockDispatcher();
        KiWake(Woken);
    }
    KiPreempt(Header);
    return Previous;
}

VOID KiTimeOutLocked(PKTHREAD Thread, PKTHREAD *Woken)
{
    if (__atomic_load_n(&Thread->WaitState, __ATOMIC_RELAXED) == KI_WAIT_PENDING) {
        Thread->WaitStatus = STATUS_TIMEOUT;
        KiClaim(Thread, Woken);
    }
}

VOID KiWake(PKTHREAD Woken)
{
    PKTHREAD First = NULL;
    // Claiming put the last waiter first; they go on in the order in which they waited.
    while (Woken != NULL) {
        PKTHREAD Next = Woken->NextWoken;
        Woken->NextWoken = First;
        First = Woken;
        Woken = Next;
    }
    while (First != NULL) {
        PKTHREAD Next = First->NextWoken;
        if (KiOptions.Virtual) {
            __atomic_store_n(&First->WaitState, KI_WAIT_DONE, __ATOMIC_RELEASE);
            KiReadyVirtual(First);
        } else {
            // Once the store is seen the thread may be gone.
            __atomic_store_n(&First->WaitState, KI_WAIT_DONE, __ATOMIC_RELEASE);
            os_wake(&First->WaitState, 1);
        }
        First = Next;
    }
}
