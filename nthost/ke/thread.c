// SPDX-License-Identifier: MIT
// Threads: those drivers create, and the host's, which become threads of the kernel when they first enter it.
#include "nthost/ke/ke.h"
#include "nthost/ke/inlines.h"
#include "nthost/ke/lock.h"
#include "nthost/ob/ob.h"
#include "nthost/verifier/faults.h"

__thread PKTHREAD KiThread __attribute__((tls_model("initial-exec")));
LIST_ENTRY KiThreadListHead = {&KiThreadListHead, &KiThreadListHead};

static uint32_t KiThreadLock;
static ULONG KiThreadIds;
static ULONG KiGenerationWord; // of the boot; 0: not booted
static LONG KiSystemThreads;

VOID KiLockThreads(VOID)
{
    KiLock(&KiThreadLock);
}

VOID KiUnlockThreads(VOID)
{
    KiUnlock(&KiThreadLock);
}

static ULONG KiGeneration(VOID)
{
    return __atomic_load_n(&KiGenerationWord, __ATOMIC_ACQUIRE);
}

static VOID KiEnroll(PKTHREAD Thread)
{
    KiLockThreads();
    Thread->Id = ++KiThreadIds;
    Thread->Generation = KiGeneration();
    InsertTailList(&KiThreadListHead, &Thread->ThreadListEntry);
    KiUnlockThreads();
}

PKTHREAD KiCreateThread(VOID)
{
    PKTHREAD Thread = ObpCreateObject(&ObpThreadType, sizeof *Thread);
    if (Thread != NULL) {
        KiInitializeHeader(&Thread->Header, KiThreadObject, sizeof *Thread, 0);
        KiInitializeHeader(&Thread->Timer.Header, KiThreadTimer, sizeof Thread->Timer, 0);
        InitializeListHead(&Thread->MutantListHead);
        InitializeListHead(&Thread->ThreadListEntry);
        Thread->Priority = 8;
        Thread->State = KiEnded;
    }
    return Thread;
}

// ---- the host's threads ----

static VOID KiTellBegin(PKTHREAD Thread)
{
    if (KiHooks.ThreadBegins != NULL) {
        KiHooks.ThreadBegins(Thread);
    }
}

static VOID KiTellEnd(PKTHREAD Thread)
{
    if (KiHooks.ThreadEnds != NULL) {
        KiHooks.ThreadEnds(Thread);
    }
}

static void KiDetach(void *Argument)
{
    PKTHREAD Thread = Argument;
    KiTellEnd(Thread);
    if (KiBooted() && Thread->Generation == KiGeneration()) {
        KiLockThreads();
        RemoveEntryList(&Thread->ThreadListEntry);
        KiUnlockThreads();
        if (KiOptions.Virtual) {
            KiDepartVirtual(Thread, KiEnded);
        }
    }
    KiThread = KiCarrier = NULL;
    ObpDereference(Thread);
}

PKTHREAD KiAttach(VOID)
{
    PKTHREAD Thread = KiCreateThread();
    if (Thread == NULL) {
        os_print("nthost: no memory for a thread\n");
        os_abort();
    }
    Thread->Host = TRUE;
    KiThread = KiCarrier = Thread;
    os_at_thread_exit(KiDetach, Thread);
    KiTellBegin(Thread);
    KiEnroll(Thread);
    if (KiOptions.Virtual && KiBooted()) {
        KiArriveVirtual(Thread);
    }
    return Thread;
}

VOID KiEnter(VOID)
{
    PKTHREAD Thread = KiThread;
    if (Thread != NULL && Thread->Generation == KiGeneration()) {
        return;
    }
    if (Thread == NULL) {
        KiAttach();
        return;
    }
    KiTellBegin(Thread); // left over from an earlier boot
    KiEnroll(Thread);
    if (KiOptions.Virtual) {
        Thread->State = KiEnded;
        KiArriveVirtual(Thread);
    }
}

