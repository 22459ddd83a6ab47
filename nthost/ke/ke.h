// SPDX-License-Identifier: MIT
// The kernel's inside: threads, the two schedulers, the dispatcher. For nthost's WDM sources only; drivers
// see NT names.
#pragma once
#include <ntddk.h>
#include <stdbool.h>
#include <stdint.h>

#include "nthost/os/context.h"

#define KI_TAG 'iKtN'

// ---- boot ----

typedef struct _KI_BOOT {
    BOOLEAN Virtual;    // the deterministic scheduler and its clock
    ULONG64 Seed;       // of its choices; 0: first runnable thread, no preemption
    BOOLEAN Verifier;   // rules are checked
    BOOLEAN GuardPages; // every pool block ends at an unmapped page
    BOOLEAN Threads;    // each thread has one of the host's, also under the virtual clock
    void (*Print)(void *Context, const char *Text);
    void (*BugCheck)(void *Context, const char *Report); // NULL: stderr; the process aborts afterwards
    void *Context;
} KI_BOOT, *PKI_BOOT;

BOOLEAN KiBoot(const KI_BOOT *Boot); // attaches the calling thread; FALSE: out of resources
VOID KiShutdown(VOID);               // called by the last thread inside; waits for system threads to be gone
VOID KiPrint(PCSTR Text);

extern KI_BOOT KiOptions;

// For an image loader: threads need more before they run an image's code, and exceptions find handlers there.
// Set before boot; each may be NULL.
typedef struct _KI_HOOKS {
    void (*ThreadBegins)(void *Thread); // on the thread, before it runs any driver's code
    void (*ThreadEnds)(void *Thread);
    void (*Raise)(uint32_t Status); // comes back only if no handler takes it
} KI_HOOKS;
extern KI_HOOKS KiHooks;

// ---- threads ----

enum { KI_HELD_LOCKS = 16, KI_FRAMES = 24 };
enum { KI_STACK_IDLE, KI_STACK_ASKED, KI_STACK_GIVEN };

typedef struct _KI_HELD_LOCK {
    PKSPIN_LOCK Lock;
    PVOID Caller;
    KIRQL OldIrql;
    BOOLEAN Queued, AtDpc;
} KI_HELD_LOCK;

typedef enum _KI_STATE { KiRunning, KiReadyToRun, KiWaiting, KiSpinning, KiOutside, KiEnded } KI_STATE;

typedef struct _KTHREAD {
    DISPATCHER_HEADER Header; // first: a thread is waited for by its address
    LIST_ENTRY ThreadListEntry;
    ULONG Id, Generation;
    BOOLEAN System; // made by PsCreateSystemThread
    BOOLEAN Host;   // the host's; else, with neither, one of the kernel's own
    KIRQL Irql;
    BOOLEAN InDpc, DpcPending;
    USHORT Driver, Creator; // VF_DRIVER: whose code runs, who made the thread
    SHORT KernelApcDisable, SpecialApcDisable;
    KPRIORITY Priority;
    LIST_ENTRY MutantListHead;

    // The routine of ours that was entered last, for reports.
    USHORT Routine;
    PVOID Caller;
    PVOID DriverFrame; // where on the stack the driver was entered

    // Waiting. WaitState is the word slept on; all are written under the dispatcher lock.
    uint32_t WaitState;
    NTSTATUS WaitStatus;
    WAIT_TYPE WaitType;
    ULONG WaitCount;
    PKWAIT_BLOCK WaitBlocks;
    struct _KTHREAD *NextWoken;
    KWAIT_BLOCK WaitBlock[THREAD_WAIT_OBJECTS + 1];
    KTIMER Timer;

    ULONG HeldCount;
    KI_HELD_LOCK Held[KI_HELD_LOCKS];

    // The virtual scheduler.
    KI_STATE State;
    LIST_ENTRY ReadyListEntry;
    uint32_t Baton;
    BOOLEAN Fiber;             // a stack that others carry; else it has a thread of the host
    BOOLEAN Begun;             // has run
    struct os_context Context; // while others are carried, or it is
    struct _KTHREAD *PassTo, *Carries;
    PKSPIN_LOCK SpinLock;
    ULONG64 History; // explore.c: of what it did and what it comes after
    uint32_t StackRequest;
    ULONG FrameCount;
    PVOID Frames[KI_FRAMES];

    PKSTART_ROUTINE StartRoutine;
    PVOID StartContext;
} KTHREAD;

extern __thread PKTHREAD KiThread __attribute__((tls_model("initial-exec")));
PKTHREAD KiAttach(VOID); // makes the calling host thread a thread of the kernel

