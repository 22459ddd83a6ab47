// SPDX-License-Identifier: MIT
#include "nthost/verifier/report.h"
#include "nthost/ke/ke.h"
#include "nthost/os/os.h"
#include "nthost/rtl/rtl.h"
#include "nthost/verifier/verifier.h"

static const PCSTR VfRoutineNames[] = {
    "-",
#define NT_EXPORT_AS(name, symbol, irql) #name,
#define NT_EXPORT(name, irql)            #name,
#define NT_EXPORT_DATA(name, symbol)     #name,
#include "nthost/exports.inc"
#undef NT_EXPORT
#undef NT_EXPORT_AS
#undef NT_EXPORT_DATA
};

static VOID VfDescribeAddress(PCHAR Text, SIZE_T Size, const VOID *Address)
{
    CHAR Symbol[160];
    os_describe(Address, Symbol, sizeof Symbol);
    RtlpAppend(Text, Size, "%s", Symbol);
}

VOID VfDescribeStack(PCHAR Text, SIZE_T Size, PVOID const *Frames, ULONG Count)
{
    for (ULONG i = 0; i < Count; i++) {
        RtlpAppend(Text, Size, "  #%u %p ", i, Frames[i]);
        // The call, not what follows it: behind a call that never returns another routine may begin.
        VfDescribeAddress(Text, Size, (PVOID)((ULONG_PTR)Frames[i] - (i != 0 && Frames[i] != NULL)));
        RtlpAppend(Text, Size, "\n");
    }
}

static PCSTR VfObjectName(PVOID Object)
{
    switch (KiObjectType(Object)) {
    case KiEventNotification:
        return "notification event";
    case KiEventSynchronization:
        return "synchronization event";
    case KiMutant:
        return "mutex";
    case KiSemaphore:
        return "semaphore";
    case KiThreadObject:
        return "thread";
    case KiTimerNotification:
    case KiTimerSynchronization:
        return "timer";
    default:
        return "object";
    }
}

static VOID VfDescribeHeld(PCHAR Text, SIZE_T Size, PKTHREAD Thread)
{
    for (ULONG i = 0; i < Thread->HeldCount; i++) {
        RtlpAppend(Text, Size, "  holds spin lock %p, acquired at ", Thread->Held[i].Lock);
        VfDescribeAddress(Text, Size, Thread->Held[i].Caller);
        RtlpAppend(Text, Size, "\n");
    }
}

static VOID VfDescribeThread(PCHAR Text, SIZE_T Size, PKTHREAD Thread)
{
    static const PCSTR States[] = {"running", "ready", "waiting", "spinning", "outside", "ended"};
    RtlpAppend(Text, Size, "thread %u (%s): %s, driver %s, IRQL %u\n", Thread->Id,
               Thread->Host     ? "host"
               : Thread->System ? "system"
                                : "kernel",
               States[Thread->State], VfDriverName(Thread->Driver), Thread->Irql);
    for (ULONG i = 0; Thread->State == KiWaiting && i < Thread->WaitCount; i++) {
        PVOID Object = Thread->WaitBlocks[i].Object;
        RtlpAppend(Text, Size, "  waits for %s %p\n", VfObjectName(Object), Object);
    }
    if (Thread->State == KiSpinning) {
        RtlpAppend(Text, Size, "  spins for spin lock %p\n", Thread->SpinLock);
    }
    VfDescribeHeld(Text, Size, Thread);
    if (Thread->State == KiWaiting || Thread->State == KiSpinning || Thread->State == KiReadyToRun) {
        if (KiStackOf(Thread)) {
            VfDescribeStack(Text, Size, Thread->Frames, Thread->FrameCount);
        }
    }
}

// Only the virtual scheduler knows that the others stand still.
static VOID VfDescribeOthers(PCHAR Text, SIZE_T Size, PKTHREAD Self)
{
    for (PLIST_ENTRY Entry = KiThreadListHead.Flink; Entry != &KiThreadListHead; Entry = Entry->Flink) {
        PKTHREAD Thread = CONTAINING_RECORD(Entry, KTHREAD, ThreadListEntry);
        if (Thread != Self) {
            VfDescribeThread(Text, Size, Thread);
        }
    }
}

VOID VfDescribeContext(PCHAR Text, SIZE_T Size)
{
    PVOID Frames[KI_FRAMES];
    PKTHREAD Thread = KiCurrentThread();
    RtlpAppend(Text, Size, "driver: %s\nroutine: %s\n", VfDriverName(Thread->Driver),
               VfRoutineNames[Thread->Routine]);
    if (Thread->Caller != NULL) {
        RtlpAppend(Text, Size, "caller: ");
        VfDescribeAddress(Text, Size, Thread->Caller);
        RtlpAppend(Text, Size, "\n");
    }
    if (KiOptions.Virtual) {
        RtlpAppend(Text, Size, "seed: %I64u, time: %I64u us\n", KiOptions.Seed, KiVirtualNow / 10);
    }
    VfDescribeThread(Text, Size, Thread);
    VfDescribeStack(Text, Size, Frames, os_stack(Frames, KI_FRAMES));
    if (KiOptions.Virtual && KiBooted()) {
        VfDescribeOthers(Text, Size, Thread);
    }
}