VOID KiLeaveOutside(VOID)
{
    if (KiOptions.Virtual) {
        KiDepartVirtual(KiCurrentThread(), KiOutside);
    }
}

VOID KiReturnInside(VOID)
{
    if (KiOptions.Virtual) {
        KiArriveVirtual(KiCurrentThread());
    }
}

// ---- threads of the system ----

VOID KiBeginThread(PKTHREAD Thread)
{
    KiThread = Thread;
    if (!Thread->Fiber) {
        KiCarrier = Thread;
    }
    KiTellBegin(Thread);
    if (KiOptions.Virtual) {
        KiAwaitFirstTurn(Thread);
    }
}

static BOOLEAN KiStart(PKTHREAD Thread, os_routine *Routine)
{
    KiEnroll(Thread);
    if (KiExploring) {
        KiTouchExplored(Thread);
        KiInherit(Thread);
    }
    if (Thread->Fiber ? !os_context_make(&Thread->Context, Routine, Thread)
                      : os_thread_start(Routine, Thread) != 0) {
        KiLockThreads();
        RemoveEntryList(&Thread->ThreadListEntry);
        KiUnlockThreads();
        return FALSE;
    }
    if (KiOptions.Virtual) {
        KiStartVirtual(Thread);
    }
    return TRUE;
}

BOOLEAN KiStartHostThread(PKTHREAD Thread, os_routine *Routine)
{
    return KiStart(Thread, Routine);
}

BOOLEAN KiStartThread(PKTHREAD Thread, os_routine *Routine)
{
    Thread->Fiber = KiFibers;
    return KiStart(Thread, Routine);
}

VOID KiEndThread(PKTHREAD Thread)
{
    KiTellEnd(Thread);
    KiLockThreads();
    RemoveEntryList(&Thread->ThreadListEntry);
    KiUnlockThreads();
    // No preemption from here on: who waits for the thread may end the scheduler.
    PKTHREAD Woken = NULL;
    KiLockDispatcher();
    KiSignalLocked(&Thread->Header, 1, &Woken);
    KiUnlockDispatcher();
    KiWake(Woken);
    if (Thread->System) {
        __atomic_fetch_sub(&KiSystemThreads, 1, __ATOMIC_RELEASE);
    }
    if (Thread->Fiber) {
        struct os_context Context = Thread->Context;
        KiThread = KiCarrier;
        ObpDereference(Thread);
        KiEndFiber(&Context);
    }
    KiThread = KiCarrier = NULL;
    if (KiOptions.Virtual) {
        KiDepartVirtual(Thread, KiEnded);
    }
    ObpDereference(Thread);
}

static void KiLeaveSystemThread(PKTHREAD Thread)
{
    VfCheckThreadEnd();
    KiAbandonMutants(Thread);
    KiEndThread(Thread);
}

static void KiRunSystemThread(void *Argument)
{
    PKTHREAD Thread = Argument;
    KiBeginThread(Thread);
    VfMayBeLate(NT_FAULT_THREAD, (PVOID)Thread->StartRoutine);
    Thread->StartRoutine(Thread->StartContext);
    KiLeaveSystemThread(Thread);
}