static inline PKTHREAD KiCurrentThread(VOID)
{
    PKTHREAD Thread = KiThread;
    return Thread != NULL ? Thread : KiAttach();
}

// For the user side: first thing in every call into the kernel, and around the host's own blocking calls.
VOID KiEnter(VOID);        // attaches, also anew after another boot
VOID KiLeaveOutside(VOID); // lets the virtual scheduler go on while this thread blocks elsewhere
VOID KiReturnInside(VOID);
BOOLEAN KiBooted(VOID);
VOID KiReapThreads(VOID); // waits until no system thread is left

// ---- time, in 100 ns ----

ULONG64 KiUptime(VOID);                // since boot
VOID KiUpdateTime(VOID);               // refreshes NtHostUserSharedData
ULONG64 KiDueTime(LARGE_INTEGER Time); // relative or absolute to uptime
ULONG64 KiHostTime(ULONG64 Due);       // of os_uptime()
VOID KiSleep(ULONG64 Interval);

// ---- dispatcher ----

VOID KiLockDispatcher(VOID);
VOID KiUnlockDispatcher(VOID);

enum { KI_OBJECT_LOCK = 0x80 }; // in Header.Type, as NT has it

static inline VOID KiLockObject(PDISPATCHER_HEADER Header)
{
    while (__atomic_fetch_or(&Header->Type, KI_OBJECT_LOCK, __ATOMIC_ACQUIRE) & KI_OBJECT_LOCK) {
        YieldProcessor();
    }
}

static inline VOID KiUnlockObject(PDISPATCHER_HEADER Header)
{
    __atomic_fetch_and(&Header->Type, (UCHAR)~KI_OBJECT_LOCK, __ATOMIC_RELEASE);
}

static inline UCHAR KiObjectType(PDISPATCHER_HEADER Header)
{
    return __atomic_load_n(&Header->Type, __ATOMIC_RELAXED) & (UCHAR)~KI_OBJECT_LOCK;
}

enum {
    KiEventNotification,
    KiEventSynchronization,
    KiMutant,
    KiSemaphore = 5,
    KiThreadObject,
    KiTimerNotification = 8,
    KiTimerSynchronization,
    KiDpc = 19,
    KiThreadTimer = 0x40 // KTHREAD.Timer: ours alone
};

enum { KI_WAIT_NONE, KI_WAIT_PENDING, KI_WAIT_CLAIMED, KI_WAIT_DONE };

VOID KiInitializeHeader(PDISPATCHER_HEADER Header, UCHAR Type, ULONG Size, LONG State);
// Sets the object's state and lets waiters through. Returns the previous state.
LONG KiSignal(PDISPATCHER_HEADER Header, LONG State);
// The same with the dispatcher lock held; threads to wake are chained to *Woken for KiWake after the lock is
// dropped.
LONG KiSignalLocked(PDISPATCHER_HEADER Header, LONG State, PKTHREAD *Woken);
BOOLEAN KiTryObject(PDISPATCHER_HEADER Header, PKTHREAD Thread, NTSTATUS *Status);
BOOLEAN KiTrySatisfy(PKTHREAD Thread);
VOID KiLinkWaitBlocks(PKTHREAD Thread);
VOID KiUnlinkWaitBlocks(PKTHREAD Thread);
VOID KiReleaseWaiters(PDISPATCHER_HEADER Header, PKTHREAD *Woken);
VOID KiWake(PKTHREAD Woken);
VOID KiTimeOutLocked(PKTHREAD Thread, PKTHREAD *Woken);
VOID KiAcquireMutant(PKMUTANT Mutant, PKTHREAD Thread);
VOID KiAbandonMutants(PKTHREAD Thread);

// ---- DPCs and timers ----

VOID KiDrainDpcs(PKTHREAD Thread);
BOOLEAN KiDpcsQueued(VOID);
VOID KiQueueTimerDpc(PKDPC Dpc);
BOOLEAN KiDpcRangeActive(PVOID Start, SIZE_T Size, PVOID *Object);
VOID KiInsertTimerLocked(PKTIMER Timer, ULONG64 Due);
BOOLEAN KiRemoveTimerLocked(PKTIMER Timer);
PKTIMER KiFindTimer(PVOID Start, SIZE_T Size, USHORT Driver);
ULONG64 KiNextDue(VOID); // OS_FOREVER: none
VOID KiExpireTimers(VOID);
VOID KiFreeTimers(VOID);
BOOLEAN KiStartClock(VOID); // the thread that expires timers and runs their DPCs
VOID KiStopClock(VOID);
VOID KiWakeClock(VOID);

