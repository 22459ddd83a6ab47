// SPDX-License-Identifier: MIT
#include "images/bad.h"

enum { BAD_TAG = 'daBN' };

static volatile ULONG Count;
static volatile ULONG Zero;
static volatile PULONG Nowhere;
static VOID (*volatile NoRoutine)(VOID);
static volatile ULONG Depth;

KDEFERRED_ROUTINE BadTimerDpc;
KSTART_ROUTINE BadThread;

struct bad_wait {
    KEVENT Done;
    KIRQL Irql;
    PULONG Touch; // written by the thread; NULL is what the test is about
};

static NTSTATUS Answer(PVOID Output, ULONG Value, PULONG Length)
{
    *(PULONG)Output = Value;
    *Length = sizeof Value;
    return STATUS_SUCCESS;
}

static NTSTATUS Place(PVOID Output, PULONG Length)
{
    struct bad_place *Where = Output;
    LARGE_INTEGER Time, Ticks;
    KIRQL Irql;
    Where->thread = (ULONG_PTR)KeGetCurrentThread();
    Where->current_thread = (ULONG_PTR)PsGetCurrentThreadId();
    Where->irql = KeGetCurrentIrql();
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    Where->raised = KeGetCurrentIrql();
    KeLowerIrql(Irql);
    KeQuerySystemTime(&Time);
    KeQueryTickCount(&Ticks);
    Where->time = (ULONGLONG)Time.QuadPart;
    Where->ticks = (ULONGLONG)Ticks.QuadPart;
    *Length = sizeof *Where;
    return STATUS_SUCCESS;
}

VOID NTAPI BadTimerDpc(PKDPC Dpc, PVOID Context, PVOID First, PVOID Second)
{
    struct bad_wait *Wait = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    Wait->Irql = KeGetCurrentIrql();
    KeSetEvent(&Wait->Done, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS RunDpc(PVOID Output, PULONG Length)
{
    KTIMER Timer;
    KDPC Dpc;
    struct bad_wait Wait;
    LARGE_INTEGER Soon;
    Soon.QuadPart = -10000;
    KeInitializeEvent(&Wait.Done, NotificationEvent, FALSE);
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, BadTimerDpc, &Wait);
    KeSetTimer(&Timer, Soon, &Dpc);
    KeWaitForSingleObject(&Wait.Done, Executive, KernelMode, FALSE, NULL);
    KeFlushQueuedDpcs();
    return Answer(Output, Wait.Irql, Length);
}

VOID NTAPI BadThread(PVOID Context)
{
    struct bad_wait *Wait = Context;
    Wait->Irql = KeGetCurrentIrql();
    *(volatile ULONG *)Wait->Touch = 1;
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS RunThread(PULONG Touch, PVOID Output, PULONG Length)
{
    HANDLE Handle;
    PVOID Thread;
    struct bad_wait Wait = {.Touch = Touch};
    NTSTATUS Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, BadThread, &Wait);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, NULL, KernelMode, &Thread, NULL);
    ZwClose(Handle);
    if (NT_SUCCESS(Status)) {
        KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(Thread);
        Status = Answer(Output, Wait.Irql, Length);
    }
    return Status;
}

// Not a tail call, and each level writes to its frame.
static __attribute__((noinline)) ULONG Descend(ULONG Level)
{
    volatile ULONG Room[64];
    Room[Level % 64] = Level;
    Depth = Level;
    return Level == ~Zero ? 0 : Descend(Level + 1) + Room[(Level + 1) % 64];
}

static NTSTATUS ReadRaised(VOID)
{
    KIRQL Irql;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ULONG Value = *Nowhere;
    KeLowerIrql(Irql);
    return Value == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

#ifdef _MSC_VER
// clang guards only calls, not a store in the block itself; and it puts no instruction behind a call that
// does not return, so a raise elsewhere in the same routine may seem to come from the block that follows it.
static __attribute__((noinline)) VOID WriteNowhere(VOID)
{
    *Nowhere = 1;
}

static __attribute__((noinline)) NTSTATUS TryWrite(VOID)
{
    __try {
        WriteNowhere();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static __attribute__((noinline)) NTSTATUS TryRaise(VOID)
{
    __try {
        ExRaiseStatus(STATUS_NO_MEDIA);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}
#else
static NTSTATUS TryWrite(VOID)
{
    return STATUS_NOT_SUPPORTED; // gcc has no __try
}

static NTSTATUS TryRaise(VOID)
{
    return STATUS_NOT_SUPPORTED;
}
#endif

static NTSTATUS Misbehave(ULONG Action, PVOID Output, PULONG Length)
{
    KIRQL Irql;
    switch (Action) {
    case BAD_NULL_WRITE:
        *Nowhere = 1;
        break;
    case BAD_NULL_READ_RAISED:
        return ReadRaised();
    case BAD_NULL_CALL:
        NoRoutine();
        break;
    case BAD_THREAD_WRITE:
        return RunThread(NULL, Output, Length);
    case BAD_FAST_FAIL:
        __asm__ volatile("int $0x29" : : "c"(3));
        break;
    case BAD_STACK:
        return (NTSTATUS)Descend(0);
    case BAD_RAISE:
        ExRaiseStatus(STATUS_NO_MEDIA);
    case BAD_HALT:
        __asm__ volatile("hlt");
        break;
    case BAD_DIVIDE:
        return Answer(Output, ++Count / Zero, Length);
    case BAD_LEAK:
        (VOID) ExAllocatePoolWithTag(NonPagedPool, 24, BAD_TAG);
        break;
    case BAD_KEEP_IRQL:
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        break;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    return STATUS_SUCCESS;
}

NTSTATUS BadAct(ULONG Action, PVOID Output, PULONG Length)
{
    ULONG Touched;
    switch (Action) {
    case BAD_COUNT:
        return Answer(Output, ++Count, Length);
    case BAD_LIBRARY_COUNT:
        return Answer(Output, BadLibraryCount(), Length);
    case BAD_PLACE:
        return Place(Output, Length);
    case BAD_DPC:
        return RunDpc(Output, Length);
    case BAD_SYSTEM_THREAD:
        return RunThread(&Touched, Output, Length);
    case BAD_TRY_WRITE:
        return Answer(Output, (ULONG)TryWrite(), Length);
    case BAD_TRY_RAISE:
        return Answer(Output, (ULONG)TryRaise(), Length);
    default:
        return Misbehave(Action, Output, Length);
    }
}