NTSTATUS NTAPI PsCreateSystemThread(PHANDLE Handle, ULONG Access, POBJECT_ATTRIBUTES Attributes,
                                    HANDLE Process, PCLIENT_ID ClientId, PKSTART_ROUTINE Routine,
                                    PVOID Context)
{
    (void)Attributes, (void)Process;
    NT_ENTRY(PsCreateSystemThread);
    NT_MAY_FAIL(THREAD, STATUS_INSUFFICIENT_RESOURCES);
    PKTHREAD Thread = KiCreateThread();
    if (Thread == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Thread->System = TRUE;
    Thread->StartRoutine = Routine;
    Thread->StartContext = Context;
    Thread->Driver = Thread->Creator = VfCurrentDriver();
    Thread->KernelApcDisable = -1; // it starts within a critical region
    NTSTATUS Status = ObpCreateHandle(Thread, Access, Handle);
    if (!NT_SUCCESS(Status)) {
        ObfDereferenceObject(Thread);
        return Status;
    }
    __atomic_fetch_add(&KiSystemThreads, 1, __ATOMIC_RELAXED);
    if (!KiStartThread(Thread, KiRunSystemThread)) {
        __atomic_fetch_sub(&KiSystemThreads, 1, __ATOMIC_RELAXED);
        ObpCloseHandle(*Handle);
        ObfDereferenceObject(Thread);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (ClientId != NULL) {
        *ClientId = (CLIENT_ID){(HANDLE)(ULONG_PTR)4, (HANDLE)(ULONG_PTR)Thread->Id};
    }
    KiPreempt(Thread);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    PKTHREAD Thread = KiCurrentThread();
    (void)ExitStatus; // nobody can ask for it
    NT_ENTRY(PsTerminateSystemThread);
    if (!Thread->System) {
        return STATUS_INVALID_PARAMETER;
    }
    KiLeaveSystemThread(Thread);
    os_thread_leave();
}

PKTHREAD KiFindThread(USHORT Driver)
{
    PKTHREAD Found = NULL;
    KiLockThreads();
    for (PLIST_ENTRY Entry = KiThreadListHead.Flink; Entry != &KiThreadListHead; Entry = Entry->Flink) {
        PKTHREAD Thread = CONTAINING_RECORD(Entry, KTHREAD, ThreadListEntry);
        if (Thread->System && Thread->Creator == Driver && Thread->Header.SignalState == 0) {
            Found = Thread;
        }
    }
    KiUnlockThreads();
    return Found;
}

VOID KiReapThreads(VOID)
{
    enum { PATIENCE = 10 * 10000000, STEP = 10000 };
    ULONG64 End = KiUptime() + PATIENCE;
    LONG Left;
    while ((Left = __atomic_load_n(&KiSystemThreads, __ATOMIC_ACQUIRE)) != 0) {
        if (KiUptime() > End) {
            VfBreak(VfRuleThreadLeftAtUnload, (ULONG_PTR)Left, 0, 0, "%d system threads do not end", Left);
        }
        KiSleep(STEP);
    }
}

VOID KiBootThreads(VOID)
{
    static ULONG Boots;
    __atomic_store_n(&KiGenerationWord, 0, __ATOMIC_RELEASE);
    KiThreadIds = 0;
    PKTHREAD Thread = KiThread != NULL ? KiThread : KiAttach();
    InitializeListHead(&KiThreadListHead);
    __atomic_store_n(&KiGenerationWord, ++Boots, __ATOMIC_RELEASE);
    KiBootVirtual(Thread, KiOptions.Seed);
    KiThreadIds = 0;
    KiEnroll(Thread);
}

VOID KiShutdownThreads(VOID)
{
    KiLockThreads();
    InitializeListHead(&KiThreadListHead);
    __atomic_store_n(&KiGenerationWord, 0, __ATOMIC_RELEASE);
    KiUnlockThreads();
}

BOOLEAN KiBooted(VOID)
{
    return KiGeneration() != 0;
}

// ---- asking about threads ----

HANDLE NTAPI PsGetCurrentThreadId(VOID)
{
    return (HANDLE)(ULONG_PTR)KiCurrentThread()->Id;
}

HANDLE NTAPI PsGetCurrentProcessId(VOID)
{
    return (HANDLE)(ULONG_PTR)4; // everything is the system process
}

KPRIORITY NTAPI KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
    NT_ENTRY(KeSetPriorityThread);
    return __atomic_exchange_n(&Thread->Priority, Priority, __ATOMIC_RELAXED);
}

KPRIORITY NTAPI KeQueryPriorityThread(PKTHREAD Thread)
{
    NT_ENTRY(KeQueryPriorityThread);
    return __atomic_load_n(&Thread->Priority, __ATOMIC_RELAXED);
}

PKTHREAD NTAPI KiExportGetCurrentThread(VOID)
{
    return KiCurrentThread();
}