// ---- scheduling ----

extern ULONG64 KiSpinPatience; // how long a spin lock may stay held under the real clock
VOID KiLowerIrql(PKTHREAD Thread, KIRQL Irql);
VOID KiBlock(PKTHREAD Thread, ULONG64 Due); // until WaitState is KI_WAIT_DONE; times itself out at `Due`
BOOLEAN KiStackOf(PKTHREAD Thread);         // fills Thread->Frames of another waiting thread
VOID KiAnswerStackRequest(PKTHREAD Thread);

extern ULONG64 KiVirtualNow;
ULONG KiChooseVirtual(ULONG Count); // by seed or schedule, below Count; else 0
VOID KiPreemptVirtual(PVOID Object);
extern BOOLEAN KiPreempts;          // by a seed or a schedule
extern BOOLEAN KiExploring;         // explore.c: keeps to a schedule
VOID KiTouchExplored(PVOID Object); // the current thread does something to it
VOID KiInherit(PKTHREAD Thread);    // while exploring: it comes after what the current thread did
VOID KiYieldVirtual(VOID);
VOID KiAdvanceVirtual(ULONG64 Interval);
VOID KiBlockVirtual(PKTHREAD Thread, ULONG64 Due);
VOID KiReadyVirtual(PKTHREAD Thread); // no effect unless it waits
VOID KiIdleVirtual(PKTHREAD Thread);
VOID KiSpinVirtual(PKSPIN_LOCK Lock);
VOID KiSpinWakeVirtual(PKSPIN_LOCK Lock);
VOID KiStartVirtual(PKTHREAD Thread);
VOID KiAwaitFirstTurn(PKTHREAD Thread);
VOID KiEndFiber(const struct os_context *Context); // does not return
VOID KiArriveVirtual(PKTHREAD Thread);             // a host thread asks for its turn
VOID KiDepartVirtual(PKTHREAD Thread, KI_STATE State);
VOID KiBootVirtual(PKTHREAD Thread, ULONG64 Seed);

// ---- the turn ----

extern BOOLEAN KiFibers; // threads are stacks
extern __thread PKTHREAD KiCarrier
    __attribute__((tls_model("initial-exec")));             // whose thread of the host this is
VOID KiSwitchTo(PKTHREAD From, PKTHREAD To);                // until it is the turn of `From` again
VOID KiAwaitTurn(PKTHREAD Thread);                          // of a thread that comes in
VOID KiGiveTo(PKTHREAD To, PKTHREAD Carrier);               // by a thread that goes out
VOID KiLeaveTo(const struct os_context *From, PKTHREAD To); // by a fiber that ends; does not return
BOOLEAN KiParkedHere(PKTHREAD Thread);                      // KiLookAt works
BOOLEAN KiLookAt(PKTHREAD Thread);                          // fills the frames of a thread that stands still

// A place where another processor's work may come first: the thread has done, or is about to do, something to
// the object that others see. NULL: to none.
static inline VOID KiPreempt(PVOID Object)
{
    if (KiPreempts) {
        KiPreemptVirtual(Object);
    }
}

// The same for schedules only: seeds mean what they always meant.
static inline VOID KiPoint(PVOID Object)
{
    if (KiExploring) {
        KiPreemptVirtual(Object);
    }
}

// For what commutes with the same done to another object, where nothing need come between.
static inline VOID KiTouch(PVOID Object)
{
    if (KiExploring) {
        KiTouchExplored(Object);
    }
}

// Lets the others that can run go first, once.
static inline VOID KiYield(VOID)
{
    if (KiOptions.Virtual) {
        KiYieldVirtual();
    }
}

// ---- the list of threads ----

PKTHREAD KiCreateThread(VOID);
PKTHREAD KiFindThread(USHORT Driver); // one that the driver created; NULL: none
BOOLEAN KiStartThread(PKTHREAD Thread, void (*Routine)(void *));
BOOLEAN KiStartHostThread(PKTHREAD Thread, void (*Routine)(void *)); // with a thread of the host in any case
VOID KiBeginThread(PKTHREAD Thread);                                 // first and last on the thread itself
VOID KiEndThread(PKTHREAD Thread);
VOID KiBootThreads(VOID);
VOID KiShutdownThreads(VOID);
VOID KiBootClock(VOID);
VOID KiLockThreads(VOID);
VOID KiUnlockThreads(VOID);
extern LIST_ENTRY KiThreadListHead;
