// SPDX-License-Identifier: MIT
// Races of two threads.
#include <ntddk.h>

#include "nthost/ke/ke.h"
#include "tests/nthost/explore/racy.h"

static KEVENT Event, Other;
static KSPIN_LOCK Lock;
static PSINGLE_LIST_ENTRY Head;
static SINGLE_LIST_ENTRY Entries[2];
static volatile BOOLEAN Flag;
static BOOLEAN Locked;
unsigned long long RaceSeed;
static volatile LONG Passes;

static BOOLEAN Boot(VOID)
{
    const KI_BOOT Options = {.Virtual = TRUE, .Verifier = TRUE, .Seed = RaceSeed};
    if (!KiBoot(&Options)) {
        return FALSE;
    }
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeInitializeEvent(&Other, NotificationEvent, FALSE);
    KeInitializeSpinLock(&Lock);
    Flag = FALSE;
    Head = NULL;
    return TRUE;
}

static VOID Start(PKSTART_ROUTINE Routine, PVOID Context)
{
    HANDLE Thread;
    if (NT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context))) {
        ZwClose(Thread);
    }
}

static VOID NTAPI SetFlag(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Flag = TRUE;
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
}

// What is set between the look and the clearing is lost.
bool RunMissedEvent(void *Context)
{
    (void)Context;
    if (!Boot()) {
        return false;
    }
    Start(SetFlag, NULL);
    if (!Flag) {
        KeClearEvent(&Event);
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    }
    KiShutdown();
    return true;
}

static VOID NTAPI Push(PVOID Context)
{
    PSINGLE_LIST_ENTRY Entry = Context;
    KIRQL Irql = PASSIVE_LEVEL;
    if (Locked) {
        KeAcquireSpinLock(&Lock, &Irql);
    }
    Entry->Next = Head;
    (void)KeReadStateEvent(&Other);
    Head = Entry;
    if (Locked) {
        KeReleaseSpinLock(&Lock, Irql);
    }
}

static bool RunQueue(VOID)
{
    ULONG Count = 0;
    if (!Boot()) {
        return false;
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(Entries); i++) {
        Start(Push, &Entries[i]);
    }
    KiReapThreads();
    for (PSINGLE_LIST_ENTRY Entry = Head; Entry != NULL; Entry = Entry->Next) {
        Count++;
    }
    KiShutdown();
    return Count == RTL_NUMBER_OF(Entries);
}

bool RunUnlockedQueue(void *Context)
{
    (void)Context;
    Locked = FALSE;
    return RunQueue();
}

bool RunLockedQueue(void *Context)
{
    (void)Context;
    Locked = TRUE;
    return RunQueue();
}

static volatile BOOLEAN Began, Ended, Met;

static VOID NTAPI Look(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Met = Met || (Began && !Ended);
}

static VOID NTAPI Pass(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Began = TRUE;
    InterlockedIncrement(&Passes);
    Ended = TRUE;
}

// They meet when the second is chosen to run first and is preempted.
bool RunMeeting(void *Context)
{
    (void)Context;
    if (!Boot()) {
        return false;
    }
    Began = Ended = Met = FALSE;
    Start(Look, NULL);
    Start(Pass, NULL);
    KiReapThreads();
    KiShutdown();
    return !Met;
}
